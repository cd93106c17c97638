import { describe, expect, it } from 'vitest';
import { crc32 } from '../format/segment/crc32.ts';
import { SegmentDecoder, SegmentError } from '../format/segment/segment-decoder.ts';
import { SegmentLanes, textAround } from '../format/segment/segment-lanes.ts';
import { materialize } from './materialize.ts';
import { MemoryBundle } from './memory.ts';
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
