/**
 * The `bundle` layout: `manifest.json`, `trace.jsonl` and one file per payload, as the reference writes and reads them.
 *
 * A payload file is complete before the event that names it is written, so the bundle can be read at any moment. Not
 * here: the files themselves, which stand behind {@link BundleFiles}.
 */

import type { Manifest } from '../format/manifest.ts';
import { ByteWriter } from '../format/segment/byte-writer.ts';
import type { PlainJson } from './plain-json.ts';
import { type PayloadText, type PrettyPayload, PrettyPayloads, type ValuePrinter } from './pretty-payload.ts';
import type { Sink, SinkEntry } from './sink.ts';

/**
 * The files of one bundle. Every method writes all of the bytes or throws, and keeps no reference to them. `W` is how
 * the files know a payload they have written.
 */
export interface BundleFiles<W = unknown> {
  writeManifest(bytes: Uint8Array): void;
  /**
   * Creates or replaces `payloads/<number>.json`.
   *
   * @throws BaseLostError where the base is no longer what was written
   */
  writePayload(number: number, text: PayloadText<W>): W;
  /** Takes a payload back that no event names. */
  removePayload(number: number): void;
  /** Adds to `trace.jsonl`. Where it throws, the log ends where it ended before. */
  appendEvent(bytes: Uint8Array): void;
  close(): void;
}

/** A payload that waits for its event. */
interface Written<W> {
  number: number;
  printed: PrettyPayload<W>;
  payload: W;
}

const PLAIN_PRINTER: ValuePrinter<PlainJson> = {
  pretty(value, indent, out) {
    const text = JSON.stringify(value, null, 2);
    // A line feed inside a string is escaped, so every one that is left begins a line.
    out.text(indent === 0 ? text : text.replaceAll('\n', `\n${' '.repeat(indent)}`));
  },
  compact(value, out) {
    out.text(JSON.stringify(value));
  },
};

/** Writes the bundle layout. */
export class BundleSink<W> implements Sink {
  readonly #files: BundleFiles<W>;
  readonly #printer = new PrettyPayloads<PlainJson, W>(PLAIN_PRINTER);
  readonly #out = new ByteWriter();

  constructor(files: BundleFiles<W>) {
    this.#files = files;
  }

  open(manifest: Manifest): void {
    this.#files.writeManifest(manifestBytes(manifest));
  }

  append(entry: SinkEntry): void {
    const written: Written<W>[] = [];
    try {
      for (const { number, body } of entry.payloads) {
        const printed =
          body.type === 'delta' ? this.#printer.print(number, body.delta) : this.#printer.whole(body.value);
        written.push({ number, printed, payload: this.#files.writePayload(number, printed.text) });
      }
      this.#appendLine(entry.line);
    } catch (error) {
      for (const { number } of written) this.#files.removePayload(number);
      throw error;
    }
    for (const { printed, payload } of written) printed.written(payload);
    for (const lane of entry.closedLanes) this.#printer.close(lane);
  }

  #appendLine(line: string): void {
    this.#out.clear();
    this.#out.text(line);
    this.#out.u8(0x0a);
    this.#files.appendEvent(this.#out.view());
    this.#out.clear();
  }

  close(): void {
    this.#printer.clear();
    this.#files.close();
  }
}

/** The text of `manifest.json`. */
export function manifestBytes(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest, null, 2));
}
