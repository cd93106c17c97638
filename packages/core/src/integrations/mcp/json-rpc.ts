/** As much of JSON-RPC and of MCP as the tap reads: calls of tools, their answers and their cancellation. */

import { isMembers } from '../session/json.ts';

/** The id of a request. 1 and "1" are two ids. */
export type RequestId = string | number;

/** A request to call a tool. `params` is the host's own object. */
export interface ToolRequest {
  id: RequestId;
  params: Readonly<Record<string, unknown>>;
  tool: string;
}

/** What answers a request. */
export type Answer = { id: RequestId; result: unknown } | { id: RequestId; error: unknown };

/** The message as a call of a tool; null where it is something else. */
export function toolRequest(message: unknown): ToolRequest | null {
  if (!isMembers(message) || message.method !== 'tools/call' || !isId(message.id)) return null;
  const { id, params } = message;
  if (!isMembers(params) || typeof params.name !== 'string') return null;
  return { id, params, tool: params.name };
}

/** The message as an answer; null where it is a request or a notification. */
export function answerOf(message: unknown): Answer | null {
  if (!isMembers(message) || 'method' in message || !isId(message.id)) return null;
  const { id } = message;
  if ('error' in message) return { id, error: message.error };
  return 'result' in message ? { id, result: message.result } : null;
}

/** The request a notification takes back, and why; null where the message is something else. */
export function cancellation(message: unknown): { id: RequestId; reason: string } | null {
  if (!isMembers(message) || message.method !== 'notifications/cancelled' || !isMembers(message.params)) return null;
  const { requestId, reason } = message.params;
  return isId(requestId) ? { id: requestId, reason: typeof reason === 'string' ? reason : 'cancelled' } : null;
}

/** Whether the tool itself says that it failed. */
export function saysError(result: unknown): boolean {
  return isMembers(result) && result.isError === true;
}

/** The sentence of a JSON-RPC error. */
export function errorMessage(error: unknown): string {
  return isMembers(error) && typeof error.message === 'string' ? error.message : 'the server answered with an error';
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}
