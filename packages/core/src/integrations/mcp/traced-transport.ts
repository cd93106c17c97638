/**
 * A transport that is passed through whole: every property, every message and every error is the one of the transport
 * below. Only messages are looked at on their way, and the `_meta` of a tool call gains its correlation id.
 *
 * Takes the transports of both SDKs (`@modelcontextprotocol/sdk`, `@modelcontextprotocol/client`) by their shape.
 */

import { isMembers } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import { answerOf, cancellation, type RequestId, toolRequest } from './json-rpc.ts';
import { ToolRequests } from './tool-requests.ts';

/** What both SDKs call a transport. */
export interface McpTransport {
  // biome-ignore lint/suspicious/noExplicitAny: the message types of two SDKs, of which the tap asks nothing
  send(message: any, options?: any): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  onmessage?: ((message: any, extra?: any) => void) | undefined;
}

/** Whose tools the transport calls. */
export interface TracedTransportOptions {
  /** The name of the server, as the agent knows it. */
  server: string;
}

/** A traced transport answers this key, so that none is traced twice. */
const TRACED = Symbol.for('@rollout-trace/core/mcp');

/**
 * The same transport, whose tool calls are recorded. Give it to the client in the transport's place:
 * `client.connect(traced(transport, { server: 'clock' }))`.
 */
export function traced<T extends McpTransport>(transport: T, options: TracedTransportOptions): T {
  if (Reflect.get(transport, TRACED) === true) return transport;
  const requests = new ToolRequests(options.server);
  const heard = { onmessage: transport.onmessage, onclose: transport.onclose };
  transport.onmessage = (message: unknown, extra: unknown) => {
    // What comes over no wire may be anything: a transport within the process hands on the very object of the other side.
    quietly(undefined, () => {
      const answer = requests.running === 0 ? null : answerOf(message);
      if (answer !== null) requests.answered(answer);
    });
    heard.onmessage?.(message, extra);
  };
  transport.onclose = () => {
    quietly(undefined, () => requests.closed());
    heard.onclose?.();
  };
  const send = (message: unknown, sendOptions?: unknown): Promise<void> =>
    sendTraced(transport, requests, message, sendOptions);
  const bound = new Map<unknown, unknown>();
  return new Proxy(transport, {
    get(target, key) {
      if (key === TRACED) return true;
      if (key === 'send') return send;
      if (key === 'onmessage' || key === 'onclose') return heard[key];
      const value: unknown = Reflect.get(target, key, target);
      // Methods of a class may look at private fields, which the proxy does not have.
      if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(target, key)) return value;
      if (!bound.has(value)) bound.set(value, value.bind(target));
      return bound.get(value);
    },
    set(target, key, value) {
      if (key !== 'onmessage' && key !== 'onclose') return Reflect.set(target, key, value, target);
      heard[key] = value;
      return true;
    },
  });
}

async function sendTraced(
  transport: McpTransport,
  requests: ToolRequests,
  message: unknown,
  options: unknown,
): Promise<void> {
  const request = quietly(null, () => toolRequest(message));
  if (request === null || !isMembers(message)) {
    quietly(undefined, () => {
      const taken = cancellation(message);
      if (taken !== null) requests.cancelled(taken.id, taken.reason);
    });
    return transport.send(message, options);
  }
  const { id } = request;
  const params = quietly(request.params, () => requests.sent(request));
  quietly(undefined, () => watch(options, requests, id));
  try {
    await transport.send(params === request.params ? message : { ...message, params }, options);
  } catch (error) {
    requests.failed(id, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Where each request has a connection of its own, the second SDK takes it back by closing that; no message says so. */
function watch(options: unknown, requests: ToolRequests, id: RequestId): void {
  if (!isMembers(options)) return;
  const { requestSignal } = options;
  if (requestSignal instanceof AbortSignal) {
    requestSignal.addEventListener('abort', () => requests.cancelled(id, 'the request was aborted'), { once: true });
  }
}
