/** Traces that stay in memory: for hosts without files, and for tests. */

import type { BundleFiles } from './bundle-sink.ts';
import type { PayloadText } from './pretty-payload.ts';
import type { SegmentFile } from './segment-sink.ts';

/** A bundle as a map from path to bytes. */
export class MemoryBundle implements BundleFiles<Uint8Array> {
  readonly #files = new Map<string, Uint8Array>();
  readonly #log: Uint8Array[] = [];

  writeManifest(bytes: Uint8Array): void {
    this.#files.set('manifest.json', bytes.slice());
  }

  writePayload(number: number, { base, pieces }: PayloadText<Uint8Array>): Uint8Array {
    const bytes = joined(
      pieces.map((piece) => {
        if (piece instanceof Uint8Array) return piece;
        if (base === null) throw new RangeError(`payload ${number} builds on nothing`);
        return base.subarray(piece.start, piece.end);
      }),
    );
    this.#files.set(`payloads/${number}.json`, bytes);
    return bytes;
  }

  removePayload(number: number): void {
    this.#files.delete(`payloads/${number}.json`);
  }

  appendEvent(bytes: Uint8Array): void {
    this.#log.push(bytes.slice());
  }

  close(): void {}

  /** Every file by its path in the bundle, in the order of writing; the log is last. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#files, ['trace.jsonl', joined(this.#log)]]);
  }
}

/** A segment as the records that were appended. */
export class MemorySegment implements SegmentFile {
  readonly chunks: Uint8Array[] = [];

  append(bytes: Uint8Array): void {
    this.chunks.push(bytes.slice());
  }

  close(): void {}

  /** The whole segment. */
  bytes(): Uint8Array {
    return joined(this.chunks);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
