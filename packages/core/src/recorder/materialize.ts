/**
 * The Codex layout of a segment: byte for byte what the `bundle` sink would have written in its place.
 *
 * Not here: where the files go (`BundleFiles`), reading the segment from a file (the node edge).
 */

import type { Manifest } from '../format/manifest.ts';
import { ByteWriter } from '../format/segment/byte-writer.ts';
import { indentJson } from '../format/segment/indent-json.ts';
import {
  SegmentDecoder,
  type SegmentDecoderOptions,
  SegmentError,
  type SegmentEvent,
  type SegmentPayload,
  type SegmentTail,
} from '../format/segment/segment-decoder.ts';
import { type BundleFiles, manifestBytes } from './bundle-sink.ts';
import { type PrettyPayload, PrettyPayloads, type ValuePrinter } from './pretty-payload.ts';

const TEXT_PRINTER: ValuePrinter<Uint8Array> = {
  pretty: indentJson,
  compact(text, out) {
    out.bytes(text);
  },
};

/** What came of materializing a segment. */
export interface Materialized {
  events: number;
  payloads: number;
  /** What stood behind the last good record; null where nothing did. */
  tail: SegmentTail | null;
}

/**
 * Writes a segment as a bundle. Payloads come before the event that names them. Does not close the files.
 *
 * @param chunks the segment in pieces of any size
 * @throws SegmentError where the bytes are no segment; BaseLostError where somebody changes the files meanwhile;
 *   whatever else the files throw
 */
export function materialize<W>(
  chunks: Iterable<Uint8Array>,
  files: BundleFiles<W>,
  options: SegmentDecoderOptions = {},
): Materialized {
  const decoder = new SegmentDecoder(options);
  const writer = new BundleWriter(files);
  let length = 0;
  let damage: { offset: number; message: string } | null = null;
  for (const chunk of chunks) {
    length += chunk.length;
    if (damage !== null) continue;
    for (const event of decoder.push(chunk)) {
      writer.manifest(decoder.manifest);
      const message = writer.event(event);
      if (message === null) continue;
      damage = { offset: event.offset, message };
      break;
    }
  }
  if (decoder.manifest === undefined) throw new SegmentError('the segment ends before it says what it records');
  writer.manifest(decoder.manifest);
  const { events, payloads } = writer;
  if (damage === null) return { events, payloads, tail: decoder.tail() };
  return { events, payloads, tail: { reason: 'corrupt', bytes: length - damage.offset, ...damage } };
}

class BundleWriter<W> {
  events = 0;
  payloads = 0;
  #manifestWritten = false;
  readonly #files: BundleFiles<W>;
  readonly #printer = new PrettyPayloads<Uint8Array, W>(TEXT_PRINTER);
  readonly #out = new ByteWriter();

  constructor(files: BundleFiles<W>) {
    this.#files = files;
  }

  manifest(manifest: unknown): void {
    if (this.#manifestWritten || manifest === undefined) return;
    this.#manifestWritten = true;
    this.#files.writeManifest(manifestBytes(manifest as Manifest));
  }

  /** @returns why the event cannot be written, where its payloads build on what is not there; null where it is written */
  event({ line, payloads, closedLanes }: SegmentEvent): string | null {
    for (const [i, payload] of payloads.entries()) {
      const printed = this.#print(payload);
      if (typeof printed === 'string') {
        for (const { number } of payloads.slice(0, i)) this.#files.removePayload(number);
        return printed;
      }
      printed.written(this.#files.writePayload(payload.number, printed.text));
    }
    this.payloads += payloads.length;
    this.#out.clear();
    this.#out.bytes(line);
    this.#out.u8(0x0a);
    this.#files.appendEvent(this.#out.view());
    this.events++;
    for (const lane of closedLanes) this.#printer.close(lane);
    return null;
  }

  #print(payload: SegmentPayload): PrettyPayload<W> | string {
    try {
      return payload.type === 'delta'
        ? this.#printer.print(payload.number, payload.delta)
        : this.#printer.whole(payload.text);
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  }
}
