/**
 * What is sent and received, as the trace has it: as it is, but for what strict readers refuse a trace for. Services send
 * reasoning of which nothing may be read, which stands as an empty text, and items of types the format does not have, which
 * stand as calls of that name. Both carry what they really were in `derived_from`.
 */

import { type Item, isItem } from './item.ts';
import type { RequestBody } from './request.ts';

/** The types the format has. */
const KNOWN = new Set([
  'message',
  'agent_message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'tool_search_call',
  'tool_search_output',
  'web_search_call',
  'image_generation_call',
  'local_shell_call',
  'mcp_tool_call_output',
  'compaction',
  'compaction_summary',
  'context_compaction',
  'additional_tools',
]);

export function recordedItem(item: Item): Item {
  if (item.type === 'reasoning') return recordedReasoning(item);
  return KNOWN.has(item.type) ? item : unknownItem(item);
}

export function recordedItems(items: readonly Item[]): readonly Item[] {
  return items.map(recordedItem);
}

export function recordedBody(body: RequestBody): RequestBody {
  const { input } = body;
  return Array.isArray(input) && input.every(isItem) ? { ...body, input: recordedItems(input) } : body;
}

function recordedReasoning(item: Item): Item {
  const { summary, content, encrypted_content: encrypted } = item;
  if (isNothing(summary) && isNothing(content) && isNothing(encrypted)) {
    return { ...item, summary: [], content: [{ type: 'reasoning_text', text: '' }], derived_from: item };
  }
  return summary === null ? { ...item, summary: [], derived_from: item } : item;
}

function unknownItem(item: Item): Item {
  const { type, id, call_id, output } = item;
  const ids = {
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof call_id === 'string' ? { call_id } : {}),
  };
  return type.endsWith('_output')
    ? { type: 'function_call_output', ...ids, output: output ?? '', derived_from: item }
    : { type: 'function_call', ...ids, name: type, arguments: JSON.stringify(item), derived_from: item };
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
