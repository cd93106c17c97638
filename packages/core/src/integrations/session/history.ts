/**
 * Whether two lists of items tell the same story, although one was received and the other sent back: SDKs drop ids,
 * states and annotations on the way. Items are those of the format (`format-items.ts`).
 */

import { isMembers, listOf, membersOf } from './json.ts';

/** How many leading items of the request are those of the history. Reasoning does not count: many never send it back. */
export function commonLength(history: readonly unknown[], request: readonly unknown[]): number {
  let same = 0;
  while (same < history.length && same < request.length && isSameItem(history[same], request[same])) same++;
  return same;
}

/** The items without reasoning. */
export function withoutReasoning(items: readonly unknown[]): unknown[] {
  return items.filter((item) => membersOf(item).type !== 'reasoning');
}

/** Whether the two are one item. */
function isSameItem(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  const [a, b] = [membersOf(one), membersOf(other)];
  if (a.type !== b.type || (a.role ?? null) !== (b.role ?? null)) return false;
  if ((a.call_id ?? null) !== (b.call_id ?? null)) return false;
  switch (a.type) {
    case 'message':
      return isSameContent(a.content, b.content);
    case 'function_call':
      return a.name === b.name && a.arguments === b.arguments;
    case 'custom_tool_call':
      return a.name === b.name && a.input === b.input;
    case 'function_call_output':
    case 'custom_tool_call_output':
      return isSameContent(a.output, b.output);
    default:
      return isEqual(a, b, ['id', 'status', 'derived_from']);
  }
}

function isSameContent(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return isEqual(one, other, []);
  return one.length === other.length && one.every((part, index) => isSamePart(part, other[index]));
}

/** Texts of any kind are compared by what they say. */
function isSamePart(one: unknown, other: unknown): boolean {
  const [a, b] = [membersOf(one), membersOf(other)];
  return typeof a.text === 'string' && typeof b.text === 'string' ? a.text === b.text : isEqual(one, other, []);
}

function isEqual(one: unknown, other: unknown, except: readonly string[]): boolean {
  if (one === other) return true;
  if (Array.isArray(one) || Array.isArray(other)) {
    const [a, b] = [listOf(one), listOf(other)];
    return (
      Array.isArray(one) === Array.isArray(other) && a.length === b.length && a.every((v, i) => isEqual(v, b[i], []))
    );
  }
  if (!isMembers(one) || !isMembers(other)) return false;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => except.includes(key) || isEqual(one[key], other[key], []));
}
