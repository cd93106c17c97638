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
import { type Finding, type FindingCode, finding, TraceError } from '../format/finding.ts';
import { GENERATION_RULES, type Generation, type GenerationRules } from '../format/generation.ts';
import type { Graph } from '../format/graph.ts';
import { asI64, type Int64, type Json, JsonSyntaxError, member, parseJson } from '../format/json.ts';
import { EVENT_LOG_FILE, MANIFEST_FILE, type Manifest } from '../format/manifest.ts';
import type { PayloadRef } from '../format/payload.ts';
import { BodyError } from '../reducer/bodies.ts';
import { endOfLog, finish } from '../reducer/finish.ts';
import { createReducer, step } from '../reducer/reduce.ts';
import type { ReduceMode, ReducerState } from '../reducer/state.ts';
import { type DetectedGeneration, detectGeneration } from './detect.ts';
import { isBlank, type LogLine, LogReader } from './log.ts';
import { Payloads } from './payloads.ts';
import { type BundleSource, SourceError, type SourceFile } from './source.ts';

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
  readonly #source: BundleSource;
  readonly #options: ReplayOptions;
  readonly #state: ReducerState;
  readonly #payloads: Payloads;
  readonly #log = new LogReader();
  #expectedSeq: Int64 = 1;
  /** An event beyond `until` was met. */
  #stopped = false;
  #ended = false;

  /**
   * Reads the manifest and finds out the generation; applies nothing yet.
   *
   * @throws TraceError where this is no bundle, in strict mode also where the manifest is at fault
   */
  constructor(source: BundleSource, options: ReplayOptions) {
    this.#source = source;
    this.#options = options;
    const faults: Finding[] = [];
    const fault = (code: FindingCode, message: string, place: Partial<Finding>, cause?: unknown): void => {
      const found = finding(code, message, place);
      if (options.mode === 'strict') throw new TraceError(found, cause);
      faults.push(found);
    };
    const manifest = readManifest(source, fault);
    this.generation =
      options.generation === undefined
        ? detect(source, manifest?.schema_version ?? null)
        : { generation: options.generation, certain: true, reason: 'named by the caller' };
    this.rules = GENERATION_RULES[this.generation.generation];
    const version = manifest?.schema_version ?? null;
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
    this.manifest = manifest ?? manifestFromLog(source, fault);
    this.#state = createReducer(this.manifest, { rules: this.rules, mode: options.mode, sha256: options.sha256 });
    this.#state.findings.push(...faults);
    this.#payloads = new Payloads(source, this.rules, { sharePrefixes: options.sharePrefixes });
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
    const file = this.#openLog();
    if (file === null) return 0;
    try {
      for (const line of this.#log.lines(file)) {
        if (this.#stopped) break;
        this.#apply(line);
      }
    } finally {
      file.close();
    }
    return this.#state.events - before;
  }

  /** The log will not grow: applies a last line without its end, settles what waits, checks every payload (spec D10). */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#stopped) return;
    for (const line of this.#log.rest()) this.#apply(line);
    if (this.#stopped || this.#options.until !== undefined) return;
    this.#state.event = null;
    this.#state.line = null;
    endOfLog(this.#state);
    this.#checkPayloads();
  }

  /** The graph as known now. Its objects change with the next event. */
  graph(): Graph {
    return finish(this.#state);
  }

  #openLog(): SourceFile | null {
    try {
      return this.#source.open(EVENT_LOG_FILE);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (this.#state.findings.some(({ code }) => code === 'log_missing')) return null;
      this.#state.fault('log_missing', `the event log cannot be opened: ${error.message}`, {
        file: EVENT_LOG_FILE,
        cause: error,
      });
      return null;
    }
  }

  #apply(line: LogLine): void {
    const state = this.#state;
    const fault = (code: FindingCode, message: string, path?: string, cause?: unknown): void =>
      state.fault(code, message, { line: line.number, json_path: path, cause });
    state.event = null;
    if (line.text === null) return fault('line_unreadable', `line ${line.number} of the log is not UTF-8`);
    if (line.text === undefined) return fault('line_too_long', `line ${line.number} of the log is longer than 256 MiB`);
    if (isBlank(line.text)) return;
    if (state.recordingCompleted) {
      return fault('event_after_end', `line ${line.number} stands behind recording_completed, which ends the log`);
    }
    const event = this.#parse(line.text, line, fault);
    if (event === null || !this.#checkEnvelope(event, fault)) return;
    state.line = line.number;
    state.event = null;
    try {
      step(state, event, this.#payloads, { line: line.number, ended: line.ended });
    } catch (error) {
      if (error instanceof TraceError || this.#options.mode === 'strict') throw error;
      fault(
        'internal',
        `${event.payload.type} could not be applied: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #parse(
    text: string,
    line: LogLine,
    fault: (code: FindingCode, message: string, path?: string, cause?: unknown) => void,
  ): RawEvent | null {
    try {
      return decodeEvent(parseJson(text), this.rules);
    } catch (error) {
      if (error instanceof JsonSyntaxError) {
        if (line.ended) fault('line_invalid', `line ${line.number} is not JSON: ${error.message}`, undefined, error);
        else
          fault(
            'line_torn',
            `line ${line.number} ends after ${text.length} characters: ${error.message}`,
            undefined,
            error,
          );
        return null;
      }
      if (!(error instanceof DecodeError)) throw error;
      if (error instanceof UnknownEventError) {
        fault(
          'event_unknown',
          `line ${line.number} has the event type ${error.eventType.slice(0, 80)}, which generation ${this.generation.generation} does not know`,
          error.path,
          error,
        );
      } else fault('line_invalid', `line ${line.number} is no event: ${error.message}`, error.path, error);
      return null;
    }
  }

  /** Spec D4 to D6. False where the event must not be applied. */
  #checkEnvelope(event: RawEvent, fault: (code: FindingCode, message: string, path?: string) => void): boolean {
    const { rules } = this;
    const { until } = this.#options;
    const state = this.#state;
    state.event = event;
    if (rules.versionGate && event.schema_version !== 2) {
      fault(
        'event_schema_unsupported',
        `the event has schema version ${event.schema_version}, but the bundle has version 2`,
        '/schema_version',
      );
    }
    if (event.seq !== this.#expectedSeq) {
      const message = `the event has seq ${event.seq}, but ${this.#expectedSeq} comes next`;
      if (rules.seqCheck) fault('seq_broken', message, '/seq');
      else if (this.#options.mode === 'salvage') {
        state.fault('seq_broken', message, { json_path: '/seq', severity: 'warning', line: state.line ?? undefined });
      }
    }
    this.#expectedSeq = typeof event.seq === 'bigint' ? event.seq + 1n : event.seq + 1;
    if (event.rollout_id !== this.manifest.rollout_id) {
      const message = `the event belongs to rollout ${event.rollout_id}, but the bundle is of rollout ${this.manifest.rollout_id}`;
      if (rules.rolloutIdCheck) fault('rollout_mismatch', message, '/rollout_id');
    }
    if (until === undefined || event.seq <= until) return true;
    this.#stopped = true;
    return false;
  }

  #checkPayloads(): void {
    const state = this.#state;
    if (!this.rules.payloadCheck && this.#options.mode === 'strict') return;
    const reported = new Set(state.findings.map(({ file }) => file));
    const refs: PayloadRef[] = [...state.rawPayloads.values()];
    refs.sort((a, b) => compareUtf8(a.raw_payload_id, b.raw_payload_id));
    for (const ref of refs) {
      if (reported.has(ref.path)) continue;
      try {
        this.#payloads.check(ref);
      } catch (error) {
        if (!(error instanceof BodyError)) throw error;
        state.fault(error.code, `${ref.raw_payload_id}: ${error.message}`, { file: ref.path, cause: error });
      }
    }
  }
}

type ManifestFault = (code: FindingCode, message: string, place: Partial<Finding>, cause?: unknown) => void;

function readManifest(source: BundleSource, fault: ManifestFault): Manifest | null {
  let text: string | null;
  try {
    text = source.text(MANIFEST_FILE);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    fault('manifest_missing', `the manifest cannot be read: ${error.message}`, { file: MANIFEST_FILE }, error);
    return null;
  }
  try {
    if (text === null) throw new JsonSyntaxError('the file is not UTF-8', 0);
    return decodeManifest(parseJson(text));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError || error instanceof DecodeError)) throw error;
    const json_path = error instanceof DecodeError ? error.path : null;
    fault('manifest_invalid', `the manifest is not one: ${error.message}`, { file: MANIFEST_FILE, json_path }, error);
    return null;
  }
}

/** The parsed lines of a log, as far as they can be parsed. */
function* parsedLines(source: BundleSource): Iterable<Json> {
  let file: SourceFile;
  try {
    file = source.open(EVENT_LOG_FILE);
  } catch (error) {
    if (error instanceof SourceError) return;
    throw error;
  }
  try {
    const log = new LogReader();
    for (const lines of [log.lines(file), log.rest()]) {
      for (const { text } of lines) {
        if (text == null || isBlank(text)) continue;
        try {
          yield parseJson(text);
        } catch (error) {
          if (!(error instanceof JsonSyntaxError)) throw error;
        }
      }
    }
  } finally {
    file.close();
  }
}

/** Bytes at the end of a log in which its last event is looked for. */
const TAIL_BYTES = 4096;
const LAST_EVENT = /"payload":\{"type":"recording_completed"\}\}\s*$/;

function endsCompleted(source: BundleSource): boolean {
  try {
    const file = source.open(EVENT_LOG_FILE);
    try {
      const tail = new Uint8Array(Math.min(TAIL_BYTES, file.size));
      const read = file.read(tail, file.size - tail.length);
      return LAST_EVENT.test(new TextDecoder('utf-8').decode(tail.subarray(0, read)));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof SourceError) return false;
    throw error;
  }
}

function detect(source: BundleSource, schemaVersion: number | null): DetectedGeneration {
  if (schemaVersion === 2 && endsCompleted(source)) {
    return { generation: '0.169', certain: true, reason: 'the event recording_completed' };
  }
  const peek = (ref: Json | undefined): Json | undefined => {
    const path = member(ref, 'path');
    if (typeof path !== 'string') return undefined;
    try {
      const text = source.text(path);
      return text === null ? undefined : parseJson(text);
    } catch (error) {
      if (error instanceof SourceError || error instanceof JsonSyntaxError) return undefined;
      throw error;
    }
  };
  function* payloads(): Iterable<Json | undefined> {
    for (const line of parsedLines(source)) yield member(line, 'payload');
  }
  return detectGeneration(schemaVersion, payloads(), peek);
}

/** Where the manifest is lost, the log still tells who recorded what. */
function manifestFromLog(source: BundleSource, fault: ManifestFault): Manifest {
  for (const line of parsedLines(source)) {
    const rollout = member(line, 'rollout_id');
    const payload = member(line, 'payload');
    if (typeof rollout !== 'string') continue;
    const trace = member(payload, 'trace_id');
    const root = member(payload, 'root_thread_id');
    return {
      schema_version: 0,
      trace_id: typeof trace === 'string' ? trace : '',
      rollout_id: rollout,
      root_thread_id: typeof root === 'string' ? root : rollout,
      started_at_unix_ms: asI64(member(line, 'wall_time_unix_ms')) ?? 0,
      raw_event_log: EVENT_LOG_FILE,
      payloads_dir: 'payloads',
    };
  }
  fault('log_missing', 'neither the manifest nor an event of the log can be read', { file: EVENT_LOG_FILE });
  throw new TraceError(
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
export function reduceBundle(source: BundleSource, options: ReplayOptions): ReducedBundle {
  const replay = new Replay(source, options);
  replay.advance();
  replay.end();
  const { manifest, generation, rules, findings, events } = replay;
  return { manifest, generation, rules, graph: replay.graph(), findings, events };
}
