/** The files of a bundle on disk: `manifest.json`, `trace.jsonl` and `payloads/<number>.json`. */

import { closeSync, mkdirSync, openSync, unlinkSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_LOG_FILE, MANIFEST_FILE } from '../../format/manifest.ts';
import type { BundleFiles } from '../../recorder/bundle-sink.ts';
import { AppendFile } from './append-file.ts';

const PAYLOADS_DIRECTORY = 'payloads';
/** A bundle holds what was said to a model and what it did: for its owner's eyes only. */
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;

/** A bundle directory that is being written. */
export class BundleDirectory implements BundleFiles {
  readonly path: string;
  #log: AppendFile | null = null;

  /** @throws where the directory exists or cannot be made */
  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { mode: OWNER_ONLY_DIRECTORY });
    mkdirSync(join(path, PAYLOADS_DIRECTORY), { mode: OWNER_ONLY_DIRECTORY });
  }

  writeManifest(pieces: readonly Uint8Array[]): void {
    writeFile(join(this.path, MANIFEST_FILE), pieces);
    this.#log = new AppendFile(join(this.path, EVENT_LOG_FILE));
  }

  writePayload(number: number, pieces: readonly Uint8Array[]): void {
    writeFile(join(this.path, PAYLOADS_DIRECTORY, `${number}.json`), pieces);
  }

  appendEvent(bytes: Uint8Array): void {
    if (this.#log === null) throw new Error(`${this.path} has no manifest yet`);
    this.#log.append(bytes);
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }
}

/** Writes a whole file, in as few system calls as there can be. */
function writeFile(path: string, pieces: readonly Uint8Array[]): void {
  const fd = openSync(path, 'w', OWNER_ONLY_FILE);
  try {
    writeAll(fd, pieces);
  } catch (error) {
    closeSync(fd);
    remove(path);
    throw error;
  }
  closeSync(fd);
}

function writeAll(fd: number, pieces: readonly Uint8Array[]): void {
  let left = pieces;
  while (left.length > 0) {
    const written = writevSync(fd, left);
    if (written === 0) throw new Error('nothing could be written');
    left = behind(left, written);
  }
}

/** What is left of the pieces behind the first `count` bytes. */
function behind(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  let first = 0;
  while (first < pieces.length && skip >= (pieces[first] as Uint8Array).length)
    skip -= (pieces[first++] as Uint8Array).length;
  const left = pieces.slice(first);
  if (skip > 0 && left[0] !== undefined) left[0] = left[0].subarray(skip);
  return left;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // No event names it, so it is not part of the bundle.
  }
}
