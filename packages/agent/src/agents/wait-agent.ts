/** Waiting for other agents. */

import type { AgentThread } from '../thread/thread.ts';
import { Arguments } from '../tools/arguments.ts';
import type { ToolOutcome, ToolRun } from '../tools/tool.ts';
import type { AgentTree } from './agent-tree.ts';

const DEFAULT_MS = 30_000;
const LONGEST_MS = 3_600_000;

const ARRIVED = 'A message has arrived.';
const CANCELLED = 'The wait was cancelled.';
const NOBODY = 'No other agent is working.';
const TIMED_OUT = 'Nothing happened in this time.';

/** Runs a call of `wait_agent`. Messages are read by the next request, not here. */
export async function waitAgent(tree: AgentTree, thread: AgentThread, run: ToolRun): Promise<ToolOutcome> {
  const time_ms = Math.min(new Arguments(run.input).optionalCount('timeout_ms') ?? DEFAULT_MS, LONGEST_MS);
  const call = { sender_thread_id: thread.id, call_id: run.callId };
  run.trace.runtimeStarted({ started_at_ms: Date.now(), receiver_thread_ids: [], ...call });
  const message = await waited(tree, thread, time_ms, run.signal);
  const status = run.signal.aborted ? 'cancelled' : 'completed';
  run.trace.runtimeEnded(status, { completed_at_ms: Date.now(), statuses: {}, ...call });
  const value = { message, timed_out: message === TIMED_OUT };
  return { output: JSON.stringify(value), value, status };
}

/** @returns what ended the wait */
async function waited(tree: AgentTree, thread: AgentThread, time_ms: number, signal: AbortSignal): Promise<string> {
  const { mailbox } = thread;
  if (!mailbox.hasMail && !tree.anyoneElseWorks(thread)) return NOBODY;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(TIMED_OUT), time_ms);
  const cancel = (): void => over.abort(CANCELLED);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  // A result is a message, and comes before this.
  const leave = tree.onStop(({ parent, path }) => {
    if (parent === thread) over.abort(`Agent ${path} has stopped.`);
    else if (!tree.anyoneElseWorks(thread)) over.abort(NOBODY);
  });
  try {
    await mailbox.arrival(over.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    leave();
  }
  return mailbox.hasMail ? ARRIVED : String(over.signal.reason);
}
