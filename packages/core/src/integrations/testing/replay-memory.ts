/** Records calls of one thread as adapters do, and reduces them, strictly and in memory. */

import { reduceBundle } from '../../bundle/replay.ts';
import { memorySource } from '../../bundle/source.ts';
import { BundleSink } from '../../recorder/bundle-sink.ts';
import { MemoryBundle } from '../../recorder/memory.ts';
import { startRollout } from '../../recorder/rollout.ts';
import { testHost } from '../../recorder/testing/recording.ts';
import { ThreadMemory } from '../session/thread-memory.ts';

/** How many inference calls readers find. @throws where they refuse the trace */
export function replayMemory(calls: readonly { input: readonly unknown[]; output: readonly unknown[] }[]): number {
  const bundle = new MemoryBundle();
  const rollout = startRollout(testHost(new BundleSink(bundle)));
  const turn = rollout.root.startTurn();
  const memory = new ThreadMemory();
  for (const { input, output } of calls) {
    const { call, recorded } = memory.begin({ model: 'm' }, input);
    const attempt = turn.inference({ model: 'm', providerName: 'p' }).start(recorded);
    const outputItems = memory.received(output);
    attempt.complete({ outputItems });
    memory.answered(call, null, outputItems);
  }
  turn.end();
  rollout.end();
  const { graph, findings } = reduceBundle(memorySource(bundle.files()), { mode: 'strict' });
  if (findings.length > 0) throw new Error(JSON.stringify(findings));
  return graph.inference_calls.size;
}
