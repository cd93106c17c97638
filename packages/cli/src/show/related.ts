/** Which objects of a graph refer to one, and by which field. The graph holds such links one way; this is the other. */

import { type Graph, IdList } from '@rollout-trace/core/format';
import { NOUNS, type Noun, objects } from './kinds.ts';
import type { ObjectRef } from './refs.ts';

/** An object that refers to another, by its field on disk. */
export interface Referrer extends ObjectRef {
  field: string;
}

/** Everything that refers to the object with this id, except itself. */
export function referrersOf(graph: Graph, target: ObjectRef): Referrer[] {
  const found: Referrer[] = [];
  for (const noun of NOUNS) {
    if (!mayRefer(noun, target.noun)) continue;
    for (const [id, object] of objects(graph, noun)) {
      if (noun === target.noun && id === target.id) continue;
      const field = fieldWith(object, target.id);
      if (field !== null) found.push({ noun, id, field });
    }
  }
  return found;
}

/** Ids of threads and turns stand in everything that belongs to them; those are told as steps, not as links. */
function mayRefer(from: Noun, to: Noun): boolean {
  if (to === 'thread') return from === 'thread' || from === 'edge' || from === 'turn';
  return to !== 'turn';
}

function fieldWith(object: object, id: string): string | null {
  for (const [field, value] of Object.entries(object)) if (holds(value, id)) return field;
  return null;
}

function holds(value: unknown, id: string): boolean {
  if (typeof value === 'string') return value === id;
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof IdList) return value.includes(id);
  return Object.values(value).some((member) => holds(member, id));
}
