/**
 * The one writer of a trace: every handle speaks through it, and nothing it does reaches the host.
 *
 * Owns the order of events (seq, payload numbers, times), the lanes of the threads, and the place that catches
 * everything. Not here: what events there are (the handles), the layout (the sinks).
 */

import type { EventType } from '../format/event.ts';
import type { PayloadKind, PayloadRef } from '../format/payload.ts';
import { type Diagnostics, errorText, type Trouble } from './diagnostics.ts';
import { ArgumentError, type EventDraft, evaluate, PayloadDraft } from './event-draft.ts';
import { type Journal, NO_SCOPE, type Scope } from './journal.ts';
import { PlainCopier } from './plain-json.ts';
import { Lane, type PreparedDelta } from './request-delta.ts';
import { BaseLostError, type Sink, type SinkPayload } from './sink.ts';
import type { WriteBudget } from './write-budget.ts';

/** What a live journal needs of its host. */
export interface JournalOptions {
  sink: Sink;
  rolloutId: string;
  diagnostics: Diagnostics;
  /** Unix milliseconds. */
  clock: () => number;
  newId: () => string;
  budget: WriteBudget | null;
}

const SCHEMA_VERSION = 2;

interface Prepared {
  payloads: SinkPayload[];
  fields: Record<string, unknown>;
  deltas: { number: number; prepared: PreparedDelta; lane: Lane }[];
  /** How many parts of each payload gave way to a marker. */
  replaced: { kind: PayloadKind; parts: number }[];
}

/** A time for the log, which holds whole numbers only; `otherwise` where the clock does not say. */
export function wholeMilliseconds(time: number, otherwise: number): number {
  const whole = Math.trunc(time);
  return Number.isSafeInteger(whole) ? whole : otherwise;
}

/** A journal that writes. */
export class LiveJournal implements Journal {
  readonly on = true;
  readonly orphans: Journal;
  readonly #options: JournalOptions;
  /** Of every thread that is open; null until its first request. */
  readonly #lanes = new Map<string, Lane | null>();
  /** How often each id was used, by what it names. */
  readonly #ids = new Map<string, Map<string, number>>();
  #seq = 0;
  #payloads = 0;
  #laneCount = 0;
  #time: number | null = null;
  #busy = false;
  #closed = false;
  #lossNoted = 0;
  #closedLanes: number[] = [];
  /** What waits until the event that is being written stands in the log. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: JournalOptions) {
    this.#options = options;
    this.orphans = new OrphanJournal(this, options.diagnostics);
  }

  write<T extends EventType>(type: T, scope: Scope, build: () => EventDraft<T>): boolean {
    if (this.#closed) {
      this.late();
      return false;
    }
    if (this.#busy) {
      this.#options.diagnostics.count('reentrant_call');
      return false;
    }
    let code: 'payload_unreadable' | 'write_failed' = 'payload_unreadable';
    let failure: unknown;
    try {
      const draft = evaluate(build());
      if (this.#closed) {
        // The host's own code, which makes the payloads, has ended the trace.
        this.late();
        return false;
      }
      this.#busy = true;
      const prepared = this.#prepare(draft, scope);
      code = 'write_failed';
      try {
        this.#append(type, scope, prepared);
      } catch (error) {
        if (!(error instanceof BaseLostError)) throw error;
        // The lanes have forgotten what was lost, so this tells everything.
        this.#append(type, scope, this.#prepare(draft, scope));
      }
      this.#busy = false;
      // Nothing may stand behind the completion.
      if (type !== 'recording_completed') this.#noteLoss(2);
      this.#goOn();
      return true;
    } catch (error) {
      failure = error;
    }
    this.#busy = false;
    this.#options.diagnostics.count(
      failure instanceof ArgumentError ? 'argument_invalid' : code,
      errorText(failure),
      failure,
    );
    this.#goOn();
    return false;
  }

  /**
   * Runs what writes or ends, at once or when the event that is being written stands in the log: the host may be inside
   * a getter of a payload, or be told of a trouble.
   */
  whenFree(action: () => void): void {
    if (this.#busy) this.#waiting.push(action);
    else action();
  }

  #goOn(): void {
    for (let action = this.#waiting.shift(); action !== undefined; action = this.#waiting.shift()) action();
  }

  guard<T>(lost: (orphans: Journal) => T, action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.#options.diagnostics.count('argument_invalid', errorText(error), error);
      return lost(this.orphans);
    }
  }

  late(): void {
    this.#options.diagnostics.count('late_call');
  }

  overloaded(): boolean {
    if (this.#options.budget?.overdrawn !== true) return false;
    this.#options.diagnostics.count('too_slow');
    return true;
  }

  newId(): string {
    return this.#options.newId();
  }

  unique(space: string, id: string): string {
    const taken = this.#ids.get(space) ?? new Map<string, number>();
    this.#ids.set(space, taken);
    let uses = taken.get(id) ?? 0;
    let free = id;
    while (taken.has(free)) free = `${id}#${++uses}`;
    taken.set(free, 1);
    if (free !== id) {
      taken.set(id, uses);
      this.#options.diagnostics.count('id_reused', `${space} ${id}`);
    }
    return free;
  }

  /** Tells the requests of a thread against each other from here on. */
  openLane(threadId: string): void {
    this.#lanes.set(threadId, null);
  }

  /** Lets go of the copy of a thread's history. What is requested in its name later is told in full. */
  closeLane(threadId: string): void {
    const lane = this.#lanes.get(threadId);
    this.#lanes.delete(threadId);
    if (lane !== null && lane !== undefined) this.#closedLanes.push(lane.number);
  }

  /** Writes what is missing into the trace, if anything is. */
  noteLoss(): void {
    this.#noteLoss(1);
  }

  /** Whether the trace has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing is recorded from here on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lanes.clear();
    this.#ids.clear();
    try {
      this.#options.sink.close();
    } catch (error) {
      this.#options.diagnostics.count('write_failed', errorText(error), error);
    }
  }

  #prepare(draft: Record<string, unknown>, scope: Scope): Prepared {
    const prepared: Prepared = { payloads: [], fields: {}, deltas: [], replaced: [] };
    for (const name of Object.keys(draft)) {
      const value = draft[name];
      if (value instanceof PayloadDraft) prepared.fields[name] = this.#payload(value, scope, prepared);
      else prepared.fields[name] = value;
    }
    return prepared;
  }

  #payload({ kind, value, form }: PayloadDraft, scope: Scope, prepared: Prepared): PayloadRef {
    const number = this.#payloads + prepared.payloads.length + 1;
    const lane = form === 'whole' || scope.threadId === null ? null : this.#lane(scope.threadId);
    const delta = form === 'checkpoint' ? lane?.checkpoint(value) : lane?.request(value, form === 'request');
    let parts: number;
    if (lane !== null && delta !== null && delta !== undefined) {
      parts = delta.replaced;
      prepared.deltas.push({ number, prepared: delta, lane });
      prepared.payloads.push({ number, kind, body: { type: 'delta', delta: delta.delta } });
    } else {
      const copier = new PlainCopier();
      const copied = copier.copy(value) ?? null;
      parts = copier.replaced;
      prepared.payloads.push({ number, kind, body: { type: 'whole', value: copied } });
    }
    if (parts > 0) prepared.replaced.push({ kind, parts });
    return { raw_payload_id: `raw_payload:${number}`, kind: { type: kind }, path: `payloads/${number}.json` };
  }

  #lane(threadId: string): Lane | null {
    const known = this.#lanes.get(threadId);
    if (known !== null) return known ?? null;
    const lane = new Lane(++this.#laneCount);
    this.#lanes.set(threadId, lane);
    return lane;
  }

  #append(type: EventType, scope: Scope, { payloads, fields, deltas, replaced }: Prepared): void {
    const line = eventLine({
      schema_version: SCHEMA_VERSION,
      seq: this.#seq + 1,
      wall_time_unix_ms: this.#now(),
      rollout_id: this.#options.rolloutId,
      thread_id: scope.threadId,
      codex_turn_id: scope.turnId,
      payload: { type, ...fields },
    });
    const { sink, budget } = this.#options;
    const entry = { line, payloads, closedLanes: this.#closedLanes };
    try {
      if (budget === null) sink.append(entry);
      else budget.charge(() => sink.append(entry));
    } catch (error) {
      // What else was not written leaves the lanes where they are: the last request that was stands on disk.
      if (error instanceof BaseLostError) for (const { lane } of deltas) lane.reset();
      throw error;
    }
    this.#seq++;
    this.#payloads += payloads.length;
    this.#closedLanes = [];
    for (const { number, prepared } of deltas) prepared.commit(number);
    for (const { kind, parts } of replaced) this.#report('value_replaced', kind, parts);
  }

  /** Counts what the host may be told of, and answer with an event, once the one that is being written stands in the log. */
  #report(code: Trouble, detail: string | null = null, times: number = 1): void {
    this.whenFree(() => this.#options.diagnostics.count(code, detail, undefined, times));
  }

  #now(): number {
    const before = this.#time;
    const time = wholeMilliseconds(this.#options.clock(), before ?? 0);
    if (before !== null && time < before) this.#report('clock_stepped_back');
    this.#time = time;
    return time;
  }

  /** Says in the trace how much is missing, each time it has grown by the factor. */
  #noteLoss(factor: number): void {
    const { diagnostics } = this.#options;
    const { lost } = diagnostics;
    if (lost === this.#lossNoted || lost < this.#lossNoted * factor) return;
    this.#lossNoted = lost;
    this.write('protocol_event_observed', NO_SCOPE, () => ({
      event_type: 'warning',
      event_payload: new PayloadDraft('protocol_event', { type: 'warning', message: diagnostics.sentence() }),
    }));
  }
}

/** The journal of handles whose beginning was lost. */
class OrphanJournal implements Journal {
  readonly on = true;
  readonly #live: LiveJournal;
  readonly #diagnostics: Diagnostics;
  constructor(live: LiveJournal, diagnostics: Diagnostics) {
    this.#live = live;
    this.#diagnostics = diagnostics;
  }

  get orphans(): Journal {
    return this;
  }

  write(): boolean {
    if (this.#live.closed) this.late();
    else this.#diagnostics.count('parent_missing');
    return false;
  }

  guard<T>(lost: (orphans: Journal) => T, action: () => T): T {
    return this.#live.guard(lost, action);
  }

  late(): void {
    this.#live.late();
  }

  overloaded(): boolean {
    return false;
  }

  newId(): string {
    return this.#live.newId();
  }

  unique(_space: string, id: string): string {
    return id;
  }
}

/** The event as one compact line. The reference refuses halves of surrogate pairs, so they are replaced. */
function eventLine(event: object): string {
  const line = JSON.stringify(event);
  return line.includes('\\ud') ? JSON.stringify(new PlainCopier().copy(event)) : line;
}
