// What a disabled trace costs: ten million calls of a handle that records nothing, against the same loop without it.
// node bench/recorder/disabled.mjs

import { startRollout } from '@rollout-trace/core/recorder/node';

const CALLS = 10_000_000;
const ROUNDS = 7;

const rollout = startRollout({ root: null });
const turn = rollout.root.startTurn();
const inference = turn.inference({ model: 'model-1', providerName: 'provider' });
const call = turn.startToolCall({ name: 'tool', payload: { type: 'function', arguments: '{}' } });
const body = { input: [] };

function work(n) {
  return (n * 2654435761) >>> 0;
}

const loops = {
  'without a trace': () => {
    let sum = 0;
    for (let n = 0; n < CALLS; n++) sum = (sum + work(n)) >>> 0;
    return sum;
  },
  'turn.itemAccepted(id)': () => {
    let sum = 0;
    for (let n = 0; n < CALLS; n++) {
      sum = (sum + work(n)) >>> 0;
      turn.itemAccepted('msg_1');
    }
    return sum;
  },
  'call.runtimeStarted(() => payload)': () => {
    let sum = 0;
    for (let n = 0; n < CALLS; n++) {
      sum = (sum + work(n)) >>> 0;
      call.runtimeStarted(() => ({ call_id: 'x', n }));
    }
    return sum;
  },
  'inference.start(body).complete(output)': () => {
    let sum = 0;
    for (let n = 0; n < CALLS; n++) {
      sum = (sum + work(n)) >>> 0;
      inference.start(body).complete({ outputItems: [] });
    }
    return sum;
  },
};

const times = new Map(Object.keys(loops).map((name) => [name, []]));
let checksum = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, loop] of Object.entries(loops)) {
    const start = performance.now();
    checksum ^= loop();
    times.get(name).push(performance.now() - start);
  }
}
console.log(`${CALLS} calls, best and median of ${ROUNDS} rounds (checksum ${checksum})`);
for (const [name, all] of times) {
  const sorted = all.slice(1).sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  console.log(
    `${name.padEnd(40)} ${sorted[0].toFixed(1)} ms  ${median.toFixed(1)} ms  ${((median / CALLS) * 1e6).toFixed(2)} ns per call`,
  );
}
