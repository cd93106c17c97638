// What a traced fetch takes before a request is sent: milliseconds from the call until the fetch behind it has the bytes of the
// body, as every fetch must, for a history that grows by one exchange per request. Plain and traced take turns.
// node bench/integrations/request.mjs [bytes of history] [requests] [format]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBundles, listBundle } from '@rollout-trace/core/node';
import { TraceSession, traced } from '@rollout-trace/core/openai';

const BYTES = Number(process.argv[2] ?? 2_000_000);
const REQUESTS = Number(process.argv[3] ?? 100);
const format = process.argv[4] ?? 'segment';
const ITEM_BYTES = 2000;

const text = (n) => `${n} `.repeat(Math.ceil(ITEM_BYTES / `${n} `.length));
const message = (n) => ({
  type: 'message',
  role: n % 2 === 0 ? 'user' : 'assistant',
  content: [{ type: n % 2 === 0 ? 'input_text' : 'output_text', text: text(n) }],
});
const history = Array.from({ length: Math.ceil(BYTES / ITEM_BYTES) & ~1 }, (_, n) => message(n));

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
const session = new TraceSession({ root, format });
const encoder = new TextEncoder();
let sent = 0;
let responses = 0;
/** What every fetch does before anything is sent, and an answer at once. */
async function plain(_url, { body }) {
  encoder.encode(body);
  sent = performance.now();
  const item = { ...message(history.length), role: 'assistant', id: `msg_${++responses}` };
  return Response.json({ id: `resp_${responses}`, status: 'completed', output: [item] });
}
const fetches = { plain, traced: traced(plain, { session }) };

/** Milliseconds until the body is ready to be sent. */
async function ask(fetch) {
  const body = JSON.stringify({ model: 'm', input: history });
  const start = performance.now();
  const response = await fetch('http://localhost/v1/responses', { method: 'POST', body });
  const ms = sent - start;
  const { output } = await response.json();
  return { ms, output };
}

const took = { plain: [], traced: [] };
for (let n = 0; n < REQUESTS; n++) {
  history.push(message(history.length));
  took.plain.push((await ask(fetches.plain)).ms);
  const { ms, output } = await ask(fetches.traced);
  took.traced.push(ms);
  const [{ id: _id, ...answer }] = output;
  history.push(answer);
}
session.end();
const recorded = [...findBundles(root)].map((path) => listBundle(path).event_counts.inference_started ?? 0);
if (recorded.join() !== String(REQUESTS)) throw new Error(`recorded ${recorded.join()} of ${REQUESTS} requests`);
rmSync(root, { recursive: true });
console.log(`${format}, ${BYTES} bytes, ${REQUESTS} requests: milliseconds until the body is ready to be sent`);
for (const [name, times] of Object.entries(took)) {
  const sorted = times.slice(5).sort((a, b) => a - b);
  const quantile = (q) => sorted[Math.floor(sorted.length * q)].toFixed(2);
  console.log(`${name.padEnd(6)} p50 ${quantile(0.5)}  p99 ${quantile(0.99)}`);
}
