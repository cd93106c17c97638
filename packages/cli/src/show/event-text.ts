/** `rollout-trace show <bundle> seq:N`: one raw event, and what it is to the graph. */

import { type Graph, type Int64, type Json, JsonObject } from '@rollout-trace/core/format';
import type { LoggedEvent } from '@rollout-trace/core/node';
import { printJson } from '../json/print-json.ts';
import { clipLine, faint, type Line, line, ref, title } from '../text/span.ts';
import { NOUNS, objects } from './kinds.ts';
import { labelOf } from './labels.ts';
import { section, textLines } from './object-text.ts';
import type { ObjectRef, Refs } from './refs.ts';
import type { View } from './view.ts';

/** What an event did to an object, and which. */
export interface Effect extends ObjectRef {
  what: 'began' | 'ended' | 'accepted' | 'responded' | 'yielded' | 'names';
}

/** The objects that the event began, ended or names, each once. */
export function effectsOf(graph: Graph, refs: Refs, seq: Int64, event: Json): Effect[] {
  const effects = new Map<string, Effect>();
  for (const noun of NOUNS) {
    for (const [id, object] of objects(graph, noun)) {
      const what = effectOn(object, seq);
      if (what !== null) effects.set(`${noun} ${id}`, { what, noun, id });
    }
  }
  for (const text of stringsOf(event)) {
    const named = refs.objectOf(text);
    const key = named === null ? '' : `${named.noun} ${named.id}`;
    if (named !== null && !effects.has(key)) effects.set(key, { what: 'names', ...named });
  }
  return [...effects.values()];
}

function effectOn(object: object, seq: Int64): Effect['what'] | null {
  if ('execution' in object) {
    const { execution } = object;
    if (has(execution, 'started_seq', seq)) return 'began';
    if (has(execution, 'ended_seq', seq)) return 'ended';
  }
  if (has(object, 'accepted_seq', seq)) return 'accepted';
  if (has(object, 'initial_response_seq', seq)) return 'responded';
  return has(object, 'yielded_seq', seq) ? 'yielded' : null;
}

function has(object: unknown, key: string, seq: Int64): boolean {
  if (typeof object !== 'object' || object === null) return false;
  return Object.entries(object).some(([name, value]) => name === key && value === seq);
}

function* stringsOf(value: Json): Iterable<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const element of value) yield* stringsOf(element);
  else if (value instanceof JsonObject) for (const member of value.values) yield* stringsOf(member);
}

export function eventLines(view: View, seq: Int64, { line: number, event }: LoggedEvent): Line[] {
  const { graph, refs } = view;
  const effects = effectsOf(graph, refs, seq, event).map(({ what, noun, id }) =>
    clipLine(
      line('  ', faint(what.padEnd(9)), '  ', ref(refs.refOf(noun, id)), '  ', labelOf(view, noun, id)),
      view.columns,
    ),
  );
  return [
    line(title(`Event seq:${seq}`), faint(`  line ${number} of the log`)),
    ...textLines(printJson(event, 'pretty'), view.columns - 2).map((spans) => line('  ', spans)),
    ...section('In the graph', effects),
  ];
}
