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

/** The response with its body observed. Null where it has none that can be; then it is as it was. */
export function observeBody(response: Response, watcher: BodyWatcher): Response | null {
  const { body } = response;
  if (body === null || typeof body.getReader !== 'function' || body.locked) return null;
  let reader: ReadableStreamDefaultReader<unknown> | null = null;
  /** Null where the body is over. Told to the watcher by whoever hands it on, once the host has it. */
  const next = async (): Promise<{ value: unknown } | null> => {
    try {
      const read = await reader?.read();
      return read === undefined || read.done ? null : { value: read.value };
    } catch (error) {
      quietly(undefined, () => watcher.broke(error));
      throw error;
    }
  };
  const ended = (): void => quietly(undefined, () => watcher.end());
  const cancel = async (reason: unknown): Promise<void> => {
    quietly(undefined, () => watcher.cancelled(reason));
    await reader?.cancel(reason);
  };
  const observed = takesBuffers(body)
    ? new ReadableStream({
        type: 'bytes',
        async pull(controller) {
          const read = await next();
          if (read === null) {
            controller.close();
            // A reader that brought its own buffer waits for it to be given back.
            controller.byobRequest?.respond(0);
            ended();
          } else if (read.value instanceof Uint8Array) {
            // What is enqueued is taken away, buffer and all.
            const copy = read.value.slice();
            controller.enqueue(read.value);
            quietly(undefined, () => watcher.chunk(copy));
          }
        },
        cancel,
      })
    : new ReadableStream(
        {
          async pull(controller) {
            const read = await next();
            if (read === null) {
              controller.close();
              ended();
              return;
            }
            controller.enqueue(read.value);
            quietly(undefined, () => {
              const bytes = bytesOf(read.value);
              if (bytes !== null) watcher.chunk(bytes);
            });
          },
          cancel,
        },
        // Nothing is read ahead.
        { highWaterMark: 0 },
      );
  const { status, statusText, headers } = response;
  // Throws where a server said what nobody may construct, such as a status of 999. The body is not taken before.
  const seen = asReceived(new Response(observed, { status, statusText, headers }), response);
  reader = body.getReader();
  return seen;
}

type Received = Pick<Response, 'url' | 'redirected' | 'type'>;

/** Says of itself what the response that was received says, and so do its clones; like that, it lists none of it. */
function asReceived(made: Response, { url, redirected, type }: Received): Response {
  const clone = (): Response => asReceived(Response.prototype.clone.call(made), { url, redirected, type });
  for (const [name, value] of Object.entries({ url, redirected, type, clone })) {
    Object.defineProperty(made, name, { value, configurable: true });
  }
  return made;
}

/** Whether it is a stream of bytes, as that of a network is. One a program made may hold anything, shared memory too. */
function takesBuffers(body: ReadableStream): boolean {
  try {
    const reader = body.getReader({ mode: 'byob' });
    reader.releaseLock();
    return reader instanceof ReadableStreamBYOBReader;
  } catch {
    return false;
  }
}

/** A copy, for the host may do with its own what it likes. */
export function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return typeof value === 'string' ? new TextEncoder().encode(value) : null;
}
