/** Where a command records to. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { traceRoot } from '@rollout-trace/core/node';

const DEFAULT_ROOT = 'rollout-traces';
/** A trace holds what was said to the model, and whatever secrets stood in it. */
const OWNER_ONLY = 0o700;

/**
 * The trace root of the environment, else `./rollout-traces`, which is made.
 *
 * @throws {Error} where it cannot be made
 */
export function openTraceRoot(environment: Readonly<Record<string, string | undefined>>): string {
  const named = traceRoot(environment);
  if (named !== null) return named;
  try {
    const isNew = mkdirSync(DEFAULT_ROOT, { recursive: true, mode: OWNER_ONLY }) !== undefined;
    // Traces are made where people work, and must not find their way into a repository by `git add .`.
    if (isNew) writeFileSync(join(DEFAULT_ROOT, '.gitignore'), '*\n');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`No trace can be written here (${why}). Name a folder for it with ROLLOUT_TRACE_ROOT.`);
  }
  return DEFAULT_ROOT;
}
