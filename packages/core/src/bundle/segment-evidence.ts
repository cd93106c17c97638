/**
 * A segment read as a trace, without materialising it (`docs/segment.md`). The deltas of the segment say which items of
 * a request were there before, so what is read and parsed is what is new.
 *
 * Not here: decoding records (`format/segment`), the Codex layout (`folder-evidence.ts`).
 */

import type { FindingCode } from '../format/finding.ts';
import type { GenerationRules } from '../format/generation.ts';
import { isJsonSyntax, type Json, JsonObject, JsonSyntaxError, parseJson } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import {
  SegmentDecoder,
  SegmentError,
  type SegmentEvent,
  type SegmentPayload,
} from '../format/segment/segment-decoder.ts';
import { SegmentLanes, type ToldPayload } from '../format/segment/segment-lanes.ts';
import { BodyError, type InputItems, plainItems, type RequestBody } from '../reducer/bodies.ts';
import type { Evidence, LogDamage, LogStream, PayloadBodies } from './evidence.ts';
import type { LogLine } from './log.ts';
import { decodeUtf8, SourceError, type SourceFile } from './source.ts';

/** Where a segment is read from. */
export interface SegmentSource {
  readonly layout: 'segment';
  /** What the file is called in findings. */
  readonly name: string;
  /** Throws SourceError where the file cannot be opened. */
  open(): SourceFile;
  /** The edge's CRC-32, where it has a faster one. */
  readonly crc32?: ((bytes: Uint8Array) => number) | undefined;
}

const BLOCK = 1 << 20;
/** More than a header is, as a rule. */
const HEADER_BLOCK = 1 << 12;
const PATH = /^payloads\/(\d+)\.json$/;

/** A list of a payload: the first `length` entries of an array that later payloads may share and extend. */
interface HeldList {
  items: Json[];
  length: number;
  /** How many leading items are those of the base's list. */
  kept: number;
}

/** A payload told against an earlier one, with its lists as parsed items. */
interface HeldPayload {
  told: ToldPayload;
  lists: ReadonlyMap<string, HeldList>;
}

export function segmentEvidence(source: SegmentSource): Evidence {
  // Asked for before the log that feeds it; whoever reads events only does not pay for payloads.
  let payloads: SegmentPayloads | null = null;
  return {
    manifestFile: source.name,
    manifest: () => manifestOf(source),
    log: () => new SegmentLog(source, payloads),
    payloads: (_rules: GenerationRules) => {
      payloads ??= new SegmentPayloads();
      return payloads;
    },
    peek: () => null,
    generationAtOnce: () => ({ generation: '0.169', certain: true, reason: 'segments are of the newest generation' }),
  };
}

/** The manifest stands in the first record; without it nothing tells whose events the others are. */
function manifestOf(source: SegmentSource): string {
  const log = new SegmentLog(source, null, HEADER_BLOCK);
  for (const _ of log.lines()) if (log.manifest !== undefined) break;
  if (log.manifest !== undefined) return JSON.stringify(log.manifest);
  const why = log.damage()?.message ?? 'it is empty';
  throw new SourceError('segment_invalid', `the segment has no whole header: ${why}`);
}

/** The events of a segment as lines. */
class SegmentLog implements LogStream {
  readonly #source: SegmentSource;
  readonly #payloads: SegmentPayloads | null;
  readonly #decoder: SegmentDecoder;
  readonly #block: number;
  #offset = 0;
  #line = 0;
  /** A record that is whole but cannot be what was written: nothing behind it is read. */
  #broken: LogDamage | null = null;
  constructor(source: SegmentSource, payloads: SegmentPayloads | null, block: number = BLOCK) {
    this.#source = source;
    this.#payloads = payloads;
    this.#block = block;
    this.#decoder = new SegmentDecoder(source.crc32 === undefined ? {} : { crc32: source.crc32 });
  }

  get manifest(): unknown {
    return this.#decoder.manifest;
  }

  *lines(): Iterable<LogLine> {
    if (this.#broken !== null) return;
    const file = this.#source.open();
    try {
      const block = new Uint8Array(Math.min(this.#block, Math.max(1, file.size - this.#offset)));
      for (;;) {
        const read = file.read(block, this.#offset);
        if (read === 0) return;
        this.#offset += read;
        for (const event of this.#decode(block.subarray(0, read))) {
          if (!this.#takePayloads(event)) return;
          yield { number: ++this.#line, text: decodeUtf8(event.line), ended: true };
        }
      }
    } finally {
      file.close();
    }
  }

  /** False where the payloads of the event build on what is not there, or are no JSON (docs/segment.md, S15, S21). */
  #takePayloads(event: SegmentEvent): boolean {
    try {
      this.#payloads?.add(event);
      return true;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof BodyError)) throw error;
      const isLimit = error instanceof BodyError && error.code === 'limit_exceeded';
      this.#broken = damaged(isLimit ? error.code : 'segment_corrupt', error.message, event.offset, this.#source);
      return false;
    }
  }

  #decode(bytes: Uint8Array): SegmentEvent[] {
    try {
      return this.#decoder.push(bytes);
    } catch (error) {
      if (error instanceof SegmentError) throw new SourceError('segment_invalid', error.message, error);
      throw error;
    }
  }

  *rest(): Iterable<LogLine> {
    // A record that was not written to its end is no line.
  }

  damage(): LogDamage | null {
    const tail = this.#decoder.tail();
    if (this.#broken !== null || tail === null) return this.#broken;
    const code = tail.reason === 'torn' ? 'segment_torn' : 'segment_corrupt';
    return damaged(code, tail.message, tail.offset, this.#source);
  }
}

function damaged(code: FindingCode, message: string, offset: number, source: SegmentSource): LogDamage {
  return { code, message: `${message} (at byte ${offset})`, file: source.name };
}

/** The payloads of the events read so far. */
class SegmentPayloads implements PayloadBodies {
  readonly #lanes = new SegmentLanes();
  readonly #whole = new Map<number, Uint8Array>();
  readonly #told = new Map<number, HeldPayload>();
  /** The list that each lane's head ends with. */
  readonly #heads = new Map<number, HeldList>();
  /** Texts that were parsed. */
  readonly #valid = new Set<Uint8Array>();

  add(event: SegmentEvent): void {
    for (const payload of event.payloads) {
      if (payload.type === 'whole') this.#whole.set(payload.number, payload.text);
      else if (!this.#told.has(payload.number)) this.#hold(payload);
    }
    for (const lane of event.closedLanes) {
      this.#lanes.close(lane);
      this.#heads.delete(lane);
    }
  }

  #hold({ number, delta }: Extract<SegmentPayload, { type: 'delta' }>): void {
    const told = this.#lanes.tell(number, delta);
    const base = told.base === null ? null : (this.#heads.get(told.lane) ?? null);
    const lists = new Map<string, HeldList>();
    for (const { key, list } of told.members) {
      if (list === null) continue;
      const added = list.added.map((text) => parseText(text, number));
      // The base's array grows where nothing else has grown it.
      const grows = base !== null && list.kept === base.length && base.items.length === base.length && lists.size === 0;
      const items = grows ? base.items : (base?.items.slice(0, list.kept) ?? []);
      for (const item of added) items.push(item);
      lists.set(key, { items, length: list.kept + added.length, kept: list.kept });
    }
    this.#told.set(number, { told, lists });
    const [first] = lists.values();
    if (delta.head) this.#heads.set(told.lane, first ?? { items: [], length: 0, kept: 0 });
  }

  json(ref: PayloadRef): Json {
    const number = numberOf(ref);
    const whole = this.#whole.get(number);
    if (whole !== undefined) {
      const value = parseText(whole, number);
      this.#valid.add(whole);
      return value;
    }
    const { told, lists } = this.#held(ref, number);
    const object = new JsonObject();
    for (const { key, text } of told.members) {
      const list = lists.get(key);
      object.set(key, list === undefined ? parseText(text ?? NOTHING, number) : list.items.slice(0, list.length));
    }
    return object;
  }

  request(ref: PayloadRef): RequestBody {
    const number = numberOf(ref);
    if (this.#whole.has(number)) return wholeRequest(this.json(ref));
    const { told, lists } = this.#held(ref, number);
    const response = told.members.find(({ key }) => key === 'previous_response_id')?.text;
    const previous = response == null ? null : parseText(response, number);
    const list = lists.get('input');
    const input: RequestBody['input'] =
      list === undefined
        ? this.#unlistedInput(told, number)
        : {
            items: list.items,
            length: list.length,
            serial: number,
            previousSerial: told.base ?? 0,
            unchanged: list.kept,
          };
    return { previousResponseId: typeof previous === 'string' ? previous : null, input };
  }

  #unlistedInput(told: ToldPayload, number: number): InputItems | 'missing' | 'not_array' {
    const text = told.members.find(({ key }) => key === 'input')?.text;
    if (text == null) return 'missing';
    const value = parseText(text, number);
    return Array.isArray(value) ? plainItems(value) : 'not_array';
  }

  check(ref: PayloadRef): void {
    const number = numberOf(ref);
    const whole = this.#whole.get(number);
    const texts = whole === undefined ? this.#held(ref, number).told.members.map(({ text }) => text) : [whole];
    for (const text of texts) {
      if (text === null || this.#valid.has(text)) continue;
      const decoded = decodeUtf8(text);
      if (decoded === null || !isJsonSyntax(decoded)) throw new BodyError('payload_invalid', 'is not JSON');
      this.#valid.add(text);
    }
  }

  #held(ref: PayloadRef, number: number): HeldPayload {
    const held = this.#told.get(number);
    if (held === undefined) throw new BodyError('payload_missing', `${ref.path} is not in the segment`);
    return held;
  }
}

const NOTHING = new TextEncoder().encode('null');

function wholeRequest(value: Json): RequestBody {
  const response = value instanceof JsonObject ? value.get('previous_response_id') : undefined;
  const input = value instanceof JsonObject ? value.get('input') : undefined;
  return {
    previousResponseId: typeof response === 'string' ? response : null,
    input: input === undefined ? 'missing' : Array.isArray(input) ? plainItems(input) : 'not_array',
  };
}

/** Segments name payloads by number; the reference gives the path the Codex layout would have. */
function numberOf(ref: PayloadRef): number {
  const found = PATH.exec(ref.path);
  if (found === null) throw new BodyError('payload_missing', `${ref.path} is no payload of a segment`);
  return Number(found[1]);
}

function parseText(text: Uint8Array, number: number): Json {
  const decoded = decodeUtf8(text);
  if (decoded === null) throw new BodyError('payload_invalid', `payload ${number} is not UTF-8`);
  try {
    return parseJson(decoded);
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new BodyError('payload_invalid', `is not JSON: ${error.message}`, error);
    throw error;
  }
}
