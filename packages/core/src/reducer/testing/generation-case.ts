/** Scaffolding of the tests of the generations: one small bundle, reduced by the generation before a step and after it. */

import { UnknownEventError } from '../../format/decode-event.ts';
import { TraceError } from '../../format/finding.ts';
import { GENERATION_RULES, GENERATIONS, type Generation, type GenerationRules } from '../../format/generation.ts';
import { stateJson } from '../../format/state-json.ts';
import { reduce, type Sketch } from './scenario.ts';

// biome-ignore lint/suspicious/noExplicitAny: a state as it stands on disk; each case looks at one place of it
export type State = any;

/** One rule at one step: what the generation before does, and what the one after it. */
export interface GenerationCase {
  /** The number of the rule in docs/generations.md, and what the case shows. */
  rule: string;
  key: keyof GenerationRules;
  step: readonly [Generation, Generation];
  log: readonly Sketch[];
  /** The place of the state that is looked at. Where the bundle is refused, the code of the error stands for it. */
  see: (state: State) => unknown;
  was: unknown;
  is: unknown;
}

/** For cases in which only counts whether the bundle is refused. */
export const reduces = (): true => true;

export function outcome({ log, see }: GenerationCase, generation: Generation): unknown {
  try {
    const { graph, rules } = reduce(log, { generation });
    return see(JSON.parse(stateJson(graph, { rules })));
  } catch (error) {
    if (error instanceof TraceError) return error.code;
    // The driver of a log gives it this code.
    if (error instanceof UnknownEventError) return 'event_unknown';
    throw error;
  }
}

/** The steps at which a rule changes, as the table has them. */
export function stepsOf(key: keyof GenerationRules): string[] {
  const text = (generation: Generation): string => {
    const value = GENERATION_RULES[generation][key];
    return typeof value === 'object' ? [...value].join() : String(value);
  };
  return GENERATIONS.flatMap((after, index) => {
    const before = GENERATIONS[index - 1];
    return before === undefined || text(before) === text(after) ? [] : [`${key}: ${before} to ${after}`];
  });
}

/** The steps that the cases cover. */
export function stepsCovered(cases: readonly GenerationCase[]): Set<string> {
  return new Set(cases.map(({ key, step: [before, after] }) => `${key}: ${before} to ${after}`));
}
