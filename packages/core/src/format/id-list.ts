/**
 * A list of ids that shares its beginning with others.
 *
 * A session's request k repeats the ids of request k-1, so the lists of one thread are one growing array and a length
 * each. An array behind an `IdList` is only ever appended to; whoever needs other ids at the same places copies.
 */

/** A read-only list of ids. Costs two words, however long it is. */
export class IdList implements Iterable<string> {
  /** The shared array. Only the first `length` entries belong to this list. */
  readonly shared: readonly string[];
  readonly length: number;
  constructor(shared: readonly string[], length: number = shared.length) {
    this.shared = shared;
    this.length = length;
  }

  at(index: number): string | undefined {
    return index >= 0 && index < this.length ? this.shared[index] : undefined;
  }

  includes(id: string): boolean {
    const at = this.shared.indexOf(id);
    return at >= 0 && at < this.length;
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let i = 0; i < this.length; i++) yield this.shared[i] as string;
  }

  toArray(): string[] {
    return this.shared.slice(0, this.length);
  }

  toJSON(): string[] {
    return this.toArray();
  }
}
