/**
 * The calls of tools that one thread was told of. Readers hold a call id to what it stood for first, and refuse a thread
 * where it stands for something else.
 *
 * SDKs send back what they made of a call: members in another order, with the defaults of a schema. Such a call stands as
 * it was told first. Some services count their calls anew for each response: a call that differs from an earlier one of
 * its id has a number behind the id, and so have the outputs that follow it. What is changed carries what was really
 * sent or received in `derived_from`.
 */

import { isMembers, type Members } from './json.ts';

/** The members that say what is called, by the type of the call. Every other call has become one of these. */
const SAID = new Map<unknown, readonly string[]>([
  ['function_call', ['name', 'arguments']],
  ['custom_tool_call', ['name', 'input']],
]);
const OUTPUTS = new Set([
  'function_call_output',
  'custom_tool_call_output',
  'tool_search_output',
  'mcp_tool_call_output',
]);

/** Says which of the calls with one id an item is; adds it where it is a new one. */
type Finder = (key: string, item: Members) => number;

/** The calls of one thread. */
export class ToldCalls {
  /** The calls of each id, as they were told first. */
  readonly #known = new Map<string, Members[]>();
  /** Which call of an id the outputs that come next belong to. */
  readonly #current = new Map<string, number>();

  /** The items of a request as they are to be recorded. Gives the very list where nothing has to change. */
  sent(items: readonly unknown[]): readonly unknown[] {
    const seen = new Map<string, number>();
    return this.#settled(items, (key, item) => {
      const occurrence = seen.get(key) ?? 0;
      seen.set(key, occurrence + 1);
      const known = this.#calls(key, item);
      const same = known.findIndex((one) => isSameCall(one, item));
      return same >= 0 ? same : Math.min(occurrence, known.length - 1);
    });
  }

  /** The items of a response as they are to be recorded: each call is one the model makes now. */
  received(items: readonly unknown[]): readonly unknown[] {
    return this.#settled(items, (key, item) => {
      const known = this.#calls(key, item);
      const same = known.findIndex((one) => isSameCall(one, item));
      return same >= 0 ? same : known.push(item) - 1;
    });
  }

  #calls(key: string, item: Members): Members[] {
    const known = this.#known.get(key) ?? [item];
    this.#known.set(key, known);
    return known;
  }

  #settled(items: readonly unknown[], find: Finder): readonly unknown[] {
    let changed = false;
    const settled = items.map((item) => {
      const stands = isMembers(item) ? this.#stands(item, find) : item;
      changed ||= stands !== item;
      return stands;
    });
    return changed ? settled : items;
  }

  #stands(item: Members, find: Finder): Members {
    const { type, call_id: id } = item;
    if (typeof id !== 'string' || typeof type !== 'string') return item;
    if (!SAID.has(type)) return OUTPUTS.has(type) ? numbered(item, id, this.#current.get(id) ?? 0) : item;
    const key = `${type} ${id}`;
    const at = find(key, item);
    this.#current.set(id, at);
    const first = this.#known.get(key)?.[at] ?? item;
    return numbered(isSameCall(first, item) ? item : toldAs(first, item), id, at);
  }
}

/** Whether the two call the same. */
function isSameCall(one: Members, other: Members): boolean {
  return (SAID.get(one.type) ?? []).every((key) => one[key] === other[key]);
}

/** The item with what was called first in the place of what is called now. */
function toldAs(first: Members, item: Members): Members {
  const said = (SAID.get(first.type) ?? []).map((key) => [key, first[key]]);
  return { ...item, ...Object.fromEntries(said), derived_from: sentAs(item) };
}

function numbered(item: Members, id: string, at: number): Members {
  return at === 0 ? item : { ...item, call_id: `${id}#${at + 1}`, derived_from: sentAs(item) };
}

function sentAs(item: Members): unknown {
  return item.derived_from ?? item;
}
