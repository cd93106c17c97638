/** Scaffolding of the adapters' tests: a log as it stands on disk, its payloads parsed. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An event of a log. Where it refers to a payload, `body` is that payload. */
export interface ReadEvent {
  type: string;
  threadId: string | null;
  turnId: string | null;
  /** The event itself, whose fields its type decides. */
  event: Readonly<Record<string, unknown>>;
  body: unknown;
}

/** The events of a bundle, in order. */
export function readLog(bundle: string): ReadEvent[] {
  const lines = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { thread_id, codex_turn_id, payload } = JSON.parse(line);
    const ref = Object.values(payload).find((value) => typeof (value as { path?: unknown })?.path === 'string');
    const body =
      ref === undefined ? null : JSON.parse(readFileSync(join(bundle, (ref as { path: string }).path), 'utf8'));
    return { type: payload.type, threadId: thread_id, turnId: codex_turn_id, event: payload, body };
  });
}
