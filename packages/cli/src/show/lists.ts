/**
 * Tables of the objects of one kind: the columns, and a row for each object. The first column is a ref that can be typed
 * back. Used by the summary and by `show <bundle> <kind>`.
 */

import type { CodexTurn, ExecutionWindow, Graph, InferenceCall, ToolCall } from '@rollout-trace/core/format';
import { ARROW } from '../text/glyphs.ts';
import { faint, type Line, line, ref } from '../text/span.ts';
import type { Column } from '../text/table.ts';
import { compact, count, duration, timeOfDay } from '../text/units.ts';
import { commandEnd } from './command-end.ts';
import { itemText } from './item-text.ts';
import type { Noun } from './kinds.ts';
import { anchorRef, commandOf, head, itemTitle, kindName, outcome, saidText, sizeSpan, toolAbout } from './labels.ts';
import { threadTree } from './thread-tree.ts';
import type { TokenTotals, Totals } from './totals.ts';
import { between, requestItems, statusSpan, took, type View } from './view.ts';

export interface ObjectTable {
  columns: readonly Column[];
  rows: readonly (readonly Line[])[];
}

const STATUS: Column = { head: 'status' };
const TOOK: Column = { head: 'took', align: 'right', spare: 1 };
/** Who did it: told only where there is more than one thread. */
const THREAD: Column = { head: 'thread', least: 8, spare: 9 };
const about = (name: string): Column => ({ head: name, least: 12, spare: 2 });
const number = (name: string, spare?: number): Column => ({
  head: name,
  align: 'right',
  ...(spare === undefined ? {} : { spare }),
});

/** The table of the objects of a kind with these ids. */
export function tableOf(view: View, totals: Totals, noun: Noun, ids: readonly string[]): ObjectTable {
  const { graph, refs } = view;
  const refCell = (id: string): Line => line(ref(refs.refOf(noun, id)));
  const thread = (id: string): Line => (graph.threads.size > 1 ? line(refs.refOf('thread', id)) : []);
  const run = (window: ExecutionWindow, status: string = window.status): Line[] => [
    line(statusSpan(status)),
    line(took(window)),
  ];
  const rows = <T>(objects: ReadonlyMap<string, T>, row: (object: T) => Line[]): Line[][] =>
    ids.flatMap((id) => {
      const object = objects.get(id);
      return object === undefined ? [] : [[refCell(id), ...row(object)]];
    });
  switch (noun) {
    case 'thread':
      return threadTable(view, totals, ids);
    case 'turn':
      return {
        columns: [
          { head: 'turn' },
          THREAD,
          STATUS,
          TOOK,
          number('calls', 5),
          number('tools', 5),
          about(`asked ${ARROW} answered`),
        ],
        rows: rows(graph.codex_turns, (turn) => [
          thread(turn.thread_id),
          ...run(turn.execution),
          line(count(totals.turns.get(turn.codex_turn_id)?.inference_calls ?? 0)),
          line(count(totals.turns.get(turn.codex_turn_id)?.tool_calls ?? 0)),
          exchange(graph, turn),
        ]),
      };
    case 'inference':
      return {
        columns: [
          { head: 'inference' },
          THREAD,
          { head: 'model', least: 8, spare: 8 },
          STATUS,
          TOOK,
          number('items', 7),
          number('input', 3),
          number('cached', 5),
          number('output', 3),
          number('reasoning', 6),
          about('gave'),
        ],
        rows: rows(graph.inference_calls, (call) => [
          thread(call.thread_id),
          totals.models.length > 1 ? line(call.model) : [],
          ...run(call.execution),
          itemsCell(requestItems(view, call)),
          ...usageCells(call),
          line(gave(view, call)),
        ]),
      };
    case 'item':
      return {
        columns: [{ head: 'item' }, THREAD, { head: 'what', least: 8 }, about('text')],
        rows: rows(graph.conversation_items, (item) => [
          thread(item.thread_id),
          line(itemTitle(item)),
          line(head(itemText(item))),
        ]),
      };
    case 'tool':
      return {
        columns: [
          { head: 'tool' },
          THREAD,
          { head: 'kind', least: 8 },
          STATUS,
          TOOK,
          { head: 'by', spare: 7 },
          about('about'),
        ],
        rows: rows(graph.tool_calls, (tool) => {
          const { how, window } = commandEnd(view, tool);
          return [
            thread(tool.thread_id),
            line(kindName(tool.kind)),
            how,
            line(took(window)),
            line(requesterText(view, tool)),
            line(toolAbout(view, tool)),
          ];
        }),
      };
    case 'cell':
      return {
        columns: [{ head: 'cell' }, THREAD, STATUS, TOOK, number('tools', 6), about('source')],
        rows: rows(graph.code_cells, (cell) => [
          thread(cell.thread_id),
          ...run(cell.execution, cell.runtime_status),
          line(count(cell.nested_tool_call_ids.length)),
          line(head(cell.source_js)),
        ]),
      };
    case 'terminal':
      return {
        columns: [{ head: 'terminal' }, THREAD, STATUS, TOOK, { head: 'operations', least: 10 }],
        rows: rows(graph.terminal_sessions, (session) => [
          thread(session.thread_id),
          ...run(session.execution),
          line(session.operation_ids.map((id) => refs.refOf('operation', id)).join(' ')),
        ]),
      };
    case 'operation':
      return {
        columns: [
          { head: 'operation' },
          { head: 'terminal', spare: 6 },
          { head: 'tool', spare: 7 },
          { head: 'result' },
          TOOK,
          about('command'),
        ],
        rows: rows(graph.terminal_operations, (operation) => [
          operation.terminal_id === null ? [] : line(refs.refOf('terminal', operation.terminal_id)),
          line(refs.refOf('tool', operation.tool_call_id)),
          outcome(operation),
          line(took(operation.execution)),
          line(commandOf(operation)),
        ]),
      };
    case 'compaction':
      return {
        columns: [
          { head: 'compaction' },
          THREAD,
          { head: 'at', spare: 7 },
          number('items before'),
          number('after'),
          { head: 'request', spare: 6 },
        ],
        rows: rows(graph.compactions, (compaction) => [
          thread(compaction.thread_id),
          line(timeOfDay(compaction.installed_at_unix_ms)),
          line(count(compaction.input_item_ids.length)),
          line(count(compaction.replacement_item_ids.length)),
          line(compaction.request_ids.map((id) => refs.refOf('compaction_request', id)).join(' ')),
        ]),
      };
    case 'compaction_request':
      return {
        columns: [
          { head: 'compaction request' },
          THREAD,
          { head: 'model', spare: 7 },
          STATUS,
          TOOK,
          { head: 'compaction', spare: 6 },
        ],
        rows: rows(graph.compaction_requests, (request) => [
          thread(request.thread_id),
          line(request.model),
          ...run(request.execution),
          line(refs.refOf('compaction', request.compaction_id)),
        ]),
      };
    case 'edge':
      return {
        columns: [
          { head: 'edge' },
          { head: 'kind' },
          { head: 'from', least: 8 },
          { head: 'to', least: 8 },
          TOOK,
          number('items', 6),
        ],
        rows: rows(graph.interaction_edges, (edge) => [
          line(edge.kind),
          line(anchorRef(view, edge.source)),
          line(anchorRef(view, edge.target)),
          line(edge.ended_at_unix_ms === null ? '' : duration(between(edge.started_at_unix_ms, edge.ended_at_unix_ms))),
          line(count(edge.carried_item_ids.length)),
        ]),
      };
    case 'payload':
      return {
        columns: [{ head: 'payload' }, { head: 'kind', least: 10 }, { head: 'file', spare: 5 }, number('size')],
        rows: rows(graph.raw_payloads, (payload) => [
          line(payload.kind.type),
          line(payload.path),
          line(sizeSpan(view, payload)),
        ]),
      };
  }
}

/** Threads stand in the order of the tree. */
function threadTable(view: View, totals: Totals, ids: readonly string[]): ObjectTable {
  const wanted = new Set(ids);
  const tree = threadTree(view.graph).filter(({ thread }) => wanted.has(thread.thread_id));
  const rows = tree.map(({ thread, branch }) => {
    const share = totals.threads.get(thread.thread_id);
    const { tokens } = share ?? {};
    return [
      line(faint(branch), ref(view.refs.refOf('thread', thread.thread_id))),
      line(faint(thread.nickname ?? '')),
      line(statusSpan(thread.execution.status)),
      line(took(thread.execution)),
      line(count(share?.turns ?? 0)),
      line(count(share?.inference_calls ?? 0)),
      line(count(share?.tool_calls ?? 0)),
      ...tokenCells(tokens),
    ];
  });
  return {
    columns: [
      { head: 'thread' },
      { head: 'name', least: 8, spare: 8 },
      STATUS,
      TOOK,
      number('turns', 6),
      number('calls', 3),
      number('tools', 4),
      number('input', 2),
      number('cached', 5),
      number('output', 2),
      number('reasoning', 7),
    ],
    rows,
  };
}

/** Input, cached, output and reasoning tokens; where none were reported that is not zero. */
export function tokenCells(tokens: TokenTotals | undefined): Line[] {
  if (tokens === undefined || tokens.calls_with_usage === 0) return NO_TOKENS;
  const { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens } = tokens;
  return [input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens].map((sum) => line(compact(sum)));
}

const NO_TOKENS: Line[] = Array.from({ length: 4 }, () => line(faint('-')));

function itemsCell(items: number | null): Line {
  return items === null ? line(faint('-')) : line(count(items));
}

function usageCells({ usage }: InferenceCall): Line[] {
  if (usage === null) return NO_TOKENS;
  const { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens } = usage;
  return [input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens].map((tokens) =>
    line(compact(tokens)),
  );
}

/** What came of an inference: the calls and cells it asked for, else what it said. */
export function gave({ graph, refs }: View, call: InferenceCall): string {
  const started = call.tool_call_ids_started_by_response;
  const calls = started.map((id) => {
    const tool = graph.tool_calls.get(id);
    return `${tool === undefined ? '' : `${kindName(tool.kind)} `}${refs.refOf('tool', id)}`;
  });
  // Before 0.169 the call of a code cell is recorded as the cell alone.
  for (const { code_cell_id, model_visible_call_id, source_item_id } of graph.code_cells.values()) {
    if (!call.response_item_ids.includes(source_item_id) || started.includes(model_visible_call_id)) continue;
    calls.push(refs.refOf('cell', code_cell_id));
  }
  return calls.length > 0 ? calls.join(', ') : (said(graph, call) ?? '');
}

/** The last message of a response. */
function said(graph: Graph, call: InferenceCall): string | null {
  for (const id of call.response_item_ids.toReversed()) {
    const item = graph.conversation_items.get(id);
    if (item?.kind === 'message') return saidText(item);
  }
  return null;
}

/** So far back in a request the words that began a turn are looked for. */
const FARTHEST = 64;

/** What a turn was asked, and what it answered: the last words of its first request and of its last response. */
function exchange(graph: Graph, { codex_turn_id }: CodexTurn): Line {
  let first: InferenceCall | null = null;
  let last: InferenceCall | null = null;
  for (const call of graph.inference_calls.values()) {
    if (call.codex_turn_id !== codex_turn_id) continue;
    first ??= call;
    last = call;
  }
  if (first === null || last === null) return [];
  const asked = askedIn(graph, first, codex_turn_id);
  const answered = said(graph, last);
  if (asked === null && answered === null) return [];
  return answered === null ? line(asked ?? '') : line(asked ?? '', faint(` ${ARROW} `), answered);
}

function askedIn(graph: Graph, { request_item_ids }: InferenceCall, turn: string): string | null {
  const end = request_item_ids.length;
  for (let at = end - 1; at >= Math.max(0, end - FARTHEST); at--) {
    const item = graph.conversation_items.get(request_item_ids.at(at) ?? '');
    if (item?.codex_turn_id !== turn || item.kind !== 'message') continue;
    if (item.role === 'user' || item.agent_message !== undefined) return saidText(item);
  }
  return null;
}

function requesterText({ refs }: View, { requester }: ToolCall): string {
  if (requester === null) return '';
  return requester.type === 'model' ? 'model' : refs.refOf('cell', requester.code_cell_id);
}
