/**
 * Names for the objects of a graph that are short enough to print and can be typed back: `refOf` gives one, `resolve`
 * understands it, and more.
 */

import type { Graph, Int64 } from '@rollout-trace/core/format';
import { didYouMean } from '../args/did-you-mean.ts';
import { UsageError } from '../args/usage-error.ts';
import { counted } from '../text/units.ts';
import { isNoun, KINDS, kindSpec, NOUNS, type Noun, objects } from './kinds.ts';

/** One object. */
export interface ObjectRef {
  noun: Noun;
  id: string;
}

/** What a ref names. */
export type Target =
  | ({ type: 'object' } & ObjectRef)
  | { type: 'event'; seq: Int64 }
  | { type: 'collection'; noun: Noun }
  | { type: 'findings' };

/** Longer ids are printed as `noun:N`, or a thread as its agent path. */
const LONGEST_ID = 24;
const SHORTEST_PREFIX = 4;
const KIND_WORDS: readonly string[] = NOUNS.map((noun) => KINDS[noun].plural);
const MOST_CANDIDATES = 8;
const NUMBERED = /^([a-z_]+):(\d+)$/;

export class Refs {
  readonly #graph: Graph;
  readonly #byId = new Map<string, ObjectRef[]>();
  /** Position of each object among its kind, counted from 1. */
  readonly #position = new Map<Noun, Map<string, number>>();
  readonly #threadsByPath = new Map<string, string[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
    for (const noun of NOUNS) {
      const positions = new Map<string, number>();
      for (const id of objects(graph, noun).keys()) {
        positions.set(id, positions.size + 1);
        add(this.#byId, id, { noun, id });
      }
      this.#position.set(noun, positions);
    }
    for (const { thread_id, agent_path } of graph.threads.values()) add(this.#threadsByPath, agent_path, thread_id);
  }

  /** The ref of an object that is in the graph; else the id itself. */
  refOf(noun: Noun, id: string): string {
    if (noun === 'thread') {
      const path = this.#graph.threads.get(id)?.agent_path;
      const isOnly = path !== undefined && this.#threadsByPath.get(path)?.length === 1 && !this.#byId.has(path);
      if (isOnly && path !== '') return path;
    }
    const position = this.#position.get(noun)?.get(id);
    const isShort = id.length <= LONGEST_ID && kindSpec(noun).isNumbered !== true;
    const isPlain = isShort && this.#byId.get(id)?.length === 1 && !/^-|\s/.test(id) && id !== '';
    if (isPlain || position === undefined) return id;
    const numbered = `${noun}:${position}`;
    return this.#byId.has(numbered) ? id : numbered;
  }

  /** The object with exactly this id. */
  objectOf(id: string): ObjectRef | null {
    return this.#byId.get(id)?.[0] ?? null;
  }

  /** @throws UsageError where the text names nothing, or more than one thing */
  resolve(text: string): Target {
    const exact = this.#byId.get(text);
    if (exact !== undefined) return this.#only(text, exact);
    const seq = /^(?:seq:)?(\d{1,20})$/.exec(text)?.[1];
    if (seq !== undefined) return { type: 'event', seq: Number.isSafeInteger(Number(seq)) ? Number(seq) : BigInt(seq) };
    if (text === 'findings') return { type: 'findings' };
    const noun = NOUNS.find((name) => KINDS[name].plural === text || KINDS[name].collection === text);
    if (noun !== undefined) return { type: 'collection', noun };
    const found = this.#numbered(text) ?? this.#otherwiseNamed(text) ?? this.#beginning(text);
    if (found !== null) return this.#only(text, found);
    throw new UsageError(
      `nothing in this bundle is named ${text}`,
      this.#howMany(text) ?? didYouMean(text, [...KIND_WORDS, ...this.#byId.keys()]) ?? this.#holds(),
    );
  }

  #only(text: string, found: readonly ObjectRef[]): Target {
    const [first, ...others] = found;
    if (first !== undefined && others.length === 0) return { type: 'object', ...first };
    const refs = found.slice(0, MOST_CANDIDATES).map(({ noun, id }) => this.refOf(noun, id));
    const more = found.length > MOST_CANDIDATES ? ` and ${found.length - MOST_CANDIDATES} more` : '';
    throw new UsageError(`${text} names ${found.length} objects`, `They are ${refs.join(', ')}${more}.`);
  }

  /** What a number of a kind must not exceed. */
  #howMany(text: string): string | null {
    const noun = NUMBERED.exec(text)?.[1] ?? '';
    return isNoun(noun) ? `It has ${this.#counted(noun)}.` : null;
  }

  #numbered(text: string): ObjectRef[] | null {
    const [, noun = '', number = ''] = NUMBERED.exec(text) ?? [];
    if (!isNoun(noun)) return null;
    const { prefix } = kindSpec(noun);
    if (prefix !== undefined) return this.#byId.get(`${prefix}:${number}`) ?? null;
    for (const [id, position] of this.#position.get(noun) ?? []) if (position === Number(number)) return [{ noun, id }];
    return null;
  }

  /** By what the objects are called elsewhere: agent paths, ids of the provider and of the runtime, files. */
  #otherwiseNamed(text: string): ObjectRef[] | null {
    const found: ObjectRef[] = [];
    const seek = (noun: Noun, ...keys: string[]): void => {
      for (const [id, object] of objects(this.#graph, noun)) {
        if (Object.entries(object).some(([key, value]) => value === text && keys.includes(key)))
          found.push({ noun, id });
      }
    };
    for (const id of this.#threadsByPath.get(text) ?? []) found.push({ noun: 'thread', id });
    seek('payload', 'path');
    seek('inference', 'response_id', 'upstream_request_id');
    seek('tool', 'model_visible_call_id', 'mcp_call_id', 'code_mode_runtime_tool_id');
    seek('cell', 'runtime_cell_id');
    seek('item', 'responses_item_id');
    if (found.length === 0) seek('thread', 'nickname');
    if (found.length === 0) seek('item', 'call_id');
    return found.length === 0 ? null : found;
  }

  #beginning(text: string): ObjectRef[] | null {
    if (text.length < SHORTEST_PREFIX) return null;
    const found: ObjectRef[] = [];
    for (const [id, refs] of this.#byId) if (id.startsWith(text)) found.push(...refs);
    return found.length === 0 ? null : found;
  }

  #counted(noun: Noun): string {
    const { size } = objects(this.#graph, noun);
    return counted(size, noun.replace('_', ' '), kindSpec(noun).plural.replace('_', ' '));
  }

  #holds(): string {
    const held = NOUNS.filter((noun) => objects(this.#graph, noun).size > 0).map((noun) => this.#counted(noun));
    return held.length === 0 ? 'The bundle holds no objects.' : `The bundle holds ${held.join(', ')}.`;
  }
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
