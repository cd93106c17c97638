/**
 * Bundles below a folder, and what their manifest and log tell without a reduction. Never reads a state.
 *
 * A listing counts; it does not judge. Where a bundle is damaged in a way that shows here it says so, and whether it is
 * sound otherwise only a replay can tell (`bundle/replay.ts`).
 */

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import type { Evidence } from '../bundle/evidence.ts';
import { folderEvidence } from '../bundle/folder-evidence.ts';
import { isBlank } from '../bundle/log.ts';
import type { TraceSource } from '../bundle/replay.ts';
import { segmentEvidence } from '../bundle/segment-evidence.ts';
import { SourceError } from '../bundle/source.ts';
import { decodeManifest } from '../format/decode-event.ts';
import { ROLLOUT_STATUSES, type RolloutStatus } from '../format/event.ts';
import { DecodeError } from '../format/fields.ts';
import type { FindingCode } from '../format/finding.ts';
import { asI64, type Int64, type Json, JsonSyntaxError, member, parseJson } from '../format/json.ts';
import { EVENT_LOG_FILE, MANIFEST_FILE, type Manifest } from '../format/manifest.ts';
import { SEGMENT_SUFFIX } from '../format/segment/segment-format.ts';
import { traceSource } from './trace-source.ts';

/** One bundle of a listing. Times are Unix milliseconds. */
export interface ListedBundle {
  path: string;
  /** A folder as the reference writes it, or one file. */
  layout: 'bundle' | 'segment';
  /** Null where the manifest cannot be read. */
  manifest: Manifest | null;
  started_at_unix_ms: Int64 | null;
  last_event_at_unix_ms: Int64 | null;
  /** What the log ends with; `running` where it says nothing. */
  status: RolloutStatus;
  /** The last event is `recording_completed`, which only newer recorders write. */
  recording_completed: boolean;
  events: number;
  /** Events of each type, as many as were met. */
  event_counts: Readonly<Record<string, number>>;
  /** Turns that began and are not known to have completed. The status of a session does not tell of them. */
  turns_not_completed: number;
  /** Of manifest, log and payloads. */
  size_bytes: number;
  /** What is wrong with the files at first sight. */
  damage: FindingCode[];
}

/** A folder is taken for a bundle by its files, whatever its name; a segment by its name. */
export function isBundle(path: string): boolean {
  if (path.endsWith(SEGMENT_SUFFIX) && isFile(path)) return true;
  return [MANIFEST_FILE, EVENT_LOG_FILE].some((name) => isFile(`${path}/${name}`));
}

const MAX_DEPTH = 8;

/**
 * The bundles in a folder and below, the folder itself included. Links, hidden folders and `node_modules` are not
 * entered, nor is a bundle. A folder below that cannot be read is passed over.
 *
 * @throws an error of the system where the folder itself cannot be read
 */
export function* findBundles(folder: string): Iterable<string> {
  if (isBundle(folder)) yield folder;
  else yield* bundlesBelow(folder, readdirSync(folder, { withFileTypes: true }), MAX_DEPTH);
}

interface Entry {
  name: string;
  isDirectory(): boolean;
  isFile(): boolean;
}

function* bundlesBelow(folder: string, entries: Iterable<Entry>, depth: number): Iterable<string> {
  for (const entry of entries) {
    const path = folder.endsWith('/') ? `${folder}${entry.name}` : `${folder}/${entry.name}`;
    if (entry.isFile() && entry.name.endsWith(SEGMENT_SUFFIX)) yield path;
    if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    if (isBundle(path)) yield path;
    else if (depth > 0) yield* bundlesBelow(path, entriesOf(path), depth - 1);
  }
}

function entriesOf(folder: string): Iterable<Entry> {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** What a replay would read. */
export function evidenceOf(source: TraceSource): Evidence {
  return 'layout' in source ? segmentEvidence(source) : folderEvidence(source);
}

/** The manifest of a bundle; null with the reason where there is none that can be read. */
export function listedManifest(evidence: Evidence): { manifest: Manifest | null; damage: FindingCode[] } {
  try {
    const text = evidence.manifest();
    if (text === null) return { manifest: null, damage: ['manifest_invalid'] };
    return { manifest: decodeManifest(parseJson(text)), damage: [] };
  } catch (error) {
    if (error instanceof SourceError) {
      return { manifest: null, damage: [error.code === 'segment_invalid' ? error.code : 'manifest_missing'] };
    }
    if (error instanceof JsonSyntaxError || error instanceof DecodeError) {
      return { manifest: null, damage: ['manifest_invalid'] };
    }
    throw error;
  }
}

/** Reads the manifest and scans the log of one bundle. Damage is part of the answer, never an exception. */
export function listBundle(path: string): ListedBundle {
  const source = traceSource(path);
  const isSegment = 'layout' in source;
  const evidence = evidenceOf(source);
  const { manifest, damage } = listedManifest(evidence);
  const log = scanLog(evidence, damage);
  if (manifest !== null && manifest.schema_version > 2) damage.push('schema_unsupported');
  return {
    path,
    layout: isSegment ? 'segment' : 'bundle',
    manifest,
    started_at_unix_ms: manifest?.started_at_unix_ms ?? log.firstTime,
    last_event_at_unix_ms: log.last === null ? null : timeOf(log.last),
    status: log.status,
    recording_completed: log.lastType === 'recording_completed',
    events: log.events,
    event_counts: Object.fromEntries(log.counts),
    turns_not_completed: [...log.turns.values()].filter((isCompleted) => !isCompleted).length,
    size_bytes: isSegment ? sizeOf(path) : sizeOfFolder(path),
    damage,
  };
}

/** The order of listings, and of `@last`. What has no time is last. */
export function newestFirst(
  a: Pick<ListedBundle, 'path' | 'started_at_unix_ms'>,
  b: Pick<ListedBundle, 'path' | 'started_at_unix_ms'>,
): number {
  const [x, y] = [a.started_at_unix_ms, b.started_at_unix_ms];
  if (x === y) return a.path < b.path ? 1 : -1;
  if (x === null) return 1;
  return y === null || x > y ? -1 : 1;
}

interface ScannedLog {
  events: number;
  counts: Map<string, number>;
  /** Whether each turn that began was completed, by its id. */
  turns: Map<string, boolean>;
  firstTime: Int64 | null;
  /** The last line that is an event. */
  last: string | null;
  lastType: string | null;
  status: RolloutStatus;
}

function scanLog(evidence: Evidence, damage: FindingCode[]): ScannedLog {
  const log: ScannedLog = {
    events: 0,
    counts: new Map(),
    turns: new Map(),
    firstTime: null,
    last: null,
    lastType: null,
    status: 'running',
  };
  const note = (code: FindingCode): void => {
    if (!damage.includes(code)) damage.push(code);
  };
  try {
    const stream = evidence.log();
    for (const lines of [stream.lines(), stream.rest()]) {
      for (const { text, ended } of lines) {
        if (text === undefined) note('line_too_long');
        else if (text === null) note('line_unreadable');
        else if (!isBlank(text)) {
          const isEvent = addLine(log, text, ended);
          if (!isEvent) note(ended ? 'line_invalid' : 'line_torn');
        }
      }
    }
    const tail = stream.damage();
    if (tail !== null) note(tail.code);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    note(error.code === 'segment_invalid' ? error.code : 'log_missing');
  }
  return log;
}

/** False where the line is no event. */
function addLine(log: ScannedLog, text: string, ended: boolean): boolean {
  const type = ended ? eventType(text) : member(member(parsed(text), 'payload'), 'type');
  if (typeof type !== 'string') return false;
  log.events++;
  log.counts.set(type, (log.counts.get(type) ?? 0) + 1);
  log.last = text;
  log.lastType = type;
  if (type === 'rollout_ended') log.status = endStatus(parsed(text)) ?? log.status;
  if (type === 'codex_turn_started' || type === 'codex_turn_ended') addTurn(log.turns, parsed(text));
  if (log.events === 1) log.firstTime = timeOf(text);
  return true;
}

function addTurn(turns: Map<string, boolean>, event: Json | undefined): void {
  const id = member(member(event, 'payload'), 'codex_turn_id');
  const status = statusOf(event);
  if (typeof id === 'string' && (status === undefined || turns.has(id))) turns.set(id, status === 'completed');
}

function timeOf(line: string): Int64 | null {
  return asI64(member(parsed(line), 'wall_time_unix_ms'));
}

const PAYLOAD = '"payload":{"type":"';

/** The type of the event on a line: from its bytes where they stand as recorders write them, else by reading it. */
function eventType(line: string): string | null {
  const start = line.indexOf(PAYLOAD) + PAYLOAD.length;
  const end = line.indexOf('"', start);
  if (start >= PAYLOAD.length && end > start && line.endsWith('}}')) return line.slice(start, end);
  const type = member(member(parsed(line), 'payload'), 'type');
  return typeof type === 'string' ? type : null;
}

function endStatus(event: Json | undefined): RolloutStatus | null {
  const status = statusOf(event);
  return ROLLOUT_STATUSES.find((known) => known === status) ?? null;
}

function statusOf(event: Json | undefined): Json | undefined {
  return member(member(event, 'payload'), 'status');
}

function parsed(line: string): Json | undefined {
  try {
    return parseJson(line);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function isFile(path: string): boolean {
  return statsOf(path)?.isFile() === true;
}

function sizeOf(file: string): number {
  const stats = statsOf(file);
  return stats?.isFile() === true ? stats.size : 0;
}

/** Null where nothing is there, or where nobody may look. */
function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function sizeOfFolder(folder: string): number {
  let size = sizeOf(`${folder}/${MANIFEST_FILE}`) + sizeOf(`${folder}/${EVENT_LOG_FILE}`);
  const payloads = `${folder}/payloads`;
  if (statsOf(payloads)?.isDirectory() !== true) return size;
  for (const entry of entriesOf(payloads)) if (entry.isFile()) size += sizeOf(`${payloads}/${entry.name}`);
  return size;
}
