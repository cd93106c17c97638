/** What every view of `show` needs: the reduced bundle, names for its objects, and the sizes of its files. */

import type { ReducedBundle, TraceSource } from '@rollout-trace/core/bundle';
import type { ExecutionStatus, ExecutionWindow, Graph, InferenceCall, Int64 } from '@rollout-trace/core/format';
import { type Look, type Span, span } from '../text/span.ts';
import { duration } from '../text/units.ts';
import { Refs } from './refs.ts';

export interface View {
  /** As the user typed it, to be typed again. */
  name: string;
  path: string;
  reduced: ReducedBundle;
  graph: Graph;
  refs: Refs;
  source: TraceSource;
  columns: number;
}

export function viewOf(name: string, path: string, reduced: ReducedBundle, source: TraceSource, columns: number): View {
  const { graph } = reduced;
  return { name, path, reduced, graph, refs: new Refs(graph), source, columns };
}

/** Milliseconds from one time to another. */
export function between(start: Int64, end: Int64): number {
  return Number(end) - Number(start);
}

/** How long something ran; null while it has not ended. */
export function tookMs({ started_at_unix_ms, ended_at_unix_ms }: ExecutionWindow): number | null {
  return ended_at_unix_ms === null ? null : between(started_at_unix_ms, ended_at_unix_ms);
}

/** The same for a person; empty while it has not ended. */
export function took(window: ExecutionWindow): string {
  const ms = tookMs(window);
  return ms === null ? '' : duration(ms);
}

/** The order of two times or places, for sorting. */
export function before(a: Int64, b: Int64): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many items a request had; null where what was sent cannot be read. */
export function requestItems({ graph, reduced }: View, call: InferenceCall): number | null {
  const { length } = call.request_item_ids;
  if (length > 0) return length;
  const path = graph.raw_payloads.get(call.raw_request_payload_id)?.path;
  return reduced.findings.some(({ severity, file }) => severity === 'error' && file === path) ? null : 0;
}

const LOOKS: Readonly<Record<string, Look>> = {
  completed: 'good',
  failed: 'bad',
  aborted: 'bad',
  terminated: 'bad',
  cancelled: 'warning',
  running: 'warning',
};

export function exitSpan(code: number): Span {
  return span(`exit ${code}`, code === 0 ? 'good' : 'bad');
}

/** A status in its colour. */
export function statusSpan(status: ExecutionStatus | string): Span {
  return span(status, LOOKS[status] ?? 'plain');
}
