/**
 * What a request adds to the one before it, exactly.
 *
 * An agent sends its whole history again with every request. A lane holds the recorder's own copy of the last request
 * of one thread; the next one is compared with it part by part, and only what is new is copied. Nothing is taken on
 * trust: an item changed in place is found and recorded as it was sent. Not here: how a delta is written (the sinks).
 */

import type { Delta, MemberDelta, Run } from '../format/segment/delta.ts';
import { HeldCopies, isHostSound, NOT_FOUND } from './held-copies.ts';
import { PlainCopier, type PlainJson, PlainRecord, REPLACED, Shapes } from './plain-json.ts';

/** The members whose elements are the history: the list of a Responses request, and that of a chat request. */
const LIST_KEYS: readonly string[] = ['input', 'messages'];
/** The two histories of a compaction checkpoint. Both are told against the list of the lane. */
const CHECKPOINT_KEYS: readonly string[] = ['input_history', 'replacement_history'];

interface HeldMember {
  key: string;
  /** Null for the list, which is held apart. */
  value: HeldCopies | null;
}

interface Head {
  payload: number;
  members: readonly HeldMember[];
  list: HeldCopies;
}

type Runs = readonly Run<PlainJson>[];

/** A delta that waits to be written, and what it makes of its lane. */
export interface PreparedDelta {
  delta: Delta<PlainJson>;
  replaced: number;
  /** Call once the payload stands on disk under this number. */
  commit(payload: number): void;
}

/** The last request of one thread, as the recorder copied it. */
export class Lane {
  readonly number: number;
  readonly #shapes = new Shapes();
  #head: Head | null = null;
  constructor(number: number) {
    this.number = number;
  }

  /** Forgets the last request, so that the next one is told in full: a delta must build on what stands on disk. */
  reset(): void {
    this.#head = null;
  }

  /**
   * Tells a request body against the lane.
   *
   * @param head whether the next request builds on this one
   * @returns null where the body is not a JSON object
   */
  request(body: unknown, head: boolean): PreparedDelta | null {
    return this.#prepare(body, head, LIST_KEYS);
  }

  /** Tells a compaction checkpoint against the lane. */
  checkpoint(body: unknown): PreparedDelta | null {
    return this.#prepare(body, false, CHECKPOINT_KEYS);
  }

  #prepare(body: unknown, head: boolean, listKeys: readonly string[]): PreparedDelta | null {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
    if (typeof (body as { toJSON?: unknown }).toJSON === 'function') {
      const copier = new PlainCopier();
      const said = copier.copy(body);
      const prepared = said instanceof PlainRecord ? this.#prepare(said.toJSON(), head, listKeys) : null;
      return prepared && { ...prepared, replaced: prepared.replaced + copier.replaced };
    }
    const base = isHostSound() ? this.#head : null;
    const around: object[] = [body];
    const copier = new PlainCopier(this.#shapes, around);
    const members: MemberDelta<PlainJson>[] = [];
    const held: HeldMember[] = [];
    const list = base?.list ?? new HeldCopies();
    let runs: Runs | null = null;
    let places: Map<string, number> | null = null;
    const placeOf = (key: string): number => {
      if (base?.members[held.length]?.key === key) return held.length;
      places ??= new Map(base?.members.map((member, i) => [member.key, i]));
      return places.get(key) ?? -1;
    };
    for (const name of Object.keys(body)) {
      const value = read(body, name, copier);
      const key = name.toWellFormed();
      const length = listKeys.includes(key) && (runs === null || !head) ? lengthOfList(value) : null;
      if (length !== null) {
        around.push(value as object);
        runs = tellList(list, value as readonly unknown[], length, copier);
        around.pop();
        members.push({ op: 'list', key, runs });
        held.push({ key, value: null });
        continue;
      }
      const from = placeOf(key);
      const before = base?.members[from];
      if (before !== undefined && before.value !== null && stays(body, name, before.value, 0)) {
        members.push({ op: 'same', from });
        held.push(before);
        continue;
      }
      const copied = copier.copy(value, 1, key);
      if (copied === undefined) continue;
      members.push({ op: 'value', key, value: copied });
      held.push({ key, value: HeldCopies.of(copied) });
    }
    return {
      delta: { lane: this.number, base: base?.payload ?? null, head, members },
      replaced: copier.replaced,
      commit: (payload) => {
        if (head) this.#head = { payload, members: held, list: list.told(runs ?? []) };
      },
    };
  }
}

/** The length of a list that JSON takes as it is; null of everything else, and where the list cannot be asked. */
function lengthOfList(value: unknown): number | null {
  try {
    return Array.isArray(value) && (value as { toJSON?: unknown }).toJSON === undefined ? value.length : null;
  } catch {
    return null;
  }
}

function read(holder: object, key: string | number, copier: PlainCopier): unknown {
  try {
    return (holder as Record<string | number, unknown>)[key];
  } catch {
    copier.replaced++;
    return REPLACED.unreadable;
  }
}

/** Whether the value still is the copy; one that throws while it is compared counts as changed. */
function stays(holder: object, key: string | number, held: HeldCopies, index: number): boolean {
  try {
    return held.holds(index, (holder as Record<string | number, unknown>)[key]);
  } catch {
    return false;
  }
}

/**
 * Tells a list against the elements of the base's: the common start in one run, then, behind an edit, whatever is
 * found again. The search is paid from a budget, so that the whole stays linear in the two lists.
 */
function tellList(base: HeldCopies, list: readonly unknown[], length: number, copier: PlainCopier): Runs {
  let same = 0;
  while (same < length && same < base.length && stays(list, same, base, same)) same++;
  const told = new RunList(same);
  let next = same;
  const budget = base.searchBudget();
  for (let i = same; i < length; i++) {
    if (next < base.length && stays(list, i, base, next)) {
      told.copy(next++);
      continue;
    }
    const copied = copier.copy(read(list, i, copier), 2, String(i)) ?? null;
    const found = base.find(copied, next, budget);
    if (found === NOT_FOUND) told.add(copied);
    else {
      told.copy(found);
      next = found + 1;
    }
  }
  return told.runs;
}

/** The runs of a list, put together element by element. */
class RunList {
  readonly runs: Run<PlainJson>[] = [];

  /** @param start how many elements at the start are those of the base */
  constructor(start: number) {
    if (start > 0) this.runs.push({ type: 'copy', start: 0, count: start });
  }

  copy(from: number): void {
    const last = this.runs.at(-1);
    if (last?.type === 'copy' && last.start + last.count === from) last.count++;
    else this.runs.push({ type: 'copy', start: from, count: 1 });
  }

  add(item: PlainJson): void {
    const last = this.runs.at(-1);
    if (last?.type === 'items') last.items.push(item);
    else this.runs.push({ type: 'items', items: [item] });
  }
}
