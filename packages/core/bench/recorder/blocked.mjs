// How long the host is blocked by the recording of one request, and how many bytes it costs on disk.
// node bench/recorder/blocked.mjs [history bytes] [bytes per call] [calls] [calls before, that warm the code up]

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { history, newItems, percentiles, request } from './session.mjs';

const [size = 2_000_000, perCall = 6_000, calls = 200, warmUp = 2000] = process.argv.slice(2).map(Number);
const PAUSE_MS = 6;
const SETTLE_MS = 1000;

function bytesBelow(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}

/** Lets the engine compile what the measured calls will use, on a trace of its own. */
async function warm(begin) {
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
  const record = begin(root);
  const items = [];
  for (let n = 0; n < warmUp; n++) {
    if (n % 20 === 0) items.length = 0;
    items.push(...newItems(perCall));
    record.write(record.prepare(request(items, `warm-${n}`)));
    if (n % 50 === 0) await sleep(PAUSE_MS);
  }
  record.close?.();
  rmSync(root, { recursive: true });
}

async function measure(name, begin) {
  await warm(begin);
  // What the layout before this one left to the disk must not be written while this one is measured.
  spawnSync('sync');
  await sleep(SETTLE_MS);
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
  const items = history(size - (calls * perCall) / 2, perCall);
  const record = begin(root);
  const times = [];
  let added = 0;
  let base = 0;
  for (let n = 0; n <= calls; n++) {
    if (n === 1) {
      // The first request is told in full.
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
  record.close?.();
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

function isSame(a, b) {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  let count = 0;
  for (const key in a) {
    if (!isSame(a[key], b[key])) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** A copy that shares its strings. */
function copyOf(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.keys(value).map((key) => [key, copyOf(value[key])]));
}

/** The plain way to log what is new: compares with a copy, appends, and does nothing else of what a recorder does. */
function plainLog(root) {
  const file = openSync(join(root, 'log'), 'ax');
  const held = { input: [], tools: null };
  return {
    prepare: (body) => body,
    write: ({ input, tools }) => {
      let same = 0;
      while (same < held.input.length && isSame(input[same], held.input[same])) same++;
      const added = input.slice(same).map(copyOf);
      const isKept = isSame(tools, held.tools);
      held.input.splice(same, Number.POSITIVE_INFINITY, ...added);
      if (!isKept) held.tools = copyOf(tools);
      writeSync(file, `${JSON.stringify({ same, added, tools: isKept ? undefined : tools })}\n`);
    },
    close: () => closeSync(file),
  };
}

/** The floor of every layout that writes the request as a file of its own: the bytes are ready. */
function readyBytes(root) {
  const bytes = new Uint8Array(size).fill(0x20);
  let n = 0;
  return { prepare: (body) => body, write: () => writeFileSync(join(root, `${++n}.json`), bytes) };
}

console.log(`history ${size} bytes, ${perCall} new per call, ${calls} calls behind ${warmUp}, ${PAUSE_MS} ms apart`);
await measure('pretty-print and write, synchronous', syncPretty);
await measure('segment', recorder('segment'));
await measure('compare and append, no recorder', plainLog);
await measure('segment, request parsed anew', recorder('segment', reparsed));
await measure('bundle', recorder('bundle'));
await measure('ready bytes, no recorder', readyBytes);
