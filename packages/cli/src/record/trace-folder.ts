/** Where a command records to: a folder of its own, and which traces it left there. */

import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  DEFAULT_TRACE_ROOT,
  findBundles,
  listBundle,
  makeTraceRoot,
  newestFirst,
  traceRoot,
} from '@rollout-trace/core/node';
import { UsageError } from '../args/usage-error.ts';
import { failureOf } from '../failure.ts';

/** A trace holds what was said to the model, and whatever secrets stood in it. */
const OWNER_ONLY = 0o700;

export interface TraceFolder {
  /** As a person is told it. */
  name: string;
  /** As the command is told it: it may go to another folder before it records. */
  path: string;
  /** The traces that were there before. */
  before: ReadonlySet<string>;
  /** What was made for this command alone, the innermost first. */
  made: readonly string[];
}

/**
 * The folder the user named, or else a new one, named by the time, below the trace root of the environment or
 * `./rollout-traces`.
 *
 * @throws {UsageError} where it cannot be made
 */
export function openTraceFolder(
  named: string | null,
  environment: Readonly<Record<string, string | undefined>>,
  now: Date,
): TraceFolder {
  try {
    return makeTraceFolder(named, environment, now);
  } catch (error) {
    throw new UsageError(failureOf(error).message, 'Name another folder for traces with --root or ROLLOUT_TRACE_ROOT.');
  }
}

function makeTraceFolder(
  named: string | null,
  environment: Readonly<Record<string, string | undefined>>,
  now: Date,
): TraceFolder {
  if (named !== null) {
    makeTraceRoot(named);
    return { name: named, path: resolve(named), before: new Set(findBundles(named)), made: [] };
  }
  const parent = traceRoot(environment) ?? DEFAULT_TRACE_ROOT;
  const missing = missingFolders(parent);
  const ignore = makeTraceRoot(parent);
  const name = makeFresh(parent, timeName(now));
  return {
    name,
    path: resolve(name),
    before: new Set(),
    made: [name, ...(ignore === null ? [] : [ignore]), ...missing],
  };
}

/** The folder and those above it that are not there, the innermost first. */
function missingFolders(folder: string): string[] {
  const missing: string[] = [];
  for (let path = folder; !existsSync(path) && dirname(path) !== path; path = dirname(path)) missing.push(path);
  return missing;
}

/** Where a trace is looked for that no path names: where commands record to. Null where nothing was recorded yet. */
export function searchedFolder(environment: Readonly<Record<string, string | undefined>>): string | null {
  return traceRoot(environment) ?? (existsSync(DEFAULT_TRACE_ROOT) ? DEFAULT_TRACE_ROOT : null);
}

/** Two commands may begin in the same second. */
function makeFresh(parent: string, name: string): string {
  for (let n = 1; ; n++) {
    const folder = join(parent, n === 1 ? name : `${name}-${n}`);
    try {
      mkdirSync(folder, { mode: OWNER_ONLY });
      return folder;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

/** `2026-11-20T21-23-53`, in the time of the place: fit for a file name everywhere. */
function timeName(now: Date): string {
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replaceAll(':', '-');
}

/** What a command is told: both names, because recorders look for both, and the first would otherwise win over the second. */
export function recordingEnvironment(
  { path }: TraceFolder,
  format: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return {
    ...environment,
    ROLLOUT_TRACE_ROOT: path,
    CODEX_ROLLOUT_TRACE_ROOT: path,
    ...(format === null ? {} : { ROLLOUT_TRACE_FORMAT: format }),
  };
}

/** The traces that were not there before, in the order they began. */
export function newTraces({ name, before }: TraceFolder): string[] {
  // The command may have removed it.
  if (!existsSync(name)) return [];
  const paths = [...findBundles(name)].filter((path) => !before.has(path));
  if (paths.length < 2) return paths;
  return paths
    .map(listBundle)
    .sort((a, b) => newestFirst(b, a))
    .map(({ path }) => path);
}

/** What was made for nothing does not stay. */
export function removeIfEmpty({ made }: TraceFolder): void {
  try {
    for (const path of made) {
      if (path.endsWith('.gitignore')) rmSync(path);
      else rmdirSync(path);
    }
  } catch {
    // Something is in it: then it stays.
  }
}
