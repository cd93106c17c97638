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
import { quietly } from './quietly.ts';

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

/** A call as it was told first, and the id it is recorded under. */
interface Told {
  item: Members;
  id: string;
}

/** Says which of the calls with one id an item is; adds it where it is a new one. */
type Finder = (key: string, id: string, item: Members) => Told;

/** The calls of one thread. */
export class ToldCalls {
  /** The calls of each id. */
  readonly #known = new Map<string, Told[]>();
  /** Under which id the call of an id is recorded that the outputs that come next belong to. */
  readonly #current = new Map<string, string>();
  /** The ids that calls came with, and those that were made here. */
  readonly #real = new Set<string>();
  readonly #made = new Set<string>();

  /** The items of a request as they are to be recorded. Gives the very list where nothing has to change. */
  sent(items: readonly unknown[]): readonly unknown[] {
    const seen = new Map<string, number>();
    return this.#settled(items, (key, id, item) => {
      const occurrence = seen.get(key) ?? 0;
      seen.set(key, occurrence + 1);
      const known = this.#calls(key);
      const same = known.find((one) => isSameCall(one.item, item));
      return same ?? known[Math.min(occurrence, known.length - 1)] ?? this.#add(known, id, item);
    });
  }

  /** The items of a response as they are to be recorded: each call is one the model makes now. */
  received(items: readonly unknown[]): readonly unknown[] {
    return this.#settled(items, (key, id, item) => {
      const known = this.#calls(key);
      return known.find((one) => isSameCall(one.item, item)) ?? this.#add(known, id, item);
    });
  }

  /** Under which id the newest call of an id is recorded. */
  idOf(id: string): string {
    return this.#current.get(id) ?? id;
  }

  /** Under which id a function call will be recorded that runs before its response is told. */
  idToCome(id: string, name: string, given: unknown): string {
    const known = this.#known.get(`function_call ${id}`) ?? [];
    const text = JSON.stringify(given);
    const same = known.find(({ item }) => item.name === name && JSON.stringify(parsed(item.arguments)) === text);
    return same?.id ?? this.#newId(known, id);
  }

  #calls(key: string): Told[] {
    const known = this.#known.get(key) ?? [];
    this.#known.set(key, known);
    return known;
  }

  #add(known: Told[], id: string, item: Members): Told {
    const told = { item, id: this.#newId(known, id) };
    this.#real.add(id);
    if (told.id !== id) this.#made.add(told.id);
    known.push(told);
    return told;
  }

  /** The id as it is, or with a number behind it: no other call has it. */
  #newId(known: readonly Told[], id: string): string {
    if (known.length === 0 && !this.#made.has(id)) return id;
    let n = Math.max(known.length + 1, 2);
    while (this.#real.has(`${id}#${n}`) || this.#made.has(`${id}#${n}`)) n++;
    return `${id}#${n}`;
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
    if (!SAID.has(type)) return OUTPUTS.has(type) ? underId(item, this.#current.get(id) ?? id) : item;
    const told = find(`${type} ${id}`, id, item);
    this.#current.set(id, told.id);
    return underId(isSameCall(told.item, item) ? item : toldAs(told.item, item), told.id);
  }
}

/**
 * Which of the ids of one response an id that a model gave is recorded under; undefined where it is none.
 *
 * @param ids null for what is no call
 */
export function recordedIdOf(given: string, ids: readonly (string | null)[]): string | undefined {
  const found = ids.find((id) => id === given) ?? ids.find((id) => id?.startsWith(`${given}#`));
  return found ?? undefined;
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

function parsed(text: unknown): unknown {
  return quietly<unknown>(text, () => JSON.parse(String(text)));
}

function underId(item: Members, id: string): Members {
  return item.call_id === id ? item : { ...item, call_id: id, derived_from: sentAs(item) };
}

function sentAs(item: Members): unknown {
  return item.derived_from ?? item;
}
