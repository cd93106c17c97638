/**
 * What handles write to. Three journals answer: one that writes (`live-journal.ts`), one that records nothing, and one
 * for handles whose beginning was lost, so that the log never names what it does not have.
 */

import type { EventType } from '../format/event.ts';
import { ArgumentError, type EventDraft } from './event-draft.ts';

/** Where an event belongs: the envelope's thread and turn. */
export interface Scope {
  threadId: string | null;
  turnId: string | null;
}

/** The scope of events about the rollout and its threads. */
export const NO_SCOPE: Scope = { threadId: null, turnId: null };

/** What handles write to. */
export interface Journal {
  /** Whether anything is recorded. Handles look at this before they build anything. */
  readonly on: boolean;
  /** A journal that leaves everything out and counts it: for what belongs to a record that was lost. */
  readonly orphans: Journal;
  /** Writes one event. `build` runs only where it is recorded. True once the event stands in the log. */
  write<T extends EventType>(type: T, scope: Scope, build: () => EventDraft<T>): boolean;
  /** Runs the code of a handle. Where it throws, that is counted, and `lost` says what the host gets instead. */
  guard<T>(lost: (orphans: Journal) => T, action: () => T): T;
  /** Counts a call that came too late. */
  late(): void;
  /** Whether something that can be left out should be, because writing takes too long; counts it if so. */
  overloaded(): boolean;
  /** A new unique id. */
  newId(): string;
  /** The id, made unique among those of `space`; a repetition is counted. */
  unique(space: string, id: string): string;
}

/**
 * The journal of a record that names another handle: one that was lost must not be named, so the record is left out.
 *
 * @param other the journal of that handle
 * @throws ArgumentError where the handle belongs to another trace
 */
export function naming(journal: Journal, other: Journal, name: string): Journal {
  if (journal === journal.orphans || other === journal.orphans) return journal.orphans;
  if (other !== journal) throw new ArgumentError(`${name} must belong to the same trace`);
  return journal;
}

/** Records nothing. A class, because V8 looks up the fields of an object literal with a getter by name. */
class SilentJournal implements Journal {
  readonly on = false;

  get orphans(): Journal {
    return this;
  }

  write(): boolean {
    return false;
  }

  guard<T>(lost: (orphans: Journal) => T): T {
    return lost(this);
  }

  late(): void {}

  overloaded(): boolean {
    return false;
  }

  newId(): string {
    return '';
  }

  unique(_space: string, id: string): string {
    return id;
  }
}

/** The journal of every disabled handle. */
export const OFF: Journal = new SilentJournal();
