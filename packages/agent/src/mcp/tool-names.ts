/** Names of servers and tools as the model's API takes them, each name once. */

import { createHash } from 'node:crypto';

/** What the API takes is `[a-zA-Z0-9_-]`; some services take no more than this many of them. */
const LONGEST = 64;
const HASH_DIGITS = 8;

/**
 * For each name one that the API takes, in the same order. A name the API takes stays as it is. Of the others, those
 * that would be taken twice or had to be cut get a hash of the whole name, which does not depend on what else is there.
 *
 * @returns null for a name that is the same as an earlier one
 */
export function apiNames(names: readonly string[], longest = LONGEST): (string | null)[] {
  const clean = (name: string) => name.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
  const isFine = (name: string) => name !== '' && name.length <= longest && clean(name) === name;
  const taken = new Set(names.filter(isFine));
  const counts = new Map<string, number>();
  for (const name of new Set(names)) counts.set(clean(name), (counts.get(clean(name)) ?? 0) + 1);
  const given = new Map<string, string>();
  return names.map((name) => {
    if (given.has(name)) return null;
    const cleaned = clean(name);
    const hashed = `${cleaned.slice(0, longest - HASH_DIGITS - 1)}_${hashOf(name)}`;
    const isAlone = cleaned !== '' && cleaned.length <= longest && counts.get(cleaned) === 1 && !taken.has(cleaned);
    const result = isFine(name) || isAlone ? cleaned : hashed;
    given.set(name, result);
    return result;
  });
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
}
