/** What cells store for later ones, as JSON text by key. */

export class StoredValues {
  readonly #most_chars: number;
  readonly #values: Map<string, string>;
  #chars = 0;
  /** Keys whose value the host does not know. */
  readonly #changed = new Set<string>();

  constructor(most_chars: number, values: readonly (readonly [string, string])[]) {
    this.#most_chars = most_chars;
    this.#values = new Map(values);
    for (const [key, json] of values) this.#chars += key.length + json.length;
  }

  get(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  /** Null forgets the key. @throws {RangeError} where it would be too much */
  set(key: string, json: string | null): void {
    const before = this.#values.get(key);
    const freed = before === undefined ? 0 : key.length + before.length;
    const chars = this.#chars - freed + (json === null ? 0 : key.length + json.length);
    if (chars > this.#most_chars) throw new RangeError(`Cells may store ${this.#most_chars} characters of JSON.`);
    this.#chars = chars;
    if (json === null) this.#values.delete(key);
    else this.#values.set(key, json);
    this.#changed.add(key);
  }

  /** What has changed since the last time. */
  *takeChanged(): Generator<{ key: string; json: string | null }> {
    for (const key of this.#changed) yield { key, json: this.get(key) };
    this.#changed.clear();
  }
}
