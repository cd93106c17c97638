/**
 * `rollout-trace show <bundle> <ref>`: one object. Its fields keep their names on disk; every id in them is shown as a
 * ref with what it names, and what refers to the object is listed behind.
 */

import { IdList } from '@rollout-trace/core/format';
import { readPayload } from '@rollout-trace/core/node';
import { printJson } from '../json/print-json.ts';
import { clean } from '../text/clean.ts';
import { ELLIPSIS } from '../text/glyphs.ts';
import { clipLine, faint, type Line, line, lineColumns, ref, title } from '../text/span.ts';
import { count, moment, timeOfDay } from '../text/units.ts';
import { wrap } from '../text/width.ts';
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
  const label = labelOf(view, noun, id);
  return [
    clipLine(line(title(`${kindSpec(noun).title} ${refs.refOf(noun, id)}`), '  ', label), columns),
    ...fields.lines(),
    ...section('Steps', noun === 'thread' || noun === 'turn' ? stepLines(view, { noun, id }) : []),
    ...section('Referred to by', referrerLines(view, referrersOf(graph, { noun, id }), fields.shown)),
    ...section('Content', noun === 'payload' ? contentLines(view, id) : []),
  ];
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
  /** A text is evidence and is wrapped; a line about another object is cut. */
  readonly #rows: { name: string; value: string | readonly Line[] }[] = [];
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
    } else if (typeof value === 'string' && this.#named(name, value) === null && !isStatus(name)) {
      this.#rows.push({ name, value: value === '' ? "''" : value });
    } else this.#rows.push({ name, value: [this.#scalar(name, value)] });
  }

  #list(name: string, values: readonly unknown[]): void {
    if (values.some((value) => typeof value === 'object')) {
      for (const [i, value] of values.entries()) this.add(values.length === 1 ? name : `${name}.${i + 1}`, value);
      return;
    }
    const lines = values.slice(0, MOST_IDS).map((value) => this.#scalar(name, value));
    if (values.length > MOST_IDS)
      lines.push(line(faint(`${ELLIPSIS} ${count(values.length - MOST_IDS)} more; --json prints all`)));
    this.#rows.push({ name: values.length > 1 ? `${name} (${count(values.length)})` : name, value: lines });
  }

  #scalar(name: string, value: unknown): Line {
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    if (isNumber && name.endsWith('_unix_ms')) return line(`${moment(value)} `, faint(String(value)));
    if (isNumber && /(?:^|[._])seq$/.test(name)) return line(ref(`seq:${value}`));
    if (isNumber) return line(count(value));
    const text = String(value);
    if (isStatus(name)) return line(statusSpan(text));
    const named = this.#named(name, text);
    if (named === null) return line(text);
    this.shown.add(text);
    return line(ref(this.#view.refs.refOf(named.noun, text)), '  ', labelOf(this.#view, named.noun, text));
  }

  /** The object an id in a field stands for; null where the field is no id, or the object's own. */
  #named(name: string, value: string): ObjectRef | null {
    return /_ids?$/.test(name) && value !== this.#own ? this.#view.refs.objectOf(value) : null;
  }

  lines(): Line[] {
    const { columns } = this.#view;
    const width = Math.min(34, Math.floor(columns * 0.45), Math.max(0, ...this.#rows.map(({ name }) => name.length)));
    const room = columns - width - 4;
    const lines = this.#rows.flatMap(({ name, value }) => {
      const rows = typeof value === 'string' ? textLines(value, room) : value.map((spans) => clipLine(spans, room));
      const head = clipLine(line('  ', faint(name)), columns);
      // An id with no room in its column stands below its name, where there is more.
      if (typeof value === 'string' && rows.some((spans) => lineColumns(spans) > room)) {
        return [head, ...textLines(value, columns - 4).map((spans) => line('    ', spans))];
      }
      // A name that is longer than its column stands above the value, which stays in line with the others.
      const isLong = name.length > width;
      const body = rows.map((spans, i) =>
        line('  ', faint((i === 0 && !isLong ? name : '').padEnd(width)), '  ', spans),
      );
      return isLong ? [head, ...body] : body;
    });
    if (this.#absent.length > 0) {
      const absent = wrap(`absent: ${this.#absent.join(', ')}`, columns - 2);
      lines.push(...absent.map((text) => line('  ', faint(text))));
    }
    return lines;
  }
}

function isStatus(name: string): boolean {
  return /(?:^|_)status$/.test(name);
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

/** The lines of a text, wrapped; of a long one the first. */
export function textLines(text: string, columns: number): Line[] {
  const all = wrap(clean(text).replace(/\n+$/, ''), columns);
  const lines = all.slice(0, MOST_LINES).map((part) => line(part));
  if (all.length > MOST_LINES) {
    lines.push(line(faint(`${ELLIPSIS} ${count(all.length - MOST_LINES)} more lines; --json prints all`)));
  }
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
  const lines = [...groups].flatMap(([key, group]) => [
    line('  ', faint(`${key}${group.length > 1 ? ` (${count(group.length)})` : ''}`)),
    ...group
      .slice(0, MOST_IDS)
      .map(({ noun, id }) => line('    ', ref(view.refs.refOf(noun, id)), '  ', labelOf(view, noun, id))),
    ...(group.length > MOST_IDS ? [line('    ', faint(`${ELLIPSIS} ${count(group.length - MOST_IDS)} more`))] : []),
  ]);
  return lines.map((spans) => clipLine(spans, view.columns));
}

function contentLines({ graph, source, columns }: View, id: string): Line[] {
  const payload = graph.raw_payloads.get(id);
  const read = payload === undefined ? null : readPayload(source, payload);
  if (read === null) return [line('  ', faint('it cannot be read'))];
  return textLines(printJson(read.body, 'pretty'), columns - 2).map((spans) => line('  ', spans));
}
