// How long the host is blocked by the recording of one request, and how many bytes it costs on disk.
// node bench/recorder/blocked.mjs [history bytes] [bytes per call] [calls]

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { history, newItems, percentiles, request } from './session.mjs';

const [size = 2_000_000, perCall = 6_000, calls = 400] = process.argv.slice(2).map(Number);
const PAUSE_MS = 6;
const SETTLE_MS = 1000;

function bytesBelow(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}

async function measure(name, begin) {
  // What the layout before this one left to the disk must not be written while this one is measured.
  spawnSync('sync');
  await sleep(SETTLE_MS);
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
  const items = history(size - (calls * perCall) / 2, perCall);
  const record = begin(root);
  const times = [];
  let added = 0;
  let base = 0;
  for (let n = 0; n < calls + 20; n++) {
    if (n === 20) {
      times.length = 0;
      added = 0;
      base = bytesBelow(root);
    }
    const fresh = newItems(perCall);
    items.push(...fresh);
    added += JSON.stringify(fresh).length;
    const body = record.prepare(request(items, `turn-${n}`));
    const start = performance.now();
    record.write(body);
    times.push(performance.now() - start);
    await sleep(PAUSE_MS);
  }
  const { p50, p99, max } = percentiles(times);
  const disk = ((bytesBelow(root) - base) / added).toFixed(2);
  console.log(`${name.padEnd(34)} p50 ${p50}  p99 ${p99}  max ${max} ms; disk ${disk} x new bytes`);
  rmSync(root, { recursive: true });
}

/** A host that shares no strings between two requests. */
const reparsed = (body) => JSON.parse(JSON.stringify(body));

function recorder(format, prepare = (body) => body) {
  return (root) => {
    const rollout = startRollout({ root, format, onDiagnostic: (diagnostic) => console.error(diagnostic) });
    const context = rollout.root.startTurn().inference({ model: 'model-1', providerName: 'provider' });
    return { prepare, write: (body) => context.start(body) };
  };
}

function syncPretty(root) {
  let n = 0;
  return {
    prepare: (body) => body,
    write: (body) => writeFileSync(join(root, `${++n}.json`), JSON.stringify(body, null, 2)),
  };
}

/** The floor of every layout that writes the request as a file of its own: the bytes are ready. */
function readyBytes(root) {
  const bytes = new Uint8Array(size).fill(0x20);
  let n = 0;
  return { prepare: (body) => body, write: () => writeFileSync(join(root, `${++n}.json`), bytes) };
}

console.log(`history ${size} bytes, ${perCall} new per call, ${calls} calls, ${PAUSE_MS} ms apart`);
await measure('pretty-print and write, synchronous', syncPretty);
await measure('segment', recorder('segment'));
await measure('segment, request parsed anew', recorder('segment', reparsed));
await measure('bundle', recorder('bundle'));
await measure('ready bytes, no recorder', readyBytes);
