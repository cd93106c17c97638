/**
 * A response whose body somebody else reads as well, without the host noticing: the same bytes in the same pieces, asked
 * for only when the host asks, and given up when the host gives up. What is observed is observed after the host has it.
 */

import { quietly } from '../session/quietly.ts';

/** Hears what passes. */
export interface BodyWatcher {
  /** The bytes are the watcher's own. */
  chunk(bytes: Uint8Array): void;
  end(): void;
  /** The connection broke, or the host aborted the request. */
  broke(error: unknown): void;
  /** The host stopped reading. */
  cancelled(reason: unknown): void;
}

/** The response with its body observed. Null where it has none that can be. */
export function observeBody(response: Response, watcher: BodyWatcher): Response | null {
  const { body } = response;
  if (body === null || typeof body.getReader !== 'function' || body.locked) return null;
  const reader = body.getReader();
  const observed = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      let read: { done: boolean; value?: Uint8Array | undefined };
      try {
        read = await reader.read();
      } catch (error) {
        quietly(undefined, () => watcher.broke(error));
        throw error;
      }
      if (read.done) {
        controller.close();
        // A reader that brought its own buffer waits for it to be given back.
        controller.byobRequest?.respond(0);
        quietly(undefined, () => watcher.end());
      } else if (read.value !== undefined && read.value.byteLength > 0) {
        // What is enqueued is taken away, buffer and all.
        const copy = read.value.slice();
        controller.enqueue(read.value);
        quietly(undefined, () => watcher.chunk(copy));
      }
    },
    async cancel(reason) {
      quietly(undefined, () => watcher.cancelled(reason));
      await reader.cancel(reason);
    },
  });
  const { status, statusText, headers, url, redirected, type } = response;
  const seen = new Response(observed, { status, statusText, headers });
  for (const [name, value] of Object.entries({ url, redirected, type })) {
    Object.defineProperty(seen, name, { value, configurable: true, enumerable: true });
  }
  return seen;
}
