// A segment is read as the bundle it stands for: docs/segment.md, sections 5 to 7.

import { describe, expect, it } from 'vitest';
import { type Finding, TraceError } from '../format/finding.ts';
import type { Int64 } from '../format/json.ts';
import { crc32 } from '../format/segment/crc32.ts';
import { stateJson } from '../format/state-json.ts';
import { materialize } from '../recorder/materialize.ts';
import { MemoryBundle } from '../recorder/memory.ts';
import type { Rollout } from '../recorder/rollout.ts';
import { randomSession } from '../recorder/testing/random-session.ts';
import { record, recordSegment } from '../recorder/testing/recording.ts';
import { functionCall, functionOutput, message, request, SCENARIOS } from '../recorder/testing/scenarios.ts';
import type { ReduceMode } from '../reducer/state.ts';
import { Replay, reduceBundle, type TraceSource } from './replay.ts';
import type { SegmentSource } from './segment-evidence.ts';
import { memorySource } from './source.ts';

type Session = (rollout: Rollout) => void;

/** A segment in memory; `bytes` may be asked for anew, as a file that grows. */
function segmentSource(bytes: () => Uint8Array): SegmentSource {
  return {
    layout: 'segment',
    name: 'test.rollout',
    open: () => {
      const file = bytes();
      return {
        size: file.length,
        read: (into, offset) => {
          const part = file.subarray(offset, offset + into.length);
          into.set(part);
          return part.length;
        },
        close: () => {},
      };
    },
  };
}

const segmentOf = (session: Session): SegmentSource => {
  const bytes = recordSegment(session).bytes();
  return segmentSource(() => bytes);
};

/** The same session as the bundle sink writes it. */
const bundleOf = (session: Session): TraceSource => {
  const encoder = new TextEncoder();
  return memorySource(new Map([...record(session).files].map(([path, text]) => [path, encoder.encode(text)])));
};

/** The bundle that is made of the segment of the same session. */
function materializedOf(session: Session): TraceSource {
  const files = new MemoryBundle();
  materialize([recordSegment(session).bytes()], files);
  return memorySource(files.files());
}

interface Reduced {
  state: string;
  findings: readonly Finding[];
}

function reduced(source: TraceSource, mode: ReduceMode = 'strict', until?: Int64): Reduced {
  const { graph, rules, findings } = reduceBundle(source, { mode, until, generation: '0.169' });
  return { state: stateJson(graph, { rules }), findings };
}

const codes = ({ findings }: Reduced): string[] => findings.map(({ code }) => code);

/** The code of the error that reading ends with. */
function refusal(bytes: Uint8Array, mode: ReduceMode): string {
  try {
    reduced(
      segmentSource(() => bytes),
      mode,
    );
    return 'reduces';
  } catch (error) {
    if (error instanceof TraceError) return error.finding.code;
    throw error;
  }
}

/** The segment of a session with its records, and where each of them ends. */
function recordsOf(session: Session): { whole: Uint8Array; ends: number[] } {
  const { chunks } = recordSegment(session);
  const ends: number[] = [];
  for (const chunk of chunks) ends.push((ends.at(-1) ?? 0) + chunk.length);
  const whole = new Uint8Array(ends.at(-1) ?? 0);
  for (const [i, chunk] of chunks.entries()) whole.set(chunk, (ends[i] ?? 0) - chunk.length);
  return { whole, ends };
}

/** One turn with a call and its answer: every kind of payload, few bytes. */
function small(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  const model = { model: 'm', providerName: 'p' };
  const asked = message('msg_1', 'user', 'When?');
  const call = functionCall('fc_1', 'call_1', 'clock', {});
  turn
    .inference(model)
    .start(request([asked]))
    .complete({ responseId: 'resp_1', outputItems: [call] });
  const tool = turn.startToolCall({ name: 'clock', callId: 'call_1', payload: { type: 'function', arguments: '{}' } });
  const answer = functionOutput('fco_1', 'call_1', '12:00');
  tool.respond(answer);
  const said = message('msg_2', 'assistant', 'Noon.');
  turn
    .inference(model)
    .start(request([asked, call, answer]))
    .complete({ responseId: 'resp_2', outputItems: [said] });
  turn.end();
  rollout.end();
}

describe('a segment that is read directly', { timeout: 60_000 }, () => {
  for (const [name, session] of SCENARIOS) {
    it(`reduces to the state of its bundle, strictly and salvaging: ${name}`, () => {
      for (const mode of ['strict', 'salvage'] as const) {
        const direct = reduced(segmentOf(session), mode);
        expect(direct).toEqual(reduced(materializedOf(session), mode));
        expect(direct).toEqual(reduced(bundleOf(session), mode));
      }
    });
  }

  it('reduces to the state of its bundle for 200 random sessions', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const session = (rollout: Rollout): void => randomSession(rollout, seed);
      const direct = reduced(segmentOf(session));
      expect(direct, `seed ${seed}`).toEqual(reduced(bundleOf(session)));
      if (seed % 4 !== 0) continue;
      expect(direct, `seed ${seed}`).toEqual(reduced(materializedOf(session)));
      expect(reduced(segmentOf(session), 'salvage'), `seed ${seed}`).toEqual(reduced(bundleOf(session), 'salvage'));
    }
  });

  it('reduces up to any seq to the state of its bundle', () => {
    const sessions = [small, ...SCENARIOS.values(), (rollout: Rollout) => randomSession(rollout, 7)];
    for (const session of sessions) {
      const segment = segmentOf(session);
      const bundle = bundleOf(session);
      const { events } = reduceBundle(bundle, { mode: 'strict' });
      for (let seq = 0; seq <= events + 1; seq++) {
        expect(reduced(segment, 'strict', seq)).toEqual(reduced(bundle, 'strict', seq));
      }
    }
  });

  it('is of the newest generation, which it says itself', () => {
    const { generation } = reduceBundle(segmentOf(small), { mode: 'strict' });
    expect(generation).toMatchObject({ generation: '0.169', certain: true });
  });

  it('is read while it grows, and at every record gives the state of what is there', () => {
    for (const session of [small, ...SCENARIOS.values()]) {
      const { whole, ends } = recordsOf(session);
      let length = ends[0] ?? 0;
      const replay = new Replay(
        segmentSource(() => whole.subarray(0, length)),
        { mode: 'strict' },
      );
      expect(replay.advance()).toBe(0);
      for (const [i, end] of ends.slice(1).entries()) {
        // Half of a record is none yet.
        length = Math.floor(((ends[i] ?? 0) + end) / 2);
        expect(replay.advance()).toBe(0);
        length = end;
        expect(replay.advance()).toBe(1);
        const prefix = whole.slice(0, end);
        const { graph, events } = replaySoFar(segmentSource(() => prefix));
        expect(stateJson(replay.graph(), { rules: replay.rules })).toBe(graph);
        expect(replay.events).toBe(events);
      }
      replay.end();
      expect(replay.findings).toEqual([]);
      expect(stateJson(replay.graph(), { rules: replay.rules })).toBe(reduced(bundleOf(session)).state);
    }
  });
});

/** What a replay knows before the end of the log is declared. */
function replaySoFar(source: TraceSource): { graph: string; events: number } {
  const replay = new Replay(source, { mode: 'strict' });
  replay.advance();
  return { graph: stateJson(replay.graph(), { rules: replay.rules }), events: replay.events };
}

describe('a damaged segment', { timeout: 60_000 }, () => {
  const { whole, ends } = recordsOf(small);
  const header = ends[0] ?? 0;

  it('cut at any byte reduces to what its whole records say; the torn one is a warning in every mode', () => {
    let state = '';
    for (let cut = header; cut <= whole.length; cut++) {
      const bytes = whole.subarray(0, cut);
      const atRecord = ends.includes(cut);
      for (const mode of ['strict', 'salvage'] as const) {
        const found = reduced(
          segmentSource(() => bytes),
          mode,
        );
        const told = found.findings.filter(({ code }) => code === 'segment_torn');
        expect(told.map(({ severity }) => severity)).toEqual(atRecord ? [] : ['warning']);
        expect(found.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
        if (atRecord && mode === 'strict') state = found.state;
        expect(found.state, `cut at ${cut}`).toBe(state);
      }
    }
  });

  it('cut inside its header is refused: nothing tells which rollout it was', () => {
    for (let cut = 0; cut < header; cut++) {
      for (const mode of ['strict', 'salvage'] as const) {
        expect(refusal(whole.subarray(0, cut), mode), `cut at ${cut}`).toBe('segment_invalid');
      }
    }
  });

  it('with a flipped bit behind its header reduces to what stands before it, and is an error', () => {
    for (let at = header; at < whole.length; at += 7) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      const source = segmentSource(() => damaged);
      const found = reduced(source, 'salvage');
      const begin = ends.filter((end) => end <= at).at(-1) ?? 0;
      // A length that grew runs beyond the file: no different from a record that was cut off.
      const isLength = at < begin + 4;
      expect(codes(found).filter((code) => code.startsWith('segment_'))[0]).toMatch(
        isLength ? /^segment_(?:corrupt|torn)$/ : /^segment_corrupt$/,
      );
      const prefix = whole.slice(0, begin);
      expect(found.state).toBe(
        reduced(
          segmentSource(() => prefix),
          'salvage',
        ).state,
      );
      if (!isLength) expect(refusal(damaged, 'strict')).toBe('segment_corrupt');
    }
  });

  it('of another version, or no segment at all, is refused in every mode', () => {
    const text = new TextEncoder().encode(`{"segment_version":7,"manifest":{}}`);
    const body = Uint8Array.of(1, ...text);
    const newer = new Uint8Array(16 + body.length);
    newer.set(whole.subarray(0, 8));
    new DataView(newer.buffer).setUint32(8, body.length, true);
    new DataView(newer.buffer).setUint32(12, crc32(body), true);
    newer.set(body, 16);
    for (const mode of ['strict', 'salvage'] as const) {
      expect(refusal(newer, mode)).toBe('segment_invalid');
      expect(refusal(new TextEncoder().encode('{"schema_version":2}\n'), mode)).toBe('segment_invalid');
      expect(refusal(new Uint8Array(4096), mode)).toBe('segment_invalid');
    }
  });

  it('names its file in what is found', () => {
    const torn = whole.subarray(0, whole.length - 3);
    const found = reduced(
      segmentSource(() => torn),
      'salvage',
    );
    expect(found.findings.find(({ code }) => code === 'segment_torn')).toMatchObject({ file: 'test.rollout' });
  });

  it('whose records are whole but build on what is not there ends before the first of them', () => {
    // A record is taken out: its checksums are right, and the delta behind it has lost its base.
    const requests = recordsOf(SCENARIOS.get('growing history') ?? small);
    const chunks = ends.length > 0 ? recordSegment(SCENARIOS.get('growing history') ?? small).chunks : [];
    const started = chunks.findIndex((chunk) =>
      new TextDecoder('latin1').decode(chunk).includes('"inference_started"'),
    );
    const begin = requests.ends[started - 1] ?? 0;
    const end = requests.ends[started] ?? 0;
    const without = new Uint8Array(requests.whole.length - (end - begin));
    without.set(requests.whole.subarray(0, begin));
    without.set(requests.whole.subarray(end), begin);
    const found = reduced(
      segmentSource(() => without),
      'salvage',
    );
    expect(codes(found)).toContain('segment_corrupt');
    expect(refusal(without, 'strict')).not.toBe('reduces');
  });
});
