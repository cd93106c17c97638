/**
 * A conversation that no adapter knows a run of: a rollout of its own, whose turns are derived from its requests.
 *
 * A request whose newest item is a message of the user begins a turn; one whose newest item is the output of a tool goes
 * on with it; a repetition of a request that got no answer is another attempt. A turn ends where the model asks for no tool, or
 * where the next one begins. Each turn says in a breadcrumb that it was derived, and from what.
 */

import type { ExecutionStatus } from '../../format/event.ts';
import type { Rollout } from '../../recorder/rollout.ts';
import type { Turn } from '../../recorder/turn.ts';
import { membersOf } from './json.ts';
import { type CallWatcher, type Sighting, Transcript } from './transcript.ts';

/** A turn with what is under way in it. */
interface OpenTurn {
  turn: Turn;
  running: number;
  status: ExecutionStatus;
  /** A later turn has begun: this one ends when nothing of it is under way any more. */
  superseded: boolean;
}

/** The turn of a request, which hears what comes of it. */
export interface DerivedPlace extends CallWatcher {
  turn: Turn;
}

/** One conversation. */
export class Conversation {
  readonly rollout: Rollout;
  readonly transcript: Transcript = new Transcript();
  #open: OpenTurn | null = null;
  readonly #turns = new Set<OpenTurn>();

  constructor(rollout: Rollout) {
    this.rollout = rollout;
  }

  /** Whether a call is under way. */
  get busy(): boolean {
    for (const { running } of this.#turns) if (running > 0) return true;
    return false;
  }

  /** Takes in a request. */
  begin(sighting: Sighting): DerivedPlace {
    const open = this.#turnFor(sighting);
    open.running++;
    open.status = 'running';
    const told = this.transcript.begin(sighting);
    return {
      turn: open.turn,
      answered: (responseId, items) => {
        told.answered(responseId, items);
        this.#ended(open, 'completed', !items.some(asksForTool));
      },
      gaveUp: (status, responseId) => {
        told.gaveUp(status, responseId);
        this.#ended(open, status, false);
      },
    };
  }

  /** The turn that asks for a compaction. */
  compacting(): Turn {
    return (this.#open ?? this.#startTurn('a compaction was asked for outside a turn')).turn;
  }

  /** Ends the turns that are open. What is still under way did not come to its end. */
  end(): void {
    for (const open of this.#turns) this.#close(open, open.running > 0 ? 'aborted' : open.status);
  }

  #turnFor(sighting: Sighting): OpenTurn {
    const open = this.#open;
    if (open !== null && this.transcript.repeatsUnanswered(sighting)) return open;
    const newest = membersOf(sighting.input.at(-1));
    const isUsers = newest.type === 'message' && newest.role === 'user';
    if (open !== null && !isUsers) return open;
    if (open !== null) {
      open.superseded = true;
      if (open.running === 0) this.#close(open, open.status);
    }
    return this.#startTurn(
      isUsers ? 'the newest item of a request is a message of the user' : 'a request came while no turn was open',
    );
  }

  #startTurn(because: string): OpenTurn {
    const turn = this.rollout.root.startTurn();
    const open: OpenTurn = { turn, running: 0, status: 'completed', superseded: false };
    this.#open = open;
    this.#turns.add(open);
    this.rollout.root.protocolEvent('turn_derived', { type: 'turn_derived', turn_id: turn.id, because });
    return open;
  }

  #ended(open: OpenTurn, status: ExecutionStatus, over: boolean): void {
    open.running--;
    open.status = status;
    if (open.running === 0 && (over || open.superseded)) this.#close(open, status);
  }

  #close(open: OpenTurn, status: ExecutionStatus): void {
    if (!this.#turns.delete(open)) return;
    if (this.#open === open) this.#open = null;
    open.turn.end(status);
  }
}

/** Whether somebody has to run something before the model goes on. */
function asksForTool(item: unknown): boolean {
  const { type, call_id } = membersOf(item);
  return typeof call_id === 'string' && typeof type === 'string' && type.endsWith('_call');
}
