/** The Codex layout: `manifest.json`, `trace.jsonl` and payload files in one folder. */

import type { GenerationRules } from '../format/generation.ts';
import { EVENT_LOG_FILE, MANIFEST_FILE } from '../format/manifest.ts';
import type { DetectedGeneration } from './detect.ts';
import type { Evidence, LogStream, PayloadBodies, PayloadOptions } from './evidence.ts';
import { LogReader } from './log.ts';
import { Payloads } from './payloads.ts';
import { type BundleSource, SourceError } from './source.ts';

/** Bytes at the end of a log in which its last event is looked for. */
const TAIL_BYTES = 4096;
const LAST_EVENT = /"payload":\{"type":"recording_completed"\}\}\s*$/;

export function folderEvidence(source: BundleSource): Evidence {
  return {
    manifestFile: MANIFEST_FILE,
    manifest: () => source.text(MANIFEST_FILE),
    log: () => folderLog(source),
    payloads: (rules: GenerationRules, options: PayloadOptions): PayloadBodies => new Payloads(source, rules, options),
    peek: (path) => source.text(path),
    generationAtOnce: () => completedAtOnce(source),
  };
}

function folderLog(source: BundleSource): LogStream {
  const reader = new LogReader();
  return {
    *lines() {
      const file = source.open(EVENT_LOG_FILE);
      try {
        yield* reader.lines(file);
      } finally {
        file.close();
      }
    },
    rest: () => reader.rest(),
    damage: () => null,
  };
}

/** Only the newest generation ends a log with `recording_completed`. */
function completedAtOnce(source: BundleSource): DetectedGeneration | null {
  try {
    const file = source.open(EVENT_LOG_FILE);
    try {
      const tail = new Uint8Array(Math.min(TAIL_BYTES, file.size));
      const read = file.read(tail, file.size - tail.length);
      const isLast = LAST_EVENT.test(new TextDecoder('utf-8').decode(tail.subarray(0, read)));
      return isLast ? { generation: '0.169', certain: true, reason: 'the event recording_completed' } : null;
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof SourceError) return null;
    throw error;
  }
}
