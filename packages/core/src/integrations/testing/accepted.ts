/**
 * What every recording of an adapter must be: read without a finding in either mode and, where the environment names the
 * reference (`ROLLOUT_TRACE_CODEX`), reduced by it to the same bytes.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { reduceBundle } from '../../bundle/replay.ts';
import type { Graph } from '../../format/graph.ts';
import { stateJson } from '../../format/state-json.ts';
import { directorySource } from '../../node/directory-source.ts';

/** The graph of a bundle that is accepted. */
export function accepted(bundle: string): Graph {
  const { graph, rules } = reduceBundle(directorySource(bundle), { mode: 'strict' });
  const state = stateJson(graph, { rules });
  const salvaged = reduceBundle(directorySource(bundle), { mode: 'salvage' });
  // A recording that still goes on is told, and no fault.
  expect(salvaged.findings.filter(({ code }) => code !== 'recording_incomplete')).toEqual([]);
  expect(stateJson(salvaged.graph, { rules })).toBe(state);
  const reference = process.env.ROLLOUT_TRACE_CODEX;
  if (reference !== undefined) expect(reduced(reference, bundle)).toBe(state);
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

function reduced(reference: string, bundle: string): string {
  const home = mkdtempSync(join(tmpdir(), 'rollout-trace-reference-'));
  try {
    const file = join(home, 'state.json');
    execFileSync(reference, ['debug', 'trace-reduce', bundle, '-o', file], {
      env: { ...process.env, CODEX_HOME: home },
      stdio: 'pipe',
    });
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
