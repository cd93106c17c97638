/** What the agent that spawned another is told when a turn of it is over. */

import type { AgentStatus } from '@rollout-trace/core/recorder/node';
import type { TurnResult } from '../thread/turn.ts';

/** Where a turn left its agent. */
export function statusAfter({ status, text, error }: TurnResult): AgentStatus {
  switch (status) {
    case 'completed':
      return { completed: text === '' ? null : text };
    case 'failed':
      return { errored: error ?? 'The turn failed.' };
    case 'cancelled':
      return 'interrupted';
  }
}

/** The message about it; null where nobody waits for one, because somebody else ended the turn. */
export function resultMessage(path: string, status: AgentStatus): string | null {
  if (typeof status === 'string') return null;
  if ('errored' in status) {
    return `Agent ${path} failed: ${status.errored}\nIt can be given another task.`;
  }
  return status.completed === null
    ? `Agent ${path} is done, and said nothing.`
    : `Result of agent ${path}:\n${status.completed}`;
}
