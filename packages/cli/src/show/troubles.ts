/** What did not go well in a session, whatever it is: the first thing to look at in one that failed. */

import { type Int64, type Json, JsonObject } from '@rollout-trace/core/format';
import { readEvents } from '@rollout-trace/core/node';
import { ELLIPSIS } from '../text/glyphs.ts';
import { faint, type Line, line, ref, title } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { count } from '../text/units.ts';
import type { Noun } from './kinds.ts';
import { head, kindName, outcome, toolAbout } from './labels.ts';
import { statusSpan, type View } from './view.ts';

/** Something that was not completed, or a command that ended with another exit code than 0. */
export interface Trouble {
  noun: Noun;
  id: string;
  what: string;
  how: Line;
  about: string;
  /** The event that says why, where one does. */
  seq: Int64 | null;
}

const COLUMNS: readonly Column[] = [
  { head: '' },
  { head: '', least: 8 },
  { head: '' },
  { head: '', least: 12, spare: 1 },
];

/** A section with the first of them; none where everything was completed. */
export function troubleLines(view: View, most: number): Line[] {
  const troubles = [...troublesOf(view)];
  if (troubles.length === 0) return [];
  const shown = troubles.slice(0, most);
  const events = readEvents(
    view.source,
    shown.flatMap(({ seq }) => (seq === null ? [] : [seq])),
  );
  const rows = shown.map(({ noun, id, what, how, about, seq }) => {
    const reason = seq === null ? null : reasonOf(events.get(seq)?.event);
    return [line(ref(view.refs.refOf(noun, id))), line(what), how, line(reason ?? about)];
  });
  const more = troubles.length - shown.length;
  return [
    line(title(`Failed or unfinished ${count(troubles.length)}`)),
    ...table(COLUMNS, rows, view),
    ...(more > 0 ? [line('  ', faint(`${ELLIPSIS} ${count(more)} more`))] : []),
  ];
}

/** All of them, kind by kind. */
export function* troublesOf(view: View): Iterable<Trouble> {
  const { graph, refs } = view;
  for (const { codex_turn_id: id, thread_id, execution } of graph.codex_turns.values()) {
    if (execution.status === 'completed') continue;
    const how = line(statusSpan(execution.status));
    yield { noun: 'turn', id, what: 'turn', how, about: refs.refOf('thread', thread_id), seq: null };
  }
  for (const { inference_call_id: id, execution, model } of graph.inference_calls.values()) {
    if (execution.status === 'completed') continue;
    const how = line(statusSpan(execution.status));
    yield { noun: 'inference', id, what: 'inference', how, about: model, seq: execution.ended_seq };
  }
  for (const { compaction_request_id: id, execution, model } of graph.compaction_requests.values()) {
    if (execution.status === 'completed') continue;
    const how = line(statusSpan(execution.status));
    yield { noun: 'compaction_request', id, what: 'compaction', how, about: model, seq: execution.ended_seq };
  }
  for (const tool of graph.tool_calls.values()) {
    const operation = graph.terminal_operations.get(tool.terminal_operation_id ?? '');
    const exit = operation?.result?.exit_code ?? 0;
    const { status } = tool.execution;
    if (status === 'completed' && exit === 0) continue;
    const how = operation !== undefined && exit !== 0 ? outcome(operation) : line(statusSpan(status));
    const what = kindName(tool.kind);
    yield { noun: 'tool', id: tool.tool_call_id, what, how, about: toolAbout(view, tool), seq: null };
  }
  for (const { code_cell_id: id, runtime_status, source_js } of graph.code_cells.values()) {
    if (runtime_status === 'completed') continue;
    yield {
      noun: 'cell',
      id,
      what: 'code cell',
      how: line(statusSpan(runtime_status)),
      about: head(source_js),
      seq: null,
    };
  }
}

/** What the recorder noted when an inference failed or was cancelled: the graph does not keep it. */
export function reasonOf(event: Json | undefined): string | null {
  const payload = event instanceof JsonObject ? event.get('payload') : undefined;
  if (!(payload instanceof JsonObject)) return null;
  const reason = payload.get('error') ?? payload.get('reason');
  return typeof reason === 'string' ? reason : null;
}
