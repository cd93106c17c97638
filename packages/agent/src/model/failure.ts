/** What went wrong with a request to the model, and whether asking again may help. */

import { APIConnectionError, APIError } from 'openai';

/** `retry`: the same request may succeed later. `unknown_response`: the service has lost the previous response. */
export type FailureKind = 'retry' | 'final' | 'unknown_response';

/** A request to the model failed. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly kind: FailureKind;
  /** How long the service asks to be left alone; null where it does not say. */
  readonly retryAfter_ms: number | null;
  constructor(message: string, kind: FailureKind, options: { cause?: unknown; retryAfter_ms?: number | null } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAfter_ms = options.retryAfter_ms ?? null;
  }
}

/** Codes of an error inside a stream after which the service may well answer. */
const PASSING_CODES = new Set(['server_error', 'rate_limit_exceeded', 'vector_store_timeout', 'overloaded']);

const MEANT = 'is this the address of a model service?';

/** The failure an exception of the client stands for. */
export function failureOf(error: unknown): ModelFailure {
  if (error instanceof ModelFailure) return error;
  const message = textOf(error);
  if (error instanceof SyntaxError) {
    return new ModelFailure(`The model sent an event that is no JSON: ${message}`, 'retry', { cause: error });
  }
  // Ports that no client asks; the next attempt would not either.
  if (message.includes('bad port')) {
    return new ModelFailure(`The address of the model has a port that is not allowed: ${message}`, 'final', {
      cause: error,
    });
  }
  if (!(error instanceof APIError) || error instanceof APIConnectionError) {
    return new ModelFailure(`The connection to the model was lost: ${message}`, 'retry', { cause: error });
  }
  if (error.status === undefined) return streamFailure(error.code, message, error);
  const told = /^\d+ \s*<(?:!doctype|html)\b/i.test(message) ? `${error.status} and a web page: ${MEANT}` : message;
  return new ModelFailure(told, kindOf(error), { cause: error, retryAfter_ms: retryAfterOf(error.headers) });
}

/** The failure that an error inside a stream stands for. */
export function streamFailure(code: string | null | undefined, message: string, cause?: unknown): ModelFailure {
  const passing = code === null || code === undefined || PASSING_CODES.has(code);
  return new ModelFailure(message, passing ? 'retry' : 'final', { cause });
}

function kindOf({ status, code, message }: APIError): FailureKind {
  if (status === undefined) return 'retry';
  if (code === 'previous_response_not_found' || /previous response.* not found/i.test(message)) {
    return 'unknown_response';
  }
  if (status === 429) return code === 'insufficient_quota' ? 'final' : 'retry';
  return status === 408 || status >= 500 ? 'retry' : 'final';
}

function retryAfterOf(headers: Headers | undefined): number | null {
  const seconds = Number(headers?.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** The service that answers with a page for people is not the service that was meant. */
export function pageFailure(): ModelFailure {
  return new ModelFailure(`The service answered with a web page: ${MEANT}`, 'final');
}

/** The message of an error with that of the cause behind it all, which says what really happened to a connection. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  let cause: Error = error;
  while (cause.cause instanceof Error) cause = cause.cause;
  return cause === error || cause.message === '' ? error.message : `${error.message} (${cause.message})`;
}
