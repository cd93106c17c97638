/**
 * Reads a segment: bytes in, events with their payloads out (`docs/segment.md`).
 *
 * Takes the file in pieces of any size, so it serves whole files and files that still grow. It stops for good at the
 * first record that is damaged; what stands before it is whole. Not here: what deltas amount to (`segment-lanes.ts`),
 * the Codex layout (the recorder's `materialize.ts`), files.
 */

import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32 } from './crc32.ts';
import type { Delta, MemberDelta, Run } from './delta.ts';
import {
  FRAME_BYTES,
  HEAD_FLAG,
  MEMBER_OP,
  PAYLOAD_FORM,
  RECORD,
  RUN_OP,
  SEGMENT_VERSION,
  SIGNATURE,
} from './segment-format.ts';

/** A payload as it stands in the segment. Texts are compact JSON in UTF-8. */
export type SegmentPayload =
  | { type: 'whole'; number: number; text: Uint8Array }
  | { type: 'delta'; number: number; delta: Delta<Uint8Array> };

/** One event with the payloads it names. `line` is its line in `trace.jsonl`, without the line feed. */
export interface SegmentEvent {
  line: Uint8Array;
  payloads: readonly SegmentPayload[];
  /** Lanes that nothing behind this event builds on. */
  closedLanes: readonly number[];
  /** Where the record begins in the file. */
  offset: number;
}

/** What could not be read at the end of a segment. */
export interface SegmentTail {
  /** `torn`: the file ends inside a record. `corrupt`: a record is not what was written. */
  reason: 'torn' | 'corrupt';
  /** Where the last good record ends. */
  offset: number;
  /** How many bytes stand behind it, as far as they were read. */
  bytes: number;
  message: string;
}

/** Thrown where the bytes are no segment, or one of a version this reader does not know. */
export class SegmentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SegmentError';
  }
}

/** How a decoder is set up. */
export interface SegmentDecoderOptions {
  /** The host's CRC-32, where it has a faster one. */
  crc32?: (bytes: Uint8Array) => number;
}

/** Decodes one segment. */
export class SegmentDecoder {
  readonly #pending = new ByteWriter();
  readonly #crc32: (bytes: Uint8Array) => number;
  #at = 0;
  #offset = 0;
  #manifest: unknown = undefined;
  #payloads = 0;
  #corrupt: string | null = null;
  /** What came behind a corrupt record: counted, not kept. */
  #skipped = 0;

  constructor(options: SegmentDecoderOptions = {}) {
    this.#crc32 = options.crc32 ?? crc32;
  }

  /** The manifest as parsed JSON; undefined until its record was read. */
  get manifest(): unknown {
    return this.#manifest;
  }

  /**
   * Takes the next bytes of the file.
   *
   * @returns the events that are complete with them
   * @throws SegmentError where this is no segment
   */
  push(bytes: Uint8Array): SegmentEvent[] {
    if (this.#corrupt !== null) {
      this.#skipped += bytes.length;
      return [];
    }
    this.#pending.bytes(bytes);
    const events: SegmentEvent[] = [];
    if (this.#offset === 0 && !this.#signature()) return events;
    while (this.#corrupt === null) {
      const body = this.#record();
      if (body === null) break;
      const offset = this.#offset;
      try {
        const event = this.#body(new ByteReader(body), offset);
        if (event !== null) events.push(event);
      } catch (error) {
        if (error instanceof SegmentError) throw error;
        this.#corrupt = error instanceof Error ? error.message : 'unreadable record';
        break;
      }
      this.#at += FRAME_BYTES + body.length;
      this.#offset += FRAME_BYTES + body.length;
    }
    this.#drop();
    return events;
  }

  /** What stands behind the last good record; null where the segment ends with it. */
  tail(): SegmentTail | null {
    const bytes = this.#pending.length - this.#at + this.#skipped;
    if (bytes === 0) return null;
    const place = { offset: this.#offset, bytes };
    if (this.#corrupt !== null) return { reason: 'corrupt', ...place, message: this.#corrupt };
    return { reason: 'torn', ...place, message: `the segment ends ${bytes} bytes into a record` };
  }

  #signature(): boolean {
    const { length } = SIGNATURE;
    const found = this.#pending.view(0, Math.min(length, this.#pending.length));
    if (!found.every((byte, i) => byte === SIGNATURE[i])) throw new SegmentError('this is not a rollout segment');
    if (found.length < length) return false;
    this.#at = length;
    this.#offset = length;
    return true;
  }

  /** The body of the next record, as bytes of its own; null where it is not complete. */
  #record(): Uint8Array | null {
    const left = this.#pending.length - this.#at;
    if (left < FRAME_BYTES) return null;
    const frame = new ByteReader(this.#pending.view(this.#at, this.#at + FRAME_BYTES));
    const length = frame.u32();
    const expected = frame.u32();
    if (length === 0) {
      this.#corrupt = 'a record has no bytes';
      return null;
    }
    if (left < FRAME_BYTES + length) return null;
    const body = this.#pending.view(this.#at + FRAME_BYTES, this.#at + FRAME_BYTES + length).slice();
    const found = this.#crc32(body);
    if (found === expected) return body;
    this.#corrupt = `a record should have checksum ${expected.toString(16)}, but has ${found.toString(16)}`;
    return null;
  }

  #body(reader: ByteReader, offset: number): SegmentEvent | null {
    const type = reader.u8();
    if (this.#manifest === undefined) {
      if (type !== RECORD.header) throw new RangeError('the first record is not a header');
      this.#header(reader.rest());
      return null;
    }
    if (type !== RECORD.event) throw new RangeError(`a record has the unknown type ${type}`);
    const line = reader.sized();
    const payloads = reader.list(() => this.#payload(reader));
    const closedLanes = reader.list(() => reader.u32());
    return { line, payloads, closedLanes, offset };
  }

  #payload(reader: ByteReader): SegmentPayload {
    const next = payload(reader);
    if (next.number !== ++this.#payloads)
      throw new RangeError(`payload ${next.number} stands in the place of ${this.#payloads}`);
    return next;
  }

  #header(text: Uint8Array): void {
    const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text)) as Record<string, unknown> | null;
    const version = header?.segment_version;
    if (version !== SEGMENT_VERSION) {
      throw new SegmentError(`this segment has version ${String(version)}, but this reader knows ${SEGMENT_VERSION}`);
    }
    this.#manifest = header?.manifest ?? null;
  }

  #drop(): void {
    if (this.#at === 0) return;
    const rest = this.#pending.view(this.#at).slice();
    this.#pending.clear();
    this.#pending.bytes(rest);
    this.#at = 0;
  }
}

function payload(reader: ByteReader): SegmentPayload {
  const number = reader.u32();
  const form = reader.u8();
  if (form === PAYLOAD_FORM.whole) return { type: 'whole', number, text: reader.sized() };
  if (form !== PAYLOAD_FORM.delta) throw new RangeError(`payload ${number} has the unknown form ${form}`);
  const lane = reader.u32();
  const head = (reader.u8() & HEAD_FLAG) !== 0;
  const base = reader.u32();
  const members = reader.list(() => member(reader));
  if (head && members.filter(({ op }) => op === 'list').length > 1) {
    throw new RangeError(`payload ${number} is the head of its lane, but has more than one list`);
  }
  return { type: 'delta', number, delta: { lane, head, base: base === 0 ? null : base, members } };
}

function member(reader: ByteReader): MemberDelta<Uint8Array> {
  const op = reader.u8();
  if (op === MEMBER_OP.same) return { op: 'same', from: reader.u32() };
  const key = reader.jsonString();
  if (op === MEMBER_OP.value) return { op: 'value', key, value: reader.sized() };
  if (op === MEMBER_OP.list) return { op: 'list', key, runs: reader.list(() => run(reader)) };
  throw new RangeError(`a member has the unknown operation ${op}`);
}

function run(reader: ByteReader): Run<Uint8Array> {
  const op = reader.u8();
  if (op === RUN_OP.copy) return { type: 'copy', start: reader.u32(), count: reader.u32() };
  if (op === RUN_OP.items) return { type: 'items', items: reader.list(() => reader.sized()) };
  throw new RangeError(`a run has the unknown operation ${op}`);
}
