/** `rollout-trace verify`: what is wrong with bundles. Never writes. */

import { reduceBundle } from '@rollout-trace/core/bundle';
import { nativeSha256, traceSource } from '@rollout-trace/core/node';
import type { Invocation } from '../args/parse.ts';
import { bundleAt, bundleNames } from '../bundle-names.ts';
import { EXIT, type ExitCode, worst } from '../exit-code.ts';
import { errorJson, reportError } from '../failure.ts';
import { countFindings, findingCounts, findingLines } from '../findings-text.ts';
import type { Console } from '../io/console.ts';
import { withProgress } from '../io/progress.ts';
import { faint, line, title } from '../text/span.ts';
import { counted } from '../text/units.ts';

export function verify(asked: Invocation, console: Console): ExitCode {
  const asJson = asked.has('json');
  return worst(
    bundleNames(asked.operands).map((name) => {
      try {
        return verifyOne(name, asJson, console);
      } catch (error) {
        if (asJson) console.json({ bundle: name, error: errorJson(error) }, 'compact');
        return reportError(console, error);
      }
    }),
  );
}

function verifyOne(name: string, asJson: boolean, console: Console): ExitCode {
  const path = bundleAt(name, console.environment);
  const reduced = withProgress(traceSource(path), console.remarks, path, (source) =>
    reduceBundle(source, { mode: 'salvage', sha256: nativeSha256 }),
  );
  const { manifest, generation, findings, events, graph } = reduced;
  const counts = countFindings(findings);
  if (asJson) {
    const { trace_id, rollout_id } = graph;
    const result = {
      bundle: path,
      trace_id,
      rollout_id,
      schema_version: manifest.schema_version,
      ...generation,
      events,
    };
    console.json({ ...result, recording_complete: graph.recording_complete, counts, findings }, 'compact');
  } else {
    const about = `${counted(events, 'event')}, generation ${generation.generation}${generation.certain ? '' : ', not certain'}`;
    console.out.print(line(title(path), ': ', findingCounts(findings), '  ', faint(`(${about})`)));
    console.out.print(...findingLines(findings, console.out.columns, Number.POSITIVE_INFINITY));
  }
  return counts.error > 0 ? EXIT.no : EXIT.done;
}
