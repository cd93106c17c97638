/**
 * The text of a payload file, put together from deltas: what both the `bundle` sink and `materialize` write.
 *
 * A request costs the printing of what is new in it; the rest is taken from the file of the request before it, so that
 * nothing printed is held. The layout is that of the reference: two spaces, no line feed at the end, the value of
 * `tools` compact on one line. Not here: how one value is printed (the caller's, because it may hold data or compact
 * text), reading and writing (`BundleFiles`).
 */

import { ByteWriter } from '../format/segment/byte-writer.ts';
import type { Delta, Run } from '../format/segment/delta.ts';
import { MAX_ELEMENTS } from '../format/segment/segment-lanes.ts';

/** How the caller's values are printed. */
export interface ValuePrinter<T> {
  /** Two-space JSON whose further lines are indented by `indent` spaces. */
  pretty(value: T, indent: number, out: ByteWriter): void;
  compact(value: T, out: ByteWriter): void;
}

/** Bytes `start` to `end` of the payload that another one builds on. */
export interface Stretch {
  start: number;
  end: number;
}

/** The text of a payload file, in pieces. */
export interface PayloadText<W> {
  /** The payload the stretches are of, as the files know it; null where there are none. */
  base: W | null;
  /** The bytes are shared with the printer: to be used before it prints again. */
  pieces: readonly (Uint8Array | Stretch)[];
}

/** A payload that is ready to be written. */
export interface PrettyPayload<W> {
  text: PayloadText<W>;
  /** To be called once it is written. */
  written(payload: W): void;
}

const COMPACT_KEY = 'tools';
const MEMBER_INDENT = 2;
const ITEM_INDENT = 4;
/** Where a member stands in its file. */
interface PlacedMember {
  start: number;
  end: number;
  list: PlacedList | null;
}

/** Where the elements of a list stand in their file. */
interface PlacedList {
  /** Behind the opening bracket. */
  start: number;
  /** Where each element ends, counted from `start`. */
  ends: number[];
}

interface Head<W> {
  number: number;
  payload: W;
  members: readonly PlacedMember[];
}

/** Where the last request of each lane stands. */
export class PrettyPayloads<T, W> {
  readonly #printer: ValuePrinter<T>;
  readonly #heads = new Map<number, Head<W>>();
  readonly #out = new ByteWriter();

  constructor(printer: ValuePrinter<T>) {
    this.#printer = printer;
  }

  /**
   * A payload that is told against an earlier one.
   *
   * @throws RangeError where the delta names what its base does not have
   */
  print(number: number, delta: Delta<T>): PrettyPayload<W> {
    const head = delta.base === null ? null : (this.#heads.get(delta.lane) ?? null);
    if (delta.base !== null && head?.number !== delta.base) {
      throw new RangeError(`payload ${number} builds on payload ${delta.base}, which is not the head of its lane`);
    }
    this.#out.clear();
    const page = new Page(this.#out);
    const members = this.#members(page, delta, head?.members ?? []);
    return {
      text: { base: head?.payload ?? null, pieces: page.pieces() },
      written: (payload) => {
        if (delta.head) this.#heads.set(delta.lane, { number, payload, members });
      },
    };
  }

  /** A payload of its own. */
  whole(value: T): PrettyPayload<W> {
    this.#out.clear();
    this.#printer.pretty(value, 0, this.#out);
    return { text: { base: null, pieces: [this.#out.view()] }, written: () => undefined };
  }

  /** Forgets every lane. */
  clear(): void {
    this.#heads.clear();
  }

  /** Forgets a lane. */
  close(lane: number): void {
    this.#heads.delete(lane);
  }

  #members(page: Page, delta: Delta<T>, base: readonly PlacedMember[]): PlacedMember[] {
    const members: PlacedMember[] = [];
    const baseList = base.find((member) => member.list !== null)?.list ?? { start: 0, ends: [] };
    page.text(delta.members.length === 0 ? '{' : '{\n');
    for (const [i, member] of delta.members.entries()) {
      const before = delta.members[i - 1];
      if (member.op === 'same' && before?.op === 'same' && before.from + 1 === member.from) {
        // What stands between two members that stay side by side, so that they are one stretch.
        page.copy(base[before.from]?.end ?? 0, base[member.from]?.start ?? 0);
      } else if (i > 0) page.text(',\n');
      const start = page.length;
      let list: PlacedList | null = null;
      if (member.op === 'same') {
        const same = base[member.from];
        if (same === undefined || same.list !== null) {
          throw new RangeError(`payload ${delta.base} has no member ${member.from} that could stay`);
        }
        page.copy(same.start, same.end);
      } else {
        page.text(`  ${JSON.stringify(member.key)}: `);
        if (member.op === 'list') list = this.#list(page, baseList, member.runs);
        else if (member.key === COMPACT_KEY) page.print((out) => this.#printer.compact(member.value, out));
        else page.print((out) => this.#printer.pretty(member.value, MEMBER_INDENT, out));
      }
      members.push({ start, end: page.length, list });
    }
    page.text(delta.members.length === 0 ? '}' : '\n}');
    return members;
  }

  #list(page: Page, base: PlacedList, runs: readonly Run<T>[]): PlacedList {
    page.text('[');
    const start = page.length;
    const ends: number[] = [];
    for (const run of runs) {
      if (run.type === 'items') {
        for (const item of run.items) {
          page.text(ends.length === 0 ? '\n    ' : ',\n    ');
          page.print((out) => this.#printer.pretty(item, ITEM_INDENT, out));
          ends.push(page.length - start);
        }
        continue;
      }
      if (run.start + run.count > base.ends.length) {
        throw new RangeError(`a list of ${base.ends.length} elements has no elements ${run.start} + ${run.count}`);
      }
      if (ends.length + run.count > MAX_ELEMENTS) throw new RangeError(`a list has more than ${MAX_ELEMENTS} elements`);
      if (run.count === 0) continue;
      if (ends.length > 0) page.text(',');
      // The comma before an element is not a part of it.
      const first = run.start === 0 ? 0 : (base.ends[run.start - 1] as number) + 1;
      const moved = page.length - start - first;
      for (let at = run.start; at < run.start + run.count; at++) ends.push((base.ends[at] as number) + moved);
      page.copy(base.start + first, base.start + (base.ends[run.start + run.count - 1] as number));
    }
    page.text(ends.length === 0 ? ']' : '\n  ]');
    return { start, ends };
  }
}

/** A payload file in the making. */
class Page {
  readonly #out: ByteWriter;
  /** What is new is a stretch of the writer. */
  readonly #stretches: { isNew: boolean; start: number; end: number }[] = [];
  #length = 0;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  get length(): number {
    return this.#length;
  }

  text(text: string): void {
    this.print((out) => out.text(text));
  }

  print(write: (out: ByteWriter) => void): void {
    const start = this.#out.length;
    write(this.#out);
    this.#add(true, start, this.#out.length);
  }

  /** Takes a stretch of the payload this one builds on. */
  copy(start: number, end: number): void {
    this.#add(false, start, end);
  }

  pieces(): (Uint8Array | Stretch)[] {
    return this.#stretches.map(({ isNew, start, end }) => (isNew ? this.#out.view(start, end) : { start, end }));
  }

  #add(isNew: boolean, start: number, end: number): void {
    this.#length += end - start;
    const last = this.#stretches.at(-1);
    if (last?.isNew === isNew && last.end === start) last.end = end;
    else this.#stretches.push({ isNew, start, end });
  }
}
