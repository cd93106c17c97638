/**
 * The text of a payload file, put together from deltas: what both the `bundle` sink and `materialize` write.
 *
 * A lane keeps the printed bytes of its head, so that a request costs the printing of what is new in it. The layout is
 * that of the reference: two spaces, no line feed at the end, the value of `tools` compact on one line. Not here: how
 * one value is printed (the caller's, because it may hold data or compact text), files.
 */

import { ByteWriter } from '../format/segment/byte-writer.ts';
import type { Delta, Run } from '../format/segment/delta.ts';

/** How the caller's values are printed. */
export interface ValuePrinter<T> {
  /** Two-space JSON whose further lines are indented by `indent` spaces. */
  pretty(value: T, indent: number, out: ByteWriter): void;
  compact(value: T, out: ByteWriter): void;
}

/** Held bytes grow slowly: they are held as long as their thread lives. */
const HELD_GROWTH = 1.125;
const COMPACT_KEY = 'tools';
const ITEM_INDENT = 4;

const encoder = new TextEncoder();
const OPEN = encoder.encode('{\n');
const NEXT_MEMBER = encoder.encode(',\n');
const CLOSE = encoder.encode('\n}');
const EMPTY = encoder.encode('{}');
const LIST_CLOSE = encoder.encode('\n  ]');

/** The printed elements of a list, each with the comma, line feed and indentation before it. */
class PrintedList {
  readonly bytes = new ByteWriter(HELD_GROWTH);
  /** Where each element ends. */
  readonly ends: number[] = [];

  add<T>(value: T, printer: ValuePrinter<T>): void {
    this.bytes.text(',\n    ');
    printer.pretty(value, ITEM_INDENT, this.bytes);
    this.ends.push(this.bytes.length);
  }

  copy(from: PrintedList, start: number, count: number): void {
    for (let i = start; i < start + count; i++) {
      this.bytes.bytes(from.#element(i));
      this.ends.push(this.bytes.length);
    }
  }

  keep(count: number): void {
    this.ends.length = Math.min(count, this.ends.length);
    this.bytes.truncate(this.ends.at(-1) ?? 0);
  }

  /** The elements as they stand between the brackets. */
  view(): Uint8Array {
    return this.bytes.view(1);
  }

  #element(index: number): Uint8Array {
    return this.bytes.view(index === 0 ? 0 : (this.ends[index - 1] as number), this.ends[index]);
  }
}

/** A member as it is printed: its bytes, or those up to the list's opening bracket. */
interface PrintedMember {
  bytes: Uint8Array;
  list: PrintedList | null;
}

/** The printed head of each lane. */
export class PrettyPayloads<T> {
  readonly #printer: ValuePrinter<T>;
  readonly #heads = new Map<number, { number: number; members: readonly PrintedMember[] }>();

  constructor(printer: ValuePrinter<T>) {
    this.#printer = printer;
  }

  /**
   * The bytes of one payload, in pieces. They are shared with the lane: use them before the next call.
   *
   * @throws RangeError where the delta names what its base does not have
   */
  print(number: number, delta: Delta<T>): Uint8Array[] {
    const head = delta.base === null ? null : this.#heads.get(delta.lane);
    if (head === undefined || (head !== null && head.number !== delta.base)) {
      throw new RangeError(`payload ${number} builds on payload ${delta.base}, which is not the head of its lane`);
    }
    const base = head?.members ?? [];
    const held = base.find((member) => member.list !== null)?.list ?? new PrintedList();
    const members: PrintedMember[] = [];
    for (const member of delta.members) {
      if (member.op === 'same') {
        const same = base[member.from];
        if (same === undefined) throw new RangeError(`payload ${delta.base} has no member ${member.from}`);
        members.push(same);
      } else if (member.op === 'value') members.push({ bytes: this.#value(member.key, member.value), list: null });
      else {
        const list = this.#list(held, member.runs, delta.head);
        const bytes = encoder.encode(`  ${JSON.stringify(member.key)}: [`);
        members.push({
          bytes: list.ends.length === 0 ? encoder.encode(`  ${JSON.stringify(member.key)}: []`) : bytes,
          list,
        });
      }
    }
    if (delta.head) this.#heads.set(delta.lane, { number, members });
    return assemble(members);
  }

  /** Forgets every lane. */
  clear(): void {
    this.#heads.clear();
  }

  /** Forgets a lane. */
  close(lane: number): void {
    this.#heads.delete(lane);
  }

  #value(key: string, value: T): Uint8Array {
    const out = new ByteWriter();
    out.text(`  ${JSON.stringify(key)}: `);
    if (key === COMPACT_KEY) this.#printer.compact(value, out);
    else this.#printer.pretty(value, 2, out);
    return out.view().slice();
  }

  #list(held: PrintedList, runs: readonly Run<T>[], head: boolean): PrintedList {
    const [first] = runs;
    const grows =
      head && first?.type === 'copy' && first.start === 0 && runs.every((run, i) => i === 0 || run.type === 'items');
    const list = grows ? held : new PrintedList();
    if (grows) list.keep(first.count);
    for (const run of grows ? runs.slice(1) : runs) {
      if (run.type === 'items') for (const item of run.items) list.add(item, this.#printer);
      else if (run.start + run.count <= held.ends.length) list.copy(held, run.start, run.count);
      else throw new RangeError(`a list of ${held.ends.length} elements has no elements ${run.start} + ${run.count}`);
    }
    return list;
  }
}

function assemble(members: readonly PrintedMember[]): Uint8Array[] {
  if (members.length === 0) return [EMPTY];
  const out: Uint8Array[] = [];
  for (const { bytes, list } of members) {
    out.push(out.length === 0 ? OPEN : NEXT_MEMBER, bytes);
    if (list !== null && list.ends.length > 0) out.push(list.view(), LIST_CLOSE);
  }
  out.push(CLOSE);
  return out;
}
