/**
 * A fetch whose answers are given up once they ask for too much memory: the client of the service collects an event of
 * a stream, or the body of any other answer, until it is complete.
 */

import { ModelFailure } from './failure.ts';

/** An image of 20 MB in base64 and much beside it. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What ends an event of a stream (WHATWG HTML, 9.2.6). */
const EVENT_ENDS = ['\n\n', '\r\n\r\n', '\r\r'] as const;

/** @param maxBytes of one event, or of a body that is no stream of events */
export function boundedFetch(fetch: typeof globalThis.fetch, maxBytes: number): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { body, status, statusText, headers } = response;
    if (body === null) return response;
    const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
    return new Response(body.pipeThrough(bounded(isStream, maxBytes)), { status, statusText, headers });
  };
}

function bounded(isStream: boolean, maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let pending = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const ended = isStream ? endOfEvents(chunk) : 0;
      pending = ended > 0 ? chunk.length - ended : pending + chunk.length;
      if (pending <= maxBytes) controller.enqueue(chunk);
      else {
        const what = isStream ? 'an event' : 'an answer';
        controller.error(new ModelFailure(`The service sent ${what} of more than ${maxBytes} bytes.`, 'final'));
      }
    },
  });
}

/** Behind the last event that ends in this piece; 0 where none does. An end that two pieces share goes unseen. */
function endOfEvents(chunk: Uint8Array): number {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let behind = 0;
  for (const end of EVENT_ENDS) {
    const at = bytes.lastIndexOf(end);
    if (at >= 0) behind = Math.max(behind, at + end.length);
  }
  return behind;
}
