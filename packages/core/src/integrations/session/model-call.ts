/** One upstream request as an adapter records it, and the compaction request, which is one of its own kind. */

import type { Compaction, CompactionAttempt } from '../../recorder/compaction.ts';
import type { InferenceAttempt, InferenceOutput } from '../../recorder/inference.ts';
import type { Thread } from '../../recorder/thread.ts';
import type { KnownCall, ThreadMemory } from './thread-memory.ts';
import type { CallWatcher } from './transcript.ts';

/** A response as an adapter has it. */
export interface ModelOutput extends Omit<InferenceOutput, 'outputItems'> {
  /** Items of the format (`formatItem`). */
  outputItems: readonly unknown[];
}

/** An attempt to ask a model. The first end counts. */
export class ModelCall {
  /** The thread the call belongs to. */
  readonly thread: Thread;
  readonly #attempt: InferenceAttempt;
  readonly #call: KnownCall;
  readonly #memory: ThreadMemory;
  readonly #watcher: CallWatcher | null;
  #open = true;

  constructor(
    thread: Thread,
    attempt: InferenceAttempt,
    call: KnownCall,
    memory: ThreadMemory,
    watcher: CallWatcher | null,
  ) {
    this.thread = thread;
    this.#attempt = attempt;
    this.#call = call;
    this.#memory = memory;
    this.#watcher = watcher;
  }

  /** Headers that join this attempt with what the server writes down. */
  get headers(): Record<string, string> {
    return this.#attempt.headers;
  }

  /** The response arrived whole. */
  complete(output: ModelOutput): void {
    if (!this.#end()) return;
    const { responseId = null } = output;
    const outputItems = this.#memory.received(output.outputItems);
    this.#attempt.complete({ ...output, outputItems });
    this.#memory.answered(this.#call, responseId, outputItems);
    this.#watcher?.answered(responseId, outputItems);
  }

  /** The request failed. */
  fail(error: unknown, output?: ModelOutput): void {
    if (!this.#end()) return;
    this.#attempt.fail(error, this.#received(output));
    this.#watcher?.gaveUp('failed', output?.responseId ?? null);
  }

  /** The host gave up. */
  cancel(reason: unknown, output?: ModelOutput): void {
    if (!this.#end()) return;
    this.#attempt.cancel(reason, this.#received(output));
    this.#watcher?.gaveUp('cancelled', output?.responseId ?? null);
  }

  #received(output: ModelOutput | undefined): ModelOutput | undefined {
    return output && { ...output, outputItems: this.#memory.received(output.outputItems) };
  }

  #end(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    return true;
  }
}

/** A request for a shorter history. */
export class CompactionCall {
  readonly #compaction: Compaction;
  readonly #attempt: CompactionAttempt;
  readonly #memory: ThreadMemory;
  readonly #inputHistory: readonly unknown[];
  readonly #answered: (items: readonly unknown[]) => void;

  constructor(
    compaction: Compaction,
    attempt: CompactionAttempt,
    memory: ThreadMemory,
    inputHistory: readonly unknown[],
    answered: (items: readonly unknown[]) => void,
  ) {
    this.#compaction = compaction;
    this.#attempt = attempt;
    this.#memory = memory;
    this.#inputHistory = inputHistory;
    this.#answered = answered;
  }

  /** The shorter history arrived. It is installed with the first request that begins with it. */
  complete(received: readonly unknown[]): void {
    // What is left of the history are calls the thread was told of, not new ones.
    const items = this.#memory.calls.sent(received);
    this.#attempt.complete(items);
    this.#memory.compacted({
      compaction: this.#compaction,
      inputHistory: this.#inputHistory,
      replacementHistory: items,
    });
    this.#answered(items);
  }

  /** The request failed. */
  fail(error: unknown): void {
    this.#attempt.fail(error);
  }
}
