// What a traced fetch takes before a request is sent: milliseconds from the call until the fetch behind it is called, for a
// history that grows by one exchange per request.
// node bench/integrations/request.mjs [bytes of history] [requests] [format]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
let called = 0;
let responses = 0;
const fetch = traced(
  async () => {
    called = performance.now();
    const item = { ...message(history.length), role: 'assistant', id: `msg_${++responses}` };
    return Response.json({ id: `resp_${responses}`, status: 'completed', output: [item] });
  },
  { session },
);

const took = [];
for (let n = 0; n < REQUESTS; n++) {
  history.push(message(history.length));
  const body = JSON.stringify({ model: 'm', input: history });
  const start = performance.now();
  const response = await fetch('http://localhost/v1/responses', { method: 'POST', body });
  took.push(called - start);
  const { output } = await response.json();
  const [{ id: _id, ...answer }] = output;
  history.push(answer);
}
session.end();
rmSync(root, { recursive: true });
took.splice(0, 5);
took.sort((a, b) => a - b);
const quantile = (q) => took[Math.floor(took.length * q)].toFixed(2);
console.log(`${format}, ${BYTES} bytes: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms before the request is sent`);
