/**
 * Lines of `trace.jsonl`, read in blocks and as the file grows (spec D1, D8). Not here: what a line says.
 */

import { decodeUtf8, MAX_TEXT_BYTES, type SourceFile } from './source.ts';

export interface LogLine {
  /** Counts from 1, blank lines included. */
  number: number;
  /** The line without its end; null where it is not UTF-8; undefined where it is too long to be read. */
  text: string | null | undefined;
  /** The line was written to its end (`\n`). */
  ended: boolean;
}

const BLOCK = 1 << 18;
const LF = 0x0a;
/** Unicode White_Space, which is neither `\s` nor what `trim` removes. */
const BLANK = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;

export function isBlank(text: string): boolean {
  return text.charCodeAt(0) !== 0x7b && BLANK.test(text);
}

/** Reads the lines of a log once, from the start, and further ones as they are appended. */
export class LogReader {
  #offset = 0;
  #line = 0;
  /** Bytes of a line whose end has not been read yet. */
  #open: Uint8Array[] = [];
  #openBytes = 0;
  readonly #block = new Uint8Array(BLOCK);

  /** Offset behind the last byte read. */
  get offset(): number {
    return this.#offset;
  }

  /** The complete lines that can be read now. */
  *lines(file: SourceFile): Iterable<LogLine> {
    for (;;) {
      const read = file.read(this.#block, this.#offset);
      if (read === 0) return;
      this.#offset += read;
      yield* this.#split(this.#block.subarray(0, read));
    }
  }

  /** The last line, if it was not written to its end; then the log is over. */
  *rest(): Iterable<LogLine> {
    if (this.#openBytes > 0) yield this.#close(false);
  }

  *#split(block: Uint8Array): Iterable<LogLine> {
    const first = block.indexOf(LF);
    if (first < 0) {
      this.#keep(block);
      return;
    }
    let start = 0;
    if (this.#openBytes > 0) {
      this.#keep(block.subarray(0, first));
      yield this.#close(true);
      start = first + 1;
    }
    const end = block.lastIndexOf(LF) + 1;
    yield* this.#whole(block.subarray(start, end));
    if (end < block.length) this.#keep(block.subarray(end));
  }

  /** Whole lines: decoded at once, or one by one where one of them is not UTF-8. */
  *#whole(bytes: Uint8Array): Iterable<LogLine> {
    const text = decodeUtf8(bytes);
    for (let at = 0; at < (text ?? bytes).length; ) {
      const next = text === null ? bytes.indexOf(LF, at) : text.indexOf('\n', at);
      const line = text === null ? decodeUtf8(bytes.subarray(at, next)) : text.slice(at, next);
      at = next + 1;
      yield { number: ++this.#line, text: withoutReturn(line), ended: true };
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#openBytes += bytes.length;
    if (this.#openBytes <= MAX_TEXT_BYTES) this.#open.push(bytes.slice());
    else this.#open = [];
  }

  #close(ended: boolean): LogLine {
    const size = this.#openBytes;
    const parts = this.#open;
    this.#open = [];
    this.#openBytes = 0;
    const number = ++this.#line;
    if (size > MAX_TEXT_BYTES) return { number, text: undefined, ended };
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { number, text: withoutReturn(decodeUtf8(bytes)), ended };
  }
}

function withoutReturn(text: string | null): string | null {
  return text?.endsWith('\r') ? text.slice(0, -1) : text;
}
