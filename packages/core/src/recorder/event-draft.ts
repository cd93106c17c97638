/**
 * An event as a handle gives it to the journal: its fields, with payloads that still have to be read from the host.
 *
 * Owns the checks of arguments. Not here: numbers, times and order (`live-journal.ts`).
 */

import type { EventPayloads, EventType } from '../format/event.ts';
import type { PayloadKind, PayloadRef } from '../format/payload.ts';

/** A value to record, or a function that makes it: the function is not called where nothing is recorded. */
export type Payload<T = unknown> = T | (() => T);

/** How a payload relates to the history of its thread. */
type Form = 'whole' | 'request' | 'side_request' | 'checkpoint';

/** A payload that still has to be read from the host. */
export class PayloadDraft {
  readonly kind: PayloadKind;
  readonly value: Payload;
  readonly form: Form;
  constructor(kind: PayloadKind, value: Payload, form: Form = 'whole') {
    this.kind = kind;
    this.value = value;
    this.form = form;
  }
}

type Drafted<V> = V extends PayloadRef ? PayloadDraft : V;

/** The fields of an event with drafts in the place of payload references. `undefined` leaves a field out. */
export type EventDraft<T extends EventType> = {
  [K in keyof EventPayloads[T]]: Drafted<EventPayloads[T][K]> | (null extends EventPayloads[T][K] ? undefined : never);
};

/** Thrown where an argument has no place in the format. */
export class ArgumentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArgumentError';
  }
}

/** Runs the functions that make payloads, before the journal is entered: they are the host's code. */
export function evaluate(draft: object): Record<string, unknown> {
  const out: Record<string, unknown> = { ...draft };
  for (const name of Object.keys(out)) {
    const value = out[name];
    if (!(value instanceof PayloadDraft) || typeof value.value !== 'function') continue;
    const made: unknown = value.value();
    out[name] = new PayloadDraft(value.kind, made, value.form);
  }
  return out;
}

/** A string argument. @throws ArgumentError where it is none */
export function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new ArgumentError(`${name} must be a string, but is ${kindOf(value)}`);
  return value;
}

/** A string argument that may be absent. */
export function optionalText(value: unknown, name: string): string | null {
  return value === undefined || value === null ? null : text(value, name);
}

/** A list. @throws ArgumentError where it is none */
export function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ArgumentError(`${name} must be a list, but is ${kindOf(value)}`);
  return value;
}

/** One of a closed list of words. @throws ArgumentError where it is none */
export function word<T extends string>(value: unknown, words: readonly T[], name: string): T {
  for (const known of words) if (known === value) return known;
  const found = typeof value === 'string' ? `"${value.slice(0, 40)}"` : kindOf(value);
  throw new ArgumentError(`${name} must be one of ${words.join(', ')}, but is ${found}`);
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
