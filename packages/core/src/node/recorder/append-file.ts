/**
 * A file that only grows, one synchronous write at a time: what a write returned for survives the process.
 *
 * Where a write fails half-way, the file is cut back to where it ended; until that works, nothing more is written.
 */

import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** How often a file is looked at, to notice that somebody removed it. Milliseconds. */
const LOOK_EVERY = 250;

/** One append-only file, made anew. */
export class AppendFile {
  readonly #path: string;
  readonly #fd: number;
  #length = 0;
  #torn = false;
  #closed = false;
  #looked = 0;

  /** @throws where the file exists or cannot be made */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, 'ax', 0o600);
  }

  /** @throws where not all of the bytes could be written; then none of them count */
  append(bytes: Uint8Array): void {
    // The number of a closed file may be that of another one by now.
    if (this.#closed) throw new Error(`${this.#path} is closed`);
    if (this.#torn) this.#cutBack();
    this.#look();
    try {
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(this.#fd, bytes, at, bytes.length - at);
        if (written === 0) throw new Error(`nothing could be written to ${this.#path}`);
        at += written;
      }
    } catch (error) {
      this.#torn = true;
      try {
        this.#cutBack();
      } catch {
        // Tried again before the next record.
      }
      throw error;
    }
    this.#length += bytes.length;
  }

  /** @throws where the file was removed meanwhile: what was written to it since is lost */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const isRemoved = fstatSync(this.#fd).nlink === 0;
    closeSync(this.#fd);
    if (isRemoved) throw new Error(`${this.#path} was removed`);
  }

  /** Never makes the file longer: somebody may have cut it meanwhile. */
  #cutBack(): void {
    const { size } = fstatSync(this.#fd);
    if (size > this.#length) ftruncateSync(this.#fd, this.#length);
    else this.#length = size;
    this.#torn = false;
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#looked < LOOK_EVERY) return;
    this.#looked = now;
    if (fstatSync(this.#fd).nlink === 0) {
      this.#looked = 0;
      throw new Error(`${this.#path} was removed`);
    }
  }
}
