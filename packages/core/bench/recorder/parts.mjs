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
let kept = 0;

const PARTS = {
  'compare the history': () => {
    for (let i = 0; i < items.length; i++) if (!held.holds(i, items[i])) throw new Error('changed');
  },
  'compare the tools': () => {
    if (!heldTools.holds(0, tools)) throw new Error('changed');
  },
  'copy what is new': (fresh) => {
    for (const item of fresh) kept += copy(item).values.length;
  },
  'print what is new': (fresh) => {
    kept += JSON.stringify(fresh).length;
  },
  checksum: () => {
    kept += crc32(bytes);
  },
  'make an id': () => {
    kept += randomUUID().length;
  },
  write: () => {
    writeSync(file, bytes);
  },
};

const medianOf = (times) => times.sort((a, b) => a - b)[times.length >> 1].toFixed(3);
const names = Object.keys(PARTS);
for (let n = 0; n < 2000; n++) for (const name of names) PARTS[name](newItems(600));
const cold = Object.fromEntries(names.map((name) => [name, []]));
const warm = Object.fromEntries(names.map((name) => [name, []]));
function time(times, part) {
  const fresh = newItems(perCall);
  const start = performance.now();
  part(fresh);
  times.push(performance.now() - start);
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
