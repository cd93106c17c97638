/**
 * A conversation that no adapter knows a run of: a rollout of its own, whose turns are derived from its requests.
 *
 * A request whose newest item is a message of the user begins a turn; one whose newest item is the output of a tool goes
 * on with it; a repetition of a request that failed is another attempt. A turn ends where the model asks for no tool, or
 * where the next one begins. Each turn says in a breadcrumb that it was derived, and from what.
 */

import type { ExecutionStatus } from '../../format/event.ts';
import type { Rollout } from '../../recorder/rollout.ts';
import type { Turn } from '../../recorder/turn.ts';
import { commonLength, withoutReasoning } from './history.ts';
import { membersOf } from './json.ts';

/** What a request says that may belong to a conversation. */
export interface Sighting {
  /** Items of the format. */
  input: readonly unknown[];
  previousResponseId: string | null;
  /** The id of a conversation that the service keeps. */
  conversationId: string | null;
}

/** A turn with what is under way in it. */
interface OpenTurn {
  turn: Turn;
  running: number;
  status: ExecutionStatus;
  /** A later turn has begun: this one ends when nothing of it is under way any more. */
  superseded: boolean;
}

/** What a call does to its conversation when it ends. */
export interface DerivedPlace {
  turn: Turn;
  answered(responseId: string | null, items: readonly unknown[]): void;
  gaveUp(status: 'failed' | 'cancelled'): void;
}

/** One conversation. */
export class Conversation {
  readonly rollout: Rollout;
  #open: OpenTurn | null = null;
  readonly #turns = new Set<OpenTurn>();
  /** As far as it was told, without reasoning. */
  #history: readonly unknown[] = [];
  /** Where the first item stands that the model said; behind the end where it has said nothing. */
  #firstAnswer = 0;
  /** What a compaction left: the next request may begin with it. */
  #compacted: readonly unknown[] | null = null;
  #failed: readonly unknown[] | null = null;
  readonly #ids = new Set<string>();
  readonly #conversationIds = new Set<string>();

  constructor(rollout: Rollout) {
    this.rollout = rollout;
  }

  /** Whether a call is under way. */
  get busy(): boolean {
    for (const { running } of this.#turns) if (running > 0) return true;
    return false;
  }

  /** Whether the service's own ids say that the request belongs here. */
  isNamedBy({ previousResponseId, conversationId }: Sighting): boolean {
    if (previousResponseId !== null) return this.#ids.has(`response ${previousResponseId}`);
    return conversationId !== null && this.#conversationIds.has(conversationId);
  }

  /** Whether the request repeats one that failed here. */
  repeatsFailed(input: readonly unknown[]): boolean {
    const failed = this.#failed;
    return failed !== null && failed.length === input.length && commonLength(failed, input) === input.length;
  }

  /** Whether the request goes on where this conversation stands: it says everything that was said, and perhaps more. */
  isExtendedBy(input: readonly unknown[]): boolean {
    const told = withoutReasoning(input);
    const left = this.#compacted;
    if (left !== null && commonLength(left, told) === left.length) return true;
    const { length } = this.#history;
    return this.#firstAnswer < length && commonLength(this.#history, told) === length;
  }

  /** How much of the request was said here, an answer included; 0 where no answer is. */
  sharedWith(input: readonly unknown[]): number {
    const shared = commonLength(this.#history, withoutReasoning(input));
    return shared > this.#firstAnswer ? shared : 0;
  }

  /** Whether the request holds an item or answers a call that came from here. */
  said(input: readonly unknown[]): boolean {
    return input.some((item) => idsOf(item).some((id) => this.#ids.has(id)));
  }

  /** Takes in a request. */
  begin(sighting: Sighting): DerivedPlace {
    const { input, conversationId } = sighting;
    const open = this.#turnFor(input);
    open.running++;
    open.status = 'running';
    this.#failed = null;
    if (conversationId !== null) this.#conversationIds.add(conversationId);
    const told = this.#told(sighting);
    this.#history = told;
    return {
      turn: open.turn,
      answered: (responseId, items) => {
        if (responseId !== null) this.#ids.add(`response ${responseId}`);
        for (const item of items) for (const id of idsOf(item)) this.#ids.add(id);
        // Another request may have come in between: then this answer is not where the conversation stands.
        if (this.#history === told) {
          this.#firstAnswer = Math.min(this.#firstAnswer, told.length);
          this.#history = [...told, ...withoutReasoning(items)];
        }
        this.#ended(open, 'completed', !items.some(asksForTool));
      },
      gaveUp: (status) => {
        if (status === 'failed') this.#failed = input;
        this.#ended(open, status, status === 'cancelled');
      },
    };
  }

  /** The turn that asks for a compaction, and what it left. */
  compacting(): Turn {
    return (this.#open ?? this.#startTurn('a compaction was asked for outside a turn')).turn;
  }

  /** A compaction was answered with these items. */
  compacted(items: readonly unknown[]): void {
    this.#compacted = withoutReasoning(items);
  }

  /** Ends the turns that are open. What is still under way did not come to its end. */
  end(): void {
    for (const open of this.#turns) this.#close(open, open.running > 0 ? 'aborted' : open.status);
  }

  /** What is known to be said with this request. */
  #told({ input, previousResponseId, conversationId }: Sighting): readonly unknown[] {
    const added = withoutReasoning(input);
    if (previousResponseId !== null || conversationId !== null) return [...this.#history, ...added];
    const left = this.#compacted;
    if (left !== null && commonLength(left, added) === left.length) {
      this.#compacted = null;
      this.#firstAnswer = 0;
      return added;
    }
    if (commonLength(this.#history, added) <= this.#firstAnswer) this.#firstAnswer = added.length;
    return added;
  }

  #turnFor(input: readonly unknown[]): OpenTurn {
    const open = this.#open;
    if (open !== null && this.repeatsFailed(input)) return open;
    const newest = membersOf(input.at(-1));
    if (open !== null && !(newest.type === 'message' && newest.role === 'user')) return open;
    if (open !== null) {
      open.superseded = true;
      if (open.running === 0) this.#close(open, open.status);
    }
    return this.#startTurn(
      newest.type === 'message' && newest.role === 'user'
        ? 'the newest item of a request is a message of the user'
        : 'a request came while no turn was open',
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

/** What an item is known by. */
function idsOf(item: unknown): string[] {
  const { id, call_id } = membersOf(item);
  return [
    ...(typeof id === 'string' ? [`item ${id}`] : []),
    ...(typeof call_id === 'string' ? [`call ${call_id}`] : []),
  ];
}

/** Whether somebody has to run something before the model goes on. */
function asksForTool(item: unknown): boolean {
  const { type, call_id } = membersOf(item);
  return typeof call_id === 'string' && typeof type === 'string' && type.endsWith('_call');
}
