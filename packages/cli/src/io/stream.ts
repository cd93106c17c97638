/** Where the output of the command line goes: an interface that tests fill, and the file descriptors of the process. */

import { fstatSync, statSync, writeSync } from 'node:fs';

/** A sink for text or bytes. */
export interface OutputStream {
  readonly isTerminal: boolean;
  /** The width of the terminal; null where there is none, or it does not say. */
  readonly columns: number | null;
  /** Nobody reads any more: what is written is dropped. */
  readonly isClosed: boolean;
  write(data: string | Uint8Array): void;
}

/** What a command needs of the process it runs in. */
export interface Io {
  stdout: OutputStream;
  stderr: OutputStream;
  environment: Readonly<Record<string, string | undefined>>;
}

/** A file descriptor of the process. Writes are synchronous; a reader that went away, or a terminal, is no error. */
export class DescriptorStream implements OutputStream {
  readonly #descriptor: 1 | 2;
  isClosed = false;
  constructor(descriptor: 1 | 2) {
    this.#descriptor = descriptor;
  }

  get isTerminal(): boolean {
    return mayBeTerminal(this.#descriptor) && process.getBuiltinModule('node:tty').isatty(this.#descriptor);
  }

  get columns(): number | null {
    if (!this.isTerminal) return null;
    return (this.#descriptor === 1 ? process.stdout : process.stderr).columns ?? null;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length && !this.isClosed; ) at += this.#writeSome(bytes, at);
  }

  #writeSome(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code === 'EPIPE' || code === 'EOF' || code === 'EIO') this.isClosed = true;
      else if (code === 'EAGAIN') pause();
      else throw error;
      return 0;
    }
  }
}

/** The pipe is full and was made non-blocking by another process: waits a moment. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}

/** A quick look, because loading `node:tty` takes 3 ms: most output goes to files, to pipes and to `/dev/null`. */
function mayBeTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    if (process.platform === 'win32') return true;
    return stats.isCharacterDevice() && stats.rdev !== statSync('/dev/null').rdev;
  } catch {
    return true;
  }
}
