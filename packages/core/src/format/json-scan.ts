/**
 * Whether a long text is JSON by pure syntax, without building anything of it: a hostile payload of some hundred
 * megabytes must not take the memory of its values. Slower than the built-in parser, so it is for long texts only.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map((c) => c.charCodeAt(0)));
const HEX = /^[0-9a-fA-F]{4}$/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS = ['true', 'false', 'null'];

/** The kinds of the open containers, one bit each. */
class Containers {
  depth = 0;
  #bits = new Uint32Array(32);

  open(isObject: boolean): void {
    const at = this.depth >>> 5;
    if (at === this.#bits.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#bits);
      this.#bits = grown;
    }
    const bit = 1 << (this.depth & 31);
    const bits = this.#bits[at] as number;
    this.#bits[at] = isObject ? bits | bit : bits & ~bit;
    this.depth++;
  }

  get isObject(): boolean {
    const last = this.depth - 1;
    return last >= 0 && ((this.#bits[last >>> 5] as number) & (1 << (last & 31))) !== 0;
  }
}

class Scanner {
  at = 0;
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  space(): number {
    const text = this.#text;
    for (;;) {
      const c = text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c;
      this.at++;
    }
  }

  takes(byte: number): boolean {
    if (this.space() !== byte) return false;
    this.at++;
    return true;
  }

  string(): boolean {
    const text = this.#text;
    if (this.space() !== QUOTE) return false;
    let at = this.at + 1;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        const escaped = text.charCodeAt(at + 1);
        const isCode = escaped === 0x75 && HEX.test(text.slice(at + 2, at + 6));
        if (!isCode && !ESCAPES.has(escaped)) return false;
        at += isCode ? 6 : 2;
      } else if (c >= 0x20) at++;
      else return false;
      // The end of the text gives NaN, which is none of these.
    }
    this.at = at + 1;
    return true;
  }

  /** A string, a number or a word. */
  plain(): boolean {
    const c = this.space();
    if (c === QUOTE) return this.string();
    if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return this.#number();
    const word = WORDS.find((known) => this.#text.startsWith(known, this.at));
    this.at += word?.length ?? 0;
    return word !== undefined;
  }

  #number(): boolean {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.#text);
    this.at += found?.[0].length ?? 0;
    return found !== null;
  }

  key(): boolean {
    return this.string() && this.takes(0x3a);
  }

  get isOver(): boolean {
    this.space();
    return this.at >= this.#text.length;
  }
}

/** Any depth, lone surrogate escapes and repeated keys are allowed (spec D10). */
export function scanJson(text: string): boolean {
  const scanner = new Scanner(text);
  const containers = new Containers();
  for (;;) {
    // At a value.
    const c = scanner.space();
    if (c === 0x7b || c === 0x5b) {
      scanner.at++;
      const isObject = c === 0x7b;
      if (!scanner.takes(isObject ? 0x7d : 0x5d)) {
        containers.open(isObject);
        if (isObject && !scanner.key()) return false;
        continue;
      }
    } else if (!scanner.plain()) return false;
    // Behind a value.
    for (;;) {
      if (containers.depth === 0) return scanner.isOver;
      const { isObject } = containers;
      if (scanner.takes(0x2c)) {
        if (isObject && !scanner.key()) return false;
        break;
      }
      if (!scanner.takes(isObject ? 0x7d : 0x5d)) return false;
      containers.depth--;
    }
  }
}
