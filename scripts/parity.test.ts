// Holds the reducer against the reference on every bundle at hand: byte for byte where the reference answers, code for
// code where it fails. The fixtures are always at hand, the rest of the collection where it lies beside the repository.

import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as core from '@rollout-trace/core';
import * as node from '@rollout-trace/core/node';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { tableIn } from './doc-tables.mjs';
import {
  bundlesOf,
  compareSet,
  detections,
  detectionTable,
  generationOf,
  parityTable,
  SETS,
  SHARED,
} from './parity.mjs';

const both = { ...core, ...node };
const hasShared = existsSync(SHARED);

/** Two thousand bundles take seconds, and longer where other work is done at the same time. */
const PATIENCE_MS = 120_000;

const placeOf = (folder: string) => folder.split(/[\\/]/).slice(-2).join('/');

describe('strict reduction', () => {
  let results: ReturnType<typeof compareSet>;
  beforeAll(() => {
    results = SETS.flatMap((set) => compareSet(both, set));
  }, PATIENCE_MS);

  it.each(hasShared ? SETS : ['fixtures'])('gives what the reference gives on every bundle of %s', (set) => {
    const mine = results.filter((result) => result.set === set);
    expect(mine.length).toBeGreaterThan(30);
    const different = mine.filter(({ status }) => status !== 'identical');
    expect(different.map(({ folder, why }) => `${placeOf(folder)}: ${why}`)).toEqual([]);
  });

  it('is held to states and to failures of every generation in the fixtures', () => {
    const covered = new Set(bundlesOf('fixtures').map(({ generation }) => generationOf(generation)));
    expect([...core.GENERATIONS].filter((generation) => !covered.has(generation))).toEqual([]);
  });

  it.runIf(hasShared)('the table in docs/reducer.md is the one these results make', () => {
    expect(tableIn(readFileSync('docs/reducer.md', 'utf8'), 'parity').table).toBe(parityTable(both, results));
  });
});

describe('detection', () => {
  let found: ReturnType<typeof detections>;
  beforeAll(() => {
    found = detections(both);
  }, PATIENCE_MS);
  const right = ({ generation, detected }: (typeof found)[number]) => generationOf(generation) === detected;

  it('a generation that is certain is the right one', () => {
    expect(found.filter((bundle) => bundle.certain && !right(bundle)).map(({ folder }) => placeOf(folder))).toEqual([]);
  });

  it('takes the right generation for every fixture but one that nothing tells from its neighbour', () => {
    const wrong = detections(both, 'no such folder').filter((bundle) => !right(bundle));
    expect(wrong.map(({ folder, detected }) => [placeOf(folder), detected])).toEqual([
      ['0.163.0/patch-shell', '0.164'],
    ]);
  });

  it('says so where it guesses', () => {
    const guessed = detections(both, 'no such folder').filter(({ certain }) => !certain);
    expect(guessed.map(({ folder }) => basename(folder)).sort()).toEqual(
      ['agents-same-text', 'code-parallel', 'killed', 'patch-shell', 'unicode'].sort(),
    );
  });

  it.runIf(hasShared)('the table in docs/generations.md is the one these bundles make', () => {
    expect(tableIn(readFileSync('docs/generations.md', 'utf8'), 'detection').table).toBe(detectionTable(both, found));
  });
});

test('V4: salvage writes the bytes of strict wherever strict reduces', () => {
  for (const { folder, generation } of bundlesOf('fixtures').filter(({ folder }) =>
    existsSync(`${folder}/expected-state.json`),
  )) {
    const named = generationOf(generation) as core.Generation;
    const { graph, rules } = core.reduceBundle(node.directorySource(folder), { mode: 'salvage', generation: named });
    expect(core.stateJson(graph, { rules }), placeOf(folder)).toBe(
      readFileSync(`${folder}/expected-state.json`, 'utf8'),
    );
  }
});
