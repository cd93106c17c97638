#!/usr/bin/env node
// @ts-check
// The differential run: mutants of recorded bundles, reduced by the reference binary and by us in strict mode. Both give
// the same bytes, or both fail for the same reason. Needs the binaries, so it is not part of the tests.
//
//   ROLLOUT_TRACE_CODEX_DIR=DIR node packages/core/fuzz/oracle.mjs [--version 0.169.0] [--count 300] [--seed 1]
//       [--bundles DIR | --sessions] [--work DIR] [--any-syntax]
//
//   DIR            holds codex-<version>
//   --bundles DIR  holds <version>/<scenario>; the fixtures unless given
//   --sessions     not mutants, but the sessions no sane agent has of the property tests (nasty-session.ts)
//   --work DIR     for the mutants; not below the system's folder for temporary files, where the binary warns about its
//                  home on the stream its errors are read from. Mutants that differ stay there, each with why.txt.
//   --any-syntax   also mutants whose files are no JSON any more; without, only those that leave the syntax whole

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as core from '@rollout-trace/core';
import { GENERATION_RULES, NEWEST_GENERATION, parseGeneration } from '@rollout-trace/core/format';
import * as node from '@rollout-trace/core/node';
import { compareBundle } from '../../../scripts/parity-loop.mjs';
import { nastySession } from '../dist/bundle/testing/nasty-session.js';
import { bundleFiles } from '../dist/reducer/testing/scenario.js';
import { mutant } from './mutate.mjs';
import { bundlesBelow, writeBundle } from './recorded.mjs';

const { values: arg } = parseArgs({
  options: {
    version: { type: 'string', default: '0.169.0' },
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    bundles: { type: 'string', default: fileURLToPath(new URL('../../../fixtures/bundles', import.meta.url)) },
    work: { type: 'string', default: fileURLToPath(new URL('../../../node_modules/.cache/oracle', import.meta.url)) },
    sessions: { type: 'boolean', default: false },
    'any-syntax': { type: 'boolean', default: false },
  },
});

const { ROLLOUT_TRACE_CODEX_DIR: binaries } = process.env;
const binary = binaries === undefined ? '' : join(binaries, `codex-${arg.version}`);
if (!existsSync(binary)) {
  console.error(`ROLLOUT_TRACE_CODEX_DIR must name the folder of codex-${arg.version}`);
  process.exit(2);
}

const work = resolve(arg.work);
const home = join(work, 'home');
mkdirSync(home, { recursive: true });

/** Puts the answer of the reference beside the bundle, as the fixtures have it. @param {string} folder */
function ask(folder) {
  const state = join(folder, 'expected-state.json');
  const { status, signal, stderr } = spawnSync(binary, ['debug', 'trace-reduce', folder, '-o', state], {
    env: { ...process.env, CODEX_HOME: home, RUST_BACKTRACE: '0' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status === 0) return;
  rmSync(state, { force: true });
  const said = stderr.replaceAll(folder, '<bundle>');
  writeFileSync(join(folder, 'expected-error.txt'), said === '' ? `Error: ended by ${signal}` : said);
}

const bundles = arg.sessions ? [] : bundlesBelow(join(arg.bundles, arg.version));
const others = bundles.map(({ files }) => files);
const { rules, generation } = (() => {
  const named = parseGeneration(arg.version) ?? NEWEST_GENERATION;
  return { rules: GENERATION_RULES[named], generation: named };
})();

/** @param {number} index @returns {{ files: Map<string, Uint8Array>, what: string, seed: number }} */
function input(index) {
  const seed = (Number(arg.seed) * 1_000_003 + index) >>> 0;
  if (arg.sessions) {
    const session = nastySession(seed, 2 + (index % 90), { acceptances: rules.acceptances !== 'none' });
    return { files: bundleFiles(session, generation), what: 'a session', seed };
  }
  const bundle = bundles[index % bundles.length];
  if (bundle === undefined) throw new Error(`no bundle below ${arg.bundles}/${arg.version}`);
  const { files, names } = mutant(bundle.files, seed, others, { deep: !arg['any-syntax'], most: 2 });
  return { files, what: `${bundle.folder} (${names.join(', ')})`, seed };
}

const tally = { same: 0, 'both fail': 0, refused: 0, different: 0 };
const began = performance.now();
for (let index = 0; index < Number(arg.count); index++) {
  const { files, what, seed } = input(index);
  const folder = join(work, `${arg.version}-${seed}`);
  writeBundle(folder, files);
  ask(folder);
  const { status, why } = compareBundle({ ...core, ...node }, folder, arg.version);
  if (status === 'different') {
    tally.different++;
    const failure = join(folder, 'expected-error.txt');
    const said = existsSync(failure) ? readFileSync(failure, 'utf8').split('\n')[0] : 'a state';
    const told = `${what}: ${why}\nthe reference: ${said}\n`;
    writeFileSync(join(folder, 'why.txt'), told);
    console.error(`${folder}\n  ${told.trim().replaceAll('\n', '\n  ')}`);
    continue;
  }
  if (status === 'refused') tally.refused++;
  else if (existsSync(join(folder, 'expected-state.json'))) tally.same++;
  else tally['both fail']++;
  rmSync(folder, { recursive: true });
}
const of = arg.sessions ? 'sessions' : `mutants of ${bundles.length} bundles`;
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(`${arg.version}: ${arg.count} ${of} in ${seconds} s: ${JSON.stringify(tally)}`);
process.exitCode = tally.different > 0 ? 1 : 0;
