/**
 * A rollout: one trace, from its first thread to its clean end.
 *
 * `startRollout` here is pure: sink, clock and ids are given to it. The Node edge opens them from the environment. Not
 * here: threads (`thread.ts`), order and loss (`journal.ts`).
 */

import { ROLLOUT_STATUSES, type RolloutStatus } from '../format/event.ts';
import { EVENT_LOG_FILE } from '../format/manifest.ts';
import { type Diagnostic, Diagnostics, errorText, type TroubleCounts } from './diagnostics.ts';
import { word } from './event-draft.ts';
import { type Journal, NO_SCOPE } from './journal.ts';
import { LiveJournal, wholeMilliseconds } from './live-journal.ts';
import type { SessionMetadata } from './session-metadata.ts';
import type { Sink } from './sink.ts';
import { Thread, type ThreadHome } from './thread.ts';
import { WriteBudget, type WriteBudgetOptions } from './write-budget.ts';

/** What a rollout is recorded with. */
export interface RolloutOptions {
  /** Opens the place to write to, once the ids are known. Null records nothing; may throw. */
  openSink: (ids: RolloutIds) => OpenedSink | null;
  /** Unix milliseconds. */
  clock: () => number;
  /** Makes a UUID. */
  newId: () => string;
  /** The root thread's id, e.g. that of a resumed session; one is made where it is left out. */
  threadId?: string;
  /** What is known about the session. */
  metadata?: SessionMetadata;
  /** Left out, the host waits for every write, however long it takes. */
  writeBudget?: { options: WriteBudgetOptions; stopwatch: () => number } | undefined;
  /** Hears the first trouble of each kind. Nothing else is ever said to the host. */
  onDiagnostic?: ((diagnostic: Diagnostic) => unknown) | undefined;
}

/** A sink, and where it writes to. */
export interface OpenedSink {
  sink: Sink;
  location: string;
  /** Takes back what was made, where the trace could not be begun. */
  discard?: () => void;
}

/** What a trace is named by. */
export interface RolloutIds {
  traceId: string;
  /** Also the id of the rollout. */
  rootThreadId: string;
}

const SCHEMA_VERSION = 2;
const ROOT_PATH = '/root';

/** Begins to record a rollout. Never throws: where it cannot record, the handle is disabled. */
export function startRollout(options: RolloutOptions): Rollout {
  const diagnostics = new Diagnostics(options.onDiagnostic);
  let opened: OpenedSink | null = null;
  try {
    const ids = { traceId: options.newId(), rootThreadId: options.threadId ?? options.newId() };
    opened = options.openSink(ids);
    if (opened === null) return Rollout.disabled;
    const { location, sink } = opened;
    const journal = new LiveJournal({
      sink,
      rolloutId: ids.rootThreadId,
      diagnostics,
      clock: options.clock,
      newId: options.newId,
      budget: options.writeBudget ? new WriteBudget(options.writeBudget.options, options.writeBudget.stopwatch) : null,
    });
    sink.open({
      schema_version: SCHEMA_VERSION,
      trace_id: ids.traceId,
      rollout_id: ids.rootThreadId,
      root_thread_id: ids.rootThreadId,
      started_at_unix_ms: wholeMilliseconds(options.clock(), 0),
      raw_event_log: EVENT_LOG_FILE,
      payloads_dir: 'payloads',
    });
    return new Rollout(journal, diagnostics, { ...ids, location }, options.metadata ?? {});
  } catch (error) {
    diagnostics.count('open_failed', errorText(error), error);
    abandon(opened);
    return new Rollout(null, diagnostics, NOWHERE, {});
  }
}

/** Lets go of a sink that could not be opened. */
function abandon(opened: OpenedSink | null): void {
  for (const step of [() => opened?.sink.close(), () => opened?.discard?.()]) {
    try {
      step();
    } catch {
      // It never held a trace; the reason is told already.
    }
  }
}

const NOWHERE = { traceId: '', rootThreadId: '', location: '' };

/** Records one rollout. */
export class Rollout {
  static readonly disabled: Rollout = new Rollout(null, new Diagnostics(undefined), NOWHERE, {});

  readonly traceId: string;
  /** Where the trace is written; empty where nothing is recorded. */
  readonly location: string;
  /** The thread the rollout begins with. */
  readonly root: Thread;
  readonly #journal: LiveJournal | null;
  readonly #diagnostics: Diagnostics;
  /** The threads that have not ended, in the order they began, and how to end them. */
  readonly #open = new Map<Thread, (status: RolloutStatus) => void>();
  #ended = false;

  /** Use {@link startRollout}. */
  constructor(
    journal: LiveJournal | null,
    diagnostics: Diagnostics,
    ids: RolloutIds & { location: string },
    metadata: SessionMetadata,
  ) {
    this.traceId = ids.traceId;
    this.location = ids.location;
    this.#journal = journal;
    this.#diagnostics = diagnostics;
    this.root = journal === null ? Thread.disabled : this.#begin(journal, ids, metadata);
  }

  /** Whether anything is recorded. */
  get recording(): boolean {
    return this.#journal !== null;
  }

  /** What could not be recorded so far, counted by kind. */
  get troubles(): TroubleCounts {
    return this.#diagnostics.counts();
  }

  /** Ends the rollout and every thread that is still open, children first, and completes the recording. */
  end(status: RolloutStatus = 'completed'): void {
    const journal = this.#journal;
    if (journal === null) return;
    if (this.#ended) {
      journal.late();
      return;
    }
    const finish = (): void => {
      const known = word(status, ROLLOUT_STATUSES, 'status');
      this.#ended = true;
      journal.whenFree(() => this.#complete(journal, known));
    };
    journal.guard(() => undefined, finish);
  }

  #complete(journal: LiveJournal, status: RolloutStatus): void {
    journal.noteLoss();
    for (const close of [...this.#open.values()].reverse()) close(status);
    journal.write('rollout_ended', NO_SCOPE, () => ({ status }));
    journal.noteLoss();
    journal.write('recording_completed', NO_SCOPE, () => ({}));
    journal.close();
  }

  #begin(journal: LiveJournal, ids: RolloutIds, metadata: SessionMetadata): Thread {
    const recorded = journal.write('rollout_started', NO_SCOPE, () => ({
      trace_id: ids.traceId,
      root_thread_id: ids.rootThreadId,
    }));
    const begun: Journal = recorded ? journal : journal.orphans;
    let root: Thread | null = null;
    const home: ThreadHome = {
      get root() {
        return root ?? Thread.disabled;
      },
      opened: (thread, close) => {
        this.#open.set(thread, close);
        journal.openLane(thread.id);
      },
      ended: (thread, status) => {
        if (thread === root) this.end(status);
        else {
          this.#open.delete(thread);
          journal.closeLane(thread.id);
        }
      },
    };
    journal.unique('thread', ids.rootThreadId);
    root = Thread.open(begun, home, { id: ids.rootThreadId, agentPath: ROOT_PATH, depth: 0, metadata });
    return root;
  }
}
