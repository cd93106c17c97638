/**
 * The payloads of a bundle as the reducer asks for them, over a source of bytes. Remembers which files are known to be
 * JSON, so that the check at the end reads only the rest (spec D10).
 */

import { hasOverflow } from '../format/canonical-json.ts';
import type { GenerationRules } from '../format/generation.ts';
import { isJsonSyntax, type Json, JsonLimitError, JsonSyntaxError, member, parseJson } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import { BodyError, plainItems, type RequestBody } from '../reducer/bodies.ts';
import type { PayloadBodies, PayloadOptions } from './evidence.ts';
import { RequestReader } from './request-reader.ts';
import { type BundleSource, SourceError } from './source.ts';

export class Payloads implements PayloadBodies {
  readonly #source: BundleSource;
  readonly #rules: GenerationRules;
  readonly #requests: RequestReader | null;
  /** Paths whose content was parsed. */
  readonly #valid = new Set<string>();

  constructor(source: BundleSource, rules: GenerationRules, options: PayloadOptions = {}) {
    this.#source = source;
    this.#rules = rules;
    // Generations that read numbers into doubles refuse some; only the plain reader looks for them.
    this.#requests = options.sharePrefixes === false || rules.numbers === 'double' ? null : new RequestReader(source);
  }

  json(ref: PayloadRef): Json {
    const text = this.#text(ref);
    try {
      const value = parseJson(text);
      if (this.#rules.numbers === 'double' && hasOverflow(value))
        throw new JsonSyntaxError('a number is out of range', 0);
      this.#valid.add(ref.path);
      return value;
    } catch (error) {
      if (error instanceof JsonLimitError) throw new BodyError('limit_exceeded', `has ${error.message}`, error);
      if (error instanceof JsonSyntaxError)
        throw new BodyError('payload_invalid', `is not JSON: ${error.message}`, error);
      throw error;
    }
  }

  request(ref: PayloadRef, stream: string): RequestBody {
    const quick = this.#guard(() => this.#requests?.read(ref.path, stream) ?? null);
    if (quick !== null) {
      this.#valid.add(ref.path);
      return quick;
    }
    const value = this.json(ref);
    const response = member(value, 'previous_response_id');
    const input = member(value, 'input');
    return {
      previousResponseId: typeof response === 'string' ? response : null,
      input: input === undefined ? 'missing' : Array.isArray(input) ? plainItems(input) : 'not_array',
    };
  }

  /** Reads the payload and checks that it is JSON by pure syntax. Throws BodyError where it is not. */
  check(ref: PayloadRef): void {
    if (this.#valid.has(ref.path)) return;
    if (!isJsonSyntax(this.#text(ref))) throw new BodyError('payload_invalid', 'is not JSON');
    this.#valid.add(ref.path);
  }

  #text(ref: PayloadRef): string {
    return this.#guard(() => {
      const text = this.#source.text(ref.path);
      if (text === null) throw new BodyError('payload_invalid', 'is not UTF-8');
      return text;
    });
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof SourceError) throw new BodyError(error.code, error.message, error);
      throw error;
    }
  }
}
