/**
 * What the calls of one thread said, as far as the next one builds on it: what `previous_response_id` names, and the
 * compaction that waits to become live.
 *
 * A request behind `previous_response_id` says only what is new. A reader can place it where the response it names is the
 * latest of its thread. Where it is an earlier one, the request is recorded whole, as far as it is known, and says in
 * `derived_from` what was sent. Not here: which thread a call belongs to.
 */

import type { Compaction } from '../../recorder/compaction.ts';
import { commonLength } from './history.ts';
import type { Members } from './json.ts';
import { ToldCalls } from './told-calls.ts';

/** Responses a thread can be continued from. */
const REMEMBERED_RESPONSES = 8;
/** Of those, the ones to requests that said everything: each holds a history of its own, the others share theirs. */
const REMEMBERED_HISTORIES = 2;

/** A request as it was understood. */
export interface KnownCall {
  /** The whole history it was about, or null where its beginning is not known. */
  readonly items: readonly unknown[] | null;
  /** The response it continues. Only its id: the calls of a thread shall not hold one another for ever. */
  readonly previousId: string | null;
  /** What was sent behind that. */
  readonly added: readonly unknown[];
  response: readonly unknown[] | null;
}

/** A compaction that was answered and is not live yet. */
interface PendingCompaction {
  compaction: Compaction;
  inputHistory: readonly unknown[];
  replacementHistory: readonly unknown[];
}

/** What is known of one thread. */
export class ThreadMemory {
  /** The calls the thread was told of. */
  readonly calls: ToldCalls = new ToldCalls();
  readonly #responses = new Map<string, KnownCall>();
  #latest: KnownCall | null = null;
  #pending: PendingCompaction | null = null;

  /** Takes in a request; gives it as it is to be recorded. */
  begin(body: Members, sentInput: readonly unknown[]): { call: KnownCall; recorded: Members } {
    const input = this.calls.sent(sentInput);
    const id = body.previous_response_id;
    if (typeof id !== 'string') {
      this.#installIfLive(input);
      const call = { items: input, previousId: null, added: input, response: null };
      this.#latest = call;
      return { call, recorded: { ...body, input } };
    }
    const previous = this.#responses.get(id) ?? null;
    const before = previous?.items ?? null;
    const items = before === null ? null : [...before, ...(previous?.response ?? []), ...input];
    const call = { items, previousId: id, added: input, response: null };
    const placeable = previous !== null && this.#isLatest(previous, id, input);
    this.#latest = call;
    if (placeable) return { call, recorded: { ...body, input } };
    const { previous_response_id: _id, ...rest } = body;
    const sent = { previous_response_id: id, input: body.input ?? null };
    return { call, recorded: { ...rest, input: items ?? input, derived_from: sent } };
  }

  /** The items of a response as they are to be recorded. */
  received(items: readonly unknown[]): readonly unknown[] {
    return this.calls.received(items);
  }

  /** The response of a call arrived whole. */
  answered(call: KnownCall, responseId: string | null, items: readonly unknown[]): void {
    call.response = items;
    if (responseId === null) return;
    this.#responses.set(responseId, call);
    let surplus = this.#responses.size - REMEMBERED_RESPONSES;
    let histories = [...this.#responses.values()].filter(({ previousId }) => previousId === null).length;
    for (const [id, { previousId }] of this.#responses) {
      const isSurplus = previousId === null && histories > REMEMBERED_HISTORIES;
      if (surplus <= 0 && !isSurplus) continue;
      this.#responses.delete(id);
      surplus--;
      if (previousId === null) histories--;
    }
  }

  /** The history behind a response, or null where it is not known. */
  historyAfter(responseId: string): readonly unknown[] | null {
    const call = this.#responses.get(responseId);
    return call === undefined || call.items === null ? null : [...call.items, ...(call.response ?? [])];
  }

  /** A compaction was answered. It becomes live with the first request that begins with what it left. */
  compacted(pending: PendingCompaction): void {
    this.#pending = pending;
  }

  /** What the compaction left is the history now. @returns whether there was one */
  install(): boolean {
    const pending = this.#pending;
    if (pending === null) return false;
    this.#pending = null;
    this.#latest = null;
    const { compaction, inputHistory, replacementHistory } = pending;
    compaction.install({ inputHistory, replacementHistory });
    return true;
  }

  #installIfLive(input: readonly unknown[]): void {
    const left = this.#pending?.replacementHistory ?? [];
    if (left.length > 0 && commonLength(left, input) === left.length) this.install();
  }

  /** Whether nothing was asked behind the response but, perhaps, the same as now. */
  #isLatest(previous: KnownCall, id: string, input: readonly unknown[]): boolean {
    const latest = this.#latest;
    if (latest === previous) return true;
    if (latest?.previousId !== id || latest.added.length !== input.length) return false;
    return commonLength(latest.added, input) === input.length;
  }
}
