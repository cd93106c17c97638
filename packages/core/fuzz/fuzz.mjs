#!/usr/bin/env node
// Reduces mutants of recorded bundles and log prefixes, and holds every result to what is promised of any input.
//
//   node packages/core/fuzz/fuzz.mjs [--count 20000] [--seed 1] [--bundles DIR] [--keep DIR] [--cuts 20] [--every-byte]
//
// Of each mutant: nothing is thrown but TraceError; salvage has no finding `internal`, gives a graph without violations
// and takes less than the time limit; strict fails, or gives the bytes of a salvage without error findings. Of each log
// cut: the prefix reduces. Failing mutants are written below --keep and named by their seed. Exit code 1 if any failed.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { memorySource, Replay, reduceBundle, stateJson, TraceError } from '@rollout-trace/core';
import { graphViolations } from '@rollout-trace/core/reducer';
import { mutant } from './mutate.mjs';

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
const TIME_LIMIT_MS = 5_000;

/** Every bundle below a folder, as a map from plain path to bytes. */
function bundlesBelow(folder) {
  if (existsSync(join(folder, 'manifest.json'))) {
    const files = new Map();
    const add = (path) => files.set(path, new Uint8Array(readFileSync(join(folder, path))));
    add('manifest.json');
    if (existsSync(join(folder, 'trace.jsonl'))) add('trace.jsonl');
    if (existsSync(join(folder, 'payloads')))
      for (const name of readdirSync(join(folder, 'payloads'))) add(`payloads/${name}`);
    return files.has('trace.jsonl') ? [{ folder, files }] : [];
  }
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => bundlesBelow(join(folder, entry.name)));
}

/** Whether the log's events are in the order of their seq; windows are compared by seq only then. */
function seqAscends(files) {
  let last = 0;
  for (const [, seq] of new TextDecoder().decode(files.get('trace.jsonl')).matchAll(/"seq":\s*(-?[\d.eE+]+)/g)) {
    if (Number(seq) <= last) return false;
    last = Number(seq);
  }
  return true;
}

/** What is wrong with how this bundle was reduced, or null. */
function judge(files) {
  const source = memorySource(files);
  const began = performance.now();
  let salvaged = null;
  try {
    salvaged = reduceBundle(source, { mode: 'salvage' });
  } catch (error) {
    // Only what is no bundle at all may fail.
    if (!(error instanceof TraceError)) return `salvage threw ${error instanceof Error ? error.stack : error}`;
    if (!['manifest_missing', 'log_missing', 'manifest_invalid'].includes(error.code))
      return `salvage failed: ${error.message}`;
  }
  const took = performance.now() - began;
  if (took > TIME_LIMIT_MS) return `salvage took ${took.toFixed(0)} ms`;
  let strict = null;
  try {
    const reduced = reduceBundle(source, { mode: 'strict' });
    strict = stateJson(reduced.graph, { rules: reduced.rules });
  } catch (error) {
    if (!(error instanceof TraceError)) return `strict threw ${error instanceof Error ? error.stack : error}`;
  }
  if (salvaged === null) return strict === null ? null : 'strict reduced what salvage did not';
  const internal = salvaged.findings.find(({ code }) => code === 'internal');
  if (internal !== undefined) return `internal: ${internal.message}`;
  const violations = graphViolations(salvaged.graph, { seqAscends: seqAscends(files) });
  if (violations.length > 0) return `violation: ${violations[0]}`;
  const errors = salvaged.findings.filter(({ severity }) => severity === 'error');
  if (strict === null) return errors.length > 0 ? null : 'strict failed, but salvage found no error';
  if (salvaged.findings.length > 0) return null;
  return stateJson(salvaged.graph, { rules: salvaged.rules }) === strict
    ? null
    : 'strict and salvage differ without a finding';
}

function keep(name, files, why) {
  console.error(`${name}: ${why}`);
  if (arg.keep === undefined) return;
  for (const [path, bytes] of files) {
    const file = join(arg.keep, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  writeFileSync(join(arg.keep, name, 'why.txt'), why);
}

const bundles = bundlesBelow(arg.bundles);
const COUNT = Number(arg.count);
const SEED = Number(arg.seed);
let failed = 0;

const began = performance.now();
for (let i = 0; i < COUNT; i++) {
  const bundle = bundles[i % bundles.length];
  const seed = (SEED * 1_000_003 + i) >>> 0;
  const { files, names } = mutant(bundle.files, seed);
  const why = judge(files);
  if (why === null) continue;
  failed++;
  keep(`mutant-${seed}`, files, `${bundle.folder} (${names.join(', ')}): ${why}`);
}
const seconds = (performance.now() - began) / 1000;
console.log(
  `${COUNT} mutants of ${bundles.length} bundles in ${seconds.toFixed(0)} s (${(COUNT / seconds).toFixed(0)}/s), ${failed} failed`,
);

// The log cut at its bytes: the shortest logs, so that every byte of them can be tried.
const byLength = [...bundles].sort((a, b) => a.files.get('trace.jsonl').length - b.files.get('trace.jsonl').length);
let cuts = 0;
let badCuts = 0;
const cutBegan = performance.now();
for (const { folder, files } of byLength.slice(0, Number(arg.cuts))) {
  const log = files.get('trace.jsonl');
  let wholeLines = -1;
  let expected = '';
  for (let end = 0; end <= log.length; end++) {
    const isLine = end === 0 || log[end - 1] === 0x0a;
    // Without --every-byte, the start and end of each line and a few places between.
    const last = log.lastIndexOf(0x0a, end - 1) + 1;
    if (!arg['every-byte'] && !isLine && end - last > 24 && end % 61 !== 0 && log[end] !== 0x0a) continue;
    cuts++;
    const part = new Map(files).set('trace.jsonl', log.subarray(0, end));
    let why = judge(part);
    if (why === null) {
      const replay = new Replay(memorySource(part), { mode: 'salvage', generation: '0.169' });
      replay.advance();
      const state = stateJson(replay.graph());
      if (last !== wholeLines) {
        wholeLines = last;
        expected = state;
      } else if (state !== expected && log[end] !== 0x0a) why = 'a torn line changed the state of the lines before it';
    }
    if (why === null) continue;
    badCuts++;
    keep(`cut-${badCuts}`, part, `${folder} cut at byte ${end}: ${why}`);
  }
}
const cutSeconds = (performance.now() - cutBegan) / 1000;
console.log(
  `${cuts} cuts of ${Math.min(bundles.length, Number(arg.cuts))} logs in ${cutSeconds.toFixed(0)} s, ${badCuts} failed`,
);
process.exitCode = failed + badCuts > 0 ? 1 : 0;
