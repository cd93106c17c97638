/**
 * Which item each candidate of a list is: the heart of the conversation (spec 6.4 Q2, Q3, Q6; 6.5 K3).
 *
 * A full request repeats the one before it. Where a position holds the very bytes it held before, the item there was
 * matched before and nothing about it has changed, so it is taken without looking: that is the fast path. It must agree
 * with the plain one on every history. Not here: what a request is (`inference.ts`), what an item is (`conversation.ts`).
 */

import { type Json, JsonObject } from '../format/json.ts';
import type { InputItems } from './bodies.ts';
import {
  checkReuse,
  claimProvisional,
  createItem,
  enterTranscript,
  link,
  type Sighting,
  sight,
} from './conversation.ts';
import { lookupKey, matches } from './match.ts';
import { type Candidate, ItemFault, isSkipped, type NormalizeContext, normalizeItem } from './normalize.ts';
import {
  addTo,
  type ItemRecord,
  ItemSequence,
  type ReducerState,
  type SequenceSlice,
  type ThreadRecord,
} from './state.ts';

/** How one payload's items are normalised. */
export function normalizing(state: ReducerState, payloadId: string, path: string): NormalizeContext {
  return {
    rules: state.rules,
    sha256: state.sha256,
    payloadId,
    path,
    onSummaryCut: () =>
      state.fault('summary_cut', `a summary in ${payloadId} is cut inside a character at byte 240`, { file: path }),
  };
}

/** Normalises one item; where it lacks what its type needs, that is a finding and the answer is null. */
export function normalizeOne(
  state: ReducerState,
  value: Json,
  context: NormalizeContext,
  jsonPath: string,
): Candidate | null {
  const known = value instanceof JsonObject ? state.candidates.get(value) : undefined;
  if (known !== undefined && !known.unstable) return known;
  try {
    const candidate = normalizeItem(value, context);
    if (value instanceof JsonObject) state.candidates.set(value, candidate);
    return candidate;
  } catch (error) {
    if (!(error instanceof ItemFault)) throw error;
    state.fault(error.code, error.message, { file: context.path, json_path: jsonPath, cause: error });
    return null;
  }
}

/** The candidates of a whole list, before any of them is placed: a bad item aborts the list without a trace. */
export function normalizeList(
  state: ReducerState,
  items: readonly Json[],
  context: NormalizeContext,
  jsonPath: string,
): Candidate[] {
  const candidates: Candidate[] = [];
  items.forEach((value, index) => {
    if (isSkipped(value, state.rules)) return;
    const candidate = normalizeOne(state, value, context, `${jsonPath}/${index}`);
    if (candidate !== null) candidates.push(namingPayload(candidate, context.payloadId));
  });
  return candidates;
}

/** Finds the first free item that matches, among a list that is never scanned as a whole. */
class Lookup {
  readonly #lists = new Map<string, ItemRecord[]>();
  readonly #free: (record: ItemRecord) => boolean;
  constructor(records: Iterable<ItemRecord>, free: (record: ItemRecord) => boolean) {
    this.#free = free;
    for (const record of records) addTo(this.#lists, searchKey(record.item, record.item.body.parts), record);
  }

  take(candidate: Candidate): ItemRecord | null {
    const list = this.#lists.get(searchKey(candidate, candidate.parts));
    if (list === undefined) return null;
    let used = 0;
    while (used < list.length && !this.#free(list[used] as ItemRecord)) used++;
    if (used > 0) list.splice(0, used);
    return list.find((record) => this.#free(record) && matches(record.item, candidate)) ?? null;
  }
}

/** A string that an item shares with every candidate that matches it. */
function searchKey({ kind, call_id }: Pick<Candidate, 'kind' | 'call_id'>, parts: Candidate['parts']): string {
  return call_id ?? lookupKey(kind, parts);
}

/** Places each candidate on the first free item of a list that matches, else on a new item (spec Q6, K3). */
export function placeBySearch(
  state: ReducerState,
  candidates: readonly Candidate[],
  among: Iterable<ItemRecord>,
  sighting: Sighting,
): ItemRecord[] {
  const stamp = ++state.stamp;
  const lookup = new Lookup(among, (record) => record.usedStamp !== stamp);
  return candidates.map((candidate) => {
    const apart = checkReuse(state, sighting.thread, candidate, candidate.payloadId);
    let record = claimProvisional(state, candidate, sighting);
    if (record === null) {
      record = lookup.take(candidate);
      if (record === null) record = createItem(state, candidate, sighting, apart);
      else sight(state, record, candidate, sighting.producer);
    }
    record.usedStamp = stamp;
    return record;
  });
}

/** The items of a request as they are placed: shares the base's sequence until the first item that differs. */
export class RequestBuilder {
  sequence: ItemSequence;
  length = 0;
  constructor(base: ItemSequence) {
    this.sequence = base;
  }

  /** The first `length` items are those of the shared sequence. */
  keep(length: number): void {
    this.length = length;
  }

  push(record: ItemRecord): void {
    const { sequence, length } = this;
    if (length < sequence.records.length && sequence.records[length] !== record) this.sequence = sequence.fork(length);
    if (length === this.sequence.records.length) this.sequence.push(record);
    this.length++;
  }

  *records(): Iterable<ItemRecord> {
    for (let k = 0; k < this.length; k++) yield this.sequence.records[k] as ItemRecord;
  }

  slice(): SequenceSlice {
    return { sequence: this.sequence, length: this.length };
  }
}

/** How many leading places of the new list are known to be the items of the base at the same places. */
function fastPrefix(state: ReducerState, thread: ThreadRecord, input: InputItems, fromSnapshot: boolean): number {
  const { heldSerial, heldLength, heldSkips, snapshot } = thread;
  if (!fromSnapshot || heldSerial === 0 || input.previousSerial !== heldSerial) return 0;
  const unchanged = Math.min(input.unchanged, heldLength, input.length);
  let skipped = 0;
  while (skipped < heldSkips.length && (heldSkips[skipped] as number) < unchanged) skipped++;
  let places = Math.min(unchanged - skipped, snapshot.length);
  // A match that depends on the payload ends the fast path: the item becomes a new one in every request.
  if (thread.unstable.length > 0) places = Math.min(places, thread.unstable[0] as number);
  // Links that are due, in the order of the request; an item whose content changed ends the fast path as well.
  for (let k = thread.dirtyFrom; k < places; k++) {
    const record = snapshot.sequence.records[k] as ItemRecord;
    if (record.rematch) {
      places = k;
      break;
    }
    if (record.dirty) link(state, record);
  }
  return places;
}

/**
 * Places the items of a full request (spec Q2) and makes them the thread's snapshot.
 *
 * @returns the request's items
 */
export function placeRequest(
  state: ReducerState,
  input: InputItems,
  context: NormalizeContext,
  sighting: Sighting,
): SequenceSlice {
  const { thread } = sighting;
  const { rules } = state;
  const replacement = thread.pendingReplacement;
  const { snapshot, tail } = thread;
  const fromSnapshot = replacement === null;

  // Everything is normalised before anything is placed. The places of the fast path were normalised before.
  const places = fastPrefix(state, thread, input, fromSnapshot);
  const skips: number[] = [];
  let start = places;
  for (const skip of thread.heldSkips) {
    if (skip >= start) break;
    skips.push(skip);
    start++;
  }
  const candidates: (Candidate | null)[] = [];
  for (let index = start; index < input.length; index++) {
    const value = input.items[index] as Json;
    const candidate = isSkipped(value, rules) ? null : normalizeOne(state, value, context, `/input/${index}`);
    if (candidate === null) skips.push(index);
    candidates.push(candidate);
  }

  const stamp = ++state.stamp;
  const baseLength = replacement === null ? snapshot.length + tail.length : replacement.length;
  const baseAt = (k: number): ItemRecord | undefined => {
    if (replacement !== null) return replacement[k];
    return k < snapshot.length ? snapshot.sequence.records[k] : tail[k - snapshot.length];
  };
  const isInPrefix = (record: ItemRecord): boolean =>
    record.position < places && snapshot.sequence.records[record.position] === record;
  const isFreePlace = (record: ItemRecord): boolean => record.usedStamp !== stamp && !isInPrefix(record);
  const builder = new RequestBuilder(replacement === null ? snapshot.sequence : new ItemSequence());
  builder.keep(places);
  const unstable: number[] = [];
  let lookup: Lookup | null = null;

  for (const candidate of candidates) {
    if (candidate === null) continue;
    const k = builder.length;
    if (candidate.unstable) unstable.push(k);
    const apart = checkReuse(state, thread, candidate, context.payloadId);
    let record = claimProvisional(state, candidate, sighting);
    if (record === null) {
      const atPlace = baseAt(k);
      const mayTake = atPlace !== undefined && (rules.positionMayRepeat || isFreePlace(atPlace));
      if (mayTake && matches(atPlace.item, candidate)) record = atPlace;
      else {
        lookup ??= new Lookup(rest(baseAt, places, baseLength), isFreePlace);
        record = lookup.take(candidate);
      }
      if (record === null) record = createItem(state, namingPayload(candidate, context.payloadId), sighting, apart);
      else sight(state, record, candidate, sighting.producer);
    }
    record.rematch = false;
    if (isFreePlace(record)) record.position = k;
    record.usedStamp = stamp;
    enterTranscript(state, record);
    builder.push(record);
  }

  thread.dirtyFrom = Number.POSITIVE_INFINITY;
  thread.pendingReplacement = null;
  const slice = builder.slice();
  thread.snapshot = slice;
  thread.tail = [];
  thread.heldSerial = input.serial;
  thread.heldLength = input.length;
  thread.heldSkips = skips;
  thread.unstable = unstable;
  return slice;
}

/** The history of a thread: as last sent, and what came behind it. */
export function* snapshotItems({ snapshot, tail }: ThreadRecord): Iterable<ItemRecord> {
  for (let k = 0; k < snapshot.length; k++) yield snapshot.sequence.records[k] as ItemRecord;
  yield* tail;
}

function* rest(at: (k: number) => ItemRecord | undefined, from: number, to: number): Iterable<ItemRecord> {
  for (let k = from; k < to; k++) yield at(k) as ItemRecord;
}

/** A new item names the payload it was first seen in, also where its bytes were normalised in an earlier one. */
function namingPayload(candidate: Candidate, payloadId: string): Candidate {
  if (candidate.payloadId === payloadId) return candidate;
  const parts = candidate.parts.map((part) =>
    'raw_payload_id' in part ? { ...part, raw_payload_id: payloadId } : part,
  );
  return { ...candidate, parts, payloadId };
}
