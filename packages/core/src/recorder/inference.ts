/**
 * Calls of a model. A turn asks through a context; every upstream request is one attempt with an id of its own, which
 * travels in a header so that both sides can be joined. Not here: what a request holds (the host's body, as sent).
 */

import { errorText } from './diagnostics.ts';
import { list, optionalText, type Payload, PayloadDraft, text } from './event-draft.ts';
import { type Journal, OFF, type Scope } from './journal.ts';

/** Which model answers. */
export interface InferenceOptions {
  model: string;
  providerName: string;
}

/** Tokens as the provider counted them; written as they stand. */
export interface TokenUsage {
  input_tokens: number;
  cached_input_tokens: number;
  cache_write_input_tokens: number;
  output_tokens: number;
  reasoning_output_tokens: number;
  total_tokens: number;
}

/** What came back, whole or in part. Items are completed items, not stream deltas, as they were received. */
export interface InferenceOutput {
  responseId?: string | null;
  /** The provider's id of the HTTP request. */
  upstreamRequestId?: string | null;
  tokenUsage?: TokenUsage | null;
  outputItems?: Payload<readonly unknown[]>;
}

/** The request header that carries the id of an attempt. */
export const INFERENCE_CALL_HEADER = 'x-codex-inference-call-id';

/** The model calls of a turn. */
export class InferenceContext {
  static readonly disabled: InferenceContext = new InferenceContext(OFF, null, null);

  readonly #journal: Journal;
  readonly #scope: Scope | null;
  readonly #options: InferenceOptions | null;

  /** Use `Turn.inference`. */
  constructor(journal: Journal, scope: Scope | null, options: InferenceOptions | null) {
    this.#journal = journal;
    this.#scope = scope;
    this.#options = options;
  }

  /**
   * Begins an attempt, just before the request is sent.
   *
   * @param request the body as it is sent: `input` holds the whole history, or what is new behind `previous_response_id`
   */
  start(request: Payload): InferenceAttempt {
    const journal = this.#journal;
    const scope = this.#scope;
    if (!journal.on || scope === null) return InferenceAttempt.disabled;
    const begin = (): InferenceAttempt => {
      const id = journal.newId();
      if (journal.overloaded()) return new InferenceAttempt(journal.orphans, scope, id);
      const recorded = journal.write('inference_started', scope, () => ({
        inference_call_id: id,
        thread_id: scope.threadId ?? '',
        codex_turn_id: scope.turnId ?? '',
        model: text(this.#options?.model, 'model'),
        provider_name: text(this.#options?.providerName, 'providerName'),
        request_payload: new PayloadDraft('inference_request', request, 'request'),
      }));
      return new InferenceAttempt(recorded ? journal : journal.orphans, scope, id);
    };
    return journal.guard((lost) => new InferenceAttempt(lost, scope, ''), begin);
  }
}

/** One upstream request. The first of `complete`, `fail` and `cancel` counts; later ones are ignored and counted. */
export class InferenceAttempt {
  static readonly disabled: InferenceAttempt = new InferenceAttempt(OFF, null, '');

  readonly id: string;
  readonly #journal: Journal;
  readonly #scope: Scope | null;
  #open = true;

  /** Use {@link InferenceContext.start}. */
  constructor(journal: Journal, scope: Scope | null, id: string) {
    this.id = id;
    this.#journal = journal;
    this.#scope = scope;
  }

  /** Headers to send along; empty where nothing is recorded. */
  get headers(): Record<string, string> {
    return this.id === '' ? {} : { [INFERENCE_CALL_HEADER]: this.id };
  }

  /** The response arrived whole. */
  complete(output: InferenceOutput): void {
    const scope = this.#end();
    if (scope === null) return;
    this.#journal.write('inference_completed', scope, () => ({
      inference_call_id: this.id,
      response_id: optionalText(output.responseId, 'responseId'),
      upstream_request_id: optionalText(output.upstreamRequestId, 'upstreamRequestId'),
      response_payload: responsePayload(output),
    }));
  }

  /** The request failed. Items that had arrived are kept. */
  fail(error: unknown, output: InferenceOutput = {}): void {
    const scope = this.#end();
    if (scope === null) return;
    this.#journal.write('inference_failed', scope, () => ({
      inference_call_id: this.id,
      upstream_request_id: optionalText(output.upstreamRequestId, 'upstreamRequestId'),
      error: errorText(error),
      partial_response_payload: partialResponse(output),
    }));
  }

  /** The host gave up on the response. Items that had arrived are kept. */
  cancel(reason: unknown, output: InferenceOutput = {}): void {
    const scope = this.#end();
    if (scope === null) return;
    this.#journal.write('inference_cancelled', scope, () => ({
      inference_call_id: this.id,
      upstream_request_id: optionalText(output.upstreamRequestId, 'upstreamRequestId'),
      reason: errorText(reason),
      partial_response_payload: partialResponse(output),
    }));
  }

  /** Goes through the door; null where nothing is to be written. */
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

function responsePayload(output: InferenceOutput): PayloadDraft {
  return new PayloadDraft('inference_response', () => response(output, outputItems(output)));
}

/** A partial response is evidence only if an item had arrived. */
function partialResponse(output: InferenceOutput): PayloadDraft | null {
  const items = outputItems(output);
  return items.length === 0 ? null : new PayloadDraft('inference_response', response(output, items));
}

function response(output: InferenceOutput, items: readonly unknown[]): object {
  return {
    response_id: output.responseId ?? null,
    upstream_request_id: output.upstreamRequestId ?? null,
    token_usage: output.tokenUsage ?? null,
    output_items: items,
  };
}

function outputItems({ outputItems: items = [] }: InferenceOutput): readonly unknown[] {
  return list(typeof items === 'function' ? items() : items, 'outputItems');
}
