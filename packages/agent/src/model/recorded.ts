/**
 * What is sent and received, as the trace has it: as it is, but for what strict readers refuse a trace for. Services send
 * reasoning of which nothing may be read, which stands as an empty text, and items of types the format does not have, which
 * stand as calls of that name. Some count their calls anew in each response: a call whose id was used before in the session
 * has a number behind it, and so has its output. What is changed carries what it really was in `derived_from`.
 */

import { type CallItem, type Item, isCall, isItem } from './item.ts';
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

/** The items of one session. */
export class RecordedItems {
  readonly #callIds = new Set<string>();
  /** The ids of calls and outputs, where they differ from those that are sent. */
  readonly #numbered = new WeakMap<Item, string>();

  /** An item the model says now. @returns it as it is recorded */
  received(item: Item): Item {
    if (isCall(item)) {
      const { call_id: id } = item;
      let free = id;
      for (let n = 2; this.#callIds.has(free); n++) free = `${id}#${n}`;
      this.#callIds.add(free);
      if (free !== id) this.#numbered.set(item, free);
    }
    return this.item(item);
  }

  /** An output is made that answers a call. */
  answered(output: Item, call: CallItem): void {
    const id = this.#numbered.get(call);
    if (id !== undefined) this.#numbered.set(output, id);
  }

  /** The id a call is recorded under. */
  callId(call: CallItem): string {
    return this.#numbered.get(call) ?? call.call_id;
  }

  item(item: Item): Item {
    const id = this.#numbered.get(item);
    if (id !== undefined) return { ...item, call_id: id, derived_from: item };
    if (item.type === 'reasoning') return recordedReasoning(item);
    return KNOWN.has(item.type) ? item : unknownItem(item);
  }

  items(items: readonly Item[]): readonly Item[] {
    return items.map((item) => this.item(item));
  }

  body(body: RequestBody): RequestBody {
    const { input } = body;
    return Array.isArray(input) && input.every(isItem) ? { ...body, input: this.items(input) } : body;
  }
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
