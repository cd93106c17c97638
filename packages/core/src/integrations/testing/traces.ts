/**
 * Scaffolding of the adapters' tests: a folder for traces, and what they reduce to. Every trace has to be accepted
 * (`accepted.ts`).
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Graph } from '../../format/graph.ts';
import { accepted } from './accepted.ts';

/** An event of a log, as it stands there. */
interface LoggedEvent {
  seq: number;
  payload: { type: string; [field: string]: unknown };
}

/** One trace. */
interface ReducedTrace {
  graph: Graph;
  events: LoggedEvent[];
  /** The breadcrumbs of this type, parsed. */
  breadcrumbs(type: string): Record<string, unknown>[];
  /** A payload by its id, parsed. */
  payload(id: string | null | undefined): Record<string, unknown>;
}

/** A folder traces are written below. */
export interface TraceFolder {
  root: string;
  /** What stands there now, in the order it was begun. */
  traces(): ReducedTrace[];
  /** The only trace that stands there. @throws where there is not exactly one */
  trace(): ReducedTrace;
  remove(): void;
}

/** A clock that never says the same twice, so that traces have an order. */
export function tickingClock(): () => number {
  let time = 1_795_000_000_000;
  return () => time++;
}

/** Makes a folder. */
export function traceFolder(): TraceFolder {
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-integrations-'));
  const traces = (): ReducedTrace[] =>
    readdirSync(root)
      .filter((name) => name.startsWith('trace-'))
      .map((name) => reduced(join(root, name)))
      .sort((a, b) => Number(a.graph.started_at_unix_ms) - Number(b.graph.started_at_unix_ms));
  return {
    root,
    traces,
    trace: () => {
      const [trace, ...others] = traces();
      if (trace === undefined || others.length > 0)
        throw new Error(`there are ${others.length + (trace ? 1 : 0)} traces`);
      return trace;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function reduced(bundle: string): ReducedTrace {
  const graph = accepted(bundle);
  const lines = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').split('\n');
  const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedEvent);
  const file = (path: string) => JSON.parse(readFileSync(join(bundle, path), 'utf8')) as Record<string, unknown>;
  return {
    graph,
    events,
    breadcrumbs: (type) =>
      events
        .filter(({ payload }) => payload.type === 'protocol_event_observed' && payload.event_type === type)
        .map(({ payload }) => file((payload.event_payload as { path: string }).path)),
    payload: (id) => file(graph.raw_payloads.get(id ?? '')?.path ?? ''),
  };
}
