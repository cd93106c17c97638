/**
 * The `bundle` layout: `manifest.json`, `trace.jsonl` and one file per payload, as the reference writes and reads them.
 *
 * A payload file is complete before the event that names it is written, so the bundle can be read at any moment. Not
 * here: the files themselves, which stand behind {@link BundleFiles}.
 */

import type { Manifest } from '../format/manifest.ts';
import { ByteWriter } from '../format/segment/byte-writer.ts';
import type { PlainJson } from './plain-json.ts';
import { PrettyPayloads, type ValuePrinter } from './pretty-payload.ts';
import type { Sink, SinkEntry, SinkPayload } from './sink.ts';

/** The files of one bundle. Every method writes all of the pieces or throws, and keeps no reference to them. */
export interface BundleFiles {
  writeManifest(pieces: readonly Uint8Array[]): void;
  /** Creates or replaces `payloads/<number>.json`. */
  writePayload(number: number, pieces: readonly Uint8Array[]): void;
  /** Adds to `trace.jsonl`. Where it throws, the log ends where it ended before. */
  appendEvent(bytes: Uint8Array): void;
  close(): void;
}

/** Above this the room for one payload is given back once it is written. */
const KEPT_BYTES = 1 << 20;

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
export class BundleSink implements Sink {
  readonly #files: BundleFiles;
  readonly #requests = new PrettyPayloads(PLAIN_PRINTER);
  readonly #out = new ByteWriter();

  constructor(files: BundleFiles) {
    this.#files = files;
  }

  open(manifest: Manifest): void {
    this.#files.writeManifest([manifestBytes(manifest)]);
  }

  append(entry: SinkEntry): void {
    for (const payload of entry.payloads) this.#files.writePayload(payload.number, this.#print(payload));
    this.#out.truncate(0, KEPT_BYTES);
    this.#out.text(entry.line);
    this.#out.u8(0x0a);
    this.#files.appendEvent(this.#out.view());
    this.#out.truncate(0, KEPT_BYTES);
    for (const lane of entry.closedLanes) this.#requests.close(lane);
  }

  close(): void {
    this.#requests.clear();
    this.#files.close();
  }

  #print({ number, body }: SinkPayload): readonly Uint8Array[] {
    if (body.type === 'delta') return this.#requests.print(number, body.delta);
    this.#out.truncate(0, KEPT_BYTES);
    PLAIN_PRINTER.pretty(body.value, 0, this.#out);
    return [this.#out.view()];
  }
}

/** The text of `manifest.json`. */
export function manifestBytes(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest, null, 2));
}
