/**
 * Reads inference requests at the speed of reading files.
 *
 * Request k of a thread repeats almost all of request k-1. The reader keeps the bytes of the previous request up to its
 * last input item, the end of each item, and the parsed items. It compares the next file block by block, takes the very
 * objects of the items whose bytes are the same, and parses only what is new. Where equal bytes follow an equal
 * beginning the parser would be in the same state, so nothing is taken on trust and nothing is skipped.
 *
 * Whatever is unusual (keys given twice, no input, broken JSON) is left to the plain reader, which says what is wrong.
 */

import { isJsonSyntax, type Json, JsonSyntaxError, MAX_DEPTH, MAX_VALUES, parseJsonAt } from '../format/json.ts';
import type { InputItems, RequestBody } from '../reducer/bodies.ts';
import { type BundleSource, MAX_TEXT_BYTES, type SourceFile } from './source.ts';

/**
 * A block this small, and what it is compared with, stay in the second-level cache between reading and comparing. With
 * twice as much a session of 1,600 calls takes a sixth longer.
 */
const BLOCK = 1 << 17;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The escape of a surrogate, which must not stand alone. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

const NONE = new Uint8Array(0);

/** The document is not one this reader understands. */
class Unusual extends Error {}

/**
 * Bytes in blocks as large as those a file is read in. They grow without being copied, and no memory is touched twice: on
 * most systems a fresh page costs more than copying one.
 */
class HeldBytes {
  length = 0;
  readonly #blocks: Uint8Array[] = [];

  /** The bytes of one block that are held. */
  block(index: number): Uint8Array {
    const block = this.#blocks[index] ?? NONE;
    const rest = this.length - index * BLOCK;
    return rest < BLOCK ? block.subarray(0, Math.max(rest, 0)) : block;
  }

  at(offset: number): number | undefined {
    return this.#blocks[Math.floor(offset / BLOCK)]?.[offset % BLOCK];
  }

  slice(start: number): Uint8Array {
    const out = new Uint8Array(this.length - start);
    for (let at = start; at < this.length; ) {
      const part = this.block(Math.floor(at / BLOCK)).subarray(at % BLOCK);
      out.set(part, at - start);
      at += part.length;
    }
    return out;
  }

  /** Replaces what stands behind `start`. */
  replaceFrom(start: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = start + done;
      const index = Math.floor(at / BLOCK);
      if (index === this.#blocks.length) this.#blocks.push(new Uint8Array(BLOCK));
      const part = bytes.subarray(done, done + BLOCK - (at % BLOCK));
      (this.#blocks[index] as Uint8Array).set(part, at % BLOCK);
      done += part.length;
    }
    this.length = start + bytes.length;
  }
}

/** What is kept of the latest request of a stream. */
interface Held {
  serial: number;
  /** The file up to the end of its last item. */
  bytes: HeldBytes;
  /** Offset behind the `[` of the input. */
  start: number;
  items: Json[];
  /** Offset behind each item. */
  ends: number[];
  /** The bytes behind the last item. */
  tail: Uint8Array;
  /** Offsets in the tail behind its `]` and behind each member. */
  tailEnds: number[];
  /** `previous_response_id` as known before the input, behind each tail end, and at the end of the document. */
  headResponse: string | null;
  tailResponses: (string | null)[];
  response: string | null;
}

/** The end of a document as it was walked over. */
interface WalkedTail {
  /** Offsets behind the `]` of the input and behind each member that ends by itself. */
  ends: number[];
  /** `previous_response_id` as known at each of them: of a key given twice the last value counts. */
  responses: (string | null)[];
  /** The same at the end. */
  response: string | null;
}

/** A block of a file as it was read, and how much of it is as it was before. */
interface ComparedBlock {
  /** Offset in the file. */
  at: number;
  bytes: Uint8Array;
  /** How many bytes are the same. */
  same: number;
}

export class RequestReader {
  readonly #source: BundleSource;
  readonly #streams = new Map<string, Held>();
  #serial = 0;
  /** For comparing, used again and again. */
  readonly #block = new Uint8Array(BLOCK);
  /** For what is parsed and does not fit into a block; the same. */
  #fresh = NONE;
  constructor(source: BundleSource) {
    this.#source = source;
  }

  /** The body of a request, or null where the plain reader must look at it. */
  read(path: string, stream: string): RequestBody | null {
    const file = this.#source.open(path);
    try {
      const held = this.#streams.get(stream);
      const block = this.#compare(file, held?.bytes ?? null);
      return (held === undefined ? null : this.#next(file, held, block)) ?? this.#first(file, stream, held, block);
    } catch (error) {
      if (!(error instanceof Unusual || error instanceof JsonSyntaxError)) throw error;
      this.#streams.delete(stream);
      return null;
    } finally {
      file.close();
    }
  }

  /** The first block of the file that is not, from its first byte to its last, as it is held: the last one at the latest. */
  #compare(file: SourceFile, held: HeldBytes | null): ComparedBlock {
    for (let at = 0; ; at += BLOCK) {
      const read = file.read(this.#block, at);
      const bytes = read === BLOCK ? this.#block : this.#block.subarray(0, read);
      const same = held === null ? 0 : this.#source.commonPrefix(bytes, held.block(at / BLOCK));
      if (same < BLOCK) return { at, bytes, same };
    }
  }

  /** The file from an offset to its end. What was read before is gone, the block excepted. */
  #rest(file: SourceFile, from: number, block: ComparedBlock): Uint8Array {
    const isInBlock = from >= block.at;
    const known = isInBlock ? block.bytes.subarray(from - block.at) : NONE;
    if (isInBlock && block.bytes.length < BLOCK) return known;
    const size = file.size - from;
    if (size > MAX_TEXT_BYTES) throw new Unusual();
    if (this.#fresh.length <= size) this.#fresh = new Uint8Array(size * 2 + 1);
    this.#fresh.set(known);
    const room = this.#fresh.subarray(known.length);
    const read = file.read(room, from + known.length);
    // There is more room than the file had bytes: one that fills it has grown.
    if (read === room.length) throw new Unusual();
    return this.#fresh.subarray(0, known.length + read);
  }

  /** A request that does not begin like the one before it: the whole document. */
  #first(file: SourceFile, stream: string, before: Held | undefined, block: ComparedBlock): RequestBody {
    const bytes = this.#rest(file, 0, block);
    const walk = new Walk(bytes, 0, this.#source);
    const headResponse = walk.head();
    const start = walk.at;
    const items: Json[] = [];
    const ends: number[] = [];
    walk.items(items, ends, true, before === undefined ? null : new Earlier(before, 0, this.#source));
    const length = ends.at(-1) ?? start;
    const tail = walk.tail(length, headResponse);
    const kept = new HeldBytes();
    kept.replaceFrom(0, bytes.subarray(0, length));
    const held: Held = {
      serial: ++this.#serial,
      bytes: kept,
      start,
      items,
      ends,
      tail: bytes.slice(length),
      tailEnds: tail.ends,
      headResponse,
      tailResponses: tail.responses,
      response: tail.response,
    };
    this.#streams.set(stream, held);
    return body(held, 0, 0);
  }

  /** A request that begins like the one before it, or null where it does not. */
  #next(file: SourceFile, held: Held, block: ComparedBlock): RequestBody | null {
    const unchanged = countUpTo(held.ends, block.at + block.same);
    const from = unchanged === 0 ? 0 : (held.ends[unchanged - 1] as number);
    if (unchanged === 0 || !closes(held.bytes.at(from - 1))) return null;

    const rest = this.#rest(file, from, block);
    const end = this.#repeatedTail(rest, held);
    const fresh = end === null ? rest : rest.subarray(0, rest.length - held.tail.length);

    const earlier = unchanged < held.items.length ? new Earlier(held, unchanged, this.#source) : null;
    if (earlier !== null) {
      // The array belongs to earlier lists as well.
      held.items = held.items.slice(0, unchanged);
      held.ends = held.ends.slice(0, unchanged);
    }
    new Walk(fresh, from, this.#source).items(held.items, held.ends, false, earlier);
    const itemsEnd = (held.ends.at(-1) as number) - from;
    held.bytes.replaceFrom(from, fresh.subarray(0, itemsEnd));
    if (end === null) {
      const tail = new Walk(fresh, 0, this.#source).tail(itemsEnd, held.headResponse);
      held.tailEnds = tail.ends;
      held.tailResponses = tail.responses;
      held.response = tail.response;
      held.tail = fresh.slice(itemsEnd);
    } else {
      if (itemsEnd !== fresh.length) throw new Unusual();
      if (end.same < held.tail.length) this.#newTail(held, end.bytes, end.kept);
    }
    const previousSerial = held.serial;
    held.serial = ++this.#serial;
    return body(held, previousSerial, unchanged);
  }

  /** The end of the document, if it has the length of the one before and begins like it. */
  #repeatedTail(rest: Uint8Array, held: Held): { bytes: Uint8Array; same: number; kept: number } | null {
    if (rest.length < held.tail.length) return null;
    const bytes = rest.subarray(rest.length - held.tail.length);
    const same = this.#source.commonPrefix(bytes, held.tail);
    const kept = countUpTo(held.tailEnds, same);
    return kept === 0 ? null : { bytes, same, kept };
  }

  /** The members of the tail behind those that repeat. */
  #newTail(held: Held, bytes: Uint8Array, kept: number): void {
    const known = held.tailResponses[kept - 1] as string | null;
    const rest = new Walk(bytes, 0, this.#source).tailFrom(held.tailEnds[kept - 1] as number, known);
    held.tailEnds = [...held.tailEnds.slice(0, kept), ...rest.ends];
    held.tailResponses = [...held.tailResponses.slice(0, kept), ...rest.responses];
    held.response = rest.response;
    held.tail = bytes.slice();
  }
}

function body(held: Held, previousSerial: number, unchanged: number): RequestBody {
  const input: InputItems = {
    items: held.items,
    length: held.items.length,
    serial: held.serial,
    previousSerial,
    unchanged,
  };
  return { input, previousResponseId: held.response };
}

/** How many of the ascending offsets are at most `limit`. */
function countUpTo(offsets: readonly number[], limit: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A value that ends with this byte ends there whatever follows; a number or a word might go on. */
function closes(byte: number | undefined): boolean {
  return byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte === QUOTE;
}

/** How many of the earlier items are tried at one place: an edit may have dropped some. */
const WINDOW = 16;

/**
 * The items of the previous request behind the first difference. An edit early in the history leaves most of what
 * follows as it was, at other offsets: each of these is recognised by its bytes.
 */
class Earlier {
  readonly #source: BundleSource;
  readonly #bytes: Uint8Array;
  readonly #items: readonly Json[];
  /** The first item of all stands behind no comma. */
  readonly #hasFirst: boolean;
  /** Offsets in the bytes: where the part of each item begins, separator included, and the end of the last. */
  readonly #bounds: number[];
  #next = 0;
  constructor(held: Held, from: number, source: BundleSource) {
    const start = from === 0 ? held.start : (held.ends[from - 1] as number);
    this.#source = source;
    this.#bytes = held.bytes.slice(start);
    this.#items = held.items.slice(from);
    this.#hasFirst = from === 0;
    this.#bounds = [0, ...held.ends.slice(from).map((end) => end - start)];
  }

  /** The earlier item whose bytes, separator included, stand at this place. */
  at(bytes: Uint8Array, offset: number, isFirst: boolean): { item: Json; length: number } | null {
    const last = Math.min(this.#items.length, this.#next + WINDOW);
    for (let i = this.#next; i < last; i++) {
      if ((this.#hasFirst && i === 0) !== isFirst) continue;
      const part = this.#bytes.subarray(this.#bounds[i], this.#bounds[i + 1]);
      if (offset + part.length > bytes.length || !closes(part.at(-1))) continue;
      if (this.#source.commonPrefix(part, bytes.subarray(offset, offset + part.length)) < part.length) continue;
      this.#next = i + 1;
      return { item: this.#items[i] as Json, length: part.length };
    }
    return null;
  }
}

/** Walks over the bytes of a request: finds where values end, parses each on its own. Throws what is unusual. */
class Walk {
  at = 0;
  readonly #bytes: Uint8Array;
  /** Offset of the bytes in the file. */
  readonly #base: number;
  readonly #source: BundleSource;
  /** How many values may still be read: all values of a request together are bounded. */
  #left = MAX_VALUES;
  constructor(bytes: Uint8Array, base: number, source: BundleSource) {
    this.#bytes = bytes;
    this.#base = base;
    this.#source = source;
  }

  #space(): number {
    const bytes = this.#bytes;
    for (;;) {
      const c = bytes[this.at];
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c ?? -1;
      this.at++;
    }
  }

  #expect(byte: number): void {
    if (this.#space() !== byte) throw new Unusual();
    this.at++;
  }

  /** Everything up to and with the `[` of the input. Gives `previous_response_id`. */
  head(): string | null {
    this.#expect(OPEN_OBJECT);
    let response: string | null = null;
    for (;;) {
      const key = this.#key();
      if (key === 'input') {
        if (this.#space() !== OPEN_LIST) throw new Unusual();
        this.at++;
        return response;
      }
      if (key === 'previous_response_id') response = this.#response();
      else this.#pass(MAX_DEPTH - 1);
      this.#expect(COMMA);
    }
  }

  /** The items from here on, each behind a comma unless it is the first. Stops behind the last. */
  items(items: Json[], ends: number[], isFirst: boolean, earlier: Earlier | null): void {
    let first = isFirst;
    for (;;) {
      const mark = this.at;
      const same = earlier?.at(this.#bytes, mark, first) ?? null;
      if (same !== null) {
        this.at += same.length;
        first = false;
        items.push(same.item);
        ends.push(this.#base + this.at);
        continue;
      }
      const c = this.#space();
      if (c === CLOSE_LIST || c === -1) {
        this.at = mark;
        return;
      }
      if (!first) this.#expect(COMMA);
      first = false;
      items.push(this.#value(MAX_DEPTH - 2));
      ends.push(this.#base + this.at);
    }
  }

  /** From the last item to the end of the document; `known` is `previous_response_id` before the input. */
  tail(from: number, known: string | null): WalkedTail {
    this.at = from;
    this.#expect(CLOSE_LIST);
    return this.#members(from, known);
  }

  /** The same, from behind a member of a tail that begins at offset 0. */
  tailFrom(at: number, known: string | null): WalkedTail {
    this.at = at;
    const { ends, responses, response } = this.#members(0, known);
    return { ends: ends.slice(1), responses: responses.slice(1), response };
  }

  #members(start: number, known: string | null): WalkedTail {
    let response = known;
    const ends = [this.at - start];
    const responses = [response];
    for (;;) {
      const c = this.#space();
      this.at++;
      if (c === CLOSE_OBJECT) break;
      if (c !== COMMA) throw new Unusual();
      const key = this.#key();
      if (key === 'input') throw new Unusual();
      if (key === 'previous_response_id') response = this.#response();
      else this.#pass(MAX_DEPTH - 1);
      if (!closes(this.#bytes[this.at - 1])) continue;
      ends.push(this.at - start);
      responses.push(response);
    }
    if (this.#space() !== -1) throw new Unusual();
    return { ends, responses, response };
  }

  #key(): string {
    if (this.#space() !== QUOTE) throw new Unusual();
    const key = this.#value(MAX_DEPTH) as string;
    this.#expect(COLON);
    return key;
  }

  #response(): string | null {
    const value = this.#value(MAX_DEPTH - 1);
    return typeof value === 'string' ? value : null;
  }

  /** Moves behind a value that nobody asks for: it must be JSON, but is not kept, so the engine's parser may look at it. */
  #pass(depth: number): void {
    this.#space();
    const start = this.at;
    const deepest = this.#skip();
    const text = this.#source.decode(this.#bytes.subarray(start, this.at));
    if (text === null) throw new Unusual();
    // Each value takes a character at least, and so does what parts it from the next.
    const most = (text.length >> 1) + 1;
    if (deepest <= depth && most <= this.#left && !SURROGATE.test(text) && isJsonSyntax(text)) this.#left -= most;
    else {
      this.at = start;
      this.#value(depth);
    }
  }

  #value(depth: number): Json {
    this.#space();
    const start = this.at;
    this.#skip();
    const text = this.#source.decode(this.#bytes.subarray(start, this.at));
    if (text === null) throw new Unusual();
    const { value, end, left } = parseJsonAt(text, 0, depth, this.#left);
    this.#left = left;
    if (end !== text.length) throw new Unusual();
    return value;
  }

  /** Moves behind the value at hand, if it is JSON; the parser decides whether it is. Gives how deep it nests. */
  #skip(): number {
    const bytes = this.#bytes;
    let open = 0;
    let deepest = 0;
    for (;;) {
      const c = bytes[this.at];
      if (c === undefined) throw new Unusual();
      this.at++;
      if (c === QUOTE) this.#skipString();
      else if (c === OPEN_OBJECT || c === OPEN_LIST) {
        if (++open > deepest) deepest = open;
      } else if (c === CLOSE_OBJECT || c === CLOSE_LIST) open--;
      else if (open === 0) this.#skipWord();
      if (open <= 0) return deepest;
    }
  }

  #skipString(): void {
    const bytes = this.#bytes;
    let at = this.at;
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at);
      if (quote < 0) throw new Unusual();
      let slashes = quote;
      while (slashes > this.at && bytes[slashes - 1] === BACKSLASH) slashes--;
      at = quote + 1;
      if ((quote - slashes) % 2 === 0) break;
    }
    this.at = at;
  }

  #skipWord(): void {
    for (;;) {
      const c = this.#bytes[this.at];
      if (c === undefined || c === COMMA || c === CLOSE_LIST || c === CLOSE_OBJECT || c <= 0x20) return;
      this.at++;
    }
  }
}
