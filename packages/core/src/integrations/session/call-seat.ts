/**
 * A model call that an adapter knows of before it is made, and the turn it belongs to.
 *
 * Several adapters may see one call: one that knows the run, and one that sees the bytes. The first makes a seat and
 * calls the model inside it; the second takes the seat and records the call, for it sees more. What nobody took, the
 * first records itself. Not here: calls nobody announced (`conversations.ts`).
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Channel } from 'node:diagnostics_channel';
import type { Turn } from '../../recorder/turn.ts';
import type { CallWatcher } from './transcript.ts';

/** The place of one announced model call. */
export class CallSeat {
  readonly turn: Turn;
  /** Hears how the call ends, whoever records it. */
  readonly watcher: CallWatcher | null;
  #owner: string | null = null;

  constructor(turn: Turn, watcher: CallWatcher | null = null) {
    this.turn = turn;
    this.watcher = watcher;
  }

  /** Whether some adapter records this call. */
  get taken(): boolean {
    return this.#owner !== null;
  }

  /** Whether this owner records the call: true for the first that asks, and for it again (a retry is its as well). */
  take(owner: string): boolean {
    this.#owner ??= owner;
    return this.#owner === owner;
  }
}

const storage = new AsyncLocalStorage<CallSeat>();

/** Runs a function that makes one model call; whoever sees the call finds the seat by {@link currentSeat}. */
export function withSeat<T>(seat: CallSeat, action: () => T): T {
  return storage.run(seat, action);
}

/** The seat of the model call that the running code makes, or null. */
export function currentSeat(): CallSeat | null {
  return storage.getStore() ?? null;
}

/** Makes the seat that a message of a channel is about the current one for what the channel runs. Null changes nothing. */
export function bindSeat<M>(channel: Channel<unknown, M>, seatOf: (message: M) => CallSeat | null): void {
  channel.bindStore(storage, (message) => seatOf(message) ?? storage.getStore());
}
