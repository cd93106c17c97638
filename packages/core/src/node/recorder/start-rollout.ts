/** `startRollout` for Node: the environment decides where to, the process gives clock and ids. */

import { randomUUID } from 'node:crypto';
import type { Diagnostic } from '../../recorder/diagnostics.ts';
import { Rollout, startRollout as startPureRollout } from '../../recorder/rollout.ts';
import type { SessionMetadata } from '../../recorder/session-metadata.ts';
import type { WriteBudgetOptions } from '../../recorder/write-budget.ts';
import { knownFormat, openSink, type TraceFormat, traceEnvironment } from './open-sink.ts';

/** How a rollout is recorded. Everything may be left out. */
export interface StartRolloutOptions {
  /** The folder to write below. Left out, the environment says; null, or a name without a character, records nothing. */
  root?: string | null;
  /** Left out, `ROLLOUT_TRACE_FORMAT` says; else `bundle`. */
  format?: TraceFormat;
  /** The root thread's id, e.g. that of a resumed session. */
  threadId?: string;
  /** What is known about the session. */
  metadata?: SessionMetadata;
  /** Hears the first trouble of each kind, and nothing else. */
  onDiagnostic?: (diagnostic: Diagnostic) => unknown;
  /**
   * What happens when the disk is slow. Left out, the host waits: writes are synchronous and there is no backlog. With
   * a budget, inference calls that begin while it is overdrawn are left out and counted.
   */
  writeBudget?: WriteBudgetOptions;
  /** Unix milliseconds; for tests. */
  clock?: () => number;
  /** Makes a UUID; for tests. */
  newId?: () => string;
}

/**
 * Begins to record a rollout, below `ROLLOUT_TRACE_ROOT` or else `CODEX_ROLLOUT_TRACE_ROOT`. Where neither is set the
 * handle is disabled: it accepts every call and costs nothing. Never throws.
 */
export function startRollout(options: StartRolloutOptions = {}): Rollout {
  try {
    return begin(options);
  } catch {
    // The options themselves cannot be read, and with them nobody who could be told.
    return Rollout.disabled;
  }
}

function begin(options: StartRolloutOptions): Rollout {
  const environment = traceEnvironment(process.env);
  const root = options.root === undefined ? environment.root : options.root;
  if (root === null || root === '') return Rollout.disabled;
  return startPureRollout({
    openSink: (ids) => openSink(root, knownFormat(options.format) ?? environment.format, ids),
    clock: options.clock ?? Date.now,
    newId: options.newId ?? randomUUID,
    ...(options.threadId === undefined ? {} : { threadId: options.threadId }),
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    onDiagnostic: options.onDiagnostic,
    writeBudget: options.writeBudget && { options: options.writeBudget, stopwatch: () => performance.now() },
  });
}
