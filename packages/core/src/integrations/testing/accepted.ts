/**
 * What every recording of an adapter must be: read without a finding in either mode and, where the environment names the
 * reference (`ROLLOUT_TRACE_CODEX`), reduced by it to the same bytes.
 */

import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { reduceBundle } from '../../bundle/replay.ts';
import type { Graph } from '../../format/graph.ts';
import { stateJson } from '../../format/state-json.ts';
import { directorySource } from '../../node/directory-source.ts';
import { referenceState } from '../../node/testing/reference.ts';

/** The graph of a bundle that is accepted. */
export function accepted(bundle: string): Graph {
  const { graph, rules } = reduceBundle(directorySource(bundle), { mode: 'strict' });
  const state = stateJson(graph, { rules });
  const salvaged = reduceBundle(directorySource(bundle), { mode: 'salvage' });
  // A recording that still goes on is told, and no fault.
  expect(salvaged.findings.filter(({ code }) => code !== 'recording_incomplete')).toEqual([]);
  expect(stateJson(salvaged.graph, { rules })).toBe(state);
  expect(referenceState(bundle) ?? state).toBe(state);
  keepLog(bundle);
  return graph;
}

/** Leaves the log for the table of what is captured, where one is made. */
function keepLog(bundle: string): void {
  const kept = process.env.ROLLOUT_TRACE_KEEP_LOGS;
  if (kept === undefined) return;
  const folder = join(kept, basename(dirname(expect.getState().testPath ?? '')));
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(bundle, 'trace.jsonl'), join(folder, `${basename(bundle)}.jsonl`));
}
