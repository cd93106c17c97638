/**
 * The conversations of a process that no adapter knows a run of, and which of them a request goes on with.
 *
 * The ids of the service decide first; then the history: the conversation of which the request says everything; then the
 * one it shares most with, an answer of the model included; then the one that said an item of it. Where two fit equally
 * well, the one that has waited longest goes on. What fits nowhere begins a conversation.
 */

import type { Rollout } from '../../recorder/rollout.ts';
import { Conversation, type Sighting } from './conversation.ts';

/** An open rollout holds a file. The conversation that was heard of least lately ends when there are more. */
const OPEN_CONVERSATIONS = 100;

/** The open conversations, the one heard of least lately first. */
export class Conversations {
  readonly #open = new Set<Conversation>();
  readonly #openRollout: () => Rollout;
  readonly #endRollout: (rollout: Rollout) => void;

  constructor(openRollout: () => Rollout, endRollout: (rollout: Rollout) => void) {
    this.#openRollout = openRollout;
    this.#endRollout = endRollout;
  }

  /** The conversation a request belongs to. */
  of(sighting: Sighting): Conversation {
    const found = this.#find(sighting) ?? new Conversation(this.#openRollout());
    this.#open.delete(found);
    this.#open.add(found);
    if (this.#open.size > OPEN_CONVERSATIONS) this.#endOldest();
    return found;
  }

  /** Ends them all. */
  end(): void {
    for (const conversation of this.#open) this.#close(conversation);
  }

  #find(sighting: Sighting): Conversation | null {
    const open = [...this.#open];
    const { input, previousResponseId } = sighting;
    const named = open.find((conversation) => conversation.isNamedBy(sighting));
    if (named !== undefined || previousResponseId !== null) return named ?? null;
    const extended =
      open.find((conversation) => conversation.repeatsFailed(input)) ??
      open.find((conversation) => conversation.isExtendedBy(input) && conversation.said(input)) ??
      open.find((conversation) => conversation.isExtendedBy(input));
    if (extended !== undefined) return extended;
    let most = 0;
    let nearest: Conversation | null = null;
    for (const conversation of open) {
      const shared = conversation.sharedWith(input);
      if (shared > most) [most, nearest] = [shared, conversation];
    }
    if (nearest !== null) return nearest;
    const sources = open.filter((conversation) => conversation.said(input));
    return sources.length === 1 ? (sources[0] ?? null) : null;
  }

  #endOldest(): void {
    for (const conversation of this.#open) {
      if (conversation.busy) continue;
      this.#close(conversation);
      return;
    }
  }

  #close(conversation: Conversation): void {
    this.#open.delete(conversation);
    conversation.end();
    this.#endRollout(conversation.rollout);
  }
}
