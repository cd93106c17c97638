/** What both tools say about waiting and about how much output comes back. */

/** A call waits no longer than this for a command that goes on. */
export const MOST_YIELD_MS = 300_000;

/** So much output comes back where a call does not say. */
export const DEFAULT_OUTPUT_TOKENS = 10_000;

export function yieldParameter(defaults: string): object {
  return {
    type: 'integer',
    minimum: 0,
    maximum: MOST_YIELD_MS,
    description: `How long to wait for the command before returning, in milliseconds. ${defaults}`,
  };
}

export const OUTPUT_TOKENS_PARAMETER: object = {
  type: 'integer',
  minimum: 0,
  description: `Most output to return, in tokens; the middle of longer output is left out. Default ${DEFAULT_OUTPUT_TOKENS}.`,
};
