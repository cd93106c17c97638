/**
 * Which request first showed the model how something came out. A request that was made before the end cannot have: what
 * it showed is what was given back until then. Neither has one that was not answered: nothing says that it was read. Not
 * here: what came out (`causes.ts`).
 */

import type { CodeCell, ExecutionWindow, Graph, InferenceCall, Int64, ToolCall } from '@rollout-trace/core/format';
import { callThatTold, commandEnd } from '../show/command-end.ts';
import type { Noun } from '../show/kinds.ts';
import type { View } from '../show/view.ts';

/** Another object that has to do with what is told. */
export interface Link {
  noun: Noun;
  id: string;
}

export interface Sight {
  request: Link;
  execution: ExecutionWindow;
  /** Null where the request was one for a shorter history. */
  call: InferenceCall | null;
  /** The call or the cell that gave it back. */
  giver: Link;
  /**
   * What was seen: how it ended; what the code cell around it gave back afterwards, which need not tell that; what was
   * given back by what has no recorded end; or only what was given back before the end. Nothing is known to have been
   * seen of what was sent in an `unanswered` request.
   */
  of: 'outcome' | 'cell_output' | 'output' | 'output_before_end' | 'unanswered';
}

/** What was given back, by whom. */
interface Given {
  items: readonly string[];
  giver: Link;
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
  const giver: Link = { noun: 'tool', id: tool.tool_call_id };
  return sight(graph, { items: tool.model_visible_output_item_ids, giver }, end, 'outcome');
}

/** Of a script; null where the model saw nothing of it. */
export function sightOfCell({ graph }: View, cell: CodeCell): Sight | null {
  return sightThroughCell(graph, cell, cell.execution.ended_seq, 'outcome');
}

function sightThroughCell(graph: Graph, cell: CodeCell, end: Int64 | null, after: Sight['of']): Sight | null {
  const giver: Link = { noun: 'cell', id: cell.code_cell_id };
  const seen = sight(graph, { items: givenBack(graph, cell, end), giver }, end, after);
  if (seen !== null && seen.of !== 'unanswered') return seen;
  // Its own items tell of the time before it yielded, whenever they were shown.
  const before = sight(graph, { items: cell.output_item_ids, giver }, end, 'output_before_end');
  return before === null || before.of === 'unanswered' ? (seen ?? before) : before;
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
function sight(graph: Graph, { items, giver }: Given, end: Int64 | null, after: Sight['of']): Sight | null {
  const request = firstThatShowed(graph, items);
  if (request === null) return null;
  return { ...request, giver, of: request.isAnswered ? seenIn(request.execution, end, after) : 'unanswered' };
}

function seenIn({ started_seq }: ExecutionWindow, end: Int64 | null, after: Sight['of']): Sight['of'] {
  if (end === null) return 'output';
  // The items of an earlier request stay what they are: that a later one repeats them tells no more.
  return started_seq > end ? after : 'output_before_end';
}

interface Request extends Pick<Sight, 'request' | 'execution' | 'call'> {
  isAnswered: boolean;
}

/** The first request with one of the items that was answered; where none was, the first. */
function firstThatShowed(graph: Graph, items: readonly string[]): Request | null {
  let unanswered: Request | null = null;
  for (const request of requestsWith(graph, items)) {
    if (request.isAnswered) return request;
    unanswered ??= request;
  }
  return unanswered;
}

/** A history is made shorter instead of being shown once more: the requests for that come after the others. */
function* requestsWith(graph: Graph, items: readonly string[]): Iterable<Request> {
  // A request holds items of its own thread; the others need not be searched.
  const threads = new Set(items.map((item) => graph.conversation_items.get(item)?.thread_id));
  for (const call of graph.inference_calls.values()) {
    if (!threads.has(call.thread_id) || !items.some((item) => call.request_item_ids.includes(item))) continue;
    const { inference_call_id: id, execution, response_item_ids } = call;
    // A part of an answer is one to what was sent.
    const isAnswered = execution.status === 'completed' || response_item_ids.length > 0;
    yield { request: { noun: 'inference', id }, execution, call, isAnswered };
  }
  for (const { thread_id, input_item_ids, request_ids } of graph.compactions.values()) {
    if (!threads.has(thread_id) || !items.some((item) => input_item_ids.includes(item))) continue;
    for (const id of request_ids) {
      const execution = graph.compaction_requests.get(id)?.execution;
      if (execution === undefined) continue;
      const isAnswered = execution.status === 'completed';
      yield { request: { noun: 'compaction_request', id }, execution, call: null, isAnswered };
    }
  }
}
