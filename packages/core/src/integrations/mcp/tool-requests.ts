/**
 * The calls of tools that are under way on one transport, and what is recorded of each.
 *
 * A request belongs to the tool call that is current where it is sent. Where there is none, but a turn, the request is a
 * tool call of its own. Not here: how messages are seen (`traced-transport.ts`), what they say (`json-rpc.ts`).
 */

import type { ToolKind } from '../../format/event.ts';
import { currentTrace } from '../../node/recorder/current-trace.ts';
import type { Thread } from '../../recorder/thread.ts';
import type { ToolCall } from '../../recorder/tool.ts';
import { recordedName } from '../recorded-name.ts';
import { type Answer, errorMessage, type RequestId, saysError, type ToolRequest } from './json-rpc.ts';

interface Running {
  call: ToolCall;
  kind: ToolKind;
  /** What was recorded when the request was sent. */
  began: object;
  /** Nobody else records this call, so its result is told here. */
  own: boolean;
}

/** Records the tool calls of one transport. */
export class ToolRequests {
  readonly #server: string;
  readonly #running = new Map<RequestId, Running>();
  /** Threads that were told already that a call without a turn is not recorded. */
  readonly #told = new WeakSet<Thread>();

  constructor(server: string) {
    this.#server = server;
  }

  /** How many requests wait for an answer. */
  get running(): number {
    return this.#running.size;
  }

  /** A request is about to be sent. The params to send: with the correlation id, or the very ones that came in. */
  sent({ id, params, tool }: ToolRequest): Readonly<Record<string, unknown>> {
    const { thread, turn, toolCall } = currentTrace();
    const own = !toolCall.recording;
    if (own && !turn.recording) {
      this.#tellUnseen(thread, tool);
      return params;
    }
    const kind = { type: 'mcp', server: this.#server, tool } as const;
    const call = own
      ? turn.startToolCall({
          name: recordedName(tool),
          namespace: `mcp__${this.#server}`,
          payload: { type: 'function', arguments: argumentsText(params) },
          kind,
        })
      : toolCall;
    const invocation = { server: this.#server, tool, arguments: params.arguments ?? null };
    const began = { call_id: call.id, turn_id: call.turn.id, invocation };
    call.runtimeStarted(began, kind);
    this.#running.set(id, { call, kind, began, own });
    return call.mcpRequest(params);
  }

  /** An answer came in. */
  answered(answer: Answer): void {
    const running = this.#end(answer.id);
    if (running === null) return;
    const { call, own } = running;
    if ('error' in answer) {
      const message = errorMessage(answer.error);
      call.runtimeEnded('failed', { result: { Err: message }, error: answer.error });
      if (own) call.fail(message);
      return;
    }
    call.runtimeEnded('completed', { result: { Ok: answer.result } });
    if (own) call.respondToCode(answer.result, saysError(answer.result) ? 'failed' : 'completed');
  }

  /** The host takes a request back. The server may answer nevertheless, and is not heard. */
  cancelled(id: RequestId, reason: string): void {
    this.#broken(id, reason, 'cancelled');
  }

  /** A request could not be sent, or its answer cannot come any more. */
  failed(id: RequestId, reason: string): void {
    this.#broken(id, reason, 'failed');
  }

  /** The connection is gone, and every answer with it. */
  closed(): void {
    for (const id of [...this.#running.keys()]) this.failed(id, 'the connection was closed before an answer came');
  }

  #broken(id: RequestId, reason: string, status: 'cancelled' | 'failed'): void {
    const running = this.#end(id);
    if (running === null) return;
    running.call.runtimeEnded(status, { result: { Err: reason } });
    if (running.own) running.call.fail(reason, status);
  }

  #end(id: RequestId): Running | null {
    const running = this.#running.get(id) ?? null;
    this.#running.delete(id);
    // The tool did something else meanwhile, such as starting an agent, and readers take an end for that of what began last.
    if (running !== null && running.call.kind.type !== 'mcp') running.call.runtimeStarted(running.began, running.kind);
    return running;
  }

  #tellUnseen(thread: Thread, tool: string): void {
    if (!thread.recording || this.#told.has(thread)) return;
    this.#told.add(thread);
    thread.protocolEvent('not_observable', {
      type: 'not_observable',
      adapter: 'mcp',
      message: `requests outside of a turn: server ${this.#server} was asked for ${tool} in none; neither is recorded what follows like it`,
    });
  }
}

/** What a model would have written. A transport within the process may carry what is no JSON. */
function argumentsText(params: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(params.arguments ?? {});
  } catch {
    return '[not recorded: the arguments are no JSON]';
  }
}
