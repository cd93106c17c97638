import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRollout } from '@rollout-trace/core/recorder/node';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ModelClient } from './client.ts';
import { assistantText, type Item } from './item.ts';
import { RecordedItems } from './recorded.ts';

const MAX_ANSWER_BYTES = 1_000_000;
const EVENT_STREAM = { headers: { 'content-type': 'text/event-stream' } };
const COMPLETED = { type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [] } };

/** A client of a service that answers whatever it is asked with this. */
async function served(type: string, body: string, status = 200): Promise<ModelClient> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new ModelClient(new OpenAI({ apiKey: 'k', baseURL }), new RecordedItems(), 60_000, MAX_ANSWER_BYTES);
}

/** A client that asks in a way of its own. */
function asked(fetch: typeof globalThis.fetch, maxAnswerBytes = MAX_ANSWER_BYTES): ModelClient {
  return new ModelClient(
    new OpenAI({ apiKey: 'k', baseURL: 'http://nowhere.invalid/v1', fetch }),
    new RecordedItems(),
    60_000,
    maxAnswerBytes,
  );
}

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

function asEvent(event: { type: string } | null): string {
  return `event: ${event?.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function respond(...events: ({ type: string } | null)[]) {
  return heardFrom(await served('text/event-stream', events.map(asEvent).join('')));
}

async function heardFrom(client: ModelClient) {
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

  it.each([
    ['line by line', (event: string) => event.split(/(?<=\n)/)],
    ['byte by byte', (event: string) => [...event]],
    ['line by line, with the line ends of HTTP', (event: string) => event.replaceAll('\n', '\r\n').split(/(?<=\n)/)],
  ])('is heard to the end where small events come %s', async (_how, cut) => {
    const delta = { type: 'response.output_text.delta', delta: 'word' };
    const sent = [...Array.from({ length: 20 }, () => delta), COMPLETED].map(asEvent);
    const pieces = sent.flatMap(cut).map((piece) => new TextEncoder().encode(piece));
    const client = asked(async () => new Response(streamOf(pieces), EVENT_STREAM), 200);
    const { heard, answer } = await heardFrom(client);
    expect(answer).toMatchObject({ status: 'completed' });
    expect(heard).toHaveLength(20);
  });

  it('may answer with a status that is none', async () => {
    const client = await served('application/json', '{"error":{"message":"No."}}', 999);
    const { answer } = await heardFrom(client);
    expect(answer).toMatchObject({ status: 'failed', failure: { message: '999 No.' } });
  });

  it('is asked the way the client asks', async () => {
    const urls: string[] = [];
    const client = asked(async (input) => {
      urls.push(String(input));
      return new Response(asEvent(COMPLETED), EVENT_STREAM);
    });
    expect((await heardFrom(client)).answer).toMatchObject({ status: 'completed' });
    expect(urls).toEqual(['http://nowhere.invalid/v1/responses']);
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
