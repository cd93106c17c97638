/** Single pieces of evidence, as they were written: an event of the log, a payload. Not here: what they mean. */

import { isBlank } from '../bundle/log.ts';
import type { TraceSource } from '../bundle/replay.ts';
import { SourceError } from '../bundle/source.ts';
import { GENERATION_RULES, NEWEST_GENERATION } from '../format/generation.ts';
import { asU64, type Int64, type Json, JsonSyntaxError, member, parseJson } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import { BodyError } from '../reducer/bodies.ts';
import { evidenceOf } from './list.ts';

/** A line of the log that holds an event. */
export interface LoggedEvent {
  /** Counts from 1, blank lines included. */
  line: number;
  event: Json;
}

/** The first event with this seq; null where the log has none, or cannot be read. */
export function readEvent(source: TraceSource, seq: Int64): LoggedEvent | null {
  return readEvents(source, [seq]).get(seq) ?? null;
}

/** The first event with each of these seqs, in one pass over the log. Those that cannot be had are left out. */
export function readEvents(source: TraceSource, seqs: Iterable<Int64>): Map<Int64, LoggedEvent> {
  const wanted = new Set(seqs);
  const found = new Map<Int64, LoggedEvent>();
  if (wanted.size === 0) return found;
  try {
    const log = evidenceOf(source).log();
    for (const lines of [log.lines(), log.rest()]) {
      for (const { number, text } of lines) {
        if (typeof text !== 'string' || isBlank(text) || !mayHave(text, wanted)) continue;
        const event = parsed(text);
        const seq = event === undefined ? null : asU64(member(event, 'seq'));
        if (event === undefined || seq === null || !wanted.delete(seq)) continue;
        found.set(seq, { line: number, event });
        if (wanted.size === 0) return found;
      }
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
  }
  return found;
}

const WRITTEN_SEQ = /"seq":(\d{1,15})[,}]/;

/** Whether the line may hold one of the seqs: a quick look at how recorders write it, before the line is parsed. */
function mayHave(text: string, wanted: ReadonlySet<Int64>): boolean {
  const written = WRITTEN_SEQ.exec(text)?.[1];
  return written === undefined || wanted.has(Number(written));
}

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

/** The content of a payload; null where it cannot be read, or is no JSON. */
export function readPayload(source: TraceSource, ref: PayloadRef): { body: Json } | null {
  const evidence = evidenceOf(source);
  const payloads = evidence.payloads(GENERATION_RULES[NEWEST_GENERATION], {});
  try {
    // The payloads of a segment stand between its events.
    if ('layout' in source) for (const _ of evidence.log().lines());
    return { body: payloads.json(ref) };
  } catch (error) {
    if (error instanceof SourceError || error instanceof BodyError) return null;
    throw error;
  }
}

/** The size of a payload's file in bytes; null where there is no such file. A segment has no files. */
export function payloadSize(source: TraceSource, { path }: PayloadRef): number | null {
  if ('layout' in source) return null;
  try {
    const file = source.open(path);
    try {
      return file.size;
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof SourceError) return null;
    throw error;
  }
}
