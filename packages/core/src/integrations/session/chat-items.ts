/**
 * The messages of chat completions as items of the format, which knows those of the Responses API only. Each message is
 * put in other words and carries what was sent in `derived_from`, so that nothing of it is lost.
 */

import { message, opaqueItem } from './format-items.ts';
import { isMembers, listOf, type Members, membersOf } from './json.ts';

/** The `messages` of a request. */
export function chatInput(messages: unknown): unknown[] {
  return listOf(messages).flatMap(messageItems);
}

/** A message of either side. One that says something and calls tools as well is several items. */
export function messageItems(sent: unknown): Members[] {
  if (!isMembers(sent)) return [opaqueItem('message', { content: sent })];
  const { role, content, tool_call_id: callId } = sent;
  if (role === 'tool' && typeof callId === 'string') return [output(callId, content, sent)];
  if (role === 'function') return [output(null, content, sent)];
  const items = [
    ...reasoning(sent),
    ...said(sent),
    ...listOf(sent.tool_calls).map(call),
    ...oldCall(sent.function_call),
  ];
  const [first, ...rest] = items.length > 0 ? items : [message(roleOf(role), '', sent)];
  return first === undefined ? [] : [{ ...first, derived_from: sent }, ...rest];
}

const ROLES = ['system', 'developer', 'user', 'assistant'];

function roleOf(role: unknown): string {
  return typeof role === 'string' && ROLES.includes(role) ? role : 'user';
}

function said({ role, content, refusal }: Members): Members[] {
  const name = roleOf(role);
  const parts = typeof content === 'string' ? textPart(name, content) : listOf(content);
  const refused = typeof refusal === 'string' ? [{ type: 'refusal', refusal }] : [];
  return parts.length + refused.length === 0 ? [] : [{ type: 'message', role: name, content: [...parts, ...refused] }];
}

function textPart(role: string, text: string): Members[] {
  return text === '' ? [] : [{ type: role === 'assistant' ? 'output_text' : 'input_text', text }];
}

/** Models whose reasoning may be read give it beside the content, under this name. */
function reasoning({ reasoning_content: text }: Members): Members[] {
  if (typeof text !== 'string' || text === '') return [];
  return [{ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text }] }];
}

function call(sent: unknown): Members {
  const { id, function: called, custom } = membersOf(sent);
  const { name, arguments: text } = membersOf(called);
  if (typeof id === 'string' && typeof name === 'string' && typeof text === 'string') {
    return { type: 'function_call', call_id: id, name, arguments: text };
  }
  const { name: tool, input } = membersOf(custom);
  if (typeof id === 'string' && typeof tool === 'string' && typeof input === 'string') {
    return { type: 'custom_tool_call', call_id: id, name: tool, input };
  }
  return opaqueItem('tool_call', membersOf(sent));
}

function oldCall(sent: unknown): Members[] {
  const { name, arguments: text } = membersOf(sent);
  return typeof name === 'string' && typeof text === 'string' ? [{ type: 'function_call', name, arguments: text }] : [];
}

function output(callId: string | null, content: unknown, sent: Members): Members {
  const item = { type: 'function_call_output', output: content ?? '', derived_from: sent };
  return callId === null ? item : { ...item, call_id: callId };
}
