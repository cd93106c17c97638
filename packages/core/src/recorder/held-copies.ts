/**
 * The copies of one history, and the test whether a value still is what was copied.
 *
 * Every request is compared with all of them, after the host has done something else for seconds: what counts is how
 * much memory the comparison touches. So the copies lie flat, one part behind the other, and the host's strings are
 * not looked into while they are the same strings. Not here: copying (`plain-json.ts`), deltas (`request-delta.ts`).
 */

import type { Run } from '../format/segment/delta.ts';
import { isBoxed, type PlainJson, PlainRecord, Shape } from './plain-json.ts';

/** A value, or what stands before the parts of a list or an object. A list of numbers alone is one part. */
type Part = null | boolean | number | string | Shape | Float64Array;

const CHANGED = -1;
/** A shorter list of numbers is laid part by part. */
const LEAST_NUMBERS = 8;
/** What {@link HeldCopies.find} says of a copy that is not there. */
export const NOT_FOUND = -1;
/** How many parts the searches of one list may look at, per part that is held. */
const SEARCH_FACTOR = 8;

/** What is left of the parts that searches may look at. */
export interface SearchBudget {
  parts: number;
}

/** A list of copies that changes at its end. Nobody else holds them. */
export class HeldCopies {
  readonly #parts: Part[] = [];
  /** Where the parts of each copy end. */
  readonly #ends: number[] = [];

  /** Holds these copies. */
  static of(...copies: readonly PlainJson[]): HeldCopies {
    const held = new HeldCopies();
    for (const copy of copies) held.#add(copy);
    return held;
  }

  get length(): number {
    return this.#ends.length;
  }

  /**
   * Whether the copy of `value` would be the one at `index`. Looks at every part and trusts no identity but that of
   * strings; may say no to values that need a conversion (`toJSON`, boxed values, lone surrogates), never yes to a
   * changed one as long as {@link isHostSound}.
   *
   * @throws whatever a getter or proxy of the host throws
   */
  holds(index: number, value: unknown): boolean {
    return this.#match(value, this.#start(index)) === this.#ends[index];
  }

  /**
   * Where a copy is found again, at `from` or behind it.
   *
   * @param budget how many parts may be looked at; what was spent is taken from it
   * @returns {@link NOT_FOUND} also where the budget did not last
   */
  find(copy: PlainJson, from: number, budget: SearchBudget): number {
    for (let index = from; index < this.length && budget.parts > 0; index++) {
      const start = this.#start(index);
      const end = this.#matchCopy(copy, start);
      budget.parts -= (end < 0 ? -end : end) - start;
      if (end === this.#ends[index]) return index;
    }
    return NOT_FOUND;
  }

  /** A budget for all the searches of one list: they stay linear in what is held. */
  searchBudget(): SearchBudget {
    return { parts: SEARCH_FACTOR * this.#parts.length };
  }

  /** The list that the runs tell against this one. This one is used up: it becomes that list where it only grows. */
  told(runs: readonly Run<PlainJson>[]): HeldCopies {
    const [first] = runs;
    const grows =
      first?.type === 'copy' && first.start === 0 && runs.every((run, i) => i === 0 || run.type === 'items');
    const list = grows ? this : new HeldCopies();
    if (grows) list.#keep(first.count);
    for (const run of grows ? runs.slice(1) : runs) {
      if (run.type === 'items') for (const item of run.items) list.#add(item);
      else for (let i = run.start; i < run.start + run.count; i++) list.#addFrom(this, i);
    }
    return list;
  }

  #start(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number);
  }

  #keep(count: number): void {
    this.#ends.length = count;
    this.#parts.length = this.#start(count);
  }

  #add(copy: PlainJson): void {
    this.#lay(copy);
    this.#ends.push(this.#parts.length);
  }

  #addFrom(other: HeldCopies, index: number): void {
    const end = other.#ends[index] as number;
    for (let at = other.#start(index); at < end; at++) this.#parts.push(other.#parts[at] as Part);
    this.#ends.push(this.#parts.length);
  }

  #lay(copy: PlainJson): void {
    if (Array.isArray(copy)) {
      const numbers = numbersOf(copy);
      this.#parts.push(numbers ?? Shape.ofList(copy.length));
      if (numbers === null) for (const part of copy) this.#lay(part);
    } else if (copy instanceof PlainRecord) {
      this.#parts.push(copy.shape);
      for (const part of copy.values) this.#lay(part);
    } else this.#parts.push(copy);
  }

  /** Where the parts at `at` end, if `value` still is what they say. */
  #match(value: unknown, at: number): number {
    const held = this.#parts[at];
    // Unlike `===`, this does not look into the value to learn whether it is a number.
    if (Object.is(value, held)) return at + 1;
    if (typeof value !== 'object' || value === null) return value === held ? at + 1 : CHANGED;
    if ((value as { toJSON?: unknown }).toJSON !== undefined) return CHANGED;
    if (!(held instanceof Shape)) return held instanceof Float64Array && areNumbers(value, held) ? at + 1 : CHANGED;
    if (Array.isArray(value)) return held.keys === null ? this.#matchList(value, held.length, at + 1) : CHANGED;
    if (held.keys === null) return CHANGED;
    return Object.getPrototypeOf(value) === Object.prototype
      ? this.#matchPlain(value as Record<string, unknown>, held.keys, at + 1)
      : this.#matchOther(value as Record<string, unknown>, held.keys, at + 1);
  }

  #matchList(list: readonly unknown[], length: number, first: number): number {
    if (list.length !== length) return CHANGED;
    let at = first;
    for (let i = 0; i < length && at !== CHANGED; i++) at = this.#match(list[i], at);
    return at;
  }

  /** The hot one: walks a plain object without making a list of its keys. */
  #matchPlain(value: Record<string, unknown>, keys: readonly string[], first: number): number {
    let at = first;
    let next = 0;
    for (const key in value) {
      const part = value[key];
      if (key === keys[next]) {
        next++;
        at = this.#match(part, at);
        if (at === CHANGED) return CHANGED;
      } else if (!isLeftOut(part)) return CHANGED;
    }
    return next === keys.length ? at : CHANGED;
  }

  /** The same for objects that may inherit keys, or stand for a primitive value. */
  #matchOther(value: Record<string, unknown>, keys: readonly string[], first: number): number {
    if (isBoxed(value)) return CHANGED;
    let at = first;
    let next = 0;
    for (const key of Object.keys(value)) {
      if (key === keys[next]) {
        next++;
        at = this.#match(value[key], at);
        if (at === CHANGED) return CHANGED;
      } else if (!isLeftOut(value[key])) return CHANGED;
    }
    return next === keys.length ? at : CHANGED;
  }

  /** Where the parts at `first` end, if the copy is the same; minus where the first one ends that differs, if not. */
  #matchCopy(copy: PlainJson, first: number): number {
    const held = this.#parts[first];
    let at = first + 1;
    const isList = Array.isArray(copy);
    if (!isList && !(copy instanceof PlainRecord)) return copy === held ? at : -at;
    if (held instanceof Float64Array) return areNumbers(copy, held) ? at : -at;
    if (!(held instanceof Shape) || !held.is(isList ? Shape.ofList(copy.length) : copy.shape)) return -at;
    for (const part of isList ? copy : copy.values) {
      at = this.#matchCopy(part, at);
      if (at < 0) return at;
    }
    return at;
  }
}

/** The list where it holds numbers alone: a fraction of its own is an object of its own, three times as large. */
function numbersOf(copy: readonly PlainJson[]): Float64Array | null {
  if (copy.length < LEAST_NUMBERS || typeof copy[0] !== 'number') return null;
  const numbers = new Float64Array(copy.length);
  for (const [i, value] of copy.entries()) {
    if (typeof value !== 'number') return null;
    numbers[i] = value;
  }
  return numbers;
}

function areNumbers(value: object, held: Float64Array): boolean {
  if (!Array.isArray(value) || value.length !== held.length) return false;
  for (let i = 0; i < held.length; i++) if (value[i] !== held[i]) return false;
  return true;
}

/** False where the host gave all objects keys to inherit: then `for … in` does not say what JSON would. */
export function isHostSound(): boolean {
  for (const _ in Object.prototype) return false;
  return true;
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'symbol' || (typeof value === 'function' && !('toJSON' in value));
}
