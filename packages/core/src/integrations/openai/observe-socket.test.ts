import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TraceSession } from '../session/session.ts';
import { type SocketServer, startSocketServer } from '../testing/socket-server.ts';
import { type TraceFolder, tickingClock, traceFolder } from '../testing/traces.ts';
import { observeSocket } from './observe-socket.ts';

let folder: TraceFolder;
let session: TraceSession;
let server: SocketServer | null = null;

beforeEach(() => {
  folder = traceFolder();
  session = new TraceSession({ root: folder.root, clock: tickingClock() });
});

afterEach(async () => {
  session.end();
  await server?.close();
  server = null;
  folder.remove();
});

const message = (id: string, text: string) => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});

function answered(n: number): object[] {
  const item = message(`msg_${n}`, `Answer ${n}.`);
  const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
  return [
    { type: 'response.created', response: { id: `resp_${n}` } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: { id: `resp_${n}`, status: 'completed', output: [item], usage } },
  ];
}

async function connect(answer: Parameters<typeof startSocketServer>[0]): Promise<ResponsesWS> {
  server = await startSocketServer(answer);
  const openai = new OpenAI({ apiKey: 'key', baseURL: server.url });
  const socket = observeSocket(new ResponsesWS(openai), { session, providerName: 'openai' });
  socket.on('error', () => undefined);
  return socket;
}

const next = (socket: ResponsesWS, type: 'response.completed' | 'close') =>
  new Promise<void>((resolve) => {
    if (type === 'close') socket.on('close', () => resolve());
    else socket.on(type, () => resolve());
  });

it('responses over a socket are recorded as over HTTP, and continue one another', async () => {
  let count = 0;
  const socket = await connect(() => answered(++count));
  const first = next(socket, 'response.completed');
  socket.send({ type: 'response.create', model: 'm', input: 'One.' });
  await first;
  const second = next(socket, 'response.completed');
  socket.send({ type: 'response.create', model: 'm', input: 'Two.', previous_response_id: 'resp_1' });
  await second;
  const closed = next(socket, 'close');
  socket.close();
  await closed;
  expect(server?.received).toEqual([
    { type: 'response.create', model: 'm', input: 'One.' },
    { type: 'response.create', model: 'm', input: 'Two.', previous_response_id: 'resp_1' },
  ]);
  session.end();
  const { graph } = folder.trace();
  expect([...graph.inference_calls.values()]).toMatchObject([
    { response_id: 'resp_1', usage: { input_tokens: 3, output_tokens: 4 }, execution: { status: 'completed' } },
    { response_id: 'resp_2', execution: { status: 'completed' } },
  ]);
  expect([...graph.inference_calls.values()].map((call) => call.request_item_ids.length)).toEqual([1, 3]);
  expect(graph.codex_turns.size).toBe(2);
});

it('a response that the socket takes with it is a failed attempt, with the items that had arrived', async () => {
  let told = 0;
  const socket = await connect(() => (told++ === 0 ? answered(1).slice(0, 2) : null));
  const arrived = new Promise<void>((resolve) => socket.on('response.output_item.done', () => resolve()));
  const closed = next(socket, 'close');
  socket.send({ type: 'response.create', model: 'm', input: 'One.' });
  await arrived;
  socket.send({ type: 'response.create', model: 'm', input: 'Never mind.' });
  await closed;
  session.end();
  const calls = folder.traces().flatMap(({ graph }) => [...graph.inference_calls.values()]);
  expect(calls.map((call) => [call.execution.status, call.response_item_ids.length])).toEqual([
    ['failed', 1],
    ['failed', 0],
  ]);
});
