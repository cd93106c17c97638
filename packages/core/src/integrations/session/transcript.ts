/**
 * What was said in one conversation, as far as it tells whether a request goes on with it.
 *
 * The ids of the service decide first; then the history: the conversation of which the request says everything; then the
 * one it shares most with, an answer of the model included; then the one that said an item of it. Where two fit equally
 * well, the one that has waited longest goes on. Not here: turns (`conversation.ts`).
 */

import { commonLength, withoutReasoning } from './history.ts';
import { membersOf, textOrNull } from './json.ts';

/** What a request says that may belong to a conversation. */
export interface Sighting {
  /** Items of the format. */
  input: readonly unknown[];
  previousResponseId: string | null;
  /** The id of a conversation that the service or the host keeps. */
  conversationId: string | null;
}

/** What the body of a request says of the conversation it belongs to. */
export function sightingOf({ body, input }: { body: unknown; input: readonly unknown[] }): Sighting {
  const { previous_response_id, conversation } = membersOf(body);
  return {
    input,
    previousResponseId: textOrNull(previous_response_id),
    conversationId: textOrNull(conversation) ?? textOrNull(membersOf(conversation).id),
  };
}

/** Hears what comes of a request. */
export interface CallWatcher {
  answered(responseId: string | null, items: readonly unknown[]): void;
  /** @param responseId of a response that had begun, or goes on without the host */
  gaveUp(status: 'failed' | 'cancelled', responseId: string | null): void;
}

/** What was said in one conversation. */
export class Transcript {
  /** As far as it was told, without reasoning. */
  #history: readonly unknown[] = [];
  /** Where the first item stands that the model said; behind the end where it has said nothing. */
  #firstAnswer = 0;
  /** What a compaction left: the next request may begin with it. */
  #compacted: readonly unknown[] | null = null;
  /** The request that was not answered, because it failed or the host gave up. */
  #unanswered: Sighting | null = null;
  readonly #ids = new Set<string>();
  readonly #conversationIds = new Set<string>();

  /** Whether ids that say so say that the request belongs here. */
  isNamedBy({ previousResponseId, conversationId }: Sighting): boolean {
    if (previousResponseId !== null) return this.#ids.has(`response ${previousResponseId}`);
    return conversationId !== null && this.#conversationIds.has(conversationId);
  }

  /** Whether the request repeats one that was not answered here: a client's timeout is an abort like that of a host. */
  repeatsUnanswered({ input, previousResponseId }: Sighting): boolean {
    const asked = this.#unanswered;
    if (asked === null || asked.previousResponseId !== previousResponseId) return false;
    return asked.input.length === input.length && commonLength(asked.input, input) === input.length;
  }

  /** Whether the request goes on where this conversation stands: it says everything that was said, and perhaps more. */
  isExtendedBy(input: readonly unknown[]): boolean {
    const told = withoutReasoning(input);
    if (this.#beginsCompacted(told)) return true;
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
  begin(sighting: Sighting): CallWatcher {
    const { input, previousResponseId, conversationId } = sighting;
    this.#unanswered = null;
    if (conversationId !== null) this.#conversationIds.add(conversationId);
    const added = withoutReasoning(input);
    const isWhole = previousResponseId === null && conversationId === null;
    const told = isWhole ? this.#whole(added) : [...this.#history, ...added];
    this.#history = told;
    return {
      answered: (responseId, items) => {
        if (responseId !== null) this.#ids.add(`response ${responseId}`);
        for (const item of items) for (const id of idsOf(item)) this.#ids.add(id);
        // Another request may have come in between: then this answer is not where the conversation stands.
        if (this.#history !== told) return;
        this.#firstAnswer = Math.min(this.#firstAnswer, told.length);
        this.#history = [...told, ...withoutReasoning(items)];
      },
      gaveUp: (_status, responseId) => {
        if (responseId !== null) this.#ids.add(`response ${responseId}`);
        this.#unanswered = sighting;
      },
    };
  }

  /** A compaction left these items. */
  compacted(items: readonly unknown[]): void {
    this.#compacted = withoutReasoning(items);
  }

  #whole(told: readonly unknown[]): readonly unknown[] {
    if (this.#beginsCompacted(told)) {
      this.#compacted = null;
      this.#firstAnswer = 0;
    } else if (commonLength(this.#history, told) <= this.#firstAnswer) this.#firstAnswer = told.length;
    return told;
  }

  #beginsCompacted(told: readonly unknown[]): boolean {
    const left = this.#compacted;
    return left !== null && left.length > 0 && commonLength(left, told) === left.length;
  }
}

/** Of those that are open, the one heard of least lately first, the one a request goes on with; null where it is none. */
export function findByTranscript<T extends { readonly transcript: Transcript }>(
  open: Iterable<T>,
  sighting: Sighting,
): T | null {
  const all = [...open];
  const { input, previousResponseId } = sighting;
  const named = all.find(({ transcript }) => transcript.isNamedBy(sighting));
  if (named !== undefined || previousResponseId !== null) return named ?? null;
  const extended =
    all.find(({ transcript }) => transcript.repeatsUnanswered(sighting)) ??
    all.find(({ transcript }) => transcript.isExtendedBy(input) && transcript.said(input)) ??
    all.find(({ transcript }) => transcript.isExtendedBy(input));
  if (extended !== undefined) return extended;
  let most = 0;
  let nearest: T | null = null;
  for (const one of all) {
    const shared = one.transcript.sharedWith(input);
    if (shared > most) [most, nearest] = [shared, one];
  }
  if (nearest !== null) return nearest;
  const sources = all.filter(({ transcript }) => transcript.said(input));
  return sources.length === 1 ? (sources[0] ?? null) : null;
}

/** What an item is known by. */
function idsOf(item: unknown): string[] {
  const { id, call_id } = membersOf(item);
  return [
    ...(typeof id === 'string' ? [`item ${id}`] : []),
    ...(typeof call_id === 'string' ? [`call ${call_id}`] : []),
  ];
}
