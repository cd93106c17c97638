/** Turns a segment file into a bundle directory that the reference reads. */

import { closeSync, openSync, readSync } from 'node:fs';
import { type Materialized, materialize } from '../../recorder/materialize.ts';
import { BundleDirectory } from './bundle-directory.ts';
import { nativeCrc32 } from './native-crc32.ts';

const CHUNK_BYTES = 1 << 18;

/**
 * Writes the bundle of a segment.
 *
 * @param directory must not exist
 * @throws SegmentError where the file is no segment; the system's errors
 */
export function materializeSegment(segment: string, directory: string): Materialized {
  const files = new BundleDirectory(directory);
  try {
    return materialize(chunks(segment), files, nativeCrc32());
  } finally {
    files.close();
  }
}

/** The bytes of a file, piece by piece. Each piece is valid until the next one is asked for. */
function* chunks(path: string): Generator<Uint8Array> {
  const fd = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, null);
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}
