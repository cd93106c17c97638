/**
 * Two-space JSON from compact JSON, byte by byte: no number is read, no string is decoded.
 *
 * What stands in strings stays as it is; everything else gets the line feeds and spaces of the reference's printer.
 */

import type { ByteWriter } from './byte-writer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;

/**
 * @param compact JSON without space between its tokens
 * @param indent how many spaces further lines begin with
 */
export function indentJson(compact: Uint8Array, indent: number, out: ByteWriter): void {
  let depth = indent / 2;
  let from = 0;
  const copy = (to: number): void => {
    out.bytes(compact.subarray(from, to));
    from = to;
  };
  const newLine = (): void => {
    out.bytes(lineStart(depth));
  };
  for (let i = 0; i < compact.length; i++) {
    const c = compact[i] as number;
    if (c === QUOTE) i = endOfString(compact, i);
    else if (c === COMMA) {
      copy(i + 1);
      newLine();
    } else if (c === COLON) {
      copy(i + 1);
      out.u8(SPACE);
    } else if (c === 0x7b || c === 0x5b) {
      if (compact[i + 1] === c + 2) i++;
      else {
        copy(i + 1);
        depth++;
        newLine();
      }
    } else if (c === 0x7d || c === 0x5d) {
      copy(i);
      depth--;
      newLine();
    }
  }
  copy(compact.length);
}

/** The index of the quote that closes the string. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    at = bytes.indexOf(QUOTE, at + 1);
    if (at < 0) return bytes.length;
    let slashes = at;
    while (bytes[slashes - 1] === BACKSLASH) slashes--;
    if ((at - slashes) % 2 === 0) return at;
  }
}

const LINE_STARTS = Array.from({ length: 160 }, (_, depth) => makeLineStart(depth));

/** A line feed and the spaces of a depth. */
function lineStart(depth: number): Uint8Array {
  return LINE_STARTS[depth] ?? makeLineStart(Math.max(depth, 0));
}

function makeLineStart(depth: number): Uint8Array {
  const start = new Uint8Array(1 + 2 * depth).fill(SPACE);
  start[0] = 0x0a;
  return start;
}
