/**
 * The items of the SDK as items of the format, for model calls whose bytes nobody saw. The SDK has words of its own for
 * them; what was told stands beside each in `derived_from`.
 */

import { messageItems } from '../session/chat-items.ts';
import { formatInput, formatItem } from '../session/format-items.ts';
import { isMembers, listOf, type Members, membersOf } from '../session/json.ts';

/** The `_input` of a response span. */
export function spanInput(input: unknown): unknown[] {
  return typeof input === 'string' ? formatInput(input) : listOf(input).map(spanItem);
}

/** The `output` of a generation span: chat completions, or messages. */
export function generationOutput(output: unknown): unknown[] {
  return listOf(output).flatMap((told) => {
    const { choices, output: items } = membersOf(told);
    if (Array.isArray(choices)) return choices.flatMap((choice) => messageItems(membersOf(choice).message));
    if (Array.isArray(items)) return items.map(spanItem);
    return isMembers(told) && 'role' in told ? messageItems(told) : [formatItem(told)];
  });
}

/** One item in the SDK's words. */
function spanItem(told: unknown): unknown {
  if (!isMembers(told)) return formatItem(told);
  const { type } = told;
  const id = typeof told.id === 'string' ? { id: told.id } : {};
  switch (type) {
    case 'function_call':
      return { type, ...id, call_id: told.callId, name: told.name, arguments: told.arguments, derived_from: told };
    case 'function_call_result':
      return {
        type: 'function_call_output',
        ...id,
        call_id: told.callId,
        output: textOf(told.output),
        derived_from: told,
      };
    case 'reasoning':
      return derived(formatItem({ type, ...id, ...reasoning(told) }), told);
    case 'compaction':
      return derived(formatItem({ type, ...id, encrypted_content: told.encrypted_content ?? encrypted(told) }), told);
    default:
      return derived(
        formatItem(typeof told.callId === 'string' ? { ...snaked(told), call_id: told.callId } : told),
        told,
      );
  }
}

function derived(item: unknown, told: Members): unknown {
  return item === told || !isMembers(item) ? item : { ...item, derived_from: told };
}

function reasoning(told: Members): Members {
  const texts = (parts: unknown, type: string): Members[] =>
    listOf(parts).flatMap((part) => {
      const { text } = membersOf(part);
      return typeof text === 'string' ? [{ type, text }] : [];
    });
  const secret = encrypted(told);
  return {
    summary: texts(told.content, 'summary_text'),
    content: texts(told.rawContent, 'reasoning_text'),
    ...(secret === null ? {} : { encrypted_content: secret }),
  };
}

/** What only the service can read is kept with what else it gave. */
function encrypted({ providerData }: Members): string | null {
  const given = membersOf(providerData);
  const text = given.encryptedContent ?? given.encrypted_content;
  return typeof text === 'string' ? text : null;
}

/** The output of a tool: one text, or a list of parts. */
function textOf(output: unknown): unknown {
  if (typeof output === 'string') return output;
  const { type, text } = membersOf(output);
  return type === 'text' && typeof text === 'string' ? text : Array.isArray(output) ? output : [output];
}

/** Without what the SDK added, in the words of the service. */
function snaked(told: unknown): Members {
  const { providerData: _given, callId: _id, ...rest } = membersOf(told);
  return membersOf(inSnakeCase(rest));
}

function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (!isMembers(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => [
    key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    inSnakeCase(member),
  ]);
  return Object.fromEntries(entries);
}
