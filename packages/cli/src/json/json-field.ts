/** A look into evidence, which may hold anything. */

import { type Json, JsonObject } from '@rollout-trace/core/format';

/** A member of an object; undefined where it has none, or is no object. */
export function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return value instanceof JsonObject ? value.get(name) : undefined;
}
