/**
 * JSON by pure syntax, without building anything of it: whether a long text is JSON, and where its values stand. A
 * hostile payload of some hundred megabytes must not take the memory of its values. Slower than the built-in parser.
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

/** Goes through a text value by value. What gives a boolean says whether it found what it looks for. */
export class JsonScanner {
  /** Where it stands in the text. */
  at = 0;
  readonly #text: string;
  readonly #containers = new Containers();
  readonly #isJson: boolean;
  /** @param isJson whether the text is known to be JSON: then strings are passed without a look at what is in them */
  constructor(text: string, isJson: boolean = false) {
    this.#text = text;
    this.#isJson = isJson;
  }

  /** Passes white space. @returns the character behind it; NaN at the end */
  space(): number {
    const text = this.#text;
    for (;;) {
      const c = text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c;
      this.at++;
    }
  }

  /** Passes this character. */
  takes(byte: number): boolean {
    if (this.space() !== byte) return false;
    this.at++;
    return true;
  }

  #string(): boolean {
    const text = this.#text;
    if (this.space() !== QUOTE) return false;
    if (this.#isJson) {
      this.at = endOfString(text, this.at);
      return true;
    }
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
  #plain(): boolean {
    const c = this.space();
    if (c === QUOTE) return this.#string();
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

  /** Passes the name of a member and the colon behind it. */
  key(): boolean {
    return this.#string() && this.takes(0x3a);
  }

  /** Passes a value, with all that is in it. */
  value(): boolean {
    const containers = this.#containers;
    containers.depth = 0;
    for (;;) {
      // At a value.
      const c = this.space();
      if (c === 0x7b || c === 0x5b) {
        this.at++;
        const isObject = c === 0x7b;
        if (!this.takes(isObject ? 0x7d : 0x5d)) {
          containers.open(isObject);
          if (isObject && !this.key()) return false;
          continue;
        }
      } else if (!this.#plain()) return false;
      // Behind a value.
      for (;;) {
        if (containers.depth === 0) return true;
        const { isObject } = containers;
        if (this.takes(0x2c)) {
          if (isObject && !this.key()) return false;
          break;
        }
        if (!this.takes(isObject ? 0x7d : 0x5d)) return false;
        containers.depth--;
      }
    }
  }

  /** Whether nothing follows. */
  get isOver(): boolean {
    this.space();
    return this.at >= this.#text.length;
  }
}

/** Where the string that begins here ends, if the text is JSON. */
function endOfString(text: string, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return text.length;
    let slashes = at;
    while (text.charCodeAt(slashes - 1) === BACKSLASH) slashes--;
    if ((at - slashes) % 2 === 0) return at + 1;
  }
}

/** Any depth, lone surrogate escapes and repeated keys are allowed (spec D10). */
export function scanJson(text: string): boolean {
  const scanner = new JsonScanner(text);
  return scanner.value() && scanner.isOver;
}
