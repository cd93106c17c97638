/** What a command left behind, for a person: each trace in three lines, and how to see more of it. */

import type { ReducedBundle } from '@rollout-trace/core/bundle';
import { countsOf } from '../bundle-counts.ts';
import { findingCounts } from '../findings-text.ts';
import { totalsOf } from '../show/totals.ts';
import { between, statusSpan } from '../show/view.ts';
import { quoted } from '../text/quoted.ts';
import { faint, join, type Line, line, ref, title } from '../text/span.ts';
import { compact, counted, duration, percent } from '../text/units.ts';

export function traceLines(path: string, { graph, findings }: ReducedBundle): Line[] {
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
  const { input_tokens, cached_input_tokens, output_tokens, calls_with_usage } = totals.tokens;
  const tokens =
    calls_with_usage === 0
      ? 'no token usage was reported'
      : `${compact(input_tokens)} input tokens (${percent(cached_input_tokens, input_tokens)} cached), ${compact(output_tokens)} output`;
  const models = totals.models.map(({ model }) => model).join(', ');
  return [
    line('  ', title(path)),
    line('    ', statusSpan(graph.status), `${ran}: ${did}`),
    line('    ', join([line(tokens), ...(models === '' ? [] : [line(models)]), findingCounts(findings)], '; ')),
    line('    ', faint('see '), ref(`rollout-trace show ${quoted(path)}`)),
  ];
}
