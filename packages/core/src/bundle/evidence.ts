/**
 * What a replay reads: a manifest, a log and payloads, whichever way they are stored. Two layouts answer to it: the
 * folder of a bundle (`folder-evidence.ts`) and the single file of a segment (`segment-evidence.ts`).
 */

import type { FindingCode } from '../format/finding.ts';
import type { GenerationRules } from '../format/generation.ts';
import type { PayloadRef } from '../format/payload.ts';
import type { Bodies } from '../reducer/bodies.ts';
import type { DetectedGeneration } from './detect.ts';
import type { LogLine } from './log.ts';

/** The lines of a log, read once from the start, and further ones as they are appended. */
export interface LogStream {
  /** The complete lines that can be read now. Throws SourceError where there is no log. */
  lines(): Iterable<LogLine>;
  /** The last line, if it was not written to its end; then the log is over. */
  rest(): Iterable<LogLine>;
  /** What stands behind the last line and is none; asked for at the end. */
  damage(): LogDamage | null;
}

export interface LogDamage {
  code: FindingCode;
  message: string;
  file: string;
}

export interface PayloadOptions {
  /** False reads every request on its own: slower, and the same. */
  sharePrefixes?: boolean | undefined;
}

/** The payloads as the reducer asks for them, and the check of those it never asks for (spec D10). */
export interface PayloadBodies extends Bodies {
  /** Throws BodyError where the payload cannot be read or is not JSON by pure syntax. */
  check(ref: PayloadRef): void;
}

export interface Evidence {
  /** The file that the manifest stands in. */
  manifestFile: string;
  /** The manifest as text; null where it is not UTF-8. Throws SourceError where it cannot be read. */
  manifest(): string | null;
  log(): LogStream;
  payloads(rules: GenerationRules, options: PayloadOptions): PayloadBodies;
  /** A payload as text, for a look before the replay; null where it is not UTF-8. Throws SourceError. */
  peek(path: string): string | null;
  /** The generation, where the layout or the end of the log says it without reading everything. */
  generationAtOnce(): DetectedGeneration | null;
}
