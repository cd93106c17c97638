/** Compactions: the requests that ask for a shorter history, and the checkpoint where it becomes live. */

import { errorText } from './diagnostics.ts';
import { list, type Payload, PayloadDraft, text } from './event-draft.ts';
import { type Journal, OFF, type Scope } from './journal.ts';

/** Which model compacts. */
export interface CompactionOptions {
  model: string;
  providerName: string;
  /** One is made where it is left out. */
  compactionId?: string;
}

/** The two histories of a checkpoint. */
export interface CompactionCheckpoint {
  inputHistory: readonly unknown[];
  replacementHistory: readonly unknown[];
}

/** One compaction of a thread's history. */
export class Compaction {
  static readonly disabled: Compaction = new Compaction(OFF, null, null);

  readonly id: string;
  readonly #journal: Journal;
  readonly #scope: Scope | null;
  readonly #options: CompactionOptions | null;
  #installed = false;

  /** Use `Turn.compaction`. */
  constructor(journal: Journal, scope: Scope | null, options: CompactionOptions | null) {
    this.id = journal.on ? journal.unique('compaction', options?.compactionId ?? journal.newId()) : '';
    this.#journal = journal;
    this.#scope = scope;
    this.#options = options;
  }

  /** Begins one upstream request. */
  start(request: Payload): CompactionAttempt {
    const journal = this.#journal;
    const scope = this.#scope;
    if (!journal.on || scope === null) return CompactionAttempt.disabled;
    const begin = (): CompactionAttempt => {
      const id = journal.newId();
      const recorded = journal.write('compaction_request_started', scope, () => ({
        compaction_id: text(this.id, 'compactionId'),
        compaction_request_id: id,
        thread_id: scope.threadId ?? '',
        codex_turn_id: scope.turnId ?? '',
        model: text(this.#options?.model, 'model'),
        provider_name: text(this.#options?.providerName, 'providerName'),
        request_payload: new PayloadDraft('compaction_request', request, 'side_request'),
      }));
      return new CompactionAttempt(recorded ? journal : journal.orphans, scope, this.id, id);
    };
    return journal.guard((lost) => new CompactionAttempt(lost, scope, this.id, ''), begin);
  }

  /** The new history became live. Once per compaction. */
  install(checkpoint: Payload<CompactionCheckpoint>): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    if (this.#installed) {
      this.#journal.late();
      return;
    }
    this.#installed = true;
    this.#journal.write('compaction_installed', scope, () => ({
      compaction_id: text(this.id, 'compactionId'),
      checkpoint_payload: new PayloadDraft('compaction_checkpoint', () => histories(checkpoint), 'checkpoint'),
    }));
  }
}

/** One upstream request of a compaction. The first of `complete` and `fail` counts. */
export class CompactionAttempt {
  static readonly disabled: CompactionAttempt = new CompactionAttempt(OFF, null, '', '');

  readonly id: string;
  readonly #journal: Journal;
  readonly #scope: Scope | null;
  readonly #compactionId: string;
  #open = true;

  /** Use {@link Compaction.start}. */
  constructor(journal: Journal, scope: Scope | null, compactionId: string, id: string) {
    this.id = id;
    this.#journal = journal;
    this.#scope = scope;
    this.#compactionId = compactionId;
  }

  /** The response arrived whole. */
  complete(outputItems: Payload<readonly unknown[]>): void {
    const scope = this.#end();
    if (scope === null) return;
    this.#journal.write('compaction_request_completed', scope, () => ({
      compaction_id: this.#compactionId,
      compaction_request_id: this.id,
      response_payload: new PayloadDraft('compaction_response', () => ({
        output_items: list(typeof outputItems === 'function' ? outputItems() : outputItems, 'outputItems'),
      })),
    }));
  }

  /** The request failed. */
  fail(error: unknown): void {
    const scope = this.#end();
    if (scope === null) return;
    this.#journal.write('compaction_request_failed', scope, () => ({
      compaction_id: this.#compactionId,
      compaction_request_id: this.id,
      error: errorText(error),
    }));
  }

  #end(): Scope | null {
    if (!this.#journal.on) return null;
    if (this.#open) {
      this.#open = false;
      return this.#scope;
    }
    this.#journal.late();
    return null;
  }
}

function histories(checkpoint: Payload<CompactionCheckpoint>): object {
  const { inputHistory, replacementHistory } = typeof checkpoint === 'function' ? checkpoint() : checkpoint;
  return {
    input_history: list(inputHistory, 'inputHistory'),
    replacement_history: list(replacementHistory, 'replacementHistory'),
  };
}
