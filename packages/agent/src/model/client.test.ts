import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRollout } from '@rollout-trace/core/recorder/node';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ModelClient } from './client.ts';
import { assistantText, type Item } from './item.ts';

const MAX_ANSWER_BYTES = 1_000_000;
const COMPLETED = { type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [] } };

/** A client of a service that answers whatever it is asked with this. */
async function served(type: string, body: string): Promise<ModelClient> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': type }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new ModelClient(new OpenAI({ apiKey: 'k', baseURL }), 60_000, MAX_ANSWER_BYTES);
}

async function respond(...events: ({ type: string } | null)[]) {
  const body = events.map((event) => `event: ${event?.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  const client = await served('text/event-stream', body);
  const attempt = startRollout({ root: null })
    .root.startTurn()
    .inference({ model: 'm', providerName: 'p' })
    .start(() => ({}));
  const heard: unknown[] = [];
  const answer = await client.respond({ model: 'm', stream: true }, attempt, AbortSignal.timeout(60_000), {
    item: (item) => heard.push(item),
    text: (delta) => heard.push(delta),
  });
  return { heard, answer };
}

describe('a service that says anything', () => {
  it.each([
    ['an item that is null', { type: 'response.output_item.done', item: null }],
    ['no item', { type: 'response.output_item.done' }],
    ['an item that is a text', { type: 'response.output_item.done', item: 'x' }],
    ['an item without a type', { type: 'response.output_item.done', item: {} }],
    ['no response', { type: 'response.completed' }],
    ['a response that is null', { type: 'response.incomplete', response: null }],
  ])('is told to have sent %s, and may be asked again', async (_what, event) => {
    const { heard, answer } = await respond(event, COMPLETED);
    const message = `The service sent an event ${event.type} that cannot be read.`;
    expect(answer).toMatchObject({ status: 'failed', failure: { message, kind: 'retry' } });
    expect(heard).toEqual([]);
  });

  it('is heard where it says something', async () => {
    const odd = { type: 'message', role: 'assistant', content: [null, 5, { type: 'output_text', text: 'Hi.' }] };
    const { heard, answer } = await respond(
      null,
      { type: 'response.output_text.delta', delta: 5 } as { type: string },
      { type: 'response.output_text.delta', delta: 'Hi.' } as { type: string },
      { type: 'response.output_item.done', item: odd } as { type: string },
      COMPLETED,
    );
    expect(answer).toMatchObject({ status: 'completed', responseId: 'resp_1' });
    expect(heard).toEqual(['Hi.', odd]);
    expect(assistantText(heard[1] as Item)).toBe('Hi.');
  });

  it('has failed without a reason where it gives none that can be read', async () => {
    const { answer } = await respond({ type: 'response.failed', response: { error: { message: { a: 1 } } } } as never);
    expect(answer).toMatchObject({ failure: { message: 'The model failed without saying why.' } });
  });

  it.each(['{}', '{"output":null}', '{"output":[null]}'])('has not compacted a history to %s', async (body) => {
    const client = await served('application/json', body);
    const attempt = startRollout({ root: null })
      .root.startTurn()
      .compaction({ model: 'm', providerName: 'p' })
      .start(() => ({}));
    const answer = await client.compact({ model: 'm' }, attempt, AbortSignal.timeout(60_000));
    expect(answer).toMatchObject({ status: 'failed', failure: { kind: 'final' } });
  });

  it('is not heard to the end where an event never ends', async () => {
    const { answer } = await respond({ type: 'x'.repeat(MAX_ANSWER_BYTES) }, COMPLETED);
    const message = `The service sent an event of more than ${MAX_ANSWER_BYTES} bytes.`;
    expect(answer).toMatchObject({ status: 'failed', failure: { message, kind: 'final' } });
  });

  it('is heard to the end however long a stream of small events is', async () => {
    const delta = { type: 'response.output_text.delta', delta: 'word '.repeat(1000) };
    const { heard, answer } = await respond(...Array.from({ length: 600 }, () => delta), COMPLETED);
    expect(answer).toMatchObject({ status: 'completed' });
    expect(heard).toHaveLength(600);
  });

  it('has not compacted a history to more than can be held', async () => {
    const client = await served('application/json', JSON.stringify({ output: ['x'.repeat(MAX_ANSWER_BYTES)] }));
    const attempt = startRollout({ root: null })
      .root.startTurn()
      .compaction({ model: 'm', providerName: 'p' })
      .start(() => ({}));
    const answer = await client.compact({ model: 'm' }, attempt, AbortSignal.timeout(60_000));
    const message = `The service sent an answer of more than ${MAX_ANSWER_BYTES} bytes.`;
    expect(answer).toMatchObject({ status: 'failed', failure: { message, kind: 'final' } });
  });
});
