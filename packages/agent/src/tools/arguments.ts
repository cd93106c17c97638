/** Arguments of function tools: text of a model, so anything may stand in it. */

import { ToolError } from './tool.ts';

/** The members of an arguments object, read by name with the type they must have. */
export class Arguments {
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws {ToolError} where the text is no JSON object; an empty text is an empty object */
  constructor(text: string) {
    let value: unknown;
    try {
      value = text.trim() === '' ? {} : JSON.parse(text);
    } catch (error) {
      throw new ToolError(`arguments are not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ToolError('arguments must be a JSON object');
    }
    this.#members = { ...value };
  }

  /** All of them, for a tool whose arguments somebody else checks. */
  get members(): Readonly<Record<string, unknown>> {
    return this.#members;
  }

  /** @throws {ToolError} where it is missing or no string */
  text(name: string): string {
    const value = this.#members[name];
    if (typeof value !== 'string') throw new ToolError(`argument ${name} must be a string`);
    return value;
  }

  /** Null where it is left out. @throws {ToolError} where it is something else than a string */
  optionalText(name: string): string | null {
    return this.#isAbsent(name) ? null : this.text(name);
  }

  /** @throws {ToolError} where it is missing or no whole number from 0 on */
  count(name: string): number {
    const value = this.optionalCount(name);
    if (value === null) throw new ToolError(`argument ${name} must be a whole number from 0 on`);
    return value;
  }

  /** Null where it is left out. @throws {ToolError} where it is no whole number from 0 on */
  optionalCount(name: string): number | null {
    if (this.#isAbsent(name)) return null;
    const value = this.#members[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new ToolError(`argument ${name} must be a whole number from 0 on`);
  }

  /** False where it is left out. @throws {ToolError} where it is something else than a boolean */
  flag(name: string): boolean {
    if (this.#isAbsent(name)) return false;
    const value = this.#members[name];
    if (typeof value !== 'boolean') throw new ToolError(`argument ${name} must be true or false`);
    return value;
  }

  #isAbsent(name: string): boolean {
    return this.#members[name] === undefined || this.#members[name] === null;
  }
}
