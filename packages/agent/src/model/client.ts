/**
 * Requests to the model: one upstream request per call, recorded as one attempt from its body to its end.
 *
 * Not here: when to ask again (`thread/turn.ts`, `thread/compaction.ts`), what stands in a body (`request.ts`).
 */

import type {
  CompactionAttempt,
  InferenceAttempt,
  InferenceOutput,
  TokenUsage,
} from '@rollout-trace/core/recorder/node';
import type OpenAI from 'openai';
import type {
  ResponseCompactParams,
  ResponseCreateParamsStreaming,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { boundedFetch, MAX_ANSWER_BYTES } from './bounded-fetch.ts';
import { failureOf, ModelFailure, pageFailure, streamFailure } from './failure.ts';
import { IdleGuard } from './idle-guard.ts';
import { type Item, isItem } from './item.ts';
import type { RecordedItems } from './recorded.ts';
import type { RequestBody } from './request.ts';
import { tokenUsage } from './usage.ts';

/** Hears what comes in, in order, before the answer is complete. */
export interface StreamListener {
  /** An item is complete. */
  item(item: Item): void;
  /** A piece of the assistant's text. */
  text(delta: string): void;
}

/** How one request ended. */
export type Answer =
  | { status: 'completed'; responseId: string; usage: TokenUsage | null }
  | { status: 'failed'; failure: ModelFailure }
  | { status: 'cancelled' };

/** How one request for a compaction ended. */
export type CompactionAnswer =
  | { status: 'completed'; items: readonly Item[] }
  | { status: 'failed'; failure: ModelFailure }
  | { status: 'cancelled' };

/** A server that keeps a connection open behind the end of a response is not waited for. */
const DRAIN_MS = 250;

/** Asks one model service. */
export class ModelClient {
  readonly #client: OpenAI;
  readonly #recorded: RecordedItems;
  readonly #idle_ms: number;

  /**
   * @param recorded says how what comes in is recorded
   * @param idle_ms how long a stream may say nothing before it counts as lost
   * @param maxAnswerBytes how large an event of a stream may be, and any other answer
   */
  constructor(client: OpenAI, recorded: RecordedItems, idle_ms: number, maxAnswerBytes: number = MAX_ANSWER_BYTES) {
    // Every upstream request is an attempt of its own: the client must not repeat one by itself, nor print.
    this.#client = client.withOptions({
      maxRetries: 0,
      logLevel: 'off',
      fetch: boundedFetch(fetchOf(client), maxAnswerBytes),
    });
    this.#recorded = recorded;
    this.#idle_ms = idle_ms;
  }

  /** Sends a request and hears its answer to the end. The attempt is over when this is. */
  async respond(
    body: RequestBody,
    attempt: InferenceAttempt,
    signal: AbortSignal,
    listener: StreamListener,
  ): Promise<Answer> {
    const guard = new IdleGuard(signal, this.#idle_ms);
    const items: Item[] = [];
    const output: InferenceOutput = { upstreamRequestId: null, outputItems: items };
    let end: Answer | null = null;
    const finish = (answer: Answer): void => {
      end = answer;
      guard.restart(DRAIN_MS);
    };
    const fail = (failure: ModelFailure): void => {
      attempt.fail(failure, output);
      finish({ status: 'failed', failure });
    };
    try {
      signal.throwIfAborted();
      const { data: stream, response } = await this.#client.responses
        .create(body as unknown as ResponseCreateParamsStreaming, { headers: attempt.headers, signal: guard.signal })
        .withResponse();
      output.upstreamRequestId = response.headers.get('x-request-id');
      if (response.headers.get('content-type')?.startsWith('text/html') === true) {
        stream.controller.abort();
        throw pageFailure();
      }
      for await (const event of stream) {
        // An event may be null, whatever the types say.
        if (end !== null || event === null) continue;
        signal.throwIfAborted();
        guard.restart(this.#idle_ms);
        switch (event.type) {
          case 'response.output_item.done': {
            const item = itemOf(event);
            items.push(this.#recorded.received(item));
            listener.item(item);
            break;
          }
          case 'response.output_text.delta':
            if (typeof event.delta === 'string') listener.text(event.delta);
            break;
          case 'response.completed': {
            const response = responseOf(event);
            const { id: responseId } = response;
            const usage = tokenUsage(response.usage);
            attempt.complete({ ...output, responseId, tokenUsage: usage });
            finish({ status: 'completed', responseId, usage });
            break;
          }
          case 'response.failed': {
            const { error } = responseOf(event);
            const message = typeof error?.message === 'string' ? error.message : 'The model failed without saying why.';
            fail(streamFailure(error?.code, message));
            break;
          }
          case 'response.incomplete': {
            const reason = responseOf(event).incomplete_details?.reason ?? 'unknown';
            fail(new ModelFailure(`The response is incomplete, reason: ${reason}`, 'final'));
            break;
          }
        }
      }
      // The client ends a stream that was aborted as if it were over.
      if (end === null && !signal.aborted) {
        const message = guard.expired
          ? `The model said nothing for ${this.#idle_ms} ms.`
          : 'The stream ended before the response did.';
        fail(new ModelFailure(message, 'retry'));
      }
    } catch (error) {
      if (end === null && !signal.aborted) {
        if (guard.expired) fail(new ModelFailure(`The model said nothing for ${this.#idle_ms} ms.`, 'retry'));
        else {
          const failure = failureOf(error);
          output.upstreamRequestId ??= requestIdOf(error);
          fail(failure);
        }
      }
    } finally {
      guard.stop();
    }
    if (end !== null) return end;
    attempt.cancel('interrupted', output);
    return { status: 'cancelled' };
  }

  /** Asks for a shorter history. The attempt is over when this is. */
  async compact(body: RequestBody, attempt: CompactionAttempt, signal: AbortSignal): Promise<CompactionAnswer> {
    try {
      signal.throwIfAborted();
      const { output } = await this.#client.responses.compact(body as unknown as ResponseCompactParams, { signal });
      const items: unknown = output;
      if (!Array.isArray(items) || !items.every(isItem))
        throw new ModelFailure('What the service made of the history is no list of items.', 'final');
      attempt.complete(this.#recorded.items(items));
      return { status: 'completed', items };
    } catch (error) {
      if (signal.aborted) {
        attempt.fail('interrupted');
        return { status: 'cancelled' };
      }
      const failure = failureOf(error);
      attempt.fail(failure);
      return { status: 'failed', failure };
    }
  }
}

/** What the client asks with: a host that gives a client may have given it a way of its own. */
function fetchOf(client: OpenAI): typeof globalThis.fetch {
  const fetch: unknown = Reflect.get(client, 'fetch');
  return isFetch(fetch) ? fetch : globalThis.fetch;
}

function isFetch(value: unknown): value is typeof globalThis.fetch {
  return typeof value === 'function';
}

/** The client's types know fewer items than services send; an item is kept as it came. @throws where it is none */
function itemOf({ type, item }: Extract<ResponseStreamEvent, { type: 'response.output_item.done' }>): Item {
  const given: unknown = item;
  if (!isItem(given)) throw unreadable(type);
  return given;
}

/** What an event says the response is. The types promise it, not the service. @throws where it says nothing */
function responseOf<T>({ type, response }: { type: string; response: T }): T {
  if (typeof response !== 'object' || response === null) throw unreadable(type);
  return response;
}

function unreadable(type: string): ModelFailure {
  return new ModelFailure(`The service sent an event ${type} that cannot be read.`, 'retry');
}

function requestIdOf(error: unknown): string | null {
  return error instanceof Error && 'requestID' in error && typeof error.requestID === 'string' ? error.requestID : null;
}
