/**
 * What the recorder could not do, counted. One report per kind reaches the host; nothing is thrown or printed.
 *
 * Owns the words for losses and the texts made of them. Not here: the place that catches (`journal.ts`).
 */

/** Every kind of trouble, and what it means. */
export const TROUBLES = {
  open_failed: 'the trace could not be opened; nothing is recorded',
  write_failed: 'a record could not be written',
  payload_unreadable: 'a payload could not be read from the host, so its record was left out',
  value_replaced: 'a part of a payload is not JSON and was replaced by a marker',
  argument_invalid: 'a call had an argument the format has no place for, so its record was left out',
  parent_missing: 'a record was left out because what it belongs to was not recorded',
  late_call: 'a call came after the end of what it belongs to and was ignored',
  id_reused: 'an id was used twice',
  reentrant_call: 'the recorder was called while it was reading a payload; the inner call was ignored',
  clock_stepped_back: 'the clock went back; the times are recorded as it gave them',
  too_slow: 'writing took too long, so an inference call was left out',
} as const;

/** A kind of trouble. */
export type Trouble = keyof typeof TROUBLES;

/** One report to the host: the first occurrence of its kind. */
export interface Diagnostic {
  code: Trouble;
  /** One sentence with the cause. */
  message: string;
  /** What was thrown, where something was. */
  cause: unknown;
}

/** How often each kind of trouble occurred. Kinds that did not occur are left out. */
export type TroubleCounts = Partial<Record<Trouble, number>>;

/** The kinds that say that evidence is missing. */
const LOSSES: readonly Trouble[] = [
  'write_failed',
  'payload_unreadable',
  'argument_invalid',
  'parent_missing',
  'reentrant_call',
  'too_slow',
];

/** Counts trouble and tells the host the first of each kind. */
export class Diagnostics {
  readonly #counts = new Map<Trouble, number>();
  readonly #tell: ((diagnostic: Diagnostic) => unknown) | undefined;
  #lost = 0;

  /** @param tell may throw or reject: it is the host's, and cannot hurt itself through us */
  constructor(tell: ((diagnostic: Diagnostic) => unknown) | undefined) {
    this.#tell = tell;
  }

  /** How many records were left out so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Everything that was counted. */
  counts(): TroubleCounts {
    return Object.fromEntries(this.#counts);
  }

  /** Counts one occurrence; the first of its kind is told to the host. */
  count(code: Trouble, detail: string | null = null, cause: unknown = undefined, times: number = 1): void {
    const before = this.#counts.get(code) ?? 0;
    this.#counts.set(code, before + times);
    if (LOSSES.includes(code)) this.#lost += times;
    if (before > 0 || this.#tell === undefined) return;
    const reason = detail ?? (cause === undefined ? null : errorText(cause));
    const message = reason === null ? TROUBLES[code] : `${TROUBLES[code]}: ${reason}`;
    try {
      // A promise of another realm, or whatever else can be waited for, may reject as well.
      Promise.resolve(this.#tell({ code, message, cause })).catch(() => undefined);
    } catch {
      // The host's own callback failed. There is nobody left to tell.
    }
  }

  /** One sentence for the bundle: how many records are missing, and why. */
  sentence(): string {
    const kinds = [...this.#counts].map(([code, times]) => `${code} ${times}`).join(', ');
    return `This trace is incomplete: ${this.#lost} records were not recorded (${kinds}).`;
  }
}

/** What an error says, whatever it is. Never throws. */
export function errorText(error: unknown): string {
  try {
    if (typeof error === 'string') return error;
    if (error instanceof Error) return String(error.message === '' ? error.name : error.message);
    return String(error);
  } catch {
    return 'unreadable error';
  }
}
