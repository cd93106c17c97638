import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EventType } from '../format/event.ts';
import type { Manifest } from '../format/manifest.ts';
import type { PayloadKind } from '../format/payload.ts';
import { BundleSink } from './bundle-sink.ts';
import { Diagnostics } from './diagnostics.ts';
import { type EventDraft, PayloadDraft } from './event-draft.ts';
import { LiveJournal } from './live-journal.ts';
import { materialize } from './materialize.ts';
import { MemoryBundle, MemorySegment } from './memory.ts';
import { SegmentSink } from './segment-sink.ts';
import type { Sink } from './sink.ts';
import { asText, type RecordedEvent } from './testing/recording.ts';

const FIXTURES = fileURLToPath(new URL('../../../../fixtures/bundles/0.169.0', import.meta.url));
const FORMS: Partial<Record<PayloadKind, PayloadDraft['form']>> = {
  inference_request: 'request',
  compaction_request: 'side_request',
  compaction_checkpoint: 'checkpoint',
};

/** Writes the events of a real bundle again. */
function rewrite(bundle: string, sink: Sink): void {
  const manifest = JSON.parse(readFileSync(`${bundle}/manifest.json`, 'utf8')) as Manifest;
  const lines = readFileSync(`${bundle}/trace.jsonl`, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  let time = 0;
  const journal = new LiveJournal({
    sink,
    rolloutId: manifest.rollout_id,
    diagnostics: new Diagnostics(undefined),
    clock: () => time,
    newId: () => '',
    budget: null,
  });
  sink.open(manifest);
  for (const line of lines) {
    const event = JSON.parse(line) as RecordedEvent;
    time = event.wall_time_unix_ms;
    const { type, ...fields } = event.payload;
    for (const [name, value] of Object.entries(fields)) {
      const ref = value as { raw_payload_id?: string; path: string; kind: { type: PayloadKind } } | null;
      if (typeof ref?.raw_payload_id !== 'string') continue;
      const body: unknown = JSON.parse(readFileSync(`${bundle}/${ref.path}`, 'utf8'));
      fields[name] = new PayloadDraft(ref.kind.type, body, FORMS[ref.kind.type] ?? 'whole');
    }
    const scope = { threadId: event.thread_id, turnId: event.codex_turn_id };
    journal.write(type as EventType, scope, () => fields as EventDraft<EventType>);
  }
}

// Payload numbers are given before the event is written and may arrive in another order; JavaScript prints a float in
// its own way. Bundles with either cannot come out the same.
function isRepeatable(bundle: string): boolean {
  const numbers = [...readFileSync(`${bundle}/trace.jsonl`, 'utf8').matchAll(/raw_payload:(\d+)"/g)].map((match) =>
    Number(match[1]),
  );
  if (numbers.some((number, i) => number !== i + 1)) return false;
  return readdirSync(`${bundle}/payloads`).every((name) => {
    const text = readFileSync(`${bundle}/payloads/${name}`, 'utf8');
    return !/: -?\d+(\.0|[eE])|\d[eE][-+]?\d/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'));
  });
}

function original(bundle: string): Map<string, string> {
  const paths = [
    'manifest.json',
    'trace.jsonl',
    ...readdirSync(`${bundle}/payloads`).map((name) => `payloads/${name}`),
  ];
  return new Map(paths.map((path) => [path, readFileSync(`${bundle}/${path}`, 'utf8')]));
}

describe('a bundle of the reference, recorded again', () => {
  const bundles = readdirSync(FIXTURES)
    .map((name) => `${FIXTURES}/${name}`)
    .filter(isRepeatable);

  it('is there to be compared', () => {
    expect(bundles.length).toBeGreaterThan(3);
  });

  for (const bundle of bundles) {
    it(`is the same, byte for byte, in both layouts: ${bundle.slice(FIXTURES.length + 1)}`, () => {
      const direct = new MemoryBundle();
      rewrite(bundle, new BundleSink(direct));
      expect(asText(direct.files())).toEqual(original(bundle));
      const segment = new MemorySegment();
      rewrite(bundle, new SegmentSink(segment));
      const restored = new MemoryBundle();
      materialize([segment.bytes()], restored);
      expect(asText(restored.files())).toEqual(original(bundle));
    });
  }
});
