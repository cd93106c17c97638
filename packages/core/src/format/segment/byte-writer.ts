/** A growing run of bytes: what a record or a payload is put together in before it is written. */

const FIRST_CAPACITY = 4096;
const KEPT_CAPACITY = 1 << 20;
const encoder = new TextEncoder();

export class ByteWriter {
  #bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Drops everything. Much room is given back as well. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = new Uint8Array(FIRST_CAPACITY);
  }

  /** The bytes from `start` to `end`, shared with the writer: valid until it grows. */
  view(start: number = 0, end: number = this.#length): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** An unsigned 32-bit integer, little-endian. */
  u32(value: number): void {
    this.#room(4);
    this.#length += 4;
    this.patchU32(this.#length - 4, value);
  }

  /** Overwrites four bytes that were written before. */
  patchU32(at: number, value: number): void {
    this.#bytes[at] = value & 0xff;
    this.#bytes[at + 1] = (value >>> 8) & 0xff;
    this.#bytes[at + 2] = (value >>> 16) & 0xff;
    this.#bytes[at + 3] = (value >>> 24) & 0xff;
  }

  /** Text as UTF-8. */
  text(text: string): void {
    this.#room(text.length);
    let { read, written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length));
    this.#length += written;
    while (read < text.length) {
      const rest = text.slice(read);
      this.#room(rest.length * 3);
      ({ read, written } = encoder.encodeInto(rest, this.#bytes.subarray(this.#length)));
      this.#length += written;
      read += text.length - rest.length;
    }
  }

  /** Text as UTF-8 behind its length in bytes. */
  sizedText(text: string): void {
    const at = this.#length;
    this.u32(0);
    this.text(text);
    this.patchU32(at, this.#length - at - 4);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
