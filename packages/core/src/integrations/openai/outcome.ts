/**
 * How one request ended, put together from what comes back: a whole body, or the events of a stream, for responses, and
 * for chat completions. Each outcome tells its call once.
 */

import { formatItem } from '../session/format-items.ts';
import { isMembers, listOf, type Members, membersOf, textOrNull } from '../session/json.ts';
import type { ModelCall, ModelOutput } from '../session/model-call.ts';
import { tokenUsage } from '../session/usage.ts';
import { ChatMessages } from './chat-messages.ts';

/** Hears what comes back for one request. */
export interface Outcome {
  /** An event of the stream. */
  event(name: string | null, data: string): void;
  /** The body, where it is not streamed. */
  body(body: Members): void;
  /** The stream is over. */
  end(): void;
  fail(error: unknown): void;
  cancel(reason: unknown): void;
}

/** The events of a stream that say something: all others are pieces of what these say again whole. */
const TELLING = new Set([
  'response.created',
  'response.output_item.done',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'error',
]);
const FIRST_TYPE = /"type"\s*:\s*"((?:response\.[a-z_.]+)|error)"/;
/** A server may name every event the same, `message`, and say what it is in the data only. */
const isType = (name: string): boolean => name === 'error' || name.startsWith('response.');
const IN_BACKGROUND = 'the service goes on in the background; what becomes of this response was not observed';
const CUT_OFF = 'the stream ended before the response did';

/** The outcome of a request for a response. */
export class ResponseOutcome implements Outcome {
  readonly #call: ModelCall;
  readonly #requestId: string | null;
  readonly #note: (sentence: string) => void;
  readonly #items: unknown[] = [];
  #id: string | null = null;

  /** @param note takes what the trace has no place for */
  constructor(call: ModelCall, requestId: string | null, note: (sentence: string) => void) {
    this.#call = call;
    this.#requestId = requestId;
    this.#note = note;
  }

  event(name: string | null, data: string): void {
    const type = name !== null && isType(name) ? name : FIRST_TYPE.exec(data)?.[1];
    if (type !== undefined && !TELLING.has(type)) return;
    const event: unknown = JSON.parse(data);
    if (!isMembers(event)) return;
    const { response } = event;
    switch (event.type) {
      case 'response.created':
        this.#id = textOrNull(membersOf(response).id);
        break;
      case 'response.output_item.done':
        this.#items.push(event.item);
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.body(membersOf(response));
        break;
      case 'error':
        this.fail(errorMessage(isMembers(event.error) ? event.error : event));
        break;
      default:
    }
  }

  body(response: Members): void {
    const { status, output, error, usage } = response;
    this.#id = textOrNull(response.id) ?? this.#id;
    const items = listOf(output).length > 0 ? listOf(output) : this.#items;
    const told = this.#output(items, usage);
    if (status === 'failed') this.#call.fail(errorMessage(error), told);
    else if (status === 'cancelled') this.#call.cancel('the service cancelled the response', told);
    else if (status === 'queued' || status === 'in_progress') this.#call.cancel(IN_BACKGROUND, told);
    else {
      if (status === 'incomplete') {
        const reason = textOrNull(membersOf(response.incomplete_details).reason) ?? 'no reason was given';
        this.#note(`response ${this.#id ?? 'without an id'} is incomplete: ${reason}`);
      }
      this.#call.complete(told);
    }
  }

  end(): void {
    this.fail(CUT_OFF);
  }

  fail(error: unknown): void {
    this.#call.fail(error, this.#output(this.#items, undefined));
  }

  cancel(reason: unknown): void {
    this.#call.cancel(reason, this.#output(this.#items, undefined));
  }

  #output(items: readonly unknown[], usage: unknown): ModelOutput {
    return {
      responseId: this.#id,
      upstreamRequestId: this.#requestId,
      tokenUsage: tokenUsage(usage),
      outputItems: items.map(formatItem),
    };
  }
}

/** The outcome of a request for a chat completion. */
export class ChatOutcome implements Outcome {
  readonly #call: ModelCall;
  readonly #requestId: string | null;
  readonly #messages = new ChatMessages();

  constructor(call: ModelCall, requestId: string | null) {
    this.#call = call;
    this.#requestId = requestId;
  }

  event(_name: string | null, data: string): void {
    if (data === '[DONE]') {
      this.#finish(this.#messages.begun);
      return;
    }
    const chunk: unknown = JSON.parse(data);
    if (!isMembers(chunk)) return;
    if (isMembers(chunk.error)) this.fail(errorMessage(chunk.error));
    else this.#messages.chunk(chunk);
  }

  body(completion: Members): void {
    this.#messages.whole(completion);
    this.#finish(this.#messages.finished);
  }

  end(): void {
    this.#finish(this.#messages.finished);
  }

  fail(error: unknown): void {
    this.#call.fail(error, this.#output());
  }

  cancel(reason: unknown): void {
    this.#call.cancel(reason, this.#output());
  }

  #finish(isWhole: boolean): void {
    if (isWhole) this.#call.complete(this.#output());
    else this.fail(CUT_OFF);
  }

  #output(): ModelOutput {
    const { id, usage } = this.#messages;
    return {
      responseId: id,
      upstreamRequestId: this.#requestId,
      tokenUsage: tokenUsage(usage),
      outputItems: this.#messages.items(),
    };
  }
}

/** What an `error` member says. */
export function errorMessage(error: unknown): string {
  const { message, code } = membersOf(error);
  return textOrNull(message) ?? textOrNull(code) ?? 'the service gave no reason';
}
