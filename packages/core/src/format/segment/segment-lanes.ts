/**
 * What the deltas of a segment amount to, without building the payloads: which elements of a request were there
 * before, the text of those that are new, and the text of everything else.
 *
 * Owns the last request of every lane as slices of the segment. Cost and memory are those of what is new. Not here:
 * decoding (`segment-decoder.ts`), printing (the recorder's `materialize.ts`).
 */

import type { Delta, Run } from './delta.ts';

/** A member of a payload. Texts are compact JSON in UTF-8; one of `text` and `list` is null. */
export interface ToldMember {
  key: string;
  text: Uint8Array | null;
  list: ToldList | null;
}

/** A list of a payload, told against the list of the lane's head. */
export interface ToldList {
  /** How many elements at the start are those of the base. */
  kept: number;
  /** The texts of all elements behind them. */
  added: readonly Uint8Array[];
}

/** A payload object, told against an earlier one. */
export interface ToldPayload {
  number: number;
  lane: number;
  /** The payload whose list the kept elements are from; null where nothing is kept. */
  base: number | null;
  members: readonly ToldMember[];
}

interface Head {
  number: number;
  members: readonly { key: string; text: Uint8Array | null }[];
  items: Uint8Array[];
}

/** A recorder records no more. A few copies of copies in a small segment would make lists without end. */
export const MAX_ELEMENTS = 2_000_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const EMPTY_LIST = encoder.encode('[]');

/** Follows the lanes of one segment. Every delta of the segment must pass through {@link tell}, in order. */
export class SegmentLanes {
  readonly #heads = new Map<number, Head>();

  /** @throws RangeError where the delta names what its base does not have */
  tell(number: number, delta: Delta<Uint8Array>): ToldPayload {
    const head = delta.base === null ? null : this.#heads.get(delta.lane);
    if (head === undefined || (head !== null && head.number !== delta.base)) {
      throw new RangeError(`payload ${number} builds on payload ${delta.base}, which is not the head of its lane`);
    }
    const members = delta.members.map((member): ToldMember => {
      if (member.op === 'value') return { key: member.key, text: member.value, list: null };
      if (member.op === 'list') return { key: member.key, text: null, list: tellList(head?.items ?? [], member.runs) };
      const same = head?.members[member.from];
      if (same === undefined || same.text === null)
        throw new RangeError(`payload ${delta.base} has no member ${member.from}`);
      return { key: same.key, text: same.text, list: null };
    });
    if (delta.head) this.#advance(number, delta, head, members);
    return { number, lane: delta.lane, base: delta.base, members };
  }

  /** Forgets a lane; see `closedLanes` of an event. */
  close(lane: number): void {
    this.#heads.delete(lane);
  }

  #advance(number: number, delta: Delta<Uint8Array>, before: Head | null, members: readonly ToldMember[]): void {
    const list = members.find((member) => member.list !== null)?.list ?? null;
    const items = before?.items ?? [];
    items.length = list?.kept ?? 0;
    for (const item of list?.added ?? []) items.push(item);
    this.#heads.set(delta.lane, { number, members: members.map(({ key, text }) => ({ key, text })), items });
  }
}

function tellList(base: readonly Uint8Array[], runs: readonly Run<Uint8Array>[]): ToldList {
  const added: Uint8Array[] = [];
  let kept = 0;
  for (const [i, run] of runs.entries()) {
    if (run.type === 'items') {
      for (const item of run.items) added.push(item);
      continue;
    }
    const end = run.start + run.count;
    if (kept + added.length + run.count > MAX_ELEMENTS)
      throw new RangeError(`a list has more than ${MAX_ELEMENTS} elements`);
    if (end > base.length) throw new RangeError(`a list of ${base.length} elements has no elements up to ${end}`);
    if (i === 0 && run.start === 0) kept = run.count;
    else for (let at = run.start; at < end; at++) added.push(base[at] as Uint8Array);
  }
  return { kept, added };
}

/** The compact JSON of a payload with every list left empty: everything about a request but its history. */
export function textAround(told: ToldPayload): string {
  const members = told.members.map(({ key, text }) => `${JSON.stringify(key)}:${decoder.decode(text ?? EMPTY_LIST)}`);
  return `{${members.join(',')}}`;
}
