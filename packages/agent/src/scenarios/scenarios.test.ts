import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { reduceBundle, stateJson } from '@rollout-trace/core';
import { EVENT_FIELDS } from '@rollout-trace/core/format';
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

/** Leaves the log for the table of what is captured, where one is made. */
function keepLog(bundle: string): void {
  const kept = process.env.ROLLOUT_TRACE_KEEP_LOGS;
  if (kept === undefined) return;
  mkdirSync(join(kept, 'agent'), { recursive: true });
  copyFileSync(join(bundle, 'trace.jsonl'), join(kept, 'agent', `${basename(bundle)}.jsonl`));
}

describe('what an agent records', { timeout: 60_000 }, () => {
  const recorded = new Set<string>();
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
        keepLog(played.bundle);
        for (const { payload } of played.seen.log) recorded.add(payload.type);
        if (reference !== undefined) expect(reduceByReference(played.bundle)).toBe(stateJson(graph, { rules }));
      } finally {
        removePlayed(played);
      }
    });
  }

  it('is every type of event the format has but the one no reader knows', () => {
    const missing = Object.keys(EVENT_FIELDS).filter((type) => !recorded.has(type));
    expect(missing).toEqual(['other']);
  });
});
