import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { reduceBundle, stateJson } from '@rollout-trace/core';
import { EVENT_FIELDS } from '@rollout-trace/core/format';
import { directorySource } from '@rollout-trace/core/node';
import { describe, expect, it } from 'vitest';
import { SCENARIOS } from './testing/all.ts';
import { referenceState } from './testing/reference.ts';
import { playScenario, removePlayed } from './testing/scenario.ts';

/** The strict reducer understands it, and writes what the reference writes. */
function expectSameState(bundle: string): void {
  const { graph, rules } = reduceBundle(directorySource(bundle), { mode: 'strict' });
  const state = stateJson(graph, { rules });
  expect(referenceState(bundle) ?? state).toBe(state);
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
    it(`reduces and tells what happened: ${scenario.name}`, async () => {
      const played = await playScenario(scenario);
      try {
        expect(played.refusals).toEqual([]);
        expect(played.findings).toEqual([]);
        expect(played.leftBehind ?? []).toEqual([]);
        for (const graph of [played.seen.graph, ...played.seen.others]) expect(graph.recording_complete).toBe(true);
        scenario.check(played.seen);
        for (const bundle of played.bundles) {
          keepLog(bundle);
          expectSameState(bundle);
        }
        for (const { payload } of played.seen.log) recorded.add(payload.type);
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
