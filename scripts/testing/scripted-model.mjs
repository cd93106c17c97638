// @ts-check
// A model that says what it was told to say: as much of the streaming Responses API as an agent needs, on the loopback
// interface. Nothing of a request is judged; each takes the next answer.

import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * @typedef {Record<string, unknown>} Item an output item
 * @typedef {{ items: Item[], hangs?: boolean }} Answer `hangs`: the stream is opened, says its items, and never ends
 */

const USAGE = {
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: 250 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 1020,
};

/**
 * @param {Answer[]} answers one per request; a request beyond them gets status 500
 * @returns {Promise<{ url: string, asked: () => number, until: (count: number) => Promise<void>, close: () => void }>}
 */
export async function startScriptedModel(answers) {
  let count = 0;
  /** @type {{ count: number, resolve: () => void }[]} */
  const waiting = [];
  const server = createServer(async (request, response) => {
    // The body is read to its end and forgotten.
    for await (const _ of request);
    if (request.method !== 'POST' || !request.url?.endsWith('/responses')) {
      response.writeHead(404).end();
      return;
    }
    const answer = answers[count++];
    if (answer === undefined) response.writeHead(500).end();
    else stream(response, answer, count);
    for (const waiter of waiting) if (waiter.count <= count) waiter.resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the model has no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    asked: () => count,
    until: (wanted) =>
      new Promise((resolve) => {
        if (count >= wanted) resolve();
        else waiting.push({ count: wanted, resolve });
      }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {Answer} answer
 * @param {number} number
 */
function stream(response, { items, hangs = false }, number) {
  const id = `resp_${number}`;
  /** @param {{ type: string, [key: string]: unknown }} event */
  const send = (event) => response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': `req_${number}` });
  send({ type: 'response.created', response: { id, status: 'in_progress' } });
  for (const [output_index, item] of items.entries()) {
    send({ type: 'response.output_item.added', output_index, item });
    send({ type: 'response.output_item.done', output_index, item });
  }
  if (hangs) return;
  send({ type: 'response.completed', response: { id, status: 'completed', output: items, usage: USAGE } });
  response.end();
}

/** @param {string} id @param {string} text @returns {Item} */
export function said(id, text) {
  return { type: 'message', id, role: 'assistant', content: [{ type: 'output_text', text }], phase: 'final_answer' };
}

/** @param {string} callId @param {string} name @param {object} args @returns {Item} */
export function called(callId, name, args) {
  return { type: 'function_call', id: `fc_${callId}`, call_id: callId, name, arguments: JSON.stringify(args) };
}
