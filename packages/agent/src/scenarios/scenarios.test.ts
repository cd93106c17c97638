import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reduceBundle, stateJson } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';
import { afterAll, describe, expect, it } from 'vitest';
import { SCENARIOS } from './testing/all.ts';
import { playScenario, removePlayed } from './testing/scenario.ts';

// The reference is a program. Where the environment names it, every recording is put before it too, and must give the same bytes.
const reference = process.env.ROLLOUT_TRACE_CODEX;
const home = mkdtempSync(join(tmpdir(), 'rollout-trace-reference-'));

afterAll(() => rmSync(home, { recursive: true, force: true }));

function reduceByReference(bundle: string): string {
  const state = join(bundle, 'state.json');
  execFileSync(reference ?? '', ['debug', 'trace-reduce', bundle, '-o', state], {
    env: { ...process.env, CODEX_HOME: home },
    stdio: 'pipe',
  });
  return readFileSync(state, 'utf8');
}

describe('what an agent records', { timeout: 60_000 }, () => {
  for (const scenario of SCENARIOS) {
    it(`reduces without a finding and tells what happened: ${scenario.name}`, async () => {
      const played = await playScenario(scenario);
      try {
        expect(played.refusals).toEqual([]);
        expect(played.findings).toEqual([]);
        expect(played.leftBehind ?? []).toEqual([]);
        const { graph, rules } = reduceBundle(directorySource(played.bundle), { mode: 'strict' });
        expect(graph.recording_complete).toBe(true);
        scenario.check(played.seen);
        if (reference !== undefined) expect(reduceByReference(played.bundle)).toBe(stateJson(graph, { rules }));
      } finally {
        removePlayed(played);
      }
    });
  }
});
