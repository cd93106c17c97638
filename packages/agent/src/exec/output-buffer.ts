/**
 * What a terminal printed, as much of it as may be kept: the beginning and the end, and how much there was.
 *
 * The beginning says what was started, the end says how it went; the middle is what can be missed. Memory is bounded by
 * twice the limit whatever is printed.
 */

/** A token is estimated as so many bytes. */
const BYTES_PER_TOKEN = 4;

/** A part of a buffer that may be shown. */
export interface Excerpt {
  /** The text, with a line that says so where the middle is missing. */
  text: string;
  /** All that was printed, in estimated tokens. */
  tokens: number;
  /** How much of it the text leaves out, in estimated tokens. */
  omittedTokens: number;
}

/** Collects text within a limit. */
export class OutputBuffer {
  readonly #limit_bytes: number;
  #store = new Uint8Array(0);
  #length_bytes = 0;
  #total_bytes = 0;
  /** Where the beginning ends, once the middle has been dropped. */
  #head_bytes = Number.POSITIVE_INFINITY;

  constructor(limit_bytes: number) {
    this.#limit_bytes = limit_bytes;
  }

  /** Appends what was printed next. */
  push(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.#total_bytes += bytes.length;
    // In pieces of the limit, so that one huge chunk needs no more room than many small ones.
    for (let start = 0; start < bytes.length; start += this.#limit_bytes)
      this.#append(bytes.subarray(start, start + this.#limit_bytes));
  }

  /** What is kept, at most so many tokens of it, half from the beginning and half from the end. */
  excerpt(max_tokens = Number.POSITIVE_INFINITY): Excerpt {
    const cap_bytes = Math.min(this.#limit_bytes, max_tokens * BYTES_PER_TOKEN);
    const tokens = Math.ceil(this.#total_bytes / BYTES_PER_TOKEN);
    const kept = Buffer.from(this.#store.buffer, 0, this.#length_bytes);
    if (this.#total_bytes <= cap_bytes) return { text: kept.toString('utf8'), tokens, omittedTokens: 0 };
    const head = kept.subarray(0, characterStart(kept, Math.min(Math.floor(cap_bytes / 2), this.#head_bytes), -1));
    const tail = kept.subarray(characterStart(kept, kept.length - Math.ceil(cap_bytes / 2), 1));
    const omittedTokens = Math.ceil((this.#total_bytes - head.length - tail.length) / BYTES_PER_TOKEN);
    const gap = `\n[… about ${omittedTokens} tokens omitted …]\n`;
    return { text: `${head.toString('utf8')}${gap}${tail.toString('utf8')}`, tokens, omittedTokens };
  }

  /** Appends what is no longer than the limit. */
  #append(bytes: Uint8Array): void {
    if (this.#length_bytes + bytes.length > 2 * this.#limit_bytes) this.#dropMiddle();
    const needed_bytes = this.#length_bytes + bytes.length;
    if (needed_bytes > this.#store.length) {
      const grown = new Uint8Array(Math.min(2 * this.#limit_bytes, Math.max(1024, 2 * needed_bytes)));
      grown.set(this.#store.subarray(0, this.#length_bytes));
      this.#store = grown;
    }
    this.#store.set(bytes, this.#length_bytes);
    this.#length_bytes = needed_bytes;
  }

  /** Keeps half a limit of the beginning and half a limit of the end, which is all an excerpt can ask for. */
  #dropMiddle(): void {
    this.#head_bytes = Math.min(this.#head_bytes, characterStart(this.#store, Math.floor(this.#limit_bytes / 2), -1));
    const tail_bytes = this.#limit_bytes - this.#head_bytes;
    this.#store.copyWithin(this.#head_bytes, this.#length_bytes - tail_bytes, this.#length_bytes);
    this.#length_bytes = this.#limit_bytes;
  }
}

/** The index itself where a character begins there, else the nearest one in a direction where one does. */
function characterStart(bytes: Uint8Array, index: number, direction: 1 | -1): number {
  let start = index;
  while (start > 0 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += direction;
  return start;
}
