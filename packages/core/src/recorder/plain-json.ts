/**
 * The recorder's own copy of what a host hands over, and the test whether a value still is what was copied.
 *
 * A copy is what `JSON.stringify` would have written, as data. Where it would throw or the reference would refuse the
 * text, that one value is replaced by a marker and counted, and the rest is kept. Strings are shared with the host:
 * they cannot change. Not here: printing (`bundle-sink.ts`), deltas (`request-delta.ts`).
 */

import { MAX_DEPTH } from '../format/json.ts';

/** JSON data that nobody else holds: finite numbers, well-formed strings, arrays and records. */
export type PlainJson = null | boolean | number | string | PlainJson[] | PlainRecord;

/** An object of a copy. Keys and values stand apart, so that objects of one shape share their keys. */
export class PlainRecord {
  readonly keys: readonly string[];
  readonly values: readonly PlainJson[];
  constructor(keys: readonly string[], values: readonly PlainJson[]) {
    this.keys = keys;
    this.values = values;
  }

  /** The object as `JSON.stringify` wants it. */
  toJSON(): object {
    const out: { [key: string]: PlainJson } = {};
    for (let i = 0; i < this.keys.length; i++) {
      const key = this.keys[i] as string;
      const value = this.values[i] as PlainJson;
      if (key !== '__proto__') out[key] = value;
      else Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return out;
  }
}

/** The key lists that copies have in common. Objects that serve as dictionaries keep theirs to themselves. */
export class KeyLists {
  readonly #lists = new Map<string, readonly string[]>();

  share(keys: readonly string[]): readonly string[] {
    if (keys.length > MAX_SHARED_KEYS) return keys;
    const name = keys.join('\0');
    const known = this.#lists.get(name);
    if (known?.length === keys.length && known.every((key, i) => key === keys[i])) return known;
    if (this.#lists.size < MAX_KEY_LISTS) this.#lists.set(name, keys);
    return keys;
  }
}

const MAX_SHARED_KEYS = 24;
const MAX_KEY_LISTS = 500;

/** A value with more parts than this is not copied: a graph that shares its nodes can unfold without end. */
const MAX_PARTS = 2_000_000;

/** What was put in the place of values that JSON cannot hold. */
export const REPLACED = {
  cyclic: '[not recorded: refers to itself]',
  deep: '[not recorded: nested too deep]',
  unreadable: '[not recorded: unreadable]',
} as const;

/** Thrown where a value as a whole cannot be recorded. */
class UnrecordableError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnrecordableError';
  }
}

interface Unboxed {
  valueOf(): unknown;
}

/** Copies values of one payload; `replaced` says how many of their parts had to give way to a marker. */
export class PlainCopier {
  replaced = 0;
  #parts = 0;
  readonly #keyLists: KeyLists | null;
  readonly #inside: object[];

  /** @param around the containers that stand around what will be copied */
  constructor(keyLists: KeyLists | null = null, around: object[] = []) {
    this.#keyLists = keyLists;
    this.#inside = around;
  }

  /**
   * @param depth how many containers stand around the value
   * @returns undefined where `JSON.stringify` would leave the value out
   * @throws UnrecordableError where the value has too many parts
   */
  copy(value: unknown, depth: number = 0, key: string = ''): PlainJson | undefined {
    if (++this.#parts > MAX_PARTS) throw new UnrecordableError(`a payload has more than ${MAX_PARTS} parts`);
    switch (typeof value) {
      case 'string':
        return value.isWellFormed() ? value : value.toWellFormed();
      case 'number':
        return Number.isFinite(value) ? value : null;
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : this.#object(value, depth, key);
      case 'bigint':
        return this.#replace(value.toString());
      default:
        return undefined;
    }
  }

  #replace(marker: string): string {
    this.replaced++;
    return marker;
  }

  #object(value: object, depth: number, key: string): PlainJson | undefined {
    try {
      const toJson = (value as { toJSON?: unknown }).toJSON;
      if (typeof toJson === 'function') {
        const said: unknown = toJson.call(value, key);
        if (typeof said !== 'object' || said === null) return this.copy(said, depth, key);
        return this.#container(said, depth);
      }
      return this.#container(value, depth);
    } catch (error) {
      if (error instanceof UnrecordableError) throw error;
      return this.#replace(REPLACED.unreadable);
    }
  }

  #container(value: object, depth: number): PlainJson | undefined {
    if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return this.copy((value as Unboxed).valueOf(), depth);
    }
    if (typeof value === 'function') return undefined;
    if (this.#inside.includes(value)) return this.#replace(REPLACED.cyclic);
    if (depth >= MAX_DEPTH) return this.#replace(REPLACED.deep);
    const isArray = Array.isArray(value);
    this.#inside.push(value);
    try {
      return isArray ? this.#array(value as unknown[], depth + 1) : this.#record(value, depth + 1);
    } finally {
      this.#inside.pop();
    }
  }

  #array(value: unknown[], depth: number): PlainJson[] {
    const out: PlainJson[] = [];
    const { length } = value;
    for (let i = 0; i < length; i++) out.push(this.#member(value, i, depth) ?? null);
    return fitted(out);
  }

  #record(value: object, depth: number): PlainRecord {
    const keys: string[] = [];
    const values: PlainJson[] = [];
    for (const key of Object.keys(value)) {
      const copied = this.#member(value, key, depth);
      if (copied === undefined) continue;
      keys.push(key.isWellFormed() ? key : key.toWellFormed());
      values.push(copied);
    }
    return new PlainRecord(this.#keyLists?.share(keys) ?? keys, fitted(values));
  }

  #member(holder: object, key: string | number, depth: number): PlainJson | undefined {
    let value: unknown;
    try {
      value = (holder as Record<string | number, unknown>)[key];
    } catch {
      return this.#replace(REPLACED.unreadable);
    }
    return this.copy(value, depth, typeof value === 'object' ? String(key) : '');
  }
}

/** The same list without the room that pushing leaves behind it: copies are held for long. */
function fitted(list: readonly PlainJson[]): PlainJson[] {
  return list.slice();
}

/**
 * Whether the copy of `value` would be this very copy. Looks at every part and trusts no identity but that of strings;
 * may say no to values that need a conversion (`toJSON`, boxed values, lone surrogates), never yes to a changed one as
 * long as {@link isHostSound}.
 *
 * @throws whatever a getter or proxy of the host throws
 */
export function isStill(value: unknown, copy: PlainJson): boolean {
  if (value === copy) return true;
  if (typeof value !== 'object' || value === null || typeof copy !== 'object' || copy === null) return false;
  if ((value as { toJSON?: unknown }).toJSON !== undefined) return isSameRecord(value, copy);
  if (Array.isArray(value)) {
    if (!Array.isArray(copy) || value.length !== copy.length) return false;
    for (let i = 0; i < copy.length; i++) if (!isStill(value[i], copy[i] as PlainJson)) return false;
    return true;
  }
  if (Array.isArray(copy)) return false;
  return Object.getPrototypeOf(value) === Object.prototype
    ? isStillPlain(value as Record<string, unknown>, copy)
    : isStillOther(value as Record<string, unknown>, copy);
}

/** False where the host gave all objects keys to inherit: then `for … in` does not say what JSON would. */
export function isHostSound(): boolean {
  for (const _ in Object.prototype) return false;
  return true;
}

/** The hot one: walks a plain object without making a list of its keys. */
function isStillPlain(value: Record<string, unknown>, { keys, values }: PlainRecord): boolean {
  let at = 0;
  for (const key in value) {
    const part = value[key];
    if (key === keys[at]) {
      const held = values[at++] as PlainJson;
      if (part !== held && !isStill(part, held)) return false;
    } else if (!isLeftOut(part)) return false;
  }
  return at === keys.length;
}

/** The same for objects that may inherit keys. */
function isStillOther(value: Record<string, unknown>, { keys, values }: PlainRecord): boolean {
  let at = 0;
  for (const key of Object.keys(value)) {
    if (key === keys[at]) {
      if (!isStill(value[key], values[at++] as PlainJson)) return false;
    } else if (!isLeftOut(value[key])) return false;
  }
  return at === keys.length;
}

function isSameRecord(value: object, copy: PlainJson): boolean {
  if (!(value instanceof PlainRecord) || !(copy instanceof PlainRecord)) return false;
  if (value.keys.length !== copy.keys.length) return false;
  for (let i = 0; i < copy.keys.length; i++) {
    if (value.keys[i] !== copy.keys[i] || !isStill(value.values[i], copy.values[i] as PlainJson)) return false;
  }
  return true;
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}
