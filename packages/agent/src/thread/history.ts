/**
 * The history of a thread: every item the model is told, in order, and how much of it the service has stored.
 *
 * An item that enters is recorded as accepted. Not here: who makes the items.
 */

import type { Turn } from '@rollout-trace/core/recorder/node';
import { type Item, isAgentMessage } from '../model/item.ts';

/** What the next request has to send. */
export interface Unsent {
  items: readonly Item[];
  previousResponseId: string | null;
}

/** One thread's history. */
export class History {
  #items: Item[] = [];
  #stored: { responseId: string; count: number } | null = null;
  #inputTokens = 0;

  get items(): readonly Item[] {
    return this.#items;
  }

  /** How many tokens the last request had, as the service counted them; 0 where it did not. */
  get inputTokens(): number {
    return this.#inputTokens;
  }

  /** An item enters. */
  accept(turn: Turn, item: Item): void {
    this.#items.push(item);
    if (item.id !== undefined) turn.itemAccepted(item.id, isAgentMessage(item) ? { ...item } : undefined);
  }

  /** A shorter history takes the place of this one. */
  replace(items: readonly Item[]): void {
    this.#items = [...items];
    this.#stored = null;
    this.#inputTokens = 0;
  }

  /** A response is complete: everything up to here is what its id stands for. */
  answered(responseId: string, inputTokens: number | null): void {
    this.#stored = { responseId, count: this.#items.length };
    this.#inputTokens = inputTokens ?? 0;
  }

  /** What the service has stored is no longer relied on: the next request is a full one. */
  forgetStored(): void {
    this.#stored = null;
  }

  /** @param incremental whether to continue a stored response where there is one */
  unsent(incremental: boolean): Unsent {
    const stored = incremental ? this.#stored : null;
    return { items: this.#items.slice(stored?.count ?? 0), previousResponseId: stored?.responseId ?? null };
  }
}
