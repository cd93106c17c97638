/**
 * The `segment` layout: one append-only file, one record per event, linear in what is new (`docs/segment.md`).
 *
 * Each record is handed over whole and at once. Not here: the file, which stands behind {@link SegmentFile}; reading
 * (`format/segment/segment-decoder.ts`).
 */

import type { Manifest } from '../format/manifest.ts';
import { ByteWriter } from '../format/segment/byte-writer.ts';
import { crc32 } from '../format/segment/crc32.ts';
import type { Delta, MemberDelta } from '../format/segment/delta.ts';
import {
  FRAME_BYTES,
  HEAD_FLAG,
  MEMBER_OP,
  PAYLOAD_FORM,
  RECORD,
  RUN_OP,
  SEGMENT_VERSION,
  SIGNATURE,
} from '../format/segment/segment-format.ts';
import type { PlainJson } from './plain-json.ts';
import type { Sink, SinkEntry, SinkPayload } from './sink.ts';

/** One append-only file. */
export interface SegmentFile {
  /** Writes all of the bytes or throws; where it throws, the file ends where it ended before. */
  append(bytes: Uint8Array): void;
  close(): void;
}

/** How a segment is written. */
export interface SegmentSinkOptions {
  /** The host's CRC-32, where it has a faster one. */
  crc32?: (bytes: Uint8Array) => number;
}

/** Writes the segment layout. */
export class SegmentSink implements Sink {
  readonly #file: SegmentFile;
  readonly #crc32: (bytes: Uint8Array) => number;
  readonly #out = new ByteWriter();

  constructor(file: SegmentFile, options: SegmentSinkOptions = {}) {
    this.#file = file;
    this.#crc32 = options.crc32 ?? crc32;
  }

  open(manifest: Manifest): void {
    const out = this.#out;
    out.clear();
    out.bytes(SIGNATURE);
    this.#record(RECORD.header, () => out.text(JSON.stringify({ segment_version: SEGMENT_VERSION, manifest })));
    this.#file.append(out.view());
  }

  append(entry: SinkEntry): void {
    const out = this.#out;
    out.clear();
    this.#record(RECORD.event, () => {
      out.sizedText(entry.line);
      out.u32(entry.payloads.length);
      for (const payload of entry.payloads) this.#payload(payload);
      out.u32(entry.closedLanes.length);
      for (const lane of entry.closedLanes) out.u32(lane);
    });
    this.#file.append(out.view());
    out.clear();
  }

  close(): void {
    this.#file.close();
  }

  #record(type: number, body: () => void): void {
    const out = this.#out;
    const start = out.length;
    out.u32(0);
    out.u32(0);
    out.u8(type);
    body();
    out.patchU32(start, out.length - start - FRAME_BYTES);
    out.patchU32(start + 4, this.#crc32(out.view(start + FRAME_BYTES)));
  }

  #payload({ number, body }: SinkPayload): void {
    const out = this.#out;
    out.u32(number);
    if (body.type === 'delta') {
      out.u8(PAYLOAD_FORM.delta);
      this.#delta(body.delta);
    } else {
      out.u8(PAYLOAD_FORM.whole);
      out.sizedText(JSON.stringify(body.value));
    }
  }

  #delta(delta: Delta<PlainJson>): void {
    const out = this.#out;
    out.u32(delta.lane);
    out.u8(delta.head ? HEAD_FLAG : 0);
    out.u32(delta.base ?? 0);
    out.u32(delta.members.length);
    for (const member of delta.members) this.#member(member);
  }

  #member(member: MemberDelta<PlainJson>): void {
    const out = this.#out;
    if (member.op === 'same') {
      out.u8(MEMBER_OP.same);
      out.u32(member.from);
      return;
    }
    out.u8(MEMBER_OP[member.op]);
    out.sizedText(JSON.stringify(member.key));
    if (member.op === 'value') {
      out.sizedText(JSON.stringify(member.value));
      return;
    }
    out.u32(member.runs.length);
    for (const run of member.runs) {
      out.u8(RUN_OP[run.type]);
      if (run.type === 'copy') {
        out.u32(run.start);
        out.u32(run.count);
      } else {
        out.u32(run.items.length);
        for (const item of run.items) out.sizedText(JSON.stringify(item));
      }
    }
  }
}
