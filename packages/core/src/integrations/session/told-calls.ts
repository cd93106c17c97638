/**
 * The calls of tools that one thread was told of. Readers hold a call id to what it stood for first; SDKs send back what
 * they made of it: members in another order, with the defaults of a schema. Such a call stands as it was told first, and
 * carries what was really sent in `derived_from`.
 */

import { isMembers, type Members } from './json.ts';

/** What a call is given, by the type of its item. */
const GIVEN = new Map([
  ['function_call', 'arguments'],
  ['custom_tool_call', 'input'],
]);

/** The calls of one thread. */
export class ToldCalls {
  readonly #first = new Map<string, Members>();

  /** The items as they are to be recorded. */
  settled(items: readonly unknown[]): readonly unknown[] {
    let changed = false;
    const settled = items.map((item) => {
      const stands = isMembers(item) ? this.#settled(item) : item;
      changed ||= stands !== item;
      return stands;
    });
    return changed ? settled : items;
  }

  #settled(item: Members): Members {
    const { type, call_id } = item;
    const given = typeof type === 'string' ? GIVEN.get(type) : undefined;
    if (given === undefined || typeof call_id !== 'string') return item;
    const key = `${type} ${call_id}`;
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, item);
    if (first === undefined || first[given] === item[given]) return item;
    return { ...item, [given]: first[given], derived_from: item.derived_from ?? item };
  }
}
