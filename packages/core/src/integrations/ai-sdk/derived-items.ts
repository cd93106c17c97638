/**
 * Messages of the AI SDK as items of the format. The SDK speaks of messages with parts, whatever the provider was sent;
 * each part becomes one item, the same wherever it is met again. Not here: raw bodies, which only a `fetch` sees.
 */

import { isMembers, listOf, type Members, membersOf } from '../session/json.ts';

/** The messages of a request. */
export function itemsOfMessages(messages: unknown): Members[] {
  return listOf(messages).flatMap((message) => itemsOfMessage(membersOf(message)));
}

/** What the model answered: the content of a step or of a model call. */
export function itemsOfContent(content: unknown): Members[] {
  return listOf(content).flatMap((part) => itemsOfPart('assistant', membersOf(part)));
}

function itemsOfMessage({ role, content }: Members): Members[] {
  const known = role === 'system' || role === 'user' || role === 'assistant' || role === 'tool' ? role : 'user';
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content).map(membersOf);
  if (known === 'assistant' || known === 'tool') return parts.flatMap((part) => itemsOfPart(known, part));
  return parts.length === 0 ? [] : [message(known, parts.map(inputPart))];
}

function itemsOfPart(role: 'assistant' | 'tool', part: Members): Members[] {
  const { type } = part;
  switch (type) {
    case 'text':
      return [message(role, [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: String(part.text) }])];
    case 'reasoning':
      return [{ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: String(part.text) }] }];
    case 'tool-call':
      return [
        { type: 'function_call', call_id: part.toolCallId, name: part.toolName, arguments: jsonText(part.input) },
      ];
    case 'tool-result':
      return [output(part, 'output' in part ? outputOf(part.output) : '')];
    case 'tool-error':
      return [output(part, errorOf(part.error))];
    // Where an answer comes from, and what the user is asked, is nothing a model is sent.
    case 'source':
    case 'tool-approval-request':
    case 'tool-approval-response':
      return [];
    default:
      return [message(role, [plain(part)])];
  }
}

function message(role: string, content: readonly Members[]): Members {
  return { type: 'message', role, content };
}

/** Parts that are no text stand as they are, as far as JSON has words for them. */
function inputPart(part: Members): Members {
  return part.type === 'text' ? { type: 'input_text', text: String(part.text) } : plain(part);
}

/** Parts hold bytes no deeper than this. */
const MAX_DEPTH = 4;

/** The part with its bytes in base64 and its addresses as texts. */
function plain(part: Members): Members {
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, plainValue(value, MAX_DEPTH)]));
}

function plainValue(value: unknown, depth: number): unknown {
  if (value instanceof URL) return value.href;
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64');
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (depth === 0 || !isMembers(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainValue(inner, depth - 1)]));
}

function output({ toolCallId }: Members, text: unknown): Members {
  return { type: 'function_call_output', call_id: toolCallId, output: text };
}

/** In messages an output says what it is; in the answer of a model it is the value itself. */
function outputOf(value: unknown): unknown {
  const { type, value: inner, reason } = membersOf(value);
  switch (type) {
    case 'text':
    case 'error-text':
      return String(inner);
    case 'json':
    case 'error-json':
      return jsonText(inner);
    case 'execution-denied':
      return typeof reason === 'string' ? reason : 'Tool execution denied.';
    case 'content':
      return listOf(inner).map((part) => inputPart(membersOf(part)));
    default:
      return typeof value === 'string' ? value : jsonText(value);
  }
}

/** The sentence of an error. */
export function errorOf(error: unknown): string {
  if (isMembers(error) && typeof error.message === 'string') return error.message;
  return typeof error === 'string' ? error : jsonText(error);
}

/** The value as JSON in one text; a text says that it could not be put so. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return '[not recorded: the value is no JSON]';
  }
}
