/**
 * How many turns of a log did not end well, for listings: a session may be completed whatever became of its turns. Looks
 * at the events that end turns, and at no other.
 */

import { EVENT_LOG_FILE, type Json, JsonSyntaxError, parseJson } from '@rollout-trace/core/format';
import { type ListedBundle, readEvents, traceSource } from '@rollout-trace/core/node';
import { fieldOf } from './json/json-field.ts';

const TURN_ENDED = 'codex_turn_ended';

/** Turns that ended and were not completed. */
export function turnsNotCompleted(bundle: ListedBundle): number {
  if ((bundle.event_counts[TURN_ENDED] ?? 0) === 0) return 0;
  let found = 0;
  for (const event of turnEnds(bundle)) {
    const payload = fieldOf(event, 'payload');
    if (fieldOf(payload, 'type') === TURN_ENDED && fieldOf(payload, 'status') !== 'completed') found++;
  }
  return found;
}

function* turnEnds({ path, events }: ListedBundle): Iterable<Json | undefined> {
  const source = traceSource(path);
  if ('layout' in source) {
    // A segment holds no lines; its events are numbered without a gap.
    const seqs = Array.from({ length: events }, (_, i) => i + 1);
    for (const { event } of readEvents(source, seqs).values()) yield event;
    return;
  }
  const file = source.open(EVENT_LOG_FILE);
  try {
    for (const row of rowsOf((into, offset) => file.read(into, offset))) {
      if (row.includes(TURN_ENDED)) yield parsed(row);
    }
  } finally {
    file.close();
  }
}

const BLOCK = 1 << 18;
/** The event that ends a turn is short: of a longer row no more is kept. */
const LONGEST_ROW = 1 << 16;

function* rowsOf(read: (into: Uint8Array, offset: number) => number): Iterable<string> {
  const block = new Uint8Array(BLOCK);
  const decoder = new TextDecoder();
  let offset = 0;
  let open = '';
  for (let size = read(block, 0); size > 0; size = read(block, offset)) {
    offset += size;
    const rows = (open + decoder.decode(block.subarray(0, size), { stream: true })).split('\n');
    open = (rows.pop() ?? '').slice(0, LONGEST_ROW);
    yield* rows;
  }
  yield open;
}

function parsed(row: string): Json | undefined {
  try {
    return parseJson(row);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}
