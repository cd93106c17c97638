// What a traced fetch adds to each piece of a stream: the time from where a piece is given until the host has it, with and
// without recording, over real HTTP on the loopback interface and without any network.
// node bench/integrations/latency.mjs [responses] [pieces per response]

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TraceSession, traced } from '@rollout-trace/core/openai';

const RESPONSES = Number(process.argv[2] ?? 8);
const PIECES = Number(process.argv[3] ?? 500);
/** Milliseconds between two pieces, as a model that is fast takes. */
const PAUSE_MS = 2;

const item = {
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  content: [{ type: 'output_text', text: 'word '.repeat(PIECES) }],
};
const told = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const events = [
  told({ type: 'response.created', response: { id: 'resp_1' } }),
  ...Array.from({ length: PIECES }, (_, n) =>
    told({
      type: 'response.output_text.delta',
      output_index: 0,
      item_id: 'msg_1',
      content_index: 0,
      delta: 'word ',
      logprobs: [],
      sequence_number: n,
    }),
  ),
  told({ type: 'response.output_item.done', output_index: 0, item }),
  told({
    type: 'response.completed',
    response: { id: 'resp_1', status: 'completed', output: [item], usage: { input_tokens: 1, output_tokens: 1 } },
  }),
].map((text) => new TextEncoder().encode(text));

/** When each piece was given, by its place. */
let given = [];

const server = createServer(async (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const event of events) {
    await sleep(PAUSE_MS);
    given.push(performance.now());
    response.write(event);
  }
  response.end();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const overHttp = `http://127.0.0.1:${server.address().port}/v1/responses`;

/** A fetch without a network: gives a piece when it is asked for one. */
async function inProcess() {
  let n = 0;
  const body = new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      await null;
      const event = events[n++];
      if (event === undefined) return controller.close();
      given.push(performance.now());
      controller.enqueue(event.slice());
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** The milliseconds of each piece of one response. */
async function read(fetch, url) {
  given = [];
  const body = JSON.stringify({ model: 'm', input: 'Hi.', stream: true });
  const response = await fetch(url, { method: 'POST', body });
  const took = [];
  for await (const _ of response.body) {
    const now = performance.now();
    // Pieces that came together count as the last of them.
    took.push(now - given.at(-1));
  }
  return took;
}

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
const quantile = (list, q) => list.toSorted((a, b) => a - b)[Math.floor(list.length * q)];
const micro = (ms) => (ms * 1000).toFixed(1).padStart(8);

for (const [name, plain, url, responses] of [
  ['loopback HTTP', fetch, overHttp, RESPONSES],
  ['no network', inProcess, 'http://localhost/v1/responses', RESPONSES * 25],
]) {
  const session = new TraceSession({ root, format: 'segment' });
  const off = new TraceSession({ root: null });
  const fetches = {
    'plain fetch': plain,
    'traced, recording': traced(plain, { session }),
    'traced, no root': traced(plain, { session: off }),
  };
  const all = new Map(Object.keys(fetches).map((key) => [key, []]));
  for (const fetch of Object.values(fetches)) await read(fetch, url);
  // In turns, so that what else the machine does meets all of them.
  for (let n = 0; n < responses; n++) {
    for (const [key, fetch] of Object.entries(fetches)) all.get(key).push(...(await read(fetch, url)));
  }
  session.end();
  const base = quantile(all.get('plain fetch'), 0.5);
  console.log(`${name}: microseconds from the giver to the host, per piece of ${events[5].length} bytes`);
  for (const [key, took] of all) {
    const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)];
    console.log(
      `  ${key.padEnd(18)} p50 ${micro(p50)}  p99 ${micro(p99)}  added at the median ${micro(p50 - base)}  (${took.length} pieces)`,
    );
  }
}

server.close();
server.closeAllConnections();
rmSync(root, { recursive: true });
