/** What a command left behind, for a person: each trace in three lines, and how to see more of it. */

import type { ReducedBundle } from '@rollout-trace/core/bundle';
import { countsOf } from '../bundle-counts.ts';
import { findingCounts } from '../findings-text.ts';
import { tokensSpent, totalsOf } from '../show/totals.ts';
import { between, statusSpan } from '../show/view.ts';
import { quoted } from '../text/quoted.ts';
import { bad, faint, join, type Line, line, ref, span, title } from '../text/span.ts';
import { count, counted, duration } from '../text/units.ts';

/** @param troubles how much in it failed or was not finished */
export function traceLines(path: string, { graph, findings }: ReducedBundle, troubles: number): Line[] {
  const totals = totalsOf(graph);
  const counts = countsOf(graph);
  const { started_at_unix_ms: started, ended_at_unix_ms: ended } = graph;
  const ran = ended === null ? ', no end was recorded' : ` in ${duration(between(started, ended))}`;
  const did = [
    counted(counts.threads, 'thread'),
    counted(counts.codex_turns, 'turn'),
    counted(counts.inference_calls, 'inference call'),
    counted(counts.tool_calls, 'tool call'),
  ].join(', ');
  const failed = troubles === 0 ? line() : line(', ', bad(`${count(troubles)} failed or unfinished`));
  const models = totals.models.map(({ model }) => model).join(', ');
  return [
    line('  ', title(path)),
    line('    ', troubles === 0 ? statusSpan(graph.status) : span(graph.status), ran, failed, `: ${did}`),
    line(
      '    ',
      join([line(tokensSpent(totals.tokens)), ...(models === '' ? [] : [line(models)]), findingCounts(findings)], '; '),
    ),
    line('    ', faint('see '), ref(`rollout-trace ${troubles === 0 ? 'show' : 'story'} ${quoted(path)}`)),
  ];
}
