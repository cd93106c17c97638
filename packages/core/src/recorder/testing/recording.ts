/** Scaffolding of the recorder's tests: a host with a clock and ids of its own, and both sinks in memory. */

import { BundleSink } from '../bundle-sink.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { MemoryBundle, MemorySegment } from '../memory.ts';
import { type Rollout, type RolloutOptions, startRollout } from '../rollout.ts';
import { SegmentSink } from '../segment-sink.ts';
import type { Sink } from '../sink.ts';

/** The start of every test's clock. */
export const EPOCH = 1_795_000_000_000;

/** Options of a host whose clock ticks a millisecond per look and whose ids count up, as UUIDs. */
export function testHost(sink: Sink | null, more: Partial<RolloutOptions> = {}): RolloutOptions {
  let time = EPOCH;
  let ids = 0;
  return {
    openSink: () => (sink === null ? null : { sink, location: 'memory' }),
    clock: () => time++,
    newId: () => `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, '0')}`,
    ...more,
  };
}

/** What a scenario left behind. */
export interface Recording {
  rollout: Rollout;
  diagnostics: Diagnostic[];
  /** Every file of the bundle as text. */
  files: Map<string, string>;
  /** The events of the log, parsed. */
  events: RecordedEvent[];
  /** The payload an event names under a field, parsed. */
  payload(event: RecordedEvent | undefined, field: string): unknown;
}

/** An event as it stands in the log. */
export interface RecordedEvent {
  schema_version: number;
  seq: number;
  wall_time_unix_ms: number;
  rollout_id: string;
  thread_id: string | null;
  codex_turn_id: string | null;
  payload: { type: string; [field: string]: unknown };
}

/** Records a scenario as a bundle. */
export function record(scenario: (rollout: Rollout) => void, more: Partial<RolloutOptions> = {}): Recording {
  const memory = new MemoryBundle();
  const diagnostics: Diagnostic[] = [];
  const host = testHost(new BundleSink(memory), {
    onDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
    ...more,
  });
  const rollout = startRollout(host);
  scenario(rollout);
  const files = asText(memory.files());
  const lines = (files.get('trace.jsonl') ?? '').split('\n').filter((line) => line !== '');
  const events = lines.map((line) => JSON.parse(line) as RecordedEvent);
  const payload = (event: RecordedEvent | undefined, field: string): unknown => {
    const ref = event?.payload[field] as { path: string } | undefined;
    return JSON.parse(files.get(ref?.path ?? '') ?? 'null');
  };
  return { rollout, diagnostics, files, events, payload };
}

/** Records a scenario as a segment. */
export function recordSegment(scenario: (rollout: Rollout) => void, more: Partial<RolloutOptions> = {}): MemorySegment {
  const memory = new MemorySegment();
  scenario(startRollout(testHost(new SegmentSink(memory), more)));
  return memory;
}

/** Files as text. */
export function asText(files: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return new Map([...files].map(([path, bytes]) => [path, decoder.decode(bytes)]));
}
