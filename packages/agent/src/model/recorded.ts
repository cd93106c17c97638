/**
 * What is sent and received, as the trace has it: as it is, but for reasoning of which nothing may be read. Strict
 * readers refuse a trace for one such item, and services send them: it stands as an empty text, and carries what it
 * really was in `derived_from`.
 */

import { type Item, isItem } from './item.ts';
import type { RequestBody } from './request.ts';

export function recordedItem(item: Item): Item {
  if (item.type !== 'reasoning') return item;
  const { summary, content, encrypted_content: encrypted } = item;
  if (isNothing(summary) && isNothing(content) && isNothing(encrypted)) {
    return { ...item, summary: [], content: [{ type: 'reasoning_text', text: '' }], derived_from: item };
  }
  return summary === null ? { ...item, summary: [], derived_from: item } : item;
}

export function recordedItems(items: readonly Item[]): readonly Item[] {
  return items.map(recordedItem);
}

export function recordedBody(body: RequestBody): RequestBody {
  const { input } = body;
  return Array.isArray(input) && input.every(isItem) ? { ...body, input: recordedItems(input) } : body;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
