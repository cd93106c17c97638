/**
 * JSON as evidence: a reader that keeps what `JSON.parse` loses.
 *
 * Owns the in-memory form of a JSON text: number lexemes, key order (integer-like keys and `__proto__` included) and
 * the keys that were given more than once. Not here: printing (`canonical-json.ts`), which fields mean what (decoders).
 */

import { scanJson } from './json-scan.ts';

/** A parsed JSON text. Objects are {@link JsonObject}, numbers are {@link JsonNumber}: neither loses its spelling. */
export type Json = null | boolean | string | JsonNumber | JsonObject | Json[];

/** A number as it was written. `text` is a JSON number lexeme. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Beyond this many keys a lookup goes through a map. */
const INDEX_FROM = 16;

/**
 * A JSON object in source order. Of a key given twice the last value wins, at the place of the first; the key is
 * remembered in `repeated`, because a decoder of a known structure must refuse it.
 */
export class JsonObject {
  readonly keys: string[] = [];
  readonly values: Json[] = [];
  repeated: string[] | null = null;
  #index: Map<string, number> | null = null;

  get size(): number {
    return this.keys.length;
  }

  #find(key: string): number {
    if (this.keys.length < INDEX_FROM) return this.keys.indexOf(key);
    if (this.#index === null) {
      this.#index = new Map();
      for (let i = 0; i < this.keys.length; i++) this.#index.set(this.keys[i] as string, i);
    }
    return this.#index.get(key) ?? -1;
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  get(key: string): Json | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.values[at];
  }

  set(key: string, value: Json): void {
    const at = this.keys.length === 0 ? -1 : this.#find(key);
    if (at >= 0) {
      this.values[at] = value;
      this.repeated ??= [];
      this.repeated.push(key);
      return;
    }
    this.#index?.set(key, this.keys.length);
    this.keys.push(key);
    this.values.push(value);
  }

  /**
   * The same object without one key, into whose place the last one moves: so does the reference remove a key, and the
   * order of what is left shows in summaries. Returns itself where the key is not there.
   */
  without(key: string): JsonObject {
    const place = this.#find(key);
    if (place < 0) return this;
    const copy = new JsonObject();
    const last = this.keys.length - 1;
    for (let i = 0; i < last; i++) {
      const from = i === place ? last : i;
      copy.set(this.keys[from] as string, this.values[from] as Json);
    }
    return copy;
  }
}

/** A text that is not JSON. `offset` counts UTF-16 units from the start of the text. */
export class JsonSyntaxError extends Error {
  readonly offset: number;
  constructor(reason: string, offset: number) {
    super(`${reason} at character ${offset + 1}`);
    this.name = 'JsonSyntaxError';
    this.offset = offset;
  }
}

/** Containers may nest this deep in a text that is interpreted (spec section 4). */
export const MAX_DEPTH = 127;

/** So many values are read of one text that is interpreted: a bound for memory, far beyond any recorded one. */
export const MAX_VALUES: number = 2 ** 22;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * Keys of the format and of the items in its payloads. A key found here costs no new string, and comparing it with
 * another key of the table is comparing two addresses.
 */
const KNOWN_KEYS = (
  'schema_version seq wall_time_unix_ms rollout_id thread_id codex_turn_id payload type raw_payload_id kind path status ' +
  'tool_call_id model_visible_call_id code_mode_runtime_tool_id requester summary invocation_payload label input_preview ' +
  'output_preview runtime_payload result_payload item_id inference_call_id model provider_name request_payload response_id ' +
  'upstream_request_id response_payload event_type event_payload id role content text phase call_id name arguments output ' +
  'encrypted_content input tool_name tool_namespace turn_id process_id command cwd parsed_cmd cmd source started_at_ms ' +
  'completed_at_ms exit_code duration secs nanos aggregated_output annotations token_usage input_tokens ' +
  'cached_input_tokens cache_write_input_tokens output_tokens reasoning_output_tokens total_tokens output_items workdir ' +
  'yield_time_ms max_output_tokens response_item agent_message_payload stdout stderr formatted_output'
).split(' ');

/** Known keys by length and first letter, so that at most a few are compared. */
const KEY_TABLE: readonly (readonly string[] | undefined)[] = (() => {
  const table: string[][] = [];
  for (const key of KNOWN_KEYS) {
    const slot = keySlot(key.length, key.charCodeAt(0));
    table[slot] = [...(table[slot] ?? []), key];
  }
  return table;
})();

function keySlot(length: number, first: number): number {
  return (length << 5) | (first & 31);
}

/** A text that is JSON as far as it was read, but has more values than are interpreted. */
export class JsonLimitError extends JsonSyntaxError {
  constructor(offset: number) {
    super(`more than ${MAX_VALUES} values`, offset);
    this.name = 'JsonLimitError';
  }
}

class Parser {
  at = 0;
  /** How many values there may be from here on. */
  left: number;
  readonly text: string;
  constructor(text: string, left: number) {
    this.text = text;
    this.left = left;
  }

  fail(reason: string, offset: number = this.at): never {
    throw new JsonSyntaxError(offset >= this.text.length ? `unexpected end of JSON, ${reason}` : reason, offset);
  }

  space(): number {
    const { text } = this;
    let at = this.at;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) at++;
      else {
        this.at = at;
        return c;
      }
    }
  }

  value(depth: number): Json {
    if (--this.left < 0) throw new JsonLimitError(this.at);
    const c = this.space();
    if (c === QUOTE) return this.string();
    if (c === 0x7b) return this.object(depth - 1);
    if (c === 0x5b) return this.array(depth - 1);
    if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return this.number();
    if (this.text.startsWith('null', this.at)) return this.word(4, null);
    if (this.text.startsWith('true', this.at)) return this.word(4, true);
    if (this.text.startsWith('false', this.at)) return this.word(5, false);
    return this.fail('expected a value');
  }

  word<T>(length: number, value: T): T {
    this.at += length;
    return value;
  }

  number(): JsonNumber {
    const { text } = this;
    const start = this.at;
    let at = start;
    let c = text.charCodeAt(at);
    while (c >= 0x30 && c <= 0x39) c = text.charCodeAt(++at);
    // Most numbers are plain digits; a sign, fraction or exponent takes the long way.
    const isPlain = at > start && c !== 0x2e && c !== 0x65 && c !== 0x45;
    if (isPlain && (at === start + 1 || text.charCodeAt(start) !== 0x30)) {
      this.at = at;
      return new JsonNumber(text.slice(start, at));
    }
    NUMBER.lastIndex = start;
    const found = NUMBER.exec(text);
    if (found === null) return this.fail('invalid number');
    const end = start + found[0].length;
    const next = text.charCodeAt(end);
    if (next >= 0x30 && next <= 0x39) return this.fail('a number must not begin with 0');
    if (next === 0x2e || next === 0x65 || next === 0x45) return this.fail('invalid number', end);
    this.at = end;
    return new JsonNumber(found[0]);
  }

  string(): string {
    const { text } = this;
    const start = this.at;
    // Short plain strings, most of all keys and ids, are found by a loop; the rest by searching.
    let at = start + 1;
    const near = at + 128;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) {
        this.at = at + 1;
        return text.slice(start + 1, at);
      }
      if (c === BACKSLASH || at >= near) break;
      if (c < 0x20) return this.fail('a control character must be escaped in a string', at);
      if (Number.isNaN(c)) return this.fail('a string is not closed', at);
      at++;
    }
    for (;;) {
      const quote = text.indexOf('"', at);
      if (quote < 0) return this.fail('a string is not closed', text.length);
      let slashes = quote;
      while (text.charCodeAt(slashes - 1) === BACKSLASH && slashes - 1 > start) slashes--;
      at = quote + 1;
      if ((quote - slashes) % 2 === 0) break;
    }
    this.at = at;
    const literal = text.slice(start, at);
    let value: string;
    try {
      value = JSON.parse(literal) as string;
    } catch {
      return this.fail('a string has a control character or an unknown escape', start);
    }
    if (SURROGATE_ESCAPE.test(literal) && !value.isWellFormed()) {
      return this.fail('a string has half of a surrogate pair', start);
    }
    return value;
  }

  key(): string {
    const { text } = this;
    const start = this.at + 1;
    const end = text.indexOf('"', start);
    const known = end - start < 32 ? KEY_TABLE[keySlot(end - start, text.charCodeAt(start))] : undefined;
    if (known !== undefined) {
      for (const key of known) {
        if (!text.startsWith(key, start)) continue;
        this.at = end + 1;
        return key;
      }
    }
    return this.string();
  }

  array(depth: number): Json[] {
    if (depth < 0) return this.fail(`more than ${MAX_DEPTH} containers inside one another`);
    const out: Json[] = [];
    this.at++;
    if (this.space() === 0x5d) return this.word(1, out);
    for (;;) {
      out.push(this.value(depth));
      const c = this.space();
      this.at++;
      if (c === 0x2c) continue;
      if (c === 0x5d) return out;
      return this.fail('expected a comma or ]', this.at - 1);
    }
  }

  object(depth: number): JsonObject {
    if (depth < 0) return this.fail(`more than ${MAX_DEPTH} containers inside one another`);
    const out = new JsonObject();
    this.at++;
    if (this.space() === 0x7d) return this.word(1, out);
    for (;;) {
      if (this.space() !== QUOTE) return this.fail('expected a key');
      const key = this.key();
      if (this.space() !== 0x3a) return this.fail('expected a colon');
      this.at++;
      out.set(key, this.value(depth));
      const c = this.space();
      this.at++;
      if (c === 0x2c) continue;
      if (c === 0x7d) return out;
      return this.fail('expected a comma or }', this.at - 1);
    }
  }
}

/**
 * Parses one JSON text by the strict rules the reference applies wherever it interprets JSON (spec N9 and section 4):
 * at most 127 containers inside one another, no lone surrogate escapes, nothing behind the value.
 *
 * @throws JsonSyntaxError with the offset of the first offending character
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text, MAX_VALUES);
  const value = parser.value(MAX_DEPTH);
  parser.space();
  if (parser.at < text.length) parser.fail('something stands behind the JSON value');
  return value;
}

/**
 * The value and the offset behind it; trailing text is the caller's.
 *
 * @param limit how many values there may be; `left` is what it leaves
 */
export function parseJsonAt(
  text: string,
  offset: number,
  depth: number = MAX_DEPTH,
  limit: number = MAX_VALUES,
): { value: Json; end: number; left: number } {
  const parser = new Parser(text, limit);
  parser.at = offset;
  const value = parser.value(depth);
  return { value, end: parser.at, left: parser.left };
}

/** Texts beyond this many UTF-16 units are checked without building their values. */
const LONG_TEXT = 1 << 23;

/** Whether a text is JSON by pure syntax: any depth, lone surrogate escapes and repeated keys allowed (spec D10). */
export function isJsonSyntax(text: string): boolean {
  if (text.length > LONG_TEXT) return scanJson(text);
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A 64-bit integer: a number while it is exact, else a bigint, so that no digit is lost. */
export type Int64 = number | bigint;

const INTEGER = /^-?\d+$/;
// Computed once: arithmetic with these is slow, and every event has several integers.
const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;
const U64_MAX = 2n ** 64n - 1n;

function integer(value: Json | undefined, isSigned: boolean): Int64 | null {
  if (!(value instanceof JsonNumber)) return null;
  const { text } = value;
  if (text.length < 16) {
    const n = Number(text);
    if (!Number.isInteger(n) || !INTEGER.test(text)) return null;
    if (n < 0 && !isSigned) return null;
    return n === 0 ? 0 : n;
  }
  if (!INTEGER.test(text) || text.length > 21) return null;
  const big = BigInt(text);
  if (isSigned ? big < I64_MIN || big > I64_MAX : big < 0n || big > U64_MAX) return null;
  const n = Number(big);
  return Number.isSafeInteger(n) ? n : big;
}

/** The value as a signed 64-bit integer, or null where it is anything else (`1.0` and `1e3` are not integers). */
export function asI64(value: Json | undefined): Int64 | null {
  return integer(value, true);
}

/** The value as an unsigned 64-bit integer, or null. */
export function asU64(value: Json | undefined): Int64 | null {
  return integer(value, false);
}

/** The value as a signed 32-bit integer, or null. */
export function asI32(value: Json | undefined): number | null {
  const n = asI64(value);
  return typeof n === 'number' && n >= -(2 ** 31) && n < 2 ** 31 ? n : null;
}

/** The value as an unsigned 32-bit integer, or null. */
export function asU32(value: Json | undefined): number | null {
  const n = asU64(value);
  return typeof n === 'number' && n < 2 ** 32 ? n : null;
}

/** The object's member if the value is an object that has it. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return value instanceof JsonObject ? value.get(key) : undefined;
}

/** The string, or null where the value is anything else. */
export function asString(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** What a value is called in an error message. */
export function jsonTypeName(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof JsonObject) return 'an object';
  if (value instanceof JsonNumber) return `the number ${value.text.slice(0, 24)}`;
  return typeof value === 'string' ? 'a string' : `${value}`;
}
