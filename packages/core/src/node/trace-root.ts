/** The folder traces are written below: which one it is, and how it is made. Not here: finding traces in it (`locate.ts`). */

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where programs record to when nobody says otherwise: a folder of the one they work in. */
export const DEFAULT_TRACE_ROOT = 'rollout-traces';
/** A trace holds what was said to the model, and whatever secrets stood in it. */
const OWNER_ONLY = 0o700;

/** The folder recorders write below, from `ROLLOUT_TRACE_ROOT` or else `CODEX_ROLLOUT_TRACE_ROOT`; null where neither is set. */
export function traceRoot(environment: Readonly<Record<string, string | undefined>>): string | null {
  return environment.ROLLOUT_TRACE_ROOT || environment.CODEX_ROLLOUT_TRACE_ROOT || null;
}

/**
 * Makes a folder and those above it, for their owner only. Node's own way of doing so never ends where a folder that
 * exists says that there is no such folder, as `/proc` does.
 *
 * @returns whether it was made here
 * @throws an error of the system where it cannot be made
 */
export function makeFolder(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: OWNER_ONLY });
    return true;
  } catch (error) {
    // Another process may have been faster.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    throw error;
  }
}

/**
 * Makes the folder, for its owner only, where it is not there.
 *
 * @returns the file that keeps a new {@link DEFAULT_TRACE_ROOT} out of repositories; null where none was written
 * @throws an error of the system where it cannot be made
 */
export function makeTraceRoot(root: string): string | null {
  const isNew = makeFolder(root);
  if (!isNew || root !== DEFAULT_TRACE_ROOT) return null;
  // Traces are made where people work, and must not find their way into a repository by `git add .`.
  const ignore = join(root, '.gitignore');
  writeFileSync(ignore, '*\n');
  return ignore;
}
