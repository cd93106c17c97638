/**
 * Items as the format takes them. A strict reader refuses a trace for one item without a type, of a type it does not
 * know, or without what its type needs, and SDKs send all of these. What can stand as it is stands as it is; what cannot
 * is put in other words, and carries what was really sent in `derived_from`. Nothing is left out.
 *
 * Not here: the messages of chat completions (`chat-items.ts`).
 */

import { isMembers, listOf, type Members } from './json.ts';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];
/** Types that stand as they are. Messages and reasoning do as well, where they have what they need. */
const KNOWN = new Set([
  'additional_tools',
  'function_call_output',
  'custom_tool_call_output',
  'tool_search_output',
  'mcp_tool_call_output',
]);
const WHOLE_CALLS = new Set(['tool_search_call', 'web_search_call', 'image_generation_call', 'local_shell_call']);
const COMPACTIONS = new Set(['compaction', 'compaction_summary', 'context_compaction']);
/** What says how far a call is, not what is called: it differs from one sighting of a call to the next. */
const STATE = new Set(['type', 'id', 'call_id', 'status', 'created_by']);

/** The `input` of a request as a list: a text is one message of the user. */
export function formatInput(input: unknown): unknown[] {
  if (typeof input === 'string') return [message('user', input, input)];
  return listOf(input).map(formatItem);
}

/** One item as the format takes it. */
export function formatItem(item: unknown): unknown {
  if (!isMembers(item)) return message('user', JSON.stringify(item) ?? '', item);
  const { type } = item;
  if (type === 'message' || (type === undefined && 'role' in item)) return formatMessage(item);
  if (typeof type !== 'string') return opaqueItem('untyped', item);
  if (type === 'reasoning') return formatReasoning(item);
  if (type === 'agent_message') return isAgentMessage(item) ? item : opaqueItem(type, item);
  if (COMPACTIONS.has(type)) return typeof item.encrypted_content === 'string' ? item : opaqueItem(type, item);
  if (type === 'function_call') return withText(item, 'arguments');
  if (type === 'custom_tool_call') return withText(item, 'input');
  // Readers compare such a call as a whole, and its state differs from one sighting to the next.
  if (WHOLE_CALLS.has(type) && typeof item.call_id === 'string') return foreignCall(type, item, item.call_id);
  if (WHOLE_CALLS.has(type) || KNOWN.has(type)) return item;
  // The id is that of the item it stands for.
  if (type === 'item_reference') return { ...opaqueItem(type, item), id: undefined };
  if (typeof item.call_id !== 'string') return opaqueItem(type, item);
  return type.endsWith('_output') ? foreignOutput(item, item.call_id) : foreignCall(type, item, item.call_id);
}

function formatMessage(item: Members): unknown {
  const { role, content } = item;
  if (typeof role !== 'string' || !ROLES.includes(role)) return opaqueItem('message', item);
  if (typeof content === 'string') return { ...item, ...message(role, content, item) };
  return item.type === 'message' ? item : { ...item, type: 'message', derived_from: item };
}

/** A message made of one text. */
export function message(role: string, text: string, sent: unknown): Members {
  const part = { type: role === 'assistant' ? 'output_text' : 'input_text', text };
  return { type: 'message', role, content: [part], derived_from: sent };
}

/** Reasoning of which nothing may be read is common, and refused by strict readers: it stands as an empty text. */
function formatReasoning(item: Members): unknown {
  const { encrypted_content: encrypted } = item;
  const content = readable(item.content, ['reasoning_text', 'text']);
  const summary = readable(item.summary, ['summary_text']);
  const whole = content !== null && summary !== null && (typeof encrypted === 'string' || (encrypted ?? null) === null);
  if (!whole) return opaqueItem('reasoning', item);
  const nullSummary = item.summary === null;
  if (content + summary > 0 || typeof encrypted === 'string') {
    return nullSummary ? { ...item, summary: [], derived_from: item } : item;
  }
  const empty = [{ type: 'reasoning_text', text: '' }];
  return { ...item, summary: [], content: empty, derived_from: item };
}

/** What a call is given is a text. */
function withText(item: Members, key: string): Members {
  const given = item[key];
  if (typeof given === 'string') return item;
  return { ...item, [key]: given === undefined ? '' : JSON.stringify(given), derived_from: item };
}

function isAgentMessage({ author, recipient, content }: Members): boolean {
  if (typeof author !== 'string' || typeof recipient !== 'string' || !Array.isArray(content)) return false;
  const fits = (part: unknown): boolean =>
    isMembers(part) &&
    ((part.type === 'input_text' && typeof part.text === 'string') ||
      (part.type === 'encrypted_content' && typeof part.encrypted_content === 'string'));
  return content.length > 0 && content.every(fits);
}

/** How many parts there are; null where one of them is of another kind. */
function readable(parts: unknown, types: readonly string[]): number | null {
  if (parts === undefined || parts === null) return 0;
  if (!Array.isArray(parts)) return null;
  const fits = (part: unknown): boolean =>
    isMembers(part) && typeof part.type === 'string' && types.includes(part.type) && typeof part.text === 'string';
  return parts.every(fits) ? parts.length : null;
}

/** A call of a tool the format has no type for: what it was given is its arguments. */
function foreignCall(type: string, item: Members, callId: string): Members {
  const given = Object.entries(item).filter(([key, value]) => !STATE.has(key) && value !== undefined && value !== null);
  const text = JSON.stringify(withoutNulls(Object.fromEntries(given)));
  const id = typeof item.id === 'string' ? { id: item.id } : {};
  return { type: 'function_call', ...id, call_id: callId, name: type, arguments: text, derived_from: item };
}

/** SDKs leave out, or write as null, what was not given. The arguments of a call may not differ by that. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isMembers(value)) return value;
  const given = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(given.map(([key, member]) => [key, withoutNulls(member)]));
}

function foreignOutput(item: Members, callId: string): Members {
  const id = typeof item.id === 'string' ? { id: item.id } : {};
  return {
    type: 'function_call_output',
    ...id,
    call_id: callId,
    output: withoutNulls(item.output) ?? '',
    derived_from: item,
  };
}

/** An item nothing is known of, or that lacks what its type needs: it stands as a call that nobody answers. */
export function opaqueItem(name: string, item: Members): Members {
  const id = typeof item.id === 'string' ? { id: item.id } : {};
  return { type: 'function_call', ...id, name, arguments: JSON.stringify(item), derived_from: item };
}
