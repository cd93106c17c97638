/**
 * How the work of one agent for another is told: by the observations of the tool call that began it. The shapes are
 * those of the protocol; what the SDK does not say, such as an effort, is named as unknown.
 */

import type { ExecutionStatus } from '../../format/event.ts';
import type { Thread } from '../../recorder/thread.ts';
import type { ToolCall } from '../../recorder/tool.ts';

/** Who works for whom, and what for. */
export interface Spawn {
  sender: Thread;
  child: Thread;
  prompt: string;
  model: string;
}

/** An agent begins to work for a tool call, which becomes a spawn by that. */
export function agentStarted(call: ToolCall, callId: string, sender: Thread, child: Thread, prompt: string): void {
  const told = { call_id: callId, sender_thread_id: sender.id, agent_path: child.agentPath, prompt };
  call.runtimeStarted({ ...told, told_by: 'openai-agents' }, { type: 'spawn_agent' });
}

/** The agent is done, or, after a handoff, has taken over: from this the edge between the two is drawn. */
export function agentEnded(
  call: ToolCall,
  callId: string,
  { sender, child, prompt, model }: Spawn,
  status: ExecutionStatus,
  lastText: string | null,
): void {
  call.runtimeEnded(status, {
    call_id: callId,
    sender_thread_id: sender.id,
    new_thread_id: child.id,
    prompt,
    model,
    reasoning_effort: 'unknown',
    status: status === 'failed' ? { errored: lastText ?? 'the agent failed' } : { completed: lastText },
    told_by: 'openai-agents',
  });
}
