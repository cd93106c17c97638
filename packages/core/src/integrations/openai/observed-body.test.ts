import { describe, expect, it } from 'vitest';
import { type BodyWatcher, observeBody } from './observed-body.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const ONE = bytes('one');

function watcher(): { told: string[]; watcher: BodyWatcher } {
  const told: string[] = [];
  return {
    told,
    watcher: {
      chunk: (bytes) => told.push(new TextDecoder().decode(bytes)),
      end: () => told.push('end'),
      broke: (error) => told.push(`broke: ${error}`),
      cancelled: (reason) => told.push(`cancelled: ${reason}`),
    },
  };
}

function made(...chunks: unknown[]): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk as Uint8Array);
        controller.close();
      },
    }),
  );
}

async function chunksOf(response: Response | null): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of response?.body ?? []) chunks.push(chunk);
  return chunks;
}

describe('the body of a response a program made', () => {
  it.each([
    // Small buffers share their memory, which must not be taken away.
    ['buffers', [Buffer.from('one'), Buffer.from('two')], ['one', 'two']],
    ['the same bytes twice', [ONE, ONE, ONE], ['one', 'one', 'one']],
    ['texts', ['one', 'ü'], ['one', 'ü']],
    ['nothing now and then', [new Uint8Array(0), bytes('one'), new Uint8Array(0)], ['', 'one', '']],
    ['what is no part of a body', [7, null, bytes('one')], ['one']],
  ])('may come as %s: the host gets them as they are', async (_what, chunks, seen) => {
    const { told, watcher: watching } = watcher();
    expect(await chunksOf(observeBody(made(...chunks), watching))).toEqual(chunks);
    expect(told).toEqual([...seen, 'end']);
  });
});

it('a body that breaks breaks for the host with the same error', async () => {
  const boom = new Error('boom');
  const { told, watcher: watching } = watcher();
  const body = new ReadableStream({ pull: (controller) => controller.error(boom) });
  await expect(observeBody(new Response(body), watching)?.text()).rejects.toBe(boom);
  expect(told).toEqual(['broke: Error: boom']);
});

it('a response and its clones say where it came from, and list no more than one that is not observed', async () => {
  const received = await fetch('data:text/plain,hello');
  const { told, watcher: watching } = watcher();
  const seen = observeBody(received, watching);
  const clone = seen?.clone();
  const again = clone?.clone();
  for (const response of [seen, clone, again]) {
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({ url: 'data:text/plain,hello', type: 'basic', redirected: false });
    expect(Object.keys(response ?? { none: 1 })).toEqual(Object.keys(received));
    expect(JSON.stringify(response)).toBe(JSON.stringify(received));
    expect(await response?.text()).toBe('hello');
  }
  expect(told).toEqual(['hello', 'end']);
});

it('a response that nobody may construct keeps its body', async () => {
  const response = Object.defineProperty(made(bytes('no')), 'status', { value: 999 });
  expect(() => observeBody(response, watcher().watcher)).toThrow(RangeError);
  expect(await response.text()).toBe('no');
});
