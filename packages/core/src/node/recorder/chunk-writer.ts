/** Writes a file from bytes and from stretches of another file, in as few system calls as a chunk of memory allows. */

import { readSync, writeSync } from 'node:fs';
import type { Stretch } from '../../recorder/pretty-payload.ts';
import { BaseLostError } from '../../recorder/sink.ts';

const CHUNK_BYTES = 1 << 18;

export class ChunkWriter {
  #chunk: Uint8Array | null = null;

  /**
   * @param source what the stretches are of
   * @throws BaseLostError where the source cannot be read; the system's errors
   */
  write(target: number, pieces: readonly (Uint8Array | Stretch)[], source: number | null): void {
    this.#chunk ??= new Uint8Array(CHUNK_BYTES);
    const chunk = this.#chunk;
    let used = 0;
    for (const piece of pieces) {
      const isNew = piece instanceof Uint8Array;
      const end = isNew ? piece.length : piece.end;
      for (let at = isNew ? 0 : piece.start; at < end; ) {
        const count = Math.min(chunk.length - used, end - at);
        if (isNew) chunk.set(piece.subarray(at, at + count), used);
        else readAll(source, chunk.subarray(used, used + count), at);
        at += count;
        used += count;
        if (used < chunk.length) continue;
        writeAll(target, chunk);
        used = 0;
      }
    }
    writeAll(target, chunk.subarray(0, used));
  }
}

function readAll(source: number | null, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const count = source === null ? 0 : readSome(source, bytes.subarray(at), position + at);
    if (count === 0) throw new BaseLostError('the payload that is built on has become shorter');
    at += count;
  }
}

function readSome(source: number, bytes: Uint8Array, position: number): number {
  try {
    return readSync(source, bytes, 0, bytes.length, position);
  } catch (error) {
    throw new BaseLostError('the payload that is built on cannot be read', { cause: error });
  }
}

function writeAll(target: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const count = writeSync(target, bytes, at, bytes.length - at);
    if (count === 0) throw new Error('nothing could be written');
    at += count;
  }
}
