/**
 * A session of the SDK whose compactions are recorded. The request is seen by a traced fetch; that its answer is the
 * history from now on, only the session knows.
 */

import type { Session } from '@openai/agents';
import { isMembers } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import { processSession } from '../session/session.ts';
import { agentRunsOf } from './agent-runs.ts';
import type { AgentsOptions } from './rollout-trace.ts';

/** The session with recording. It is asked nothing that the SDK does not ask. */
export function tracedSession<S extends Session>(session: S, options: AgentsOptions = {}): S {
  const shared = options.session ?? processSession;
  const runs = agentRunsOf(shared);
  const installed = (result: unknown): void => {
    quietly(undefined, () => {
      const agent = runs.currentAgent();
      if (!isMembers(result) || agent === null || !agent.thread.recording) return;
      if (shared.memoryOf(agent.thread).install()) return;
      const unseen = 'a compaction whose request was not seen: its client is not traced';
      shared.notObservable(agent.thread, 'openai-agents', [unseen]);
    });
  };
  return new Proxy(session, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key !== 'runCompaction') return value.bind(target);
      return (...args: unknown[]) => {
        const result: unknown = Reflect.apply(value, target, args);
        if (result instanceof Promise) result.then(installed, () => undefined);
        else installed(result);
        return result;
      };
    },
  });
}
