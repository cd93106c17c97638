/** Where a command records to. */

import { DEFAULT_TRACE_ROOT, makeTraceRoot, traceRoot } from '@rollout-trace/core/node';

/**
 * The trace root of the environment, else `./rollout-traces`, which is made.
 *
 * @throws {Error} where it cannot be made
 */
export function openTraceRoot(environment: Readonly<Record<string, string | undefined>>): string {
  const named = traceRoot(environment);
  if (named !== null) return named;
  try {
    makeTraceRoot(DEFAULT_TRACE_ROOT);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`No trace can be written here (${why}). Name a folder for it with ROLLOUT_TRACE_ROOT.`);
  }
  return DEFAULT_TRACE_ROOT;
}
