/**
 * The driver: reads the log of a bundle line by line, checks the envelope, and steps the reducer (spec section 2).
 *
 * Strict ends at the first inconsistency, as the reference does. Salvage goes on: what cannot be understood becomes a
 * finding and is left out. Verify is salvage of which only the findings are wanted.
 */

import { compareUtf8 } from '../format/canonical-json.ts';
import { decodeEvent, decodeManifest, UnknownEventError } from '../format/decode-event.ts';
import type { RawEvent } from '../format/event.ts';
import { DecodeError } from '../format/fields.ts';
import { type FaultDetail, type Finding, type FindingCode, finding, TraceError } from '../format/finding.ts';
import { GENERATION_RULES, type Generation, type GenerationRules, NEWEST_GENERATION } from '../format/generation.ts';
import type { Graph } from '../format/graph.ts';
import {
  asI64,
  asString,
  asU32,
  type Int64,
  type Json,
  JsonLimitError,
  JsonSyntaxError,
  member,
  parseJson,
} from '../format/json.ts';
import { EVENT_LOG_FILE, MANIFEST_FILE, type Manifest } from '../format/manifest.ts';
import { mendEvent } from '../format/mend-event.ts';
import type { PayloadRef } from '../format/payload.ts';
import { BodyError } from '../reducer/bodies.ts';
import { endOfLog, finish } from '../reducer/finish.ts';
import { createReducer, step } from '../reducer/reduce.ts';
import type { ReduceMode, ReducerState } from '../reducer/state.ts';
import { type DetectedGeneration, detectGeneration } from './detect.ts';
import type { Evidence, LogStream, PayloadBodies } from './evidence.ts';
import { folderEvidence } from './folder-evidence.ts';
import { isBlank, type LogLine } from './log.ts';
import { type SegmentSource, segmentEvidence } from './segment-evidence.ts';
import { type BundleSource, SourceError } from './source.ts';

/** What a replay can read: the folder of a bundle, or a segment. */
export type TraceSource = BundleSource | SegmentSource;

export interface ReplayOptions {
  mode: ReduceMode;
  /** Names the generation instead of finding it out. */
  generation?: Generation | undefined;
  /** Applies no event beyond this seq. */
  until?: Int64 | undefined;
  /** A native SHA-256, if there is one. */
  sha256?: ((bytes: Uint8Array) => string) | undefined;
  /** False reads every request on its own: slower, and the same. */
  sharePrefixes?: boolean | undefined;
}

/** One bundle being reduced: at once, or along with the recorder. */
export class Replay {
  readonly manifest: Manifest;
  readonly generation: DetectedGeneration;
  readonly rules: GenerationRules;
  readonly #options: ReplayOptions;
  readonly #state: ReducerState;
  readonly #payloads: PayloadBodies;
  readonly #log: LogStream;
  #expectedSeq: Int64 = 1;
  /** An event beyond `until` was met. */
  #stopped = false;
  #ended = false;

  /**
   * Reads the manifest and finds out the generation; applies nothing yet.
   *
   * @throws TraceError where this is no bundle, in strict mode also where the manifest is at fault
   */
  constructor(source: TraceSource, options: ReplayOptions) {
    const evidence = 'layout' in source ? segmentEvidence(source) : folderEvidence(source);
    this.#options = options;
    const faults: Finding[] = [];
    const fault = (code: FindingCode, message: string, place: Partial<Finding>, cause?: unknown): void => {
      const found = finding(code, message, place);
      if (options.mode === 'strict') throw new TraceError(found, cause);
      faults.push(found);
    };
    const { manifest, version } = readManifest(evidence, fault);
    this.generation =
      options.generation === undefined
        ? detect(evidence, version)
        : { generation: options.generation, certain: true, reason: 'named by the caller' };
    this.rules = GENERATION_RULES[this.generation.generation];
    const refused = version !== null && (this.rules.versionGate ? version !== 2 : version > 2);
    if (refused && (this.rules.versionGate || options.mode === 'salvage')) {
      fault(
        'schema_unsupported',
        `the manifest says schema version ${version}, but generation ${this.generation.generation} reads version ${this.rules.stateSchemaVersion}`,
        {
          file: MANIFEST_FILE,
          json_path: '/schema_version',
        },
      );
    }
    this.manifest = manifest;
    this.#state = createReducer(this.manifest, { rules: this.rules, mode: options.mode, sha256: options.sha256 });
    for (const found of faults) this.#state.keep(found);
    this.#payloads = evidence.payloads(this.rules, { sharePrefixes: options.sharePrefixes });
    this.#log = evidence.log();
  }

  /** What was found wrong so far. */
  get findings(): readonly Finding[] {
    return this.#state.findings;
  }

  /** Events applied so far. */
  get events(): number {
    return this.#state.events;
  }

  /**
   * Applies the events that can be read now. May be called again as the log grows.
   *
   * @returns how many were applied
   * @throws TraceError in strict mode at the first inconsistency
   */
  advance(): number {
    const before = this.#state.events;
    try {
      for (const line of this.#log.lines()) {
        if (this.#stopped) break;
        this.#apply(line);
      }
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.#logFault(error);
    }
    return this.#state.events - before;
  }

  /** The log will not grow: applies a last line without its end, settles what waits, checks every payload (spec D10). */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#stopped) return;
    for (const line of this.#log.rest()) this.#apply(line);
    const damage = this.#log.damage();
    // A record that was never acknowledged is no loss; a record that changed is.
    if (damage?.code === 'segment_torn') this.#state.keep(finding(damage.code, damage.message, { file: damage.file }));
    else if (damage !== null) this.#state.fault(damage.code, damage.message, { file: damage.file });
    if (this.#stopped || this.#options.until !== undefined) return;
    this.#state.event = null;
    this.#state.line = null;
    endOfLog(this.#state);
    this.#checkPayloads();
    this.#checkCompletion();
  }

  /** The graph as known now. Its objects change with the next event. */
  graph(): Graph {
    return finish(this.#state);
  }

  /** The log cannot be read: told once, however often it is tried. */
  #logFault(error: SourceError): void {
    const code = error.code === 'payload_missing' ? 'log_missing' : error.code;
    this.#state.event = null;
    this.#state.fault(code, `the event log cannot be read: ${error.message}`, {
      file: EVENT_LOG_FILE,
      cause: error,
      once: 'log',
    });
  }

  #apply(line: LogLine): void {
    const state = this.#state;
    const fault: EventFault = (code, message, detail = {}) =>
      state.fault(code, message, { line: line.number, ...detail });
    state.event = null;
    if (line.text != null && isBlank(line.text)) return;
    const event = this.#read(line, fault);
    if (event === null) {
      // It stood for one event, as far as anyone can tell.
      this.#expectedSeq = following(this.#expectedSeq);
      return;
    }
    if (!this.#checkEnvelope(event, fault)) return;
    state.line = line.number;
    state.event = null;
    try {
      step(state, event, this.#payloads, { line: line.number, ended: line.ended });
    } catch (error) {
      if (error instanceof TraceError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      fault('internal', `${event.payload.type} could not be applied: ${why}`, { cause: error });
    }
  }

  #read(line: LogLine, fault: EventFault): RawEvent | null {
    const { number, text } = line;
    if (text === null) fault('line_unreadable', `line ${number} of the log is not UTF-8`);
    else if (text === undefined) fault('line_too_long', `line ${number} of the log is longer than 256 MiB`);
    if (text == null) return null;
    if (this.#state.recordingCompleted) {
      fault('event_after_end', `line ${number} stands behind recording_completed, which ends the log`);
    }
    try {
      return this.#decode(parseJson(text), line, fault);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      if (error instanceof JsonLimitError)
        fault('limit_exceeded', `line ${number} has ${error.message}`, { cause: error });
      else if (line.ended) fault('line_invalid', `line ${number} is not JSON: ${error.message}`, { cause: error });
      else
        fault('line_torn', `line ${number} ends after ${text.length} characters: ${error.message}`, { cause: error });
      return null;
    }
  }

  /** The event of a line. In salvage it is read as far as it is known; each fault is told. */
  #decode(line: Json, { number }: LogLine, fault: EventFault): RawEvent | null {
    let event = { value: line, rules: this.rules };
    for (let faults = 0; ; faults++) {
      try {
        return decodeEvent(event.value, event.rules);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        const detail = { json_path: error.path, cause: error };
        if (error instanceof UnknownEventError) {
          const message = `line ${number} has the event type ${error.eventType.slice(0, 80)}, which generation ${this.generation.generation} does not know`;
          fault('event_unknown', message, detail);
          // A type of another generation is read as that one writes it.
          const { eventTypes } = GENERATION_RULES[NEWEST_GENERATION];
          if (event.rules.eventTypes === eventTypes) return null;
          event = { value: event.value, rules: { ...event.rules, eventTypes } };
          continue;
        }
        fault('line_invalid', `line ${number} is no event: ${error.message}`, detail);
        const context = { rules: event.rules, nextSeq: this.#expectedSeq, rolloutId: this.manifest.rollout_id };
        const mended = faults < MAX_MENDS ? mendEvent(event.value, error, context) : null;
        if (mended === null) return null;
        event = mended;
      }
    }
  }

  /** Spec D4 to D6. False where the event must not be applied. */
  #checkEnvelope(event: RawEvent, fault: EventFault): boolean {
    const { rules } = this;
    const { until } = this.#options;
    const state = this.#state;
    state.event = event;
    if (rules.versionGate && event.schema_version !== 2) {
      fault(
        'event_schema_unsupported',
        `the event has schema version ${event.schema_version}, but the bundle has version 2`,
        { json_path: '/schema_version', once: String(event.schema_version) },
      );
    }
    if (event.seq !== this.#expectedSeq) {
      const message = `the event has seq ${event.seq}, but ${this.#expectedSeq} comes next`;
      if (rules.seqCheck) fault('seq_broken', message, { json_path: '/seq' });
      else if (this.#options.mode === 'salvage')
        fault('seq_broken', message, { json_path: '/seq', severity: 'warning' });
    }
    this.#expectedSeq = following(event.seq);
    if (event.rollout_id !== this.manifest.rollout_id) {
      const message = `the event belongs to rollout ${event.rollout_id}, but the bundle is of rollout ${this.manifest.rollout_id}`;
      if (rules.rolloutIdCheck) {
        fault('rollout_mismatch', message, { json_path: '/rollout_id', once: event.rollout_id.slice(0, 240) });
      }
    }
    if (until === undefined || event.seq <= until) return true;
    this.#stopped = true;
    return false;
  }

  /** Not a contradiction: a recorder that was killed ends its log like this. */
  #checkCompletion(): void {
    const state = this.#state;
    if (!this.rules.recordingCompleted || state.recordingComplete || this.#options.mode === 'strict') return;
    const why = state.recordingCompleted
      ? 'the line of recording_completed has no end'
      : 'the log ends without recording_completed';
    state.keep(finding('recording_incomplete', why, { file: EVENT_LOG_FILE }));
  }

  #checkPayloads(): void {
    const state = this.#state;
    if (!this.rules.payloadCheck && this.#options.mode === 'strict') return;
    const bad: { ref: PayloadRef; error: BodyError }[] = [];
    for (const ref of state.rawPayloads.values()) {
      if (state.unreadable.has(ref.path)) continue;
      try {
        this.#payloads.check(ref);
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        bad.push({ ref, error });
      }
    }
    bad.sort((a, b) => compareUtf8(a.ref.raw_payload_id, b.ref.raw_payload_id));
    for (const { ref, error } of bad) {
      state.fault(error.code, `${ref.raw_payload_id}: ${error.message}`, { file: ref.path, cause: error });
    }
  }
}

/** The seq behind another one. */
function following(seq: Int64): Int64 {
  return typeof seq === 'bigint' || seq === Number.MAX_SAFE_INTEGER ? BigInt(seq) + 1n : seq + 1;
}

/** So many faults of one event are mended. */
const MAX_MENDS = 12;

/** Tells what is wrong with the line at hand. */
type EventFault = (code: FindingCode, message: string, detail?: FaultDetail) => void;

type ManifestFault = (code: FindingCode, message: string, place: Partial<Finding>, cause?: unknown) => void;

/** The manifest, and the schema version it states. What it lacks is taken from the log. */
function readManifest(evidence: Evidence, fault: ManifestFault): { manifest: Manifest; version: number | null } {
  const value = manifestValue(evidence, fault);
  try {
    if (value !== undefined) {
      const manifest = decodeManifest(value);
      return { manifest, version: manifest.schema_version };
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const place = { file: evidence.manifestFile, json_path: error.path };
    fault('manifest_invalid', `the manifest is not one: ${error.message}`, place, error);
  }
  const version = asU32(member(value, 'schema_version'));
  const stated = (key: string): string | null => asString(member(value, key));
  const logged = manifestFromLog(evidence);
  const rollout_id = stated('rollout_id') ?? logged?.rollout_id ?? null;
  if (rollout_id === null) throw noBundle(fault);
  const manifest: Manifest = {
    schema_version: version ?? logged?.schema_version ?? 0,
    trace_id: stated('trace_id') ?? logged?.trace_id ?? '',
    rollout_id,
    root_thread_id: stated('root_thread_id') ?? logged?.root_thread_id ?? rollout_id,
    started_at_unix_ms: asI64(member(value, 'started_at_unix_ms')) ?? logged?.started_at_unix_ms ?? 0,
    raw_event_log: EVENT_LOG_FILE,
    payloads_dir: 'payloads',
  };
  return { manifest, version };
}

function manifestValue(evidence: Evidence, fault: ManifestFault): Json | undefined {
  let text: string | null;
  try {
    text = evidence.manifest();
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const file = evidence.manifestFile;
    // Not even salvage knows what to do with a file that is no segment.
    if (error.code === 'segment_invalid') throw new TraceError(finding(error.code, error.message, { file }), error);
    const code = error.code === 'payload_missing' ? 'manifest_missing' : error.code;
    fault(code, `the manifest cannot be read: ${error.message}`, { file }, error);
    return undefined;
  }
  try {
    if (text === null) throw new JsonSyntaxError('the file is not UTF-8', 0);
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    fault('manifest_invalid', `the manifest is not one: ${error.message}`, { file: evidence.manifestFile }, error);
    return undefined;
  }
}

/** The parsed lines of a log; undefined for one that cannot be parsed. */
function* parsedLines(evidence: Evidence): Iterable<Json | undefined> {
  const log = evidence.log();
  try {
    for (const lines of [log.lines(), log.rest()]) {
      for (const { text } of lines) {
        if (text != null && isBlank(text)) continue;
        let parsed: Json | undefined;
        try {
          if (text != null) parsed = parseJson(text);
        } catch (error) {
          if (!(error instanceof JsonSyntaxError)) throw error;
        }
        yield parsed;
      }
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
  }
}

function detect(evidence: Evidence, schemaVersion: number | null): DetectedGeneration {
  const atOnce = schemaVersion === 2 ? evidence.generationAtOnce() : null;
  if (atOnce !== null) return atOnce;
  const peek = (ref: Json | undefined): Json | undefined => {
    const path = member(ref, 'path');
    if (typeof path !== 'string') return undefined;
    try {
      const text = evidence.peek(path);
      return text === null ? undefined : parseJson(text);
    } catch (error) {
      if (error instanceof SourceError || error instanceof JsonSyntaxError) return undefined;
      throw error;
    }
  };
  function* payloads(): Iterable<Json | undefined> {
    for (const line of parsedLines(evidence)) yield member(line, 'payload');
  }
  return detectGeneration(schemaVersion, payloads(), peek);
}

/** Where the manifest is lost, the log still tells who recorded what; null where it does not. */
function manifestFromLog(evidence: Evidence): Manifest | null {
  for (const line of parsedLines(evidence)) {
    const rollout = member(line, 'rollout_id');
    const payload = member(line, 'payload');
    if (typeof rollout !== 'string') continue;
    const trace = member(payload, 'trace_id');
    const root = member(payload, 'root_thread_id');
    return {
      schema_version: asU32(member(line, 'schema_version')) ?? 0,
      trace_id: typeof trace === 'string' ? trace : '',
      rollout_id: rollout,
      root_thread_id: typeof root === 'string' ? root : rollout,
      started_at_unix_ms: asI64(member(line, 'wall_time_unix_ms')) ?? 0,
      raw_event_log: EVENT_LOG_FILE,
      payloads_dir: 'payloads',
    };
  }
  return null;
}

function noBundle(fault: ManifestFault): TraceError {
  fault('log_missing', 'neither the manifest nor an event of the log can be read', { file: EVENT_LOG_FILE });
  return new TraceError(
    finding('manifest_missing', 'this is no bundle: neither manifest.json nor an event of trace.jsonl can be read', {
      file: MANIFEST_FILE,
    }),
  );
}

export interface ReducedBundle {
  manifest: Manifest;
  generation: DetectedGeneration;
  rules: GenerationRules;
  graph: Graph;
  findings: readonly Finding[];
  events: number;
}

/**
 * Reduces a whole bundle.
 *
 * @throws TraceError in strict mode at the first inconsistency; in salvage mode only where this is no bundle
 */
export function reduceBundle(source: TraceSource, options: ReplayOptions): ReducedBundle {
  const replay = new Replay(source, options);
  replay.advance();
  replay.end();
  const { manifest, generation, rules, findings, events } = replay;
  return { manifest, generation, rules, graph: replay.graph(), findings, events };
}
