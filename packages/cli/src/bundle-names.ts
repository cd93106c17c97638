/** Which operands of a command mean bundles, and which bundle one means. */

import { existsSync } from 'node:fs';
import { locateBundle } from '@rollout-trace/core/node';
import { UsageError } from './args/usage-error.ts';
import type { Io } from './io/stream.ts';
import { searchedFolder } from './record/trace-folder.ts';

/** What the names of segments end in. */
export const SEGMENT_SUFFIX = '.rollout';
const BESIDE_A_SEGMENT = /^(.+)\.(?:state|findings)\.json$/;

/**
 * All of them, but for what `reduce` has left beside segments: a shell that is asked for `traces/*` names that as well.
 * One operand alone is taken at its word.
 */
export function bundleNames(operands: readonly string[]): readonly string[] {
  if (operands.length === 1) return operands;
  return operands.filter((name) => {
    const segment = BESIDE_A_SEGMENT.exec(name)?.[1];
    return segment === undefined || !existsSync(segment + SEGMENT_SUFFIX);
  });
}

/**
 * The path of the bundle a user named.
 *
 * @throws {UsageError} and LocateError where there is none
 */
export function bundleAt(name: string, environment: Io['environment']): string {
  const isLast = /^@last(?:~\d+)?$/.test(name);
  if (name.startsWith('@') && !isLast && !/[/\\]/.test(name) && !existsSync(name)) {
    throw new UsageError(`${name} names no bundle`, '@last is the newest one, @last~1 the one before.');
  }
  return locateBundle(name, searchedFolder(environment));
}
