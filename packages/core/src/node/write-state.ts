/**
 * Results on disk, written so that nobody ever reads half of one: to a temporary file in the same folder, then renamed.
 * Not here: what is written (`format/state-json.ts`).
 */

import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Hands over the bytes of a file in order. They need be valid only during the call. */
export type Produce = (emit: (bytes: Uint8Array) => void) => void;

export interface WriteOptions {
  /**
   * What happens to a symbolic link that stands at the place. `replace`, for places the user did not name: a bundle may
   * come from a stranger. `follow`, for those the user named: the file behind the link is meant, and what is no
   * ordinary file (a terminal, a pipe, `/dev/null`) is written to as it stands.
   */
  links: 'replace' | 'follow';
  /** Who may read a new file; left out, the system's default. What the system withholds is withheld either way. */
  mode?: number | undefined;
}

/** A part that was not touched for so long was left by a process that was killed. */
const ABANDONED_MS = 3_600_000;

/**
 * Writes a file as a whole or not at all: what stood there before stays until the new one is complete.
 *
 * @returns how many bytes were written
 * @throws what `produce` throws, or an error of the system; then nothing was written
 */
export function writeAtomically(file: string, produce: Produce, options: WriteOptions): number {
  const target = options.links === 'follow' ? behindLinks(file) : file;
  if (options.links === 'follow' && isSpecial(target)) return write(openSync(target, 'w'), produce);
  const folder = dirname(target);
  const prefix = `.${basename(target)}.`;
  removeAbandoned(folder, prefix);
  const part = join(folder, `${prefix}${process.pid}.part`);
  let descriptor: number | null = null;
  try {
    descriptor = openSync(part, 'wx', options.mode ?? 0o666);
    const size = write(descriptor, produce);
    renameSync(part, target);
    return size;
  } catch (error) {
    if (descriptor !== null) rmSync(part, { force: true });
    // Nobody has asked for the part.
    if (error instanceof Error && 'path' in error && error.path === part) error.path = target;
    throw error;
  }
}

/** Writes all of the bytes, however few the system takes at a time. */
function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

function write(descriptor: number, produce: Produce): number {
  let size = 0;
  try {
    produce((bytes) => {
      writeFully(descriptor, bytes);
      size += bytes.length;
    });
  } finally {
    closeSync(descriptor);
  }
  return size;
}

function behindLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function isSpecial(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

function removeAbandoned(folder: string, prefix: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.part')) continue;
    const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_MS) rmSync(join(folder, name), { force: true });
  }
}
