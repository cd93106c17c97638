/**
 * The recorder's own copy of what a host hands over.
 *
 * A copy is what `JSON.stringify` would have written, as data. Where it would throw or the reference would refuse the
 * text, that one value is replaced by a marker and counted, and the rest is kept. Strings are shared with the host:
 * they cannot change. Not here: printing (`bundle-sink.ts`), holding and comparing copies (`held-copies.ts`).
 */

import { MAX_DEPTH } from '../format/json.ts';

/** JSON data that nobody else holds: finite numbers, well-formed strings, arrays and records. */
export type PlainJson = null | boolean | number | string | PlainJson[] | PlainRecord;

/** What stands before the parts of a list or an object: how many there are, and an object's keys. */
export class Shape {
  static readonly #shortLists: readonly Shape[] = Array.from({ length: 16 }, (_, length) => new Shape(null, length));
  /** Null for a list. */
  readonly keys: readonly string[] | null;
  readonly length: number;

  private constructor(keys: readonly string[] | null, length: number) {
    this.keys = keys;
    this.length = length;
  }

  static ofRecord(keys: readonly string[]): Shape {
    return new Shape(keys, keys.length);
  }

  static ofList(length: number): Shape {
    return Shape.#shortLists[length] ?? new Shape(null, length);
  }

  is(other: Shape): boolean {
    if (this === other) return true;
    if (this.length !== other.length) return false;
    const { keys } = other;
    return keys === null || this.keys === null ? keys === this.keys : this.keys.every((key, i) => key === keys[i]);
  }
}

/** An object of a copy. Its keys stand apart, so that objects of one shape share them. */
export class PlainRecord {
  readonly shape: Shape;
  readonly values: readonly PlainJson[];
  constructor(shape: Shape, values: readonly PlainJson[]) {
    this.shape = shape;
    this.values = values;
  }

  /** The object as `JSON.stringify` wants it. */
  toJSON(): object {
    const out: { [key: string]: PlainJson } = {};
    for (let i = 0; i < this.values.length; i++) {
      const key = this.shape.keys?.[i] as string;
      const value = this.values[i] as PlainJson;
      if (key !== '__proto__') out[key] = value;
      else Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return out;
  }
}

/** The shapes that copies have in common. Objects that serve as dictionaries keep theirs to themselves. */
export class Shapes {
  readonly #shapes = new Map<string, Shape>();

  of(keys: readonly string[]): Shape {
    const shape = Shape.ofRecord(keys);
    if (keys.length > MAX_SHARED_KEYS) return shape;
    const name = keys.join('\0');
    const known = this.#shapes.get(name);
    if (known?.is(shape) === true) return known;
    if (this.#shapes.size < MAX_SHAPES) this.#shapes.set(name, shape);
    return shape;
  }
}

const MAX_SHARED_KEYS = 24;
const MAX_SHAPES = 500;

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

/** What JSON makes of a bigint; itself where it makes nothing of it. */
function toldByJson(value: bigint, key: string): unknown {
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== 'function') return value;
  try {
    return toJSON.call(value, key);
  } catch {
    return value;
  }
}

/** What JSON looks for in an object that stands for a primitive value, by the tag that such an object has in every realm. */
const UNBOX: ReadonlyMap<string, (this: unknown) => unknown> = new Map(
  [String, Number, Boolean, BigInt].map(({ name, prototype }) => [`[object ${name}]`, prototype.valueOf]),
);

/** Whether an object stands for a primitive value, which is what JSON says of it. */
export function isBoxed(value: object): value is { valueOf(): unknown } {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) return false;
  const unbox = UNBOX.get(Object.prototype.toString.call(value));
  if (unbox === undefined) return false;
  try {
    unbox.call(value);
    return true;
  } catch {
    // It only says so.
    return false;
  }
}

/** Copies values of one payload; `replaced` says how many of their parts had to give way to a marker. */
export class PlainCopier {
  replaced = 0;
  #parts = 0;
  readonly #shapes: Shapes | null;
  readonly #inside: object[];

  /** @param around the containers that stand around what will be copied */
  constructor(shapes: Shapes | null = null, around: object[] = []) {
    this.#shapes = shapes;
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
        return this.#bigint(value, depth, key);
      case 'function':
        // JSON asks a function as it asks an object.
        return this.#object(value, depth, key);
      default:
        return undefined;
    }
  }

  #replace(marker: string): string {
    this.replaced++;
    return marker;
  }

  /** Its digits, unless the host has taught JSON otherwise (`BigInt.prototype.toJSON`). */
  #bigint(value: bigint, depth: number, key: string): PlainJson | undefined {
    const said = toldByJson(value, key);
    return typeof said === 'bigint' ? this.#replace(said.toString()) : this.copy(said, depth, key);
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
    if (isBoxed(value)) return this.copy(value.valueOf(), depth);
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
    return out;
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
    return new PlainRecord(this.#shapes?.of(keys) ?? Shape.ofRecord(keys), values);
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
