/** A compaction: the service makes a shorter history of a long one, which takes its place. */

import { compactionRequest } from '../model/request.ts';
import { pause, Retries } from '../model/retries.ts';
import type { AgentThread } from './thread.ts';
import type { RunningTurn, TurnResult } from './turn.ts';

/** Compacts the whole history of a thread. Where it fails or is cancelled, the history stays as it was. */
export async function compactHistory(
  thread: AgentThread,
  turn: RunningTurn,
): Promise<Pick<TurnResult, 'status' | 'error'>> {
  const { history, settings, path, requestSettings } = thread;
  const { client, recorded, model, providerName, retryDelays_ms, listener } = settings;
  const before = history.items;
  // There is nothing to shorten, and the service would refuse it.
  if (before.length === 0) return { status: 'completed' };
  const body = compactionRequest(requestSettings, [...before]);
  const compaction = turn.trace.compaction({ model, providerName });
  const retries = new Retries(retryDelays_ms);
  while (true) {
    const answer = await client.compact(
      body,
      compaction.start(() => recorded.body(body)),
      turn.signal,
    );
    if (answer.status === 'cancelled') return { status: 'cancelled' };
    if (answer.status === 'completed') {
      compaction.install({
        inputHistory: recorded.items(before),
        replacementHistory: recorded.items(answer.items),
      });
      history.replace(answer.items);
      listener({ type: 'compacted', agentPath: path, before: before.length, after: answer.items.length });
      return { status: 'completed' };
    }
    const { failure } = answer;
    const wait_ms = retries.after(failure);
    if (wait_ms === null) return { status: 'failed', error: `The history could not be compacted: ${failure.message}` };
    listener({ type: 'retry', agentPath: path, error: failure.message, wait_ms });
    if (!(await pause(wait_ms, turn.signal))) return { status: 'cancelled' };
  }
}
