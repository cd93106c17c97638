/** What did not go well in a session, whatever it is: the first thing to look at in one that failed. */

import { type Int64, type Json, member } from '@rollout-trace/core/format';
import { readEvents } from '@rollout-trace/core/node';
import { ELLIPSIS } from '../text/glyphs.ts';
import { quoted } from '../text/quoted.ts';
import { faint, type Line, line, ref, title } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { count } from '../text/units.ts';
import { commandEnd } from './command-end.ts';
import type { Noun } from './kinds.ts';
import { head, kindName, toolAbout } from './labels.ts';
import { before, statusSpan, type View } from './view.ts';

/** Something that was not completed, or a command that ended with another exit code than 0. */
export interface Trouble {
  noun: Noun;
  id: string;
  what: string;
  how: Line;
  about: string;
  thread_id: string;
  /** Its place among the others: where it began, and of a turn where it ended. */
  at_seq: Int64;
  /** The event that says why, where one does. */
  seq: Int64 | null;
}

/** Of many the first are told, with which it began, and the last, with which it ended. */
const MOST = 12;
const LAST = 8;

/** The first and the last of many; `left` is how many stand between them. */
export function firstAndLast<T>(all: readonly T[]): { first: readonly T[]; left: number; last: readonly T[] } {
  if (all.length <= MOST) return { first: all, left: 0, last: [] };
  return { first: all.slice(0, MOST - LAST), left: all.length - MOST, last: all.slice(-LAST) };
}

/** `... 30 more`, and how to see them. */
export function leftOutLine(name: string, left: number): Line {
  return line('  ', faint(`${ELLIPSIS} ${count(left)} more: rollout-trace story --json ${quoted(name)}`));
}

const COLUMNS: readonly Column[] = [
  { head: '' },
  { head: '', least: 8 },
  { head: '' },
  { head: '', least: 12, spare: 1 },
];

/** A section with the first and the last of them; none where everything was completed. */
export function troubleLines(view: View): Line[] {
  const troubles = troublesOf(view);
  if (troubles.length === 0) return [];
  const { first, left, last } = firstAndLast(troubles);
  const shown = [...first, ...last];
  const events = readEvents(
    view.source,
    shown.flatMap(({ seq }) => (seq === null ? [] : [seq])),
  );
  const rows = shown.map(({ noun, id, what, how, about, seq }) => {
    const reason = seq === null ? null : reasonOf(events.get(seq)?.event);
    return [line(ref(view.refs.refOf(noun, id))), line(what), how, line(reason ?? about)];
  });
  const lines = table(COLUMNS, rows, view);
  if (left > 0) lines.splice(lines.length - last.length, 0, leftOutLine(view.name, left));
  return [line(title(`Failed or unfinished ${count(troubles.length)}`)), ...lines];
}

/** All of them, in the order of the log. A turn that never ended is the last word of a log. */
export function troublesOf(view: View): Trouble[] {
  return [...unordered(view)].sort((a, b) => before(a.at_seq, b.at_seq));
}

function* unordered(view: View): Iterable<Trouble> {
  const { graph, refs } = view;
  for (const { codex_turn_id: id, thread_id, execution } of graph.codex_turns.values()) {
    if (execution.status === 'completed') continue;
    const how = line(statusSpan(execution.status));
    const about = refs.refOf('thread', thread_id);
    const at_seq = execution.ended_seq ?? Number.POSITIVE_INFINITY;
    yield { noun: 'turn', id, what: 'turn', how, about, thread_id, at_seq, seq: null };
  }
  for (const { inference_call_id: id, thread_id, execution, model: about } of graph.inference_calls.values()) {
    if (execution.status === 'completed') continue;
    const how = line(statusSpan(execution.status));
    const { started_seq: at_seq, ended_seq: seq } = execution;
    yield { noun: 'inference', id, what: 'inference', how, about, thread_id, at_seq, seq };
  }
  for (const { compaction_request_id: id, thread_id, execution, model: about } of graph.compaction_requests.values()) {
    if (execution.status === 'completed') continue;
    const how = line(statusSpan(execution.status));
    const { started_seq: at_seq, ended_seq: seq } = execution;
    yield { noun: 'compaction_request', id, what: 'compaction', how, about, thread_id, at_seq, seq };
  }
  for (const tool of graph.tool_calls.values()) {
    const { how, exit_code } = commandEnd(view, tool);
    const { status, started_seq: at_seq } = tool.execution;
    if (status === 'completed' && (exit_code ?? 0) === 0) continue;
    // The cell of a script tells more about it than the call that carried it.
    const cell = graph.code_cells.get(`code_cell:${tool.model_visible_call_id}`);
    if (cell !== undefined && cell.runtime_status !== 'completed') continue;
    const { tool_call_id: id, thread_id } = tool;
    yield {
      noun: 'tool',
      id,
      what: kindName(tool.kind),
      how,
      about: toolAbout(view, tool),
      thread_id,
      at_seq,
      seq: null,
    };
  }
  for (const { code_cell_id: id, thread_id, execution, runtime_status, source_js } of graph.code_cells.values()) {
    if (runtime_status === 'completed') continue;
    const how = line(statusSpan(runtime_status));
    const at_seq = execution.started_seq;
    yield { noun: 'cell', id, what: 'code cell', how, about: head(source_js), thread_id, at_seq, seq: null };
  }
}

/** What the recorder noted when an inference failed or was cancelled: the graph does not keep it. */
export function reasonOf(event: Json | undefined): string | null {
  const payload = member(event, 'payload');
  const reason = member(payload, 'error') ?? member(payload, 'reason');
  return typeof reason === 'string' ? reason : null;
}
