/** The processor that hears the traces of the SDK, and the hooks that name what spans do not. */

import type { TracingProcessor } from '@openai/agents';
import { isMembers, membersOf } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import { processSession, type TraceSession } from '../session/session.ts';
import { agentRunsOf } from './agent-runs.ts';

/** How agents are recorded. */
export interface AgentsOptions {
  /** Left out, the one that all adapters of the process share. */
  session?: TraceSession;
}

/** A processor for `addTraceProcessor` or `setTraceProcessors`. */
export function rolloutTrace(options: AgentsOptions = {}): TracingProcessor {
  const session = options.session ?? processSession;
  const runs = agentRunsOf(session);
  return {
    onTraceStart: async (trace) => quietly(undefined, () => runs.traceStarted(trace)),
    onTraceEnd: async (trace) => quietly(undefined, () => runs.traceEnded(trace)),
    onSpanStart: async (span) => quietly(undefined, () => runs.spanStarted(span)),
    onSpanEnd: async (span) => quietly(undefined, () => runs.spanEnded(span)),
    shutdown: async () => quietly(undefined, () => session.end()),
    forceFlush: async () => undefined,
  };
}

/** What is needed of a `Runner` or an `Agent`. */
export interface ToolHooks {
  on(type: 'agent_tool_start' | 'agent_tool_end', listener: (...args: unknown[]) => void): unknown;
}

/** Hears which calls the tools of a runner, or of one agent, belong to. Gives it back. */
export function observeRunner<Hooks extends ToolHooks>(runner: Hooks, options: AgentsOptions = {}): Hooks {
  const runs = agentRunsOf(options.session ?? processSession);
  runs.hooked();
  runner.on('agent_tool_start', (...args) =>
    quietly(undefined, () => {
      const { toolCall } = membersOf(args.at(-1));
      if (isMembers(toolCall)) runs.toolNamed(toolCall);
    }),
  );
  runner.on('agent_tool_end', (...args) =>
    quietly(undefined, () => {
      const result = args.at(-2);
      if (typeof result === 'string') runs.toolReturned(result);
    }),
  );
  return runner;
}
