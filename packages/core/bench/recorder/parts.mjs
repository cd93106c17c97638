// What the parts of a recorded request take, each alone: behind a pause, as in a host, and one right after the other.
// node bench/recorder/parts.mjs [history bytes] [bytes per call]

import { randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { HeldCopies } from '../../dist/recorder/held-copies.js';
import { PlainCopier, Shapes } from '../../dist/recorder/plain-json.js';
import { history, newItems, request } from './session.mjs';

const [size = 2_000_000, perCall = 6_000] = process.argv.slice(2).map(Number);
const PAUSE_MS = 6;
const TIMES = 200;

const shapes = new Shapes();
const copy = (value) => new PlainCopier(shapes).copy(value);
const items = history(size, perCall);
const held = HeldCopies.of(...items.map(copy));
const { tools } = request([], '');
const heldTools = HeldCopies.of(copy(tools));
const folder = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
const file = openSync(join(folder, 'log'), 'ax');
const bytes = new Uint8Array(perCall + 1000).fill(0x61);

const PARTS = {
  'compare the history': () => {
    let same = 0;
    while (same < items.length && held.holds(same, items[same])) same++;
    return same;
  },
  'compare the tools': () => (heldTools.holds(0, tools) ? 1 : 0),
  'copy what is new': (fresh) => fresh.map(copy).length,
  'print what is new': (fresh) => JSON.stringify(fresh).length,
  checksum: () => crc32(bytes),
  'make an id': () => randomUUID().length,
  write: () => writeSync(file, bytes),
};

const medianOf = (times) => times.sort((a, b) => a - b)[times.length >> 1].toFixed(3);
const names = Object.keys(PARTS);
for (let n = 0; n < 2000; n++) for (const name of names) PARTS[name](newItems(600));
const cold = Object.fromEntries(names.map((name) => [name, []]));
const warm = Object.fromEntries(names.map((name) => [name, []]));
function time(times, part) {
  const fresh = newItems(perCall);
  const start = performance.now();
  const done = part(fresh);
  times.push(performance.now() - start);
  if (done === 0) throw new Error('nothing was done');
}
for (let n = 0; n < TIMES * names.length; n++) {
  const name = names[n % names.length];
  await sleep(PAUSE_MS);
  time(cold[name], PARTS[name]);
}
for (const name of names) for (let n = 0; n < TIMES; n++) time(warm[name], PARTS[name]);
closeSync(file);
rmSync(folder, { recursive: true });
console.log(`history ${size} bytes, ${items.length} items; ms, p50 of ${TIMES}`);
for (const name of names) {
  console.log(`${name.padEnd(22)} behind a pause ${medianOf(cold[name])}  without ${medianOf(warm[name])}`);
}
