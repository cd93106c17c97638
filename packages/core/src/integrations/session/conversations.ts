/**
 * The conversations of a process that no adapter knows a run of. A request that goes on with none of them begins one.
 */

import type { Rollout } from '../../recorder/rollout.ts';
import type { SessionMetadata } from '../../recorder/session-metadata.ts';
import { Conversation } from './conversation.ts';
import { findByTranscript, type Sighting } from './transcript.ts';

/** An open rollout holds a file. The conversation that was heard of least lately ends when there are more. */
const OPEN_CONVERSATIONS = 100;

/** The open conversations, the one heard of least lately first. */
export class Conversations {
  readonly #open = new Set<Conversation>();
  readonly #openRollout: (metadata: SessionMetadata) => Rollout;
  readonly #endRollout: (rollout: Rollout) => void;

  constructor(openRollout: (metadata: SessionMetadata) => Rollout, endRollout: (rollout: Rollout) => void) {
    this.#openRollout = openRollout;
    this.#endRollout = endRollout;
  }

  /** The conversation a request belongs to. The metadata are those of one that begins. */
  of(sighting: Sighting, metadata: SessionMetadata): Conversation {
    const found = findByTranscript(this.#open, sighting) ?? new Conversation(this.#openRollout(metadata));
    this.#open.delete(found);
    this.#open.add(found);
    if (this.#open.size > OPEN_CONVERSATIONS) this.#endOldest();
    return found;
  }

  /** Ends them all. */
  end(): void {
    for (const conversation of this.#open) this.#close(conversation);
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
