/**
 * What passes between agents: messages in a history, results of children, and the shapes of the observations that
 * tool calls about agents carry. Not here: the thread of a child (`thread.ts`), the calls themselves (`tool.ts`).
 */

import { type Payload, PayloadDraft, text } from './event-draft.ts';
import type { Journal } from './journal.ts';
import type { Thread } from './thread.ts';
import type { Turn } from './turn.ts';

/** A message of another agent, as it stands in the history of its recipient. */
export interface AgentMessage {
  type: 'agent_message';
  id: string;
  /** Agent paths: `/root`, `/root/<task>` … */
  author: string;
  recipient: string;
  content: readonly ({ type: 'input_text'; text: string } | { type: 'encrypted_content'; encrypted_content: string })[];
  [field: string]: unknown;
}

/** How a child's turn ended, in the words of the protocol. */
export type AgentStatus =
  | 'pending_init'
  | 'running'
  | 'interrupted'
  | 'shutdown'
  | 'not_found'
  | { completed: string | null }
  | { errored: string };

/** The result of a child's turn. */
export interface AgentResultOptions {
  turn: Turn;
  parent: Thread;
  /** The text as the parent reads it. */
  message: string;
  status: AgentStatus;
  /** Recorded instead of the usual `{child_agent_path, message, status}`. */
  payload?: Payload;
}

/** What an agent tool did to another agent; the payload of the tool's `runtimeEnded`. */
export interface AgentActivity {
  /** The id of the tool call. */
  eventId: string;
  kind: 'started' | 'interacted' | 'interrupted' | 'completed';
  occurredAtMs: number;
  agentThreadId: string;
  agentPath: string;
  model?: string | null;
  reasoningEffort?: string | null;
}

/** The observation of an agent activity as it is recorded. */
export function agentActivity(activity: AgentActivity): object {
  return {
    model: activity.model ?? null,
    reasoning_effort: activity.reasoningEffort ?? null,
    event_id: activity.eventId,
    occurred_at_ms: activity.occurredAtMs,
    agent_thread_id: activity.agentThreadId,
    agent_path: activity.agentPath,
    kind: activity.kind,
  };
}

/** Writes the result of a child's turn. */
export function agentResult(journal: Journal, child: Thread, options: AgentResultOptions): void {
  const write = (): void => {
    const { turn, parent } = options;
    const named = parent.journalNaming(turn.journalNaming(journal, 'turn'), 'parent');
    named.write('agent_result_observed', { threadId: child.id, turnId: turn.id }, () => ({
      edge_id: `edge:agent_result:${child.id}:${turn.id}:${parent.id}`,
      child_thread_id: child.id,
      child_codex_turn_id: text(turn.id, 'turn'),
      parent_thread_id: text(parent.id, 'parent'),
      message: text(options.message, 'message'),
      carried_payload: new PayloadDraft(
        'agent_result',
        options.payload ?? { child_agent_path: child.agentPath, message: options.message, status: options.status },
      ),
    }));
  };
  journal.guard(() => undefined, write);
}
