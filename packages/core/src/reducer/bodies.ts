/**
 * What the reducer asks of whoever holds the payload files. The reducer never waits: a driver has the bodies at hand
 * before it steps. Not here: files, buffers, paths (`bundle/bodies.ts` and the edges).
 */

import type { FindingCode } from '../format/finding.ts';
import type { Json } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';

/** The body of a payload cannot be had. */
export class BodyError extends Error {
  readonly code: FindingCode;
  /** True where the file could not be opened or read, false where its content is at fault. */
  constructor(code: FindingCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BodyError';
    this.code = code;
  }
}

/**
 * The `input` of a request. Equal bytes may give the same object: where `items[k]` is the very object that stood in an
 * earlier list, the two items were written with the same bytes. The opposite does not hold.
 */
export interface InputItems {
  /** Only the first `length` entries belong to this list; the array may be shared with later lists. */
  readonly items: readonly Json[];
  readonly length: number;
  /** Names this list among all lists of the source. */
  readonly serial: number;
  /** The list this one was compared with, or 0. */
  readonly previousSerial: number;
  /** How many leading items are the same objects as in the list `previousSerial`. */
  readonly unchanged: number;
}

/** What the reducer reads of an inference request. */
export interface RequestBody {
  /** The string, or null where there is none. */
  readonly previousResponseId: string | null;
  /** `missing` and `not_array` are contradictions; the reducer names them. */
  readonly input: InputItems | 'missing' | 'not_array';
}

/** Gives the bodies of payloads. Every method throws {@link BodyError} where the body cannot be had. */
export interface Bodies {
  /** The parsed body. */
  json(ref: PayloadRef): Json;
  /** The body of an inference request. Requests of one stream repeat each other; the stream is the thread. */
  request(ref: PayloadRef, stream: string): RequestBody;
}

/** A list of items that shares nothing with any other. */
export function plainItems(items: readonly Json[]): InputItems {
  return { items, length: items.length, serial: 0, previousSerial: 0, unchanged: 0 };
}
