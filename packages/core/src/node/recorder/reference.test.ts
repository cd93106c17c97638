import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { reduceBundle } from '../../bundle/replay.ts';
import { stateJson } from '../../format/state-json.ts';
import type { Rollout } from '../../recorder/rollout.ts';
import { randomSession } from '../../recorder/testing/random-session.ts';
import { SCENARIOS } from '../../recorder/testing/scenarios.ts';
import { directorySource } from '../directory-source.ts';
import { referenceState } from '../testing/reference.ts';
import { materializeSegment } from './materialize-segment.ts';
import { startRollout } from './start-rollout.ts';

// The reference is a program. Where the environment names it, every recording is put before it too, and must give the same bytes.
const reference = process.env.ROLLOUT_TRACE_CODEX;
const seeds = reference === undefined ? 60 : 300;
const root = mkdtempSync(join(tmpdir(), 'rollout-trace-reference-'));

afterAll(() => rmSync(root, { recursive: true, force: true }));

function recorded(format: 'bundle' | 'segment', session: (rollout: Rollout) => void): string {
  let time = 1_795_000_000_000;
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, '0')}`;
  const rollout = startRollout({ root: mkdtempSync(join(root, 'run-')), format, clock: () => time++, newId });
  session(rollout);
  const { location } = rollout;
  if (format === 'bundle') return location;
  const bundle = `${location}-bundle`;
  expect(materializeSegment(location, bundle).tail).toBeNull();
  return bundle;
}

/** The state as this package sees it; the first inconsistency would throw. */
function ours(bundle: string): string {
  const { graph, rules } = reduceBundle(directorySource(bundle), { mode: 'strict' });
  return stateJson(graph, { rules });
}

describe('what is recorded', () => {
  for (const [name, scenario] of SCENARIOS) {
    it(`reduces without a finding, in either layout to the same state: ${name}`, () => {
      const [bundle, segment] = [recorded('bundle', scenario), recorded('segment', scenario)];
      const state = ours(bundle);
      expect(ours(segment)).toBe(state);
      expect(referenceState(bundle) ?? state).toBe(state);
    });
  }

  it(`reduces without a finding for ${seeds} random sessions`, { timeout: 120_000 }, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const format = seed % 2 === 0 ? 'bundle' : 'segment';
      const bundle = recorded(format, (rollout) => randomSession(rollout, seed));
      const state = ours(bundle);
      expect(state, `seed ${seed}`).toContain('"recording_complete": true');
      expect(referenceState(bundle) ?? state, `seed ${seed}`).toBe(state);
      rmSync(bundle, { recursive: true });
    }
  });
});
