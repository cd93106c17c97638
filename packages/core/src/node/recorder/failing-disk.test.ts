import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { reduceBundle } from '../../bundle/replay.ts';
import type { TroubleCounts } from '../../recorder/diagnostics.ts';
import { randomSession } from '../../recorder/testing/random-session.ts';
import { directorySource } from '../directory-source.ts';
import { materializeSegment } from './materialize-segment.ts';
import type { TraceFormat } from './open-sink.ts';
import { startRollout } from './start-rollout.ts';

vi.mock('node:fs', async (original) => ({ ...(await original<typeof import('node:fs')>()) }));

const SESSIONS = 40;
type Call = (...args: unknown[]) => unknown;

let root = '';

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'rollout-trace-failing-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});

interface Recorded {
  /** The bytes of each request, by the call it belongs to. */
  requests: Map<string, string>;
  troubles: TroubleCounts;
}

/** Records a session, and reads it strictly. @param failing whether a call of the system fails this time */
function recorded(format: TraceFormat, seed: number, failing: () => boolean): Recorded {
  let time = 1_795_000_000_000;
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, '0')}`;
  const below = fs.mkdtempSync(join(root, 'run-'));
  const rollout = startRollout({ root: below, format, clock: () => time++, newId });
  // What the recorder asks of the system while it records.
  const { openSync, readSync, writeSync, fstatSync, closeSync } = fs;
  const real = { openSync, readSync, writeSync, fstatSync, closeSync };
  for (const name of ['openSync', 'readSync', 'writeSync', 'fstatSync', 'closeSync'] as const) {
    vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
      const isFailing = failing();
      // A file is closed even where that fails.
      const answer = isFailing && name !== 'closeSync' ? undefined : (real[name] as Call)(...args);
      if (isFailing) throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
      return answer;
    }) as never);
  }
  randomSession(rollout, seed);
  vi.restoreAllMocks();
  let bundle = rollout.location;
  if (format === 'segment') {
    bundle = join(below, 'bundle');
    expect(materializeSegment(rollout.location, bundle).tail).toBeNull();
  }
  const { graph } = reduceBundle(directorySource(bundle), { mode: 'strict' });
  const requests = new Map<string, string>();
  for (const { inference_call_id, raw_request_payload_id } of graph.inference_calls.values()) {
    const path = graph.raw_payloads.get(raw_request_payload_id)?.path ?? '';
    requests.set(inference_call_id, fs.readFileSync(join(bundle, path), 'utf8'));
  }
  return { requests, troubles: rollout.troubles };
}

describe.each(['bundle', 'segment'] as const)('on a disk that fails now and then: %s', (format) => {
  it('what is recorded is what was sent, and every reader takes it', { timeout: 120_000 }, () => {
    let [kept, lost] = [0, 0];
    for (let seed = 1; seed <= SESSIONS; seed++) {
      const whole = recorded(format, seed, () => false);
      expect(whole.troubles.write_failed).toBeUndefined();
      let calls = 0;
      const { requests, troubles } = recorded(format, seed, () => ++calls % (11 + (seed % 23)) === 0);
      for (const [id, text] of requests) expect(text, `seed ${seed}, ${id}`).toBe(whole.requests.get(id));
      kept += requests.size;
      lost += troubles.write_failed ?? 0;
    }
    expect(kept).toBeGreaterThan(SESSIONS);
    expect(lost).toBeGreaterThan(SESSIONS);
  });
});
