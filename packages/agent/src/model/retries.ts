/** How often and how soon a failed request is made again. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelFailure } from './failure.ts';

/** A service that asks for more patience than this is not waited for. */
const LONGEST_WAIT_MS = 120_000;

/** Counts the failures in a row. */
export class Retries {
  readonly #delays_ms: readonly number[];
  #failures = 0;

  /** @param delays_ms how long to wait before each further attempt; the number of delays is that of the retries */
  constructor(delays_ms: readonly number[]) {
    this.#delays_ms = delays_ms;
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#failures = 0;
  }

  /** @returns how long to wait before the next attempt, or null where there is to be none */
  after(failure: ModelFailure): number | null {
    if (failure.kind !== 'retry') return null;
    const delay_ms = this.#delays_ms[this.#failures++];
    if (delay_ms === undefined) return null;
    const asked_ms = failure.retryAfter_ms ?? 0;
    return asked_ms > LONGEST_WAIT_MS ? null : Math.max(delay_ms, asked_ms);
  }
}

/** @returns whether the time has passed; false where the signal came first */
export async function pause(wait_ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(wait_ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
