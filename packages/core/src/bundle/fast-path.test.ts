// The fast path of request reading and item placing gives what the plain one gives, on every history there is.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../format/finding.ts';
import { GENERATION_RULES, GENERATIONS, type Generation } from '../format/generation.ts';
import { stateJson } from '../format/state-json.ts';
import { graphViolations } from '../reducer/invariants.ts';
import { bundleFiles } from '../reducer/testing/scenario.ts';
import { type ReducedBundle, reduceBundle } from './replay.ts';
import { type BundleSource, memorySource } from './source.ts';
import { nastySession } from './testing/nasty-session.ts';

function outcome(source: BundleSource, generation: Generation, sharePrefixes: boolean): string {
  try {
    return printed(reduceBundle(source, { mode: 'strict', generation, sharePrefixes }));
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    const { code, message, line, json_path } = error.finding;
    return `${code} at ${line} ${json_path}: ${message}`;
  }
}

function printed({ graph, rules }: ReducedBundle): string {
  return stateJson(graph, { rules });
}

/** The first line in which two texts differ: a whole state says nothing to a reader. */
function difference(a: string, b: string): string | null {
  if (a === b) return null;
  const left = a.split('\n');
  const right = b.split('\n');
  const at = left.findIndex((line, index) => line !== right[index]);
  return `line ${at + 1}: ${left[at]?.slice(0, 300)} | ${right[at]?.slice(0, 300)}`;
}

describe.each(GENERATIONS.map((generation) => ({ generation })))('a request of $generation', ({ generation }) => {
  const acceptances = GENERATION_RULES[generation].acceptances !== 'none';
  const runs = generation === '0.169' ? 800 : 120;

  it(`read by what it shares with the one before, gives the state it gives alone (${runs} sessions)`, () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.integer({ min: 2, max: 90 }), (seed, steps) => {
        const source = memorySource(bundleFiles(nastySession(seed, steps, { acceptances }), generation));
        expect(difference(outcome(source, generation, true), outcome(source, generation, false))).toBe(null);
        const fast = reduceBundle(source, { mode: 'salvage', generation });
        const plain = reduceBundle(source, { mode: 'salvage', generation, sharePrefixes: false });
        expect(difference(printed(fast), printed(plain))).toBe(null);
        expect(graphViolations(fast.graph)).toEqual([]);
        expect(fast.findings.filter(({ code }) => code === 'internal')).toEqual([]);
      }),
      { seed: 20_260, numRuns: runs, interruptAfterTimeLimit: 20_000 },
    );
  }, 60_000);
});
