// What a traced fetch costs where no root is set: calls of a fetch that answers at once, with and without it.
// node bench/integrations/disabled.mjs

import { TraceSession, traced } from '@rollout-trace/core/openai';

const CALLS = 200_000;
const ROUNDS = 7;
const answer = new Response('{}');
const plain = async () => answer;
const init = { method: 'POST', body: '{"model":"m","input":"Hi."}' };
const fetches = {
  'plain fetch': plain,
  'traced, no root': traced(plain, { session: new TraceSession({ root: null }) }),
};

for (const [name, fetch] of Object.entries(fetches)) {
  const took = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let n = 0; n < CALLS; n++) await fetch('http://localhost/v1/responses', init);
    took.push(performance.now() - start);
  }
  const median = took.toSorted((a, b) => a - b)[ROUNDS >> 1];
  console.log(`${name.padEnd(16)} ${((median / CALLS) * 1e6).toFixed(0)} ns per call (median of ${ROUNDS} rounds)`);
}
