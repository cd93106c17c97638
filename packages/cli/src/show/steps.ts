/** What happened in a thread or turn, in the order it began: one row for each inference, tool call, cell and compaction. */

import type { Graph, Int64 } from '@rollout-trace/core/format';
import { faint, type Line, line, ref } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { count, duration } from '../text/units.ts';
import type { Noun } from './kinds.ts';
import { labelOf, toolAbout } from './labels.ts';
import { between, type View } from './view.ts';

interface Step {
  noun: Noun;
  id: string;
  at: Int64;
  about: string;
}

const MOST_STEPS = 200;

/** The steps whose thread or turn this is; none where nothing happened. */
export function stepLines(view: View, owner: { noun: 'thread' | 'turn'; id: string }): Line[] {
  const steps = stepsOf(view, owner).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const first = steps[0];
  if (first === undefined) return [];
  const rows = steps
    .slice(0, MOST_STEPS)
    .map(({ noun, id, at, about }) => [
      line(faint(`+${duration(between(first.at, at))}`)),
      line(ref(view.refs.refOf(noun, id))),
      labelOf(view, noun, id),
      line(about),
    ]);
  const columns: Column[] = [
    { head: 'after', align: 'right', spare: 1 },
    { head: 'step' },
    { head: 'what', least: 24 },
    { head: 'about', least: 12, spare: 2 },
  ];
  const lines = table(columns, rows, { columns: view.columns, dropEmpty: true });
  const more = steps.length - MOST_STEPS;
  return more > 0 ? [...lines, line('  ', faint(`… ${count(more)} more`))] : lines;
}

function stepsOf(view: View, owner: { noun: 'thread' | 'turn'; id: string }): Step[] {
  const { graph } = view;
  const steps: Step[] = [];
  const isOwn = (thread: string, turn: string | null): boolean =>
    (owner.noun === 'thread' ? thread : turn) === owner.id;
  for (const call of graph.inference_calls.values()) {
    if (!isOwn(call.thread_id, call.codex_turn_id)) continue;
    steps.push({ noun: 'inference', id: call.inference_call_id, at: call.execution.started_at_unix_ms, about: '' });
  }
  for (const tool of graph.tool_calls.values()) {
    if (!isOwn(tool.thread_id, tool.started_by_codex_turn_id)) continue;
    const about = toolAbout(view, tool);
    steps.push({ noun: 'tool', id: tool.tool_call_id, at: tool.execution.started_at_unix_ms, about });
  }
  for (const cell of graph.code_cells.values()) {
    if (!isOwn(cell.thread_id, cell.codex_turn_id)) continue;
    steps.push({ noun: 'cell', id: cell.code_cell_id, at: cell.execution.started_at_unix_ms, about: '' });
  }
  for (const compaction of graph.compactions.values()) {
    if (!isOwn(compaction.thread_id, compaction.codex_turn_id)) continue;
    steps.push({ noun: 'compaction', id: compaction.compaction_id, at: compaction.installed_at_unix_ms, about: '' });
  }
  return [...steps, ...turnSteps(graph, owner)];
}

/** A thread is also its turns. */
function turnSteps(graph: Graph, owner: { noun: 'thread' | 'turn'; id: string }): Step[] {
  if (owner.noun === 'turn') return [];
  return [...graph.codex_turns.values()]
    .filter(({ thread_id }) => thread_id === owner.id)
    .map(({ codex_turn_id, execution }) => {
      return { noun: 'turn' as const, id: codex_turn_id, at: execution.started_at_unix_ms, about: '' };
    });
}
