/**
 * A model that says what a script tells it to say: the Responses API, its compaction, and chat completions over HTTP on
 * the loopback interface, streamed or not. It is strict: what the service refuses is refused, and told by `refusals`.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatBody, chatChunks } from './chat.ts';
import { isMembers, judgeRequest, type Refusal, type StoredHistory } from './judge.ts';
import { endEvent, itemEvents, responseBody, usageOf, withIds } from './response-events.ts';
import type { ModelRequest, OutputItem, Script, Step } from './step.ts';

/** A running scripted model. */
export interface ScriptedModel {
  /** What a client takes as its base URL. */
  readonly url: string;
  /** Every request that a step answered, in order. */
  readonly requests: readonly ModelRequest[];
  /** What was refused, and why. An agent that works leaves this empty. */
  readonly refusals: readonly string[];
  /** Fulfilled once this many requests have come in. */
  until(count: number): Promise<void>;
  /** Ends the server and every connection. */
  close(): Promise<void>;
}

const ENDPOINTS: Readonly<Record<string, ModelRequest['endpoint']>> = {
  '/v1/responses': 'responses',
  '/v1/responses/compact': 'compact',
  '/v1/chat/completions': 'chat',
};

/** Starts a model on a free port of the loopback interface. */
export async function startScriptedModel(script: Script): Promise<ScriptedModel> {
  const requests: ModelRequest[] = [];
  const refusals: string[] = [];
  const stored = new Map<string, StoredHistory>();
  const waiting: { count: number; resolve: () => void }[] = [];

  const server = createServer((request, response) => {
    // A client that goes away in the middle is no failure of the model.
    response.on('error', () => undefined);
    void answer(request, response).catch((error: unknown) => {
      refusals.push(`the script failed: ${error instanceof Error ? error.message : String(error)}`);
      if (response.headersSent) response.destroy();
      else sendError(response, 500, { message: 'The script of this model failed.' });
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, error: Partial<Refusal>) => {
      refusals.push(`${request.method} ${request.url}: ${error.message}`);
      sendError(response, status, error);
    };
    const body = await jsonOf(request);
    const endpoint = ENDPOINTS[(request.url ?? '').split('?')[0] ?? ''];
    if (request.method !== 'POST' || endpoint === undefined) return refuse(404, { message: 'There is nothing here.' });
    if (!/^Bearer \S+/.test(request.headers.authorization ?? ''))
      return refuse(401, { message: 'No API key was given.' });
    if (!isMembers(body)) return refuse(400, { message: 'The body is no JSON object.' });
    const previous = typeof body.previous_response_id === 'string' ? body.previous_response_id : null;
    const history = previous === null ? null : stored.get(previous);
    if (history === undefined) return refuse(400, { message: `Previous response with id '${previous}' not found.` });
    const refusal = endpoint === 'chat' ? judgeChat(body) : judgeRequest(body, history);
    if (refusal !== null) return refuse(400, refusal);

    const agent = isMembers(body.metadata) ? body.metadata.agent_path : undefined;
    const asked: ModelRequest = {
      number: requests.length + 1,
      endpoint,
      body,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value?.toString()])),
      agentPath: typeof agent === 'string' ? agent : '/root',
    };
    requests.push(asked);
    for (const waiter of waiting) if (waiter.count <= requests.length) waiter.resolve();
    const step = await script(asked);
    if (step === null) return refuse(500, { message: `The script has no step for request ${asked.number}.` });
    await step.after;
    if (step.delay_ms !== undefined) await sleep(step.delay_ms);
    response.setHeader('x-request-id', `req_${asked.number}`);
    if (step.status !== undefined)
      return sendError(response, step.status, { message: step.error ?? 'The model is not there.' });

    const items = withIds(step.items ?? [], asked.number);
    const id = `${endpoint === 'compact' ? 'cmp' : endpoint === 'chat' ? 'chatcmpl' : 'resp'}_${asked.number}`;
    if (endpoint === 'responses') stored.set(id, historyAfter(body, items, history));
    await send(response, asked, id, items, step);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the scripted model has no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    requests,
    refusals,
    until: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

async function send(
  response: ServerResponse,
  { endpoint, body }: ModelRequest,
  id: string,
  items: readonly OutputItem[],
  step: Step,
): Promise<void> {
  const model = String(body.model);
  if (endpoint === 'compact') {
    return sendJson(response, 200, {
      id,
      object: 'response.compaction',
      created_at: 1,
      output: items,
      usage: usageOf(step.usage),
    });
  }
  if (endpoint === 'chat') {
    if (body.stream !== true) return sendJson(response, 200, chatBody(id, model, items, step));
    const withUsage = isMembers(body.stream_options) && body.stream_options.include_usage === true;
    const chunks = chatChunks(id, model, items, step, withUsage).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    return stream(response, [...chunks, 'data: [DONE]\n\n'], step);
  }
  if (body.stream !== true) {
    const status = step.end === 'failed' || step.end === 'incomplete' ? step.end : 'completed';
    const ended = endEvent(id, model, items, { ...step, end: status })?.response;
    return sendJson(response, 200, ended ?? responseBody(id, model, status, items, usageOf(step.usage)));
  }
  const last = endEvent(id, model, items, step);
  const events = [...itemEvents(id, model, items), ...(last === null ? [] : [last])];
  const told = events.map(
    (event, sequence_number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`,
  );
  return stream(response, told, step);
}

async function stream(response: ServerResponse, events: readonly string[], step: Step): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const event of events) {
    if (response.destroyed) return;
    response.write(event);
    if (step.event_delay_ms !== undefined) await sleep(step.event_delay_ms);
  }
  switch (step.end) {
    case 'hanging':
      if (!response.destroyed) await once(response, 'close');
      return;
    case 'malformed':
      response.end('event: response.output_text.delta\ndata: {"type":"response.output_text.del\n\n');
      return;
    case 'dropped':
      // Written first, so that the client has everything before it.
      response.write('event: response.output_text.delta\ndata: {"type":', () => response.destroy());
      return;
    default:
      response.end();
  }
}

function historyAfter(
  body: Readonly<Record<string, unknown>>,
  items: readonly OutputItem[],
  before: StoredHistory | null,
) {
  const all = [...(Array.isArray(body.input) ? (body.input as OutputItem[]) : []), ...items];
  const ids = (suffix: string) =>
    all.filter(({ type }) => String(type).endsWith(suffix)).map(({ call_id }) => String(call_id));
  const calls = [...ids('function_call'), ...ids('custom_tool_call')];
  return {
    calls: new Set([...(before?.calls ?? []), ...calls]),
    outputs: new Set([...(before?.outputs ?? []), ...ids('_output')]),
  };
}

function judgeChat({ model, messages }: Readonly<Record<string, unknown>>): Refusal | null {
  const refuse = (param: string): Refusal => {
    return { message: `Missing required parameter: ${param}.`, type: 'invalid_request_error', param, code: null };
  };
  if (typeof model !== 'string') return refuse('model');
  return Array.isArray(messages) && messages.length > 0 ? null : refuse('messages');
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, error: Partial<Refusal>): void {
  sendJson(response, status, { error: { type: 'server_error', param: null, code: null, ...error } });
}
