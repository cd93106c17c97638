/**
 * A fetch whose answers are given up once they ask for too much memory: the client of the service collects an event of
 * a stream, or the body of any other answer, until it is complete.
 */

import { ModelFailure } from './failure.ts';

/** An image of 20 MB in base64 and much beside it. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What ends an event of a stream (WHATWG HTML, 9.2.6). */
const EVENT_ENDS = ['\n\n', '\r\n\r\n', '\r\r'] as const;
/** So much of an end may stand in one piece while its last byte is in the next. */
const SHARED_BYTES = 3;

/** No response with a body can be made with one of these, nor with one that is none, which services send too. */
const BODILESS = [204, 205, 304];

/** @param maxBytes of one event, or of a body that is no stream of events */
export function boundedFetch(fetch: typeof globalThis.fetch, maxBytes: number): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { body, status, statusText, headers } = response;
    // Another fetch than that of the platform may give other streams than those.
    if (!(body instanceof ReadableStream) || !canBeMade(status)) return response;
    const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
    return new Response(body.pipeThrough(bounded(isStream, maxBytes)), { status, statusText, headers });
  };
}

function canBeMade(status: number): boolean {
  return status >= 200 && status <= 599 && !BODILESS.includes(status);
}

function bounded(isStream: boolean, maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let pending_bytes = 0;
  let last: Uint8Array = new Uint8Array();
  return new TransformStream({
    transform(chunk, controller) {
      const ended = isStream ? endOfEvents(last, chunk) : null;
      pending_bytes = ended === null ? pending_bytes + chunk.length : chunk.length - ended;
      if (isStream) last = Buffer.concat([last, chunk.subarray(-SHARED_BYTES)]).subarray(-SHARED_BYTES);
      if (pending_bytes <= maxBytes) controller.enqueue(chunk);
      else {
        const what = isStream ? 'an event' : 'an answer';
        controller.error(new ModelFailure(`The service sent ${what} of more than ${maxBytes} bytes.`, 'final'));
      }
    },
  });
}

/** Behind the last event that ends in a piece of a stream, whose end may have begun before it; null where none does. */
function endOfEvents(before: Uint8Array, chunk: Uint8Array): number | null {
  const bytes = Buffer.concat([before, chunk]);
  const behind = Math.max(...EVENT_ENDS.map((end) => lastEnd(bytes, end)));
  return behind > before.length ? behind - before.length : null;
}

function lastEnd(bytes: Buffer, end: string): number {
  const at = bytes.lastIndexOf(end);
  return at < 0 ? 0 : at + end.length;
}
