/** Records calls of one thread as adapters do, and reduces them, strictly and in memory. */

import { reduceBundle } from '../../bundle/replay.ts';
import { memorySource } from '../../bundle/source.ts';
import type { Graph } from '../../format/graph.ts';
import { BundleSink } from '../../recorder/bundle-sink.ts';
import { MemoryBundle } from '../../recorder/memory.ts';
import { startRollout } from '../../recorder/rollout.ts';
import { testHost } from '../../recorder/testing/recording.ts';
import { ThreadMemory } from '../session/thread-memory.ts';

/** One call. Its response, if it comes, is named `resp_<n>` by its place in the list. */
export interface ReplayedCall {
  input: readonly unknown[];
  /** The place of the response it continues. */
  previous?: number | null;
  /** Null where the request fails. */
  output: readonly unknown[] | null;
  /** Whether its end comes only after the next call has begun. */
  late?: boolean;
}

/** The graph readers make of it. @throws where they refuse the trace */
export function replayMemory(calls: readonly ReplayedCall[]): Graph {
  const bundle = new MemoryBundle();
  const rollout = startRollout(testHost(new BundleSink(bundle)));
  const turn = rollout.root.startTurn();
  const memory = new ThreadMemory();
  let waiting: (() => void) | null = null;
  for (const [n, { input, previous = null, output, late = false }] of calls.entries()) {
    const body = previous === null ? { model: 'm' } : { model: 'm', previous_response_id: `resp_${previous}` };
    const { call, recorded } = memory.begin(body, input);
    const attempt = turn.inference({ model: 'm', providerName: 'p' }).start(recorded);
    waiting?.();
    waiting = (): void => {
      const outputItems = memory.received(output ?? []);
      if (output === null) attempt.fail('no');
      else {
        attempt.complete({ responseId: `resp_${n}`, outputItems });
        memory.answered(call, `resp_${n}`, outputItems);
      }
    };
    if (late) continue;
    waiting();
    waiting = null;
  }
  waiting?.();
  turn.end();
  rollout.end();
  const { graph, findings } = reduceBundle(memorySource(bundle.files()), { mode: 'strict' });
  if (findings.length > 0) throw new Error(JSON.stringify(findings));
  return graph;
}
