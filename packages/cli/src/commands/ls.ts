/** `rollout-trace ls`: the bundles below folders, newest first. Reads manifests and logs; reduces nothing. */

import { isAbsolute, relative, resolve, sep } from 'node:path';
import { findBundles, type ListedBundle, listBundle, newestFirst, traceRoot } from '@rollout-trace/core/node';
import type { Invocation } from '../args/parse.ts';
import { UsageError } from '../args/usage-error.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Console } from '../io/console.ts';
import { searchedFolder } from '../record/trace-folder.ts';
import { between, statusSpan } from '../show/view.ts';
import { quoted } from '../text/quoted.ts';
import { bad, faint, type Line, line, ref, span, title } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { bytes, count, counted, duration, moment } from '../text/units.ts';

export function ls(asked: Invocation, console: Console): ExitCode {
  const root = traceRoot(console.environment);
  const folders = asked.operands.length > 0 ? asked.operands : [root ?? '.'];
  const paths = new Set(folders.flatMap((folder) => [...bundlesIn(folder)]));
  const bundles = [...paths].map(listBundle).sort(newestFirst);
  const searched = searchedFolder(console.environment);
  const isBelowRoot = searched !== null && bundles.every(({ path }) => isBelow(path, searched));
  if (asked.has('json')) for (const bundle of bundles) console.json(rowJson(bundle), 'compact');
  else if (bundles.length === 0) console.remark(line(`no bundles below ${folders.join(', ')}`));
  else console.out.print(...tableLines(bundles, console.out.columns, isBelowRoot));
  return EXIT.done;
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return !isAbsolute(way) && way.split(sep)[0] !== '..';
}

function bundlesIn(folder: string): Iterable<string> {
  try {
    return [...findBundles(folder.length > 1 ? folder.replace(/\/+$/, '') || '/' : folder)];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : null;
    if (code === 'ENOENT') throw new UsageError(`${folder} does not exist`);
    if (code === 'ENOTDIR') throw new UsageError(`${folder} is neither a folder nor a bundle`);
    throw error;
  }
}

/** Milliseconds from the start to the last event of the log. */
function spanMs({ started_at_unix_ms, last_event_at_unix_ms }: ListedBundle): number | null {
  if (started_at_unix_ms === null || last_event_at_unix_ms === null) return null;
  return between(started_at_unix_ms, last_event_at_unix_ms);
}

function eventsOf({ event_counts }: ListedBundle, type: string): number {
  return event_counts[type] ?? 0;
}

function rowJson(bundle: ListedBundle): object {
  return {
    path: bundle.path,
    layout: bundle.layout,
    trace_id: bundle.manifest?.trace_id ?? null,
    rollout_id: bundle.manifest?.rollout_id ?? null,
    schema_version: bundle.manifest?.schema_version ?? null,
    status: bundle.status,
    turns_not_completed: bundle.turns_not_completed,
    has_ended: eventsOf(bundle, 'rollout_ended') > 0,
    recording_completed: bundle.recording_completed,
    started_at_unix_ms: bundle.started_at_unix_ms,
    last_event_at_unix_ms: bundle.last_event_at_unix_ms,
    duration_ms: spanMs(bundle),
    events: bundle.events,
    event_counts: bundle.event_counts,
    size_bytes: bundle.size_bytes,
    damage: bundle.damage,
  };
}

/** Below the trace root the beginning of a trace id names a bundle; elsewhere its path does, which is never cut. */
function columnsOf(isBelowRoot: boolean): Column[] {
  return [
    { head: '' },
    { head: 'started' },
    { head: 'took', align: 'right', spare: 3 },
    { head: 'threads', align: 'right', spare: 5 },
    { head: 'calls', align: 'right', spare: 4 },
    { head: 'tools', align: 'right', spare: 6 },
    { head: 'status' },
    // What went wrong is never left out.
    { head: 'not completed', align: 'right' },
    { head: 'size', align: 'right', spare: 2 },
    isBelowRoot ? { head: 'trace' } : { head: 'trace', spare: 7 },
    isBelowRoot ? { head: 'path', least: 12, spare: 8 } : { head: 'path' },
  ];
}

const LEAST_PREFIX = 8;

function tableLines(bundles: readonly ListedBundle[], columns: number, isBelowRoot: boolean): Line[] {
  const length = prefixLength(
    bundles.flatMap(({ manifest }) => (manifest === null ? [] : [manifest.trace_id, manifest.rollout_id])),
  );
  const rows = bundles.map((bundle) => {
    const ms = spanMs(bundle);
    const trace = bundle.manifest?.trace_id.slice(0, length) ?? '?';
    return [
      bundle.damage.length > 0 ? line(bad('!')) : [],
      line(bundle.started_at_unix_ms === null ? '?' : moment(bundle.started_at_unix_ms).slice(0, -3)),
      ms === null ? [] : line(duration(ms)),
      line(count(eventsOf(bundle, 'thread_started'))),
      line(count(eventsOf(bundle, 'inference_started'))),
      line(count(eventsOf(bundle, 'tool_call_started'))),
      statusCell(bundle),
      turnsCell(bundle),
      line(bytes(bundle.size_bytes)),
      line(isBelowRoot ? ref(trace) : faint(trace)),
      line(isBelowRoot ? faint(quoted(bundle.path)) : ref(quoted(bundle.path))),
    ];
  });
  return [
    ...table(columnsOf(isBelowRoot), rows, { columns, indent: 0, dropEmpty: true }),
    ...damageLines(bundles.filter(({ damage }) => damage.length > 0)),
  ];
}

/** A session that did not end was stopped, or still runs: a log cannot tell. */
function statusCell(bundle: ListedBundle): Line {
  if (eventsOf(bundle, 'rollout_ended') === 0) return line(span('no end', 'warning'));
  return line(bundle.turns_not_completed === 0 ? statusSpan(bundle.status) : span(bundle.status));
}

function turnsCell(bundle: ListedBundle): Line {
  const bad = bundle.turns_not_completed;
  const all = counted(eventsOf(bundle, 'codex_turn_started'), 'turn');
  return bad === 0 ? [] : line(span(`${count(bad)} of ${all}`, 'bad'));
}

/** So many leading characters tell the ids apart; a session that was resumed may share all of them. */
function prefixLength(ids: readonly string[]): number {
  const sorted = [...new Set(ids)].sort();
  let length = LEAST_PREFIX;
  for (const [i, id] of sorted.entries()) {
    const next = sorted[i + 1];
    while (next !== undefined && length < id.length && id.slice(0, length) === next.slice(0, length)) length++;
  }
  return length;
}

const MOST_DAMAGED = 20;

function damageLines(damaged: readonly ListedBundle[]): Line[] {
  if (damaged.length === 0) return [];
  const lines = damaged
    .slice(0, MOST_DAMAGED)
    .map(({ path, damage }) => line('  ', bad('!'), ' ', ref(quoted(path)), '  ', faint(damage.join(', '))));
  return [
    [],
    line(title(`${counted(damaged.length, 'bundle')} damaged`), faint('  `rollout-trace verify` says how')),
    ...lines,
    ...(damaged.length > MOST_DAMAGED ? [line('  ', faint(`and ${count(damaged.length - MOST_DAMAGED)} more`))] : []),
  ];
}
