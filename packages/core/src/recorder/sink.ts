/**
 * Where records go: one interface, two layouts (`bundle-sink.ts`, `segment-sink.ts`).
 *
 * A sink is synchronous. When `append` returns, every byte has been handed to the operating system; when it throws,
 * the entry does not count and the sink has taken back what it wrote of it.
 */

import type { Manifest } from '../format/manifest.ts';
import type { PayloadKind } from '../format/payload.ts';
import type { Delta } from '../format/segment/delta.ts';
import type { PlainJson } from './plain-json.ts';

/** What a payload holds: a document of its own, or a delta to an earlier request of its thread. */
export type PayloadBody = { type: 'whole'; value: PlainJson } | { type: 'delta'; delta: Delta<PlainJson> };

/** A payload that an event names. `number` is that of `raw_payload:<number>`. */
export interface SinkPayload {
  number: number;
  kind: PayloadKind;
  body: PayloadBody;
}

/** One event and the payloads it names. */
export interface SinkEntry {
  /** The event as a compact JSON line, without the line feed. */
  line: string;
  payloads: readonly SinkPayload[];
  /** Lanes that no later entry builds on. */
  closedLanes: readonly number[];
}

/**
 * Thrown by {@link Sink.append} where what a delta builds on can no longer be read: somebody removed or changed it. The
 * entry can be appended once its payloads are told in full.
 */
export class BaseLostError extends Error {
  override readonly name = 'BaseLostError';
}

/** Where a recorder writes. */
export interface Sink {
  /** Begins the trace. Called once, before everything else. */
  open(manifest: Manifest): void;
  /**
   * Writes payloads first, then the event that names them.
   *
   * @throws BaseLostError; whatever else the writing throws
   */
  append(entry: SinkEntry): void;
  /** Lets go of everything. Nothing is appended afterwards. */
  close(): void;
}
