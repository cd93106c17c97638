/**
 * Which request first showed the model how something came out. A request that was made before the end cannot have: what
 * it showed is what was given back until then. Not here: what came out (`causes.ts`).
 */

import type { CodeCell, Graph, InferenceCall, Int64, ToolCall } from '@rollout-trace/core/format';
import { callThatTold, commandEnd } from '../show/command-end.ts';
import type { View } from '../show/view.ts';

export interface Sight {
  request: InferenceCall;
  /**
   * What was seen: how it ended; what the code cell around it gave back afterwards, which need not tell that; or only
   * what the call or the cell gave back before the end.
   */
  of: 'outcome' | 'cell_output' | 'output_before_end';
}

/** Of a tool call; null where the model saw nothing of it. */
export function sightOfTool(view: View, tool: ToolCall): Sight | null {
  const { graph } = view;
  const { operation, window, outlived } = commandEnd(view, tool);
  const teller = outlived && operation !== null ? callThatTold(view, operation) : null;
  if (teller !== null) return sightOfTool(view, teller);
  const end = window.ended_seq;
  if (tool.requester?.type === 'code_cell') {
    const cell = graph.code_cells.get(tool.requester.code_cell_id);
    return cell === undefined ? null : sightThroughCell(graph, cell, end, 'cell_output');
  }
  return sight(graph, tool.model_visible_output_item_ids, end, 'outcome');
}

/** Of a script; null where the model saw nothing of it. */
export function sightOfCell({ graph }: View, cell: CodeCell): Sight | null {
  return sightThroughCell(graph, cell, cell.execution.ended_seq, 'outcome');
}

function sightThroughCell(graph: Graph, cell: CodeCell, end: Int64 | null, after: Sight['of']): Sight | null {
  return sight(graph, givenBack(graph, cell, end), end, after) ?? sight(graph, cell.output_item_ids, null, after);
}

/** The items in which a cell gave back what it had at some moment: its own, or those of a call that waited for it. */
export function givenBack({ tool_calls }: Graph, cell: CodeCell, end: Int64 | null): readonly string[] {
  const { yielded_seq, output_item_ids, wait_tool_call_ids } = cell;
  if (yielded_seq === null || (end !== null && yielded_seq >= end)) return output_item_ids;
  for (const id of wait_tool_call_ids) {
    const wait = tool_calls.get(id);
    const waited = wait?.execution.ended_seq ?? null;
    if (wait !== undefined && end !== null && waited !== null && waited >= end)
      return wait.model_visible_output_item_ids;
  }
  return [];
}

/** @param after what a request shows that was made after the end */
function sight(graph: Graph, items: readonly string[], end: Int64 | null, after: Sight['of']): Sight | null {
  const request = firstThatShowed(graph, items);
  if (request === null) return null;
  // The items of an earlier request stay what they are: that a later one repeats them tells no more.
  return { request, of: end !== null && request.execution.started_seq > end ? after : 'output_before_end' };
}

function firstThatShowed(graph: Graph, items: readonly string[]): InferenceCall | null {
  // A request holds items of its own thread; the others need not be searched.
  const threads = new Set(items.map((item) => graph.conversation_items.get(item)?.thread_id));
  for (const call of graph.inference_calls.values()) {
    if (threads.has(call.thread_id) && items.some((item) => call.request_item_ids.includes(item))) return call;
  }
  return null;
}
