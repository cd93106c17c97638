/**
 * The two compact spellings of a parsed JSON value: in source order (summaries, spec N9) and with sorted keys
 * (content hashes, spec N5). Not here: the pretty printing of a whole state (`state-json.ts`).
 */

import { type Json, JsonNumber, JsonObject } from './json.ts';

/** How the numbers of payload JSON are printed: as written, or as the double they were read into (rule G8). */
export type NumberStyle = 'text' | 'double';

/** Compares two strings by their UTF-8 bytes: the order of map keys in a state (spec section 5). */
export function compareUtf8(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 puts surrogates before U+E000..U+FFFF, UTF-8 behind them.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** A number lexeme as the reference prints it when it keeps the text: `1E5` becomes `1e+5`, `-0` becomes `0`. */
export function numberText(lexeme: string): string {
  if (lexeme === '-0') return '0';
  const at = lexeme.search(/[eE]/);
  if (at < 0) return lexeme;
  const sign = lexeme.charAt(at + 1);
  const exponent = sign === '-' || sign === '+' ? lexeme.slice(at + 1) : `+${lexeme.slice(at + 1)}`;
  return `${lexeme.slice(0, at)}e${exponent}`;
}

const U64_MAX = 2n ** 64n - 1n;
/** The most characters of an integer of 64 bits, sign included. */
const U64_DIGITS = 21;

/**
 * A number lexeme as the generations before 0.139 print it (rule G8): integers of 64 bits stay, everything else goes
 * through a double that is read by shifting at most 64 bits of digits, so it is not always the nearest one.
 *
 * @returns null where the number overflows, which those generations call a syntax error
 */
export function doubleText(lexeme: string): string | null {
  if (lexeme.length <= U64_DIGITS && /^-?\d+$/.test(lexeme) && lexeme !== '-0') {
    const big = BigInt(lexeme);
    if (big <= U64_MAX && big >= -(2n ** 63n)) return big.toString();
  }
  const value = shiftedDouble(lexeme);
  return Number.isFinite(value) ? printDouble(value) : null;
}

/** Whether some number of the value overflows a double: to the generations before 0.139 that is a syntax error. */
export function hasOverflow(value: Json): boolean {
  if (value instanceof JsonNumber) return doubleText(value.text) === null;
  if (Array.isArray(value)) return value.some(hasOverflow);
  return value instanceof JsonObject && value.values.some(hasOverflow);
}

function shiftedDouble(lexeme: string): number {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(lexeme);
  if (parts === null) return Number.NaN;
  const [, sign, whole = '', fraction = '', written = '0'] = parts;
  let significand = 0n;
  let exponent = 0;
  let full = false;
  for (let at = 0; at < whole.length && !full; at++) {
    const next = significand * 10n + BigInt(whole.charAt(at));
    full = next > U64_MAX;
    if (full) exponent = whole.length - at;
    else significand = next;
  }
  for (const digit of full ? '' : fraction) {
    const next = significand * 10n + BigInt(digit);
    if (next > U64_MAX) break;
    significand = next;
    exponent--;
  }
  exponent += Math.max(-1e6, Math.min(1e6, Number(written)));
  let value = Number(significand);
  if (value !== 0) {
    while (exponent < -308 && value !== 0) {
      value /= 1e308;
      exponent += 308;
    }
    if (exponent > 308) value = Number.POSITIVE_INFINITY;
    else value = exponent < 0 ? value / Number(`1e${-exponent}`) : value * Number(`1e${exponent}`);
  }
  return sign === '-' ? -value : value;
}

function printDouble(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0) return '0.0';
  const size = Math.abs(value);
  if (size >= 1e-5 && size < 1e16) {
    const plain = size < 1e-6 ? value.toFixed(20) : value.toString();
    return /[.e]/.test(plain) ? plain : `${plain}.0`;
  }
  const text = value.toExponential();
  return text.replace(/e\+?(-?)/, (_, minus: string) => (minus ? 'e-' : 'e+'));
}

/** Collects compact JSON until a limit is passed: a summary shows 240 bytes, not the megabyte behind them. */
class Compact {
  out = '';
  readonly #limit: number;
  readonly #sorted: boolean;
  readonly #numbers: NumberStyle;
  constructor(limit: number, sorted: boolean, numbers: NumberStyle) {
    this.#limit = limit;
    this.#sorted = sorted;
    this.#numbers = numbers;
  }

  add(value: Json): void {
    if (this.out.length > this.#limit) return;
    if (value === null || typeof value === 'boolean') this.out += value;
    else if (typeof value === 'string') this.#string(value);
    else if (value instanceof JsonNumber) {
      this.out += this.#numbers === 'text' ? numberText(value.text) : (doubleText(value.text) ?? value.text);
    } else if (Array.isArray(value)) this.#array(value);
    else this.#object(value);
  }

  #string(value: string): void {
    // The opening quote and `limit` units are past the limit already, so a pair cut in two costs nothing.
    if (value.length > this.#limit + 2) {
      const cut = value.slice(0, this.#limit + 1);
      this.out += JSON.stringify(cut.isWellFormed() ? cut : cut.slice(0, -1)).slice(0, -1);
    } else this.out += JSON.stringify(value);
  }

  #array(value: Json[]): void {
    this.out += '[';
    for (let i = 0; i < value.length && this.out.length <= this.#limit; i++) {
      if (i > 0) this.out += ',';
      this.add(value[i] as Json);
    }
    this.out += ']';
  }

  #object(value: JsonObject): void {
    this.out += '{';
    const order = this.#sorted ? [...value.keys].sort(compareUtf8) : value.keys;
    for (let i = 0; i < order.length && this.out.length <= this.#limit; i++) {
      const key = order[i] as string;
      if (i > 0) this.out += ',';
      this.out += `${JSON.stringify(key)}:`;
      this.add(value.get(key) as Json);
    }
    this.out += '}';
  }
}

/** Compact JSON in source order. */
export function compactJson(value: Json, numbers: NumberStyle = 'text'): string {
  const printer = new Compact(Number.POSITIVE_INFINITY, false, numbers);
  printer.add(value);
  return printer.out;
}

/** At least the first `limit` UTF-16 units of the compact JSON; the whole of it where it is not longer. */
export function compactJsonHead(value: Json, limit: number, numbers: NumberStyle): string {
  const printer = new Compact(limit, false, numbers);
  printer.add(value);
  return printer.out;
}

/** Compact JSON with the keys of every object sorted by UTF-8 bytes (spec N5). */
export function sortedJson(value: Json): string {
  const printer = new Compact(Number.POSITIVE_INFINITY, true, 'text');
  printer.add(value);
  return printer.out;
}

/** How many bytes a string takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) continue;
    if (c < 0x800) bytes += 1;
    else if (c >= 0xd800 && c < 0xdc00) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}
