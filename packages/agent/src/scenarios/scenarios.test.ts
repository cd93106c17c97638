import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type FindingCode, reduceBundle, stateJson } from '@rollout-trace/core';
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

/** The strict reducer stops, and so does the reference. */
function expectRefused(bundle: string, code: FindingCode): void {
  expect(() => reduceBundle(directorySource(bundle), { mode: 'strict' })).toThrow(expect.objectContaining({ code }));
  if (process.env.ROLLOUT_TRACE_CODEX !== undefined) expect(() => referenceState(bundle)).toThrow();
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
        const { refused = [] } = scenario;
        expect(played.refusals).toEqual([]);
        expect(played.findings).toEqual(refused.map((code) => expect.objectContaining({ code })));
        expect(played.leftBehind ?? []).toEqual([]);
        for (const graph of [played.seen.graph, ...played.seen.others]) expect(graph.recording_complete).toBe(true);
        scenario.check(played.seen);
        for (const bundle of played.bundles) {
          keepLog(bundle);
          if (refused[0] === undefined) expectSameState(bundle);
          else expectRefused(bundle, refused[0]);
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
