// @ts-check
/**
 * How far the reducer agrees with the reference, and the detection with the truth, as tables for the docs.
 *
 *     npm run build && node scripts/parity.mjs [--shared DIR] [--write]
 *
 * Prints both tables; `--write` puts them into docs/reducer.md and docs/generations.md. DIR holds the whole collection
 * the fixtures were picked from (`corpus`, `micro`, `micro-generations`) and stands beside the repository by default.
 * Exits with 1 where a bundle differs. Not here: the comparison of one bundle (`parity-loop.mjs`).
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import process, { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeTable } from './doc-tables.mjs';
import { bundlesBelow, compareBundle } from './parity-loop.mjs';

/**
 * @typedef {typeof import('@rollout-trace/core') & typeof import('@rollout-trace/core/node')} Core
 * @typedef {{ folder: string, generation: string }} Bundle
 * @typedef {{ set: string, generation: string, folder: string, status: string, why: string }} Result
 */

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the whole collection lies, if it is there at all. */
export const SHARED = fileURLToPath(new URL('../../shared', import.meta.url));

/** The sets of bundles with an answer of the reference, in the order of the table's columns. */
export const SETS = ['fixtures', 'corpus', 'micro', 'micro-generations'];

/**
 * @param {string} set
 * @param {string} shared
 * @returns {Bundle[]} none where the set is not there
 */
export function bundlesOf(set, shared = SHARED) {
  if (set === 'fixtures') return bundlesBelow(`${root}/fixtures/bundles`);
  return bundlesBelow(`${shared}/${set}`, set === 'micro' ? '0.169.0' : null);
}

/**
 * @param {Core} core
 * @param {string} set
 * @param {string} [shared]
 * @returns {Result[]}
 */
export function compareSet(core, set, shared) {
  return bundlesOf(set, shared).map(({ folder, generation }) => ({
    set,
    folder,
    generation,
    ...compareBundle(core, folder, generation),
  }));
}

/** @param {string} version `0.169.0` @returns {string} the generation whose rules its bundles are held to */
export function generationOf(version) {
  return version === '0.124.0' ? '0.125' : version.replace(/\.0$/, '');
}

/**
 * Generation by set: how many bundles are identical, of how many.
 *
 * @param {Core} core
 * @param {Result[]} results
 */
export function parityTable(core, results) {
  const cell = (/** @type {Result[]} */ some) =>
    some.length === 0 ? '' : `${some.filter(({ status }) => status === 'identical').length} of ${some.length}`;
  const row = (/** @type {string} */ name, /** @type {Result[]} */ some) =>
    `| ${[name, ...SETS.map((set) => cell(some.filter((result) => result.set === set))), cell(some)].join(' | ')} |`;
  return [
    `| generation | ${SETS.join(' | ')} | all |`,
    `|--|${'--|'.repeat(SETS.length)}--|`,
    ...core.GENERATIONS.map((generation) =>
      row(
        generation,
        results.filter((result) => generationOf(result.generation) === generation),
      ),
    ),
    row('all', results),
  ].join('\n');
}

/**
 * What each recorded bundle is taken for. A fixture stands for its recording only where the collection has none.
 *
 * @param {Core} core
 * @param {string} [shared]
 * @returns {(Bundle & { detected: string, certain: boolean })[]}
 */
export function detections(core, shared) {
  const recorded = bundlesOf('corpus', shared);
  const known = new Set(recorded.map(({ folder, generation }) => `${generation}/${basename(folder)}`));
  const more = bundlesOf('fixtures').filter(
    ({ folder, generation }) => !known.has(`${generation}/${basename(folder)}`),
  );
  return [...recorded, ...more].map((bundle) => {
    const { generation, certain } = new core.Replay(core.directorySource(bundle.folder), { mode: 'salvage' })
      .generation;
    return { ...bundle, detected: generation, certain };
  });
}

/**
 * Version that wrote a bundle by generation that was detected.
 *
 * @param {Core} core
 * @param {ReturnType<typeof detections>} found
 */
export function detectionTable(core, found) {
  const versions = [...new Set(found.map(({ generation }) => generation))].sort();
  return [
    `| written by | ${core.GENERATIONS.join(' | ')} | certain | right |`,
    `|--|${'--|'.repeat(core.GENERATIONS.length)}--|--|`,
    ...versions.map((version) => {
      const mine = found.filter(({ generation }) => generation === version);
      const counts = core.GENERATIONS.map((name) => mine.filter(({ detected }) => detected === name).length || '');
      const certain = mine.filter((bundle) => bundle.certain).length;
      const right = mine.filter(({ detected }) => detected === generationOf(version)).length;
      return `| ${[version, ...counts, certain, `${right} of ${mine.length}`].join(' | ')} |`;
    }),
  ].join('\n');
}

async function main() {
  const { values } = parseArgs({
    options: { shared: { type: 'string', default: SHARED }, write: { type: 'boolean', default: false } },
  });
  if (values.write && !existsSync(values.shared)) {
    throw new Error(`the tables count the whole collection, but it is not at ${values.shared}`);
  }
  const dist = new URL('../packages/core/dist/', import.meta.url);
  /** @type {Core} */
  const core = {
    ...(await import(new URL('index.js', dist).href)),
    ...(await import(new URL('node/index.js', dist).href)),
  };
  const results = SETS.flatMap((set) => compareSet(core, set, values.shared));
  const parity = parityTable(core, results);
  const detection = detectionTable(core, detections(core, values.shared));
  console.log(`${parity}\n\n${detection}`);
  if (values.write) {
    writeTable('docs/reducer.md', 'parity', parity);
    writeTable('docs/generations.md', 'detection', detection);
  }
  const others = results.filter(({ status }) => status !== 'identical');
  for (const { folder, status, why } of others) console.error(`${folder}: ${status}: ${why}`);
  if (others.length > 0) process.exitCode = 1;
}

if (argv[1] === fileURLToPath(import.meta.url)) await main();
