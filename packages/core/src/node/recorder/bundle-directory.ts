/** The files of a bundle on disk: `manifest.json`, `trace.jsonl` and `payloads/<number>.json`. */

import { closeSync, fstatSync, mkdirSync, openSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_LOG_FILE, MANIFEST_FILE } from '../../format/manifest.ts';
import type { BundleFiles } from '../../recorder/bundle-sink.ts';
import type { PayloadText } from '../../recorder/pretty-payload.ts';
import { BaseLostError } from '../../recorder/sink.ts';
import { AppendFile } from './append-file.ts';
import { ChunkWriter } from './chunk-writer.ts';

const PAYLOADS_DIRECTORY = 'payloads';
/** A bundle holds what was said to a model and what it did: for its owner's eyes only. */
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY_FILE = 0o600;

/** A payload file as it was when it was written. Where one of these differs, somebody else has written it. */
export interface PayloadFile {
  readonly path: string;
  readonly size: number;
  readonly inode: number;
  readonly modified: number;
}

/** A bundle directory that is being written. */
export class BundleDirectory implements BundleFiles<PayloadFile> {
  readonly path: string;
  #log: AppendFile | null = null;
  readonly #writer = new ChunkWriter();

  /** @throws where the directory exists or cannot be made */
  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { mode: OWNER_ONLY_DIRECTORY });
    try {
      mkdirSync(join(path, PAYLOADS_DIRECTORY), { mode: OWNER_ONLY_DIRECTORY });
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Takes back an empty bundle. What somebody else has put there stays. */
  discard(): void {
    remove(join(this.path, MANIFEST_FILE));
    remove(join(this.path, EVENT_LOG_FILE));
    for (const folder of [join(this.path, PAYLOADS_DIRECTORY), this.path]) {
      try {
        rmdirSync(folder);
      } catch {
        // It is not there, or not empty.
      }
    }
  }

  writeManifest(bytes: Uint8Array): void {
    this.#write(join(this.path, MANIFEST_FILE), { base: null, pieces: [bytes] });
    this.#log = new AppendFile(join(this.path, EVENT_LOG_FILE));
  }

  writePayload(number: number, text: PayloadText<PayloadFile>): PayloadFile {
    return this.#write(this.#payloadPath(number), text);
  }

  removePayload(number: number): void {
    remove(this.#payloadPath(number));
  }

  appendEvent(bytes: Uint8Array): void {
    if (this.#log === null) throw new Error(`${this.path} has no manifest yet`);
    this.#log.append(bytes);
  }

  close(): void {
    this.#log?.close();
    this.#log = null;
  }

  #payloadPath(number: number): string {
    return join(this.path, PAYLOADS_DIRECTORY, `${number}.json`);
  }

  #write(path: string, { base, pieces }: PayloadText<PayloadFile>): PayloadFile {
    const source = base === null ? null : openBase(base);
    try {
      const target = openSync(path, 'w', OWNER_ONLY_FILE);
      try {
        this.#writer.write(target, pieces, source);
        return payloadFile(path, target);
      } catch (error) {
        remove(path);
        throw error;
      } finally {
        closeSync(target);
      }
    } finally {
      if (source !== null) closeSync(source);
    }
  }
}

function payloadFile(path: string, descriptor: number): PayloadFile {
  const { size, ino, mtimeMs } = fstatSync(descriptor);
  return { path, size, inode: ino, modified: mtimeMs };
}

function openBase(base: PayloadFile): number {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(base.path, 'r');
    const { size, inode, modified } = payloadFile(base.path, descriptor);
    if (size === base.size && inode === base.inode && modified === base.modified) return descriptor;
  } catch (error) {
    if (descriptor !== null) closeSync(descriptor);
    throw new BaseLostError(`${base.path} cannot be opened`, { cause: error });
  }
  closeSync(descriptor);
  throw new BaseLostError(`${base.path} was changed`);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // No event names it, so it is not part of the bundle.
  }
}
