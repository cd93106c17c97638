/** What a user interface may show while an agent works. Everything here also stands in the trace. */

import type { ExecutionStatus } from '@rollout-trace/core/format';
import type { TokenUsage } from '@rollout-trace/core/recorder/node';

/** Something happened in a thread. `agentPath` says in which: `/root`, or `/root/<task>` of a child. */
export type AgentEvent = { readonly agentPath: string } & (
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'message'; readonly text: string }
  /** A response is complete; `usage` is null where the service did not count. */
  | { readonly type: 'response'; readonly usage: TokenUsage | null }
  | { readonly type: 'tool_started'; readonly callId: string; readonly name: string; readonly input: string }
  | { readonly type: 'tool_ended'; readonly callId: string; readonly name: string; readonly status: ExecutionStatus }
  | { readonly type: 'retry'; readonly error: string; readonly wait_ms: number }
  | { readonly type: 'turn_ended'; readonly status: 'completed' | 'failed' | 'cancelled' }
  /** Something does not work, and the session goes on without it. */
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'compacted'; readonly before: number; readonly after: number }
);

/** Hears what happens. */
export type AgentListener = (event: AgentEvent) => void;
