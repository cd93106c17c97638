/**
 * `rollout-trace show <bundle> <ref>`: one object. Its fields keep their names on disk; every id in them is shown as a
 * ref with what it names, and what refers to the object is listed behind.
 */

import { IdList } from '@rollout-trace/core/format';
import { readPayload } from '@rollout-trace/core/node';
import { printJson } from '../json/print-json.ts';
import { clean } from '../text/clean.ts';
import { clipLine, faint, type Line, line, ref, title } from '../text/span.ts';
import { count, moment, timeOfDay } from '../text/units.ts';
import { kindSpec, objects } from './kinds.ts';
import { labelOf } from './labels.ts';
import type { ObjectRef } from './refs.ts';
import { type Referrer, referrersOf } from './related.ts';
import { stepLines } from './steps.ts';
import { statusSpan, took, type View } from './view.ts';

/** Entries of a list, and lines of a text, before the rest is left out. */
const MOST_IDS = 12;
const MOST_LINES = 40;

export function objectLines(view: View, { noun, id }: ObjectRef): Line[] {
  const { columns, graph, refs } = view;
  const object = objects(graph, noun).get(id) ?? {};
  const fields = new Fields(view, id);
  for (const [key, value] of Object.entries(object)) fields.add(key, value);
  const own = refs.refOf(noun, id);
  return [
    line(title(`${kindSpec(noun).title} ${own}`), '  ', labelOf(view, noun, id)),
    ...fields.lines(),
    ...section('Steps', noun === 'thread' || noun === 'turn' ? stepLines(view, { noun, id }) : []),
    ...section('Referred to by', referrerLines(view, referrersOf(graph, { noun, id }), fields.shown)),
    ...section('Content', noun === 'payload' ? contentLines(view, id) : []),
  ].map((spans) => clipLine(spans, columns));
}

export function section(head: string, lines: readonly Line[]): Line[] {
  return lines.length === 0 ? [] : [[], line(title(head)), ...lines];
}

/** The fields of an object as rows: a name, and one line or more. */
class Fields {
  /** Ids that were shown. */
  readonly shown = new Set<string>();
  readonly #view: View;
  readonly #own: string;
  readonly #rows: { name: string; value: readonly Line[] }[] = [];
  readonly #absent: string[] = [];

  constructor(view: View, own: string) {
    this.#view = view;
    this.#own = own;
  }

  add(name: string, value: unknown): void {
    if (value === undefined) return;
    const isEmpty = value === null || ((Array.isArray(value) || value instanceof IdList) && value.length === 0);
    if (isEmpty) this.#absent.push(name);
    else if (Array.isArray(value) || value instanceof IdList) this.#list(name, [...value]);
    else if (isWindow(value)) this.#rows.push({ name, value: [windowLine(value)] });
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) this.add(key === 'type' ? name : `${name}.${key}`, member);
    } else this.#rows.push({ name, value: this.#scalar(name, value) });
  }

  #list(name: string, values: readonly unknown[]): void {
    if (values.some((value) => typeof value === 'object')) {
      for (const [i, value] of values.entries()) this.add(values.length === 1 ? name : `${name}.${i + 1}`, value);
      return;
    }
    const lines = values.slice(0, MOST_IDS).flatMap((value) => this.#scalar(name, value));
    if (values.length > MOST_IDS)
      lines.push(line(faint(`… ${count(values.length - MOST_IDS)} more; --json prints all`)));
    this.#rows.push({ name: values.length > 1 ? `${name} (${count(values.length)})` : name, value: lines });
  }

  #scalar(name: string, value: unknown): Line[] {
    const isTime = typeof value === 'number' || typeof value === 'bigint' ? /_unix_ms$/.test(name) : false;
    if (isTime) return [line(`${moment(Number(value))} `, faint(String(value)))];
    if (/(?:^|[._])seq$/.test(name)) return [line(ref(`seq:${value}`))];
    if (/^status$|_status$/.test(name)) return [line(statusSpan(String(value)))];
    if (typeof value !== 'string') return [line(typeof value === 'number' ? count(value) : String(value))];
    const named = /_ids?$/.test(name) && value !== this.#own ? this.#view.refs.objectOf(value) : null;
    if (named === null) return textLines(value);
    this.shown.add(value);
    return [line(ref(this.#view.refs.refOf(named.noun, value)), '  ', labelOf(this.#view, named.noun, value))];
  }

  lines(): Line[] {
    const width = Math.min(34, Math.max(0, ...this.#rows.map(({ name }) => name.length)));
    const lines = this.#rows.flatMap(({ name, value }) =>
      value.map((spans, i) => line('  ', faint((i === 0 ? name : '').padEnd(width)), '  ', spans)),
    );
    if (this.#absent.length > 0) lines.push(line('  ', faint(`absent: ${this.#absent.join(', ')}`)));
    return lines;
  }
}

interface WindowLike {
  started_at_unix_ms: number | bigint;
  started_seq: number | bigint;
  ended_at_unix_ms: number | bigint | null;
  ended_seq: number | bigint | null;
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'aborted';
}

function isWindow(value: unknown): value is WindowLike {
  return typeof value === 'object' && value !== null && 'started_seq' in value && 'ended_seq' in value;
}

function windowLine(window: WindowLike): Line {
  const { started_at_unix_ms, started_seq, ended_at_unix_ms, ended_seq, status } = window;
  const start = line(', ', ref(`seq:${started_seq}`), faint(` at ${timeOfDay(started_at_unix_ms)}`));
  if (ended_seq === null || ended_at_unix_ms === null) return line(statusSpan(status), start);
  const end = line(' to ', ref(`seq:${ended_seq}`), faint(` at ${timeOfDay(ended_at_unix_ms)}`));
  return line(statusSpan(status), `, ${took(window)}`, start, end);
}

/** The lines of a text; of a long one the first. */
export function textLines(text: string): Line[] {
  const all = clean(text).replace(/\n+$/, '').split('\n');
  const lines = all.slice(0, MOST_LINES).map((part) => line(part));
  if (all.length > MOST_LINES)
    lines.push(line(faint(`… ${count(all.length - MOST_LINES)} more lines; --json prints all`)));
  return lines;
}

function referrerLines(view: View, referrers: readonly Referrer[], shown: ReadonlySet<string>): Line[] {
  const groups = new Map<string, Referrer[]>();
  for (const referrer of referrers) {
    if (shown.has(referrer.id)) continue;
    const key = `${kindSpec(referrer.noun).collection}.${referrer.field}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [referrer]);
    else group.push(referrer);
  }
  return [...groups].flatMap(([key, group]) => [
    line('  ', faint(`${key}${group.length > 1 ? ` (${count(group.length)})` : ''}`)),
    ...group
      .slice(0, MOST_IDS)
      .map(({ noun, id }) => line('    ', ref(view.refs.refOf(noun, id)), '  ', labelOf(view, noun, id))),
    ...(group.length > MOST_IDS ? [line('    ', faint(`… ${count(group.length - MOST_IDS)} more`))] : []),
  ]);
}

function contentLines({ graph, source }: View, id: string): Line[] {
  const payload = graph.raw_payloads.get(id);
  const read = payload === undefined ? null : readPayload(source, payload);
  if (read === null) return [line('  ', faint('it cannot be read'))];
  return textLines(printJson(read.body, 'pretty')).map((spans) => line('  ', spans));
}
