#!/usr/bin/env node
// @ts-check
// Reduces mutants of recorded bundles and log prefixes, and holds every result to what is promised of any input.
//
//   node packages/core/fuzz/fuzz.mjs [--count 20000] [--seed 1] [--bundles DIR] [--keep DIR] [--cuts 20] [--every-byte]
//
// What is checked of each stands in judge.mjs. A mutant that takes longer than the time limit stops the run. Failing
// inputs are written below --keep, each with why.txt. Exit code 1 if any failed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { memorySource, Replay, stateJson } from '@rollout-trace/core';
import { GENERATIONS } from '@rollout-trace/core/format';
import { judge } from './judge.mjs';
import { Dice, mutant } from './mutate.mjs';
import { bundlesBelow, writeBundle } from './recorded.mjs';

const { values: arg } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    cuts: { type: 'string', default: '20' },
    bundles: { type: 'string', default: fileURLToPath(new URL('../../../fixtures/bundles', import.meta.url)) },
    keep: { type: 'string' },
    'every-byte': { type: 'boolean', default: false },
  },
});

/** An input must be judged in this time, in all the ways it is reduced. */
const TIME_LIMIT_MS = 10_000;
const CHECK_EVERY_MS = 500;

/** What the worker is doing: which mutant or cut, and since when; the main thread watches. */
const bundles = bundlesBelow(arg.bundles);
const files = bundles.map((bundle) => bundle.files);
let failed = 0;

/** @param {string} name @param {Map<string, Uint8Array>} input @param {string} why */
function fail(name, input, why) {
  failed++;
  console.error(`${name}: ${why}`);
  if (arg.keep === undefined) return;
  writeBundle(join(arg.keep, name), input);
  writeFileSync(join(arg.keep, name, 'why.txt'), `${why}\n`);
}

/** @param {number} index */
function mutantAt(index) {
  const bundle = bundles[index % bundles.length];
  if (bundle === undefined) throw new Error(`no bundle below ${arg.bundles}`);
  const seed = (Number(arg.seed) * 1_000_003 + index) >>> 0;
  const dice = new Dice(~seed);
  const { files: input, names } = mutant(bundle.files, seed, files, { deep: dice.below(2) === 0 });
  // Most are read as what they are, some as any generation.
  const generation = dice.below(4) === 0 ? dice.pick(GENERATIONS) : undefined;
  const plain = dice.below(3) === 0;
  return {
    name: `mutant-${seed}`,
    what: `${bundle.folder} (${names.join(', ')}) ${generation ?? ''}`,
    input,
    generation,
    plain,
  };
}

/** @param {Float64Array} clock */
function runMutants(clock) {
  const count = Number(arg.count);
  const began = performance.now();
  for (let index = 0; index < count; index++) {
    const { name, what, input, generation, plain } = mutantAt(index);
    clock[0] = index;
    clock[1] = Date.now();
    const why = judge(input, { generation, plain });
    if (why !== null) fail(name, input, `${what}: ${why}`);
  }
  clock[1] = 0;
  const seconds = (performance.now() - began) / 1000;
  const speed = (count / Math.max(seconds, 0.001)).toFixed(0);
  console.log(
    `${count} mutants of ${bundles.length} bundles in ${seconds.toFixed(0)} s (${speed} per second), ${failed} failed`,
  );
}

/** The log cut at its bytes: the shortest logs, so that every byte of them can be tried. */
function runCuts() {
  const before = failed;
  const began = performance.now();
  const logOf = (/** @type {Map<string, Uint8Array>} */ input) => input.get('trace.jsonl') ?? new Uint8Array();
  const shortest = [...bundles]
    .sort((a, b) => logOf(a.files).length - logOf(b.files).length)
    .slice(0, Number(arg.cuts));
  let cuts = 0;
  for (const { folder, files: input } of shortest) cuts += cutLog(folder, input, logOf(input));
  const seconds = (performance.now() - began) / 1000;
  console.log(`${cuts} cuts of ${shortest.length} logs in ${seconds.toFixed(0)} s, ${failed - before} failed`);
}

const LF = 0x0a;

/** @param {string} folder @param {Map<string, Uint8Array>} input @param {Uint8Array} log */
function cutLog(folder, input, log) {
  let cuts = 0;
  let wholeLines = -1;
  let expected = '';
  for (let end = 0; end <= log.length; end++) {
    const last = end === 0 ? 0 : log.lastIndexOf(LF, end - 1) + 1;
    // Without --every-byte, the start and end of each line and a few places between.
    const isChosen = end === last || end - last <= 24 || end % 61 === 0 || log[end] === LF;
    if (!arg['every-byte'] && !isChosen) continue;
    cuts++;
    const part = new Map(input).set('trace.jsonl', log.subarray(0, end));
    let why = judge(part);
    const replay = new Replay(memorySource(part), { mode: 'salvage', generation: '0.169' });
    replay.advance();
    const state = stateJson(replay.graph());
    if (last !== wholeLines) {
      wholeLines = last;
      expected = state;
    } else if (state !== expected) why ??= 'a torn line changed the state of the lines before it';
    if (why !== null) fail(`cut-${cuts}`, part, `${folder} cut at byte ${end}: ${why}`);
  }
  return cuts;
}

if (isMainThread) {
  const clock = new Float64Array(new SharedArrayBuffer(16));
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2), workerData: clock });
  const watch = setInterval(() => {
    const [index = 0, since = 0] = clock;
    if (since === 0 || Date.now() - since < TIME_LIMIT_MS) return;
    const { name, what, input } = mutantAt(index);
    fail(name, input, `${what}: took longer than ${TIME_LIMIT_MS} ms`);
    process.exit(1);
  }, CHECK_EVERY_MS);
  worker.on('error', (error) => {
    console.error(error);
    process.exitCode = 1;
  });
  worker.on('exit', (code) => {
    clearInterval(watch);
    if (code !== 0) process.exitCode = 1;
  });
} else {
  runMutants(workerData);
  runCuts();
  process.exitCode = failed > 0 ? 1 : 0;
}
