/**
 * Items of a conversation, as the Responses API has them, and the ids of those that are made here.
 *
 * An item is carried as it was received, unknown members included: it is sent again in every later request.
 */

import { randomUUID } from 'node:crypto';
import type { OutputPart } from '../tools/tool.ts';

/** Anything that stands in a history. */
export interface Item {
  readonly type: string;
  readonly id?: string;
  readonly [member: string]: unknown;
}

/** A message of one agent to another. */
export interface AgentMessageItem extends Item {
  readonly type: 'agent_message';
  readonly id: string;
  /** Paths of agents, `/root/<task>`. */
  readonly author: string;
  readonly recipient: string;
  readonly content: readonly (
    | { type: 'input_text'; text: string }
    | { type: 'encrypted_content'; encrypted_content: string }
  )[];
}

/** A call that the model asks for. */
export interface CallItem extends Item {
  readonly type: 'function_call' | 'custom_tool_call';
  readonly call_id: string;
  readonly name: string;
}

/** A message of the user. */
export function userMessage(text: string): Item {
  return { type: 'message', id: `msg_${randomUUID()}`, role: 'user', content: [{ type: 'input_text', text }] };
}

/** A message of one agent to another. */
export function agentMessage(message: Pick<AgentMessageItem, 'author' | 'recipient' | 'content'>): AgentMessageItem {
  return { type: 'agent_message', id: `amsg_${randomUUID()}`, ...message };
}

/** The output that answers a call. */
export function callOutput(call: CallItem, output: string | readonly OutputPart[]): Item {
  const [type, prefix] =
    call.type === 'function_call' ? ['function_call_output', 'fco'] : ['custom_tool_call_output', 'ctco'];
  return { type, id: `${prefix}_${randomUUID()}`, call_id: call.call_id, output };
}

/** Whether something a service sent is an item. */
export function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** Whether an item is a call that must have an output before the next request. */
export function isCall(item: Item): item is CallItem {
  return (
    (item.type === 'function_call' || item.type === 'custom_tool_call') &&
    typeof item.call_id === 'string' &&
    typeof item.name === 'string'
  );
}

export function isAgentMessage(item: Item): item is AgentMessageItem {
  return item.type === 'agent_message' && typeof item.id === 'string' && Array.isArray(item.content);
}

/** The text of an assistant's message; null where the item is something else. */
export function assistantText(item: Item): string | null {
  if (item.type !== 'message' || item.role !== 'assistant' || !Array.isArray(item.content)) return null;
  return item.content
    .map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : ''))
    .join('');
}
