/** Reads the integers and sized texts of a record. Every read is checked against the end of the bytes. */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#take(1)[0] as number;
  }

  /** An unsigned 32-bit integer, little-endian. */
  u32(): number {
    const [a, b, c, d] = this.#take(4) as unknown as [number, number, number, number];
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  /** Bytes behind their length, shared with the record. */
  sized(): Uint8Array {
    return this.#take(this.u32());
  }

  /** A JSON string literal behind its length. */
  jsonString(): string {
    const value: unknown = JSON.parse(decoder.decode(this.sized()));
    if (typeof value !== 'string') throw new RangeError('a key is not a JSON string');
    return value;
  }

  /** As many elements as a count says. */
  list<T>(element: () => T): T[] {
    const count = this.u32();
    const out: T[] = [];
    for (let i = 0; i < count; i++) out.push(element());
    return out;
  }

  /** Everything that was not read. */
  rest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#at);
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new RangeError(`a record ends ${end - this.#bytes.length} bytes too early`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
