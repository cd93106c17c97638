/** Which operands of a command mean bundles. */

import { existsSync } from 'node:fs';

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
