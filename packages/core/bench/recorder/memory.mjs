// What the recorder holds per thread, against the bytes of the history itself.
// node --expose-gc bench/recorder/memory.mjs [history bytes] [bytes per call]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { history, newItems, request } from './session.mjs';

const [size = 2_000_000, perCall = 6_000] = process.argv.slice(2).map(Number);

function used() {
  for (let i = 0; i < 4; i++) globalThis.gc();
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return heapUsed + Math.max(arrayBuffers, external);
}

/** The same text without shared strings, as a host has it that parses its history anew for each request. */
const reparsed = (items) => JSON.parse(JSON.stringify(items));

for (const format of ['segment', 'bundle']) {
  for (const [name, build] of [
    ['history shared with the host', (items) => items],
    ['history parsed anew each time', reparsed],
  ]) {
    const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
    const items = history(size - 50 * perCall, perCall);
    const before = used();
    const live = reparsed(items);
    const bytes = used() - before;
    live.length = 0;
    const rollout = startRollout({ root, format });
    const context = rollout.root.startTurn().inference({ model: 'model-1', providerName: 'provider' });
    for (let n = 0; n < 50; n++) {
      items.push(...newItems(perCall));
      context.start(request(build(items), `turn-${n}`));
    }
    const with_ = used();
    rollout.end();
    const held = with_ - used();
    console.log(
      `${format.padEnd(8)} ${name.padEnd(30)} ${(held / 1e6).toFixed(2)} MB held, ${(held / bytes).toFixed(2)} x the history (${(bytes / 1e6).toFixed(2)} MB live)`,
    );
    rmSync(root, { recursive: true });
  }
}
