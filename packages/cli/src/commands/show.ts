/** `rollout-trace show`: a summary of a bundle, or one thing in it. */

import { reduceBundle } from '@rollout-trace/core/bundle';
import type { Int64 } from '@rollout-trace/core/format';
import { type LoggedEvent, nativeSha256, readEvent, traceSource } from '@rollout-trace/core/node';
import type { Invocation } from '../args/parse.ts';
import { UsageError } from '../args/usage-error.ts';
import { bundleAt } from '../bundle-names.ts';
import type { ExitCode } from '../exit-code.ts';
import { exitWith, findingCounts, findingLines } from '../findings-text.ts';
import type { Console } from '../io/console.ts';
import { withProgress } from '../io/progress.ts';
import { collectionJson, objectJson, summaryJson } from '../show/answer-json.ts';
import { effectsOf, eventLines } from '../show/event-text.ts';
import { kindSpec, type Noun, objects } from '../show/kinds.ts';
import { tableOf } from '../show/lists.ts';
import { objectLines } from '../show/object-text.ts';
import type { Target } from '../show/refs.ts';
import { summaryLines } from '../show/summary-text.ts';
import { totalsOf } from '../show/totals.ts';
import { type View, viewOf } from '../show/view.ts';
import { type Line, line, title } from '../text/span.ts';
import { table } from '../text/table.ts';
import { count, counted } from '../text/units.ts';

export function show(asked: Invocation, console: Console): ExitCode {
  const [name = '', text] = asked.operands;
  const view = viewAt(name, console);
  const { reduced } = view;
  const target = text === undefined ? null : view.refs.resolve(text);
  if (asked.has('json')) console.json(answerJson(view, target), 'pretty');
  else console.out.print(...answerLines(view, target));
  return exitWith(reduced.findings);
}

/** The bundle a user named, reduced. @throws UsageError where there is none */
export function viewAt(name: string, console: Console): View {
  const path = bundleAt(name, console.environment);
  const source = traceSource(path);
  const reduced = withProgress(source, console.remarks, path, (watched) =>
    reduceBundle(watched, { mode: 'salvage', sha256: nativeSha256 }),
  );
  return viewOf(name, path, reduced, source, console.out.columns);
}

function answerLines(view: View, target: Target | null): Line[] {
  switch (target?.type) {
    case undefined:
      return summaryLines(view);
    case 'object':
      return objectLines(view, target);
    case 'event':
      return eventLines(view, target.seq, eventAt(view, target.seq));
    case 'collection':
      return collectionLines(view, target.noun);
    case 'findings': {
      const { findings } = view.reduced;
      return [findingCounts(findings), ...findingLines(findings, view.columns, Number.POSITIVE_INFINITY)];
    }
  }
}

function answerJson(view: View, target: Target | null): object {
  switch (target?.type) {
    case undefined:
      return summaryJson(view);
    case 'object':
      return objectJson(view, target);
    case 'event': {
      const { seq } = target;
      const found = eventAt(view, seq);
      return { seq, ...found, effects: effectsOf(view.graph, view.refs, seq, found.event) };
    }
    case 'collection':
      return collectionJson(view, target.noun);
    case 'findings':
      return { findings: view.reduced.findings };
  }
}

function eventAt({ source, reduced }: View, seq: Int64): LoggedEvent {
  const found = readEvent(source, seq);
  if (found !== null) return found;
  throw new UsageError(`the log has no event with seq ${seq}`, `It has ${counted(reduced.events, 'event')}.`);
}

function collectionLines(view: View, noun: Noun): Line[] {
  const ids = [...objects(view.graph, noun).keys()];
  const { columns, rows } = tableOf(view, totalsOf(view.graph), noun, ids);
  const head = line(title(`${kindSpec(noun).titles} ${count(ids.length)}`));
  return ids.length === 0 ? [head] : [head, ...table(columns, rows, { columns: view.columns, dropEmpty: true })];
}
