import { describe, expect, it } from 'vitest';
import type { Manifest } from '../format/manifest.ts';
import { crc32 } from '../format/segment/crc32.ts';
import type { Delta, MemberDelta, Run } from '../format/segment/delta.ts';
import { SegmentDecoder, SegmentError } from '../format/segment/segment-decoder.ts';
import { SegmentLanes, textAround } from '../format/segment/segment-lanes.ts';
import { materialize } from './materialize.ts';
import { MemoryBundle, MemorySegment } from './memory.ts';
import type { PlainJson } from './plain-json.ts';
import { SegmentSink } from './segment-sink.ts';
import type { SinkEntry } from './sink.ts';
import { asText, recordSegment } from './testing/recording.ts';
import { SCENARIOS } from './testing/scenarios.ts';

const scenario = SCENARIOS.get('growing history') ?? (() => undefined);
const segment = recordSegment(scenario);
const whole = segment.bytes();
const ends: number[] = [];
for (const chunk of segment.chunks) ends.push((ends.at(-1) ?? 0) + chunk.length);

function decode(bytes: Uint8Array, chunk: number = bytes.length): { lines: string[]; decoder: SegmentDecoder } {
  const decoder = new SegmentDecoder();
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    for (const event of decoder.push(bytes.subarray(at, at + chunk))) lines.push(new TextDecoder().decode(event.line));
  }
  return { lines, decoder };
}

const list = (...runs: Run<PlainJson>[]): MemberDelta<PlainJson> => ({ op: 'list', key: 'input', runs });
const entry = (number: number, delta: Delta<PlainJson>): SinkEntry => ({
  line: '{}',
  payloads: [{ number, kind: 'inference_request', body: { type: 'delta', delta } }],
  closedLanes: [],
});

/** A segment that is begun, for records no recorder writes. */
function begun(): { sink: SegmentSink; memory: MemorySegment } {
  const memory = new MemorySegment();
  const sink = new SegmentSink(memory);
  sink.open({} as Manifest);
  return { sink, memory };
}

describe('a segment', () => {
  it('cut at any byte keeps every whole record and names the torn one', () => {
    for (let cut = 8; cut <= whole.length; cut += 1) {
      const { lines, decoder } = decode(whole.subarray(0, cut));
      const complete = ends.filter((end) => end <= cut).length;
      expect(lines.length).toBe(Math.max(0, complete - 1));
      const offset = complete === 0 ? 8 : (ends[complete - 1] ?? 0);
      const tail = decoder.tail();
      expect(tail === null ? null : { reason: tail.reason, offset: tail.offset, bytes: tail.bytes }).toEqual(
        offset === cut ? null : { reason: 'torn', offset, bytes: cut - offset },
      );
    }
  });

  it('says the same in pieces of any size', () => {
    const { lines } = decode(whole);
    for (const size of [1, 7, 8, 100, 4096]) expect(decode(whole, size).lines).toEqual(lines);
  });

  it('ends at the first damaged record, and what stands before it can still be written as a bundle', () => {
    const damaged = whole.slice();
    const record = 20;
    const at = (ends[record] ?? 0) + 30;
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const { lines, decoder } = decode(damaged);
    expect(lines.length).toBe(record);
    expect(decoder.tail()).toMatchObject({ reason: 'corrupt', offset: ends[record] });
    const bundle = new MemoryBundle();
    expect(materialize([damaged], bundle)).toMatchObject({ events: record, tail: { reason: 'corrupt' } });
    expect(asText(bundle.files()).get('trace.jsonl')?.split('\n').length).toBe(record + 1);
  });

  it('followed by zeros, as after a power cut, ends where it ended', () => {
    const padded = new Uint8Array(whole.length + 64);
    padded.set(whole);
    const { lines, decoder } = decode(padded);
    expect(lines).toEqual(decode(whole).lines);
    expect(decoder.tail()).toMatchObject({ reason: 'corrupt', offset: whole.length });
  });

  it('of another version, and a file that is none, are refused with both sides of the contradiction', () => {
    const text = Buffer.from(segment.chunks[0] ?? [])
      .toString('latin1')
      .replace('"segment_version":1', '"segment_version":9');
    const header = Uint8Array.from(text, (c) => c.charCodeAt(0));
    const checksum = crc32(header.subarray(16));
    for (let i = 0; i < 4; i++) header[12 + i] = (checksum >>> (8 * i)) & 0xff;
    expect(() => new SegmentDecoder().push(header)).toThrow('this segment has version 9, but this reader knows 1');
    expect(() => new SegmentDecoder().push(new TextEncoder().encode('{"schema_version":2}'))).toThrow(SegmentError);
  });

  it('has the checksum of zlib', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it.each([
    ['a base that is not the head', { base: 9 }],
    ['a base where there is none', { lane: 7, base: 1 }],
    ['a member the base does not have', { base: 1, members: [{ op: 'same', from: 7 }] }],
    ['a list as a member that stays', { base: 1, members: [{ op: 'same', from: 1 }] }],
    ['elements the list does not have', { base: 1, members: [list({ type: 'copy', start: 0, count: 3 })] }],
    ['elements of no list', { base: null, members: [list({ type: 'copy', start: 0, count: 1 })] }],
  ] as [string, Partial<Delta<PlainJson>>][])('that refers to %s is written up to there', (_what, wrong) => {
    const { sink, memory } = begun();
    const good = { lane: 1, head: true, base: null, members: [] };
    sink.append(
      entry(1, { ...good, members: [{ op: 'value', key: 'a', value: 1 }, list({ type: 'items', items: [1, 2] })] }),
    );
    const offset = memory.bytes().length;
    sink.append(entry(2, { ...good, ...wrong }));
    sink.append(entry(3, good));
    const bundle = new MemoryBundle();
    const { events, payloads, tail } = materialize([memory.bytes()], bundle);
    expect([events, payloads]).toEqual([1, 1]);
    expect(tail).toMatchObject({ reason: 'corrupt', offset, bytes: memory.bytes().length - offset });
    expect([...bundle.files().keys()]).toEqual(['manifest.json', 'payloads/1.json', 'trace.jsonl']);
  });

  it('that grows without end by copies of copies ends where no recorder would have gone on', () => {
    const { sink, memory } = begun();
    const head = { lane: 1, head: true };
    sink.append(entry(1, { ...head, base: null, members: [list({ type: 'items', items: [1, 2] })] }));
    let count = 2;
    for (let number = 2; number < 40; number++, count *= 2) {
      const copy: Run<PlainJson> = { type: 'copy', start: 0, count };
      sink.append(entry(number, { ...head, base: number - 1, members: [list(copy, copy)] }));
    }
    const lanes = new SegmentLanes();
    const tell = (): void => {
      for (const { payloads } of new SegmentDecoder().push(memory.bytes())) {
        for (const payload of payloads) if (payload.type === 'delta') lanes.tell(payload.number, payload.delta);
      }
    };
    expect(tell).toThrow('more than 2000000 elements');
    const made = materialize([memory.bytes()], new MemoryBundle());
    expect(made).toMatchObject({ events: 20, tail: { reason: 'corrupt' } });
  });

  it('takes back what it wrote of an event it cannot write', () => {
    const { sink, memory } = begun();
    const good = { lane: 1, head: true, base: null, members: [] };
    const payloads = [...entry(1, good).payloads, ...entry(2, { ...good, base: 9 }).payloads];
    sink.append({ line: '{}', payloads, closedLanes: [] });
    const bundle = new MemoryBundle();
    expect(materialize([memory.bytes()], bundle)).toMatchObject({ events: 0, payloads: 0 });
    expect([...bundle.files().keys()]).toEqual(['manifest.json', 'trace.jsonl']);
  });

  it('with a gap in its payloads, or one twice, ends there', () => {
    for (const number of [1, 3]) {
      const { sink, memory } = begun();
      const good = { lane: 1, head: true, base: null, members: [] };
      sink.append(entry(1, good));
      sink.append(entry(number, good));
      expect(decode(memory.bytes()).decoder.tail()).toMatchObject({ reason: 'corrupt' });
    }
  });

  it('is linear in what is new: five requests hold each item once', () => {
    const text = new TextDecoder('latin1').decode(whole);
    expect(text.split('And on.').length - 1).toBe(4);
  });
});

describe('the lanes of a segment', () => {
  it('tell each request by the items it keeps, those it adds, and everything around them', () => {
    const decoder = new SegmentDecoder();
    const lanes = new SegmentLanes();
    const told = [];
    for (const { payloads } of decoder.push(whole)) {
      for (const payload of payloads)
        if (payload.type === 'delta') told.push(lanes.tell(payload.number, payload.delta));
    }
    const lists = told.map(({ number, base, members }) => {
      const list = members.find((member) => member.key === 'input')?.list;
      return {
        number,
        base,
        kept: list?.kept,
        added: list?.added.map((text) => (JSON.parse(new TextDecoder().decode(text)) as { id: string }).id),
      };
    });
    expect(lists.slice(0, 3)).toEqual([
      { number: 2, base: null, kept: 0, added: ['msg_1'] },
      { number: 4, base: 2, kept: 1, added: ['msg_answer_1', 'msg_user_1'] },
      { number: 6, base: 4, kept: 3, added: ['msg_answer_2', 'msg_user_2'] },
    ]);
    const last = told.at(-1);
    expect(last && JSON.parse(textAround(last))).toMatchObject({ model: 'model-1', input: [], tool_choice: 'auto' });
  });
});
