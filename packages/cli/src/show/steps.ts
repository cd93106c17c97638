/** What happened in a thread or turn, in the order it began: one row for each inference, tool call, cell and compaction. */

import type { ExecutionWindow, Int64 } from '@rollout-trace/core/format';
import { ARROW, ELLIPSIS } from '../text/glyphs.ts';
import { faint, type Line, line, ref } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { count, duration } from '../text/units.ts';
import { commandEnd } from './command-end.ts';
import type { Noun } from './kinds.ts';
import { compactionText, head, kindName, tokensText, toolAbout } from './labels.ts';
import { gave } from './lists.ts';
import { before, between, statusSpan, took, type View } from './view.ts';

interface Step {
  noun: Noun;
  id: string;
  at: Int64;
  kind: string;
  status: Line;
  took: string;
  about: string;
}

const MOST_STEPS = 200;

/** The thread or turn whose steps are asked for. */
export interface StepOwner {
  noun: 'thread' | 'turn';
  id: string;
}

/** The steps whose thread or turn this is; none where nothing happened. */
export function stepLines(view: View, owner: StepOwner): Line[] {
  const steps = [...stepsOf(view, owner)].sort((a, b) => before(a.at, b.at));
  const first = steps[0];
  if (first === undefined) return [];
  const rows = steps
    .slice(0, MOST_STEPS)
    .map((step) => [
      line(faint(`+${duration(between(first.at, step.at))}`)),
      line(ref(view.refs.refOf(step.noun, step.id))),
      line(step.kind),
      step.status,
      line(step.took),
      line(step.about),
    ]);
  const columns: Column[] = [
    { head: 'after', align: 'right', spare: 3 },
    { head: 'step' },
    { head: 'what', least: 8 },
    { head: 'status' },
    { head: 'took', align: 'right', spare: 1 },
    { head: 'about', least: 12, spare: 2 },
  ];
  const lines = table(columns, rows, { columns: view.columns, dropEmpty: true });
  const more = steps.length - MOST_STEPS;
  return more > 0 ? [...lines, line('  ', faint(`${ELLIPSIS} ${count(more)} more`))] : lines;
}

function* stepsOf(view: View, owner: StepOwner): Iterable<Step> {
  const { graph } = view;
  const isOwn = (thread: string, turn: string | null): boolean =>
    (owner.noun === 'thread' ? thread : turn) === owner.id;
  const run = (window: ExecutionWindow) => {
    return { at: window.started_at_unix_ms, status: line(statusSpan(window.status)), took: took(window) };
  };
  for (const turn of graph.codex_turns.values()) {
    if (owner.noun === 'turn' || turn.thread_id !== owner.id) continue;
    yield { noun: 'turn', id: turn.codex_turn_id, ...run(turn.execution), kind: '', about: '' };
  }
  for (const call of graph.inference_calls.values()) {
    if (!isOwn(call.thread_id, call.codex_turn_id)) continue;
    const given = gave(view, call);
    const about = given === '' ? tokensText(call) : `${tokensText(call)} ${ARROW} ${given}`;
    yield { noun: 'inference', id: call.inference_call_id, ...run(call.execution), kind: call.model, about };
  }
  for (const tool of graph.tool_calls.values()) {
    if (!isOwn(tool.thread_id, tool.started_by_codex_turn_id)) continue;
    const { how: status, window } = commandEnd(view, tool);
    const step = { status, took: took(window), kind: kindName(tool.kind), about: toolAbout(view, tool) };
    yield { noun: 'tool', id: tool.tool_call_id, at: tool.execution.started_at_unix_ms, ...step };
  }
  for (const cell of graph.code_cells.values()) {
    if (!isOwn(cell.thread_id, cell.codex_turn_id)) continue;
    const step = { kind: 'code cell', status: line(statusSpan(cell.runtime_status)), about: head(cell.source_js) };
    yield { noun: 'cell', id: cell.code_cell_id, ...run(cell.execution), ...step };
  }
  for (const compaction of graph.compactions.values()) {
    if (!isOwn(compaction.thread_id, compaction.codex_turn_id)) continue;
    const step = { kind: 'compaction', status: [], took: '', about: compactionText(compaction) };
    yield { noun: 'compaction', id: compaction.compaction_id, at: compaction.installed_at_unix_ms, ...step };
  }
}
