/**
 * Reads the fields of a known structure out of parsed JSON, with the path in every error.
 *
 * A structure may be an object or, as the reference allows (spec D13), an array of its fields in order. Unknown keys
 * are ignored; a known key given twice is refused. Not here: which structures there are (the `decode-*` files).
 */

import { asI64, asU32, asU64, type Int64, type Json, JsonObject, jsonTypeName } from './json.ts';

/** A value that does not have the shape its place asks for. `path` is a JSON Pointer. */
export class DecodeError extends Error {
  readonly path: string;
  readonly expected: string;
  constructor(path: string, expected: string, found: string) {
    super(`${path === '' ? 'the value' : path} must be ${expected}, but is ${found}`);
    this.name = 'DecodeError';
    this.path = path;
    this.expected = expected;
  }
}

/** What a known key must be: the error of a key that is repeated. */
export const GIVEN_ONCE = 'given once';

export class Fields {
  readonly path: string;
  readonly #value: JsonObject | Json[];
  readonly #names: readonly string[];
  #next = 0;

  /** @param names the fields in order; needed to read the array form and to refuse known keys given twice */
  constructor(value: Json | undefined, names: readonly string[], path: string) {
    if (!(value instanceof JsonObject) && !Array.isArray(value)) {
      throw new DecodeError(path, 'an object', jsonTypeName(value));
    }
    if (value instanceof JsonObject && value.repeated !== null) {
      const twice = value.repeated.find((key) => names.includes(key));
      if (twice !== undefined) throw new DecodeError(`${path}/${twice}`, GIVEN_ONCE, 'given twice');
    }
    if (Array.isArray(value) && value.length > names.length) {
      throw new DecodeError(path, `an array of ${names.length} fields`, `${value.length} elements long`);
    }
    this.#value = value;
    this.#names = names;
    this.path = path;
  }

  get(name: string): Json | undefined {
    const value = this.#value;
    if (!(value instanceof JsonObject)) return value[this.#names.indexOf(name)];
    // Recorders write fields in the order they are read here, so the next key is mostly the one asked for.
    if (value.keys[this.#next] === name) return value.values[this.#next++];
    return value.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  at(name: string): string {
    return `${this.path}/${name}`;
  }

  fail(name: string, expected: string): never {
    throw new DecodeError(this.at(name), expected, jsonTypeName(this.get(name)));
  }

  string(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' ? value : this.fail(name, 'a string');
  }

  optionalString(name: string): string | null {
    const value = this.get(name);
    if (value === undefined || value === null) return null;
    return typeof value === 'string' ? value : this.fail(name, 'a string or null');
  }

  i64(name: string): Int64 {
    return asI64(this.get(name)) ?? this.fail(name, 'a 64-bit integer');
  }

  u64(name: string): Int64 {
    return asU64(this.get(name)) ?? this.fail(name, 'an unsigned 64-bit integer');
  }

  optionalU64(name: string): Int64 | null {
    const value = this.get(name);
    return value === undefined || value === null ? null : this.u64(name);
  }

  u32(name: string): number {
    return asU32(this.get(name)) ?? this.fail(name, 'an unsigned 32-bit integer');
  }

  /** One of a closed list of words. `{"word": null}` is the same as `"word"`. */
  word<T extends string>(name: string, words: readonly T[]): T {
    let value = this.get(name);
    if (value instanceof JsonObject && value.size === 1 && value.values[0] === null) value = value.keys[0];
    for (const word of words) if (word === value) return word;
    throw new DecodeError(
      this.at(name),
      `one of ${words.join(', ')}`,
      typeof value === 'string' ? `"${value.slice(0, 60)}"` : jsonTypeName(value),
    );
  }
}
