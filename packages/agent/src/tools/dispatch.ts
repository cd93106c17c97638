/**
 * Runs the tool calls a model asks for, and records each from its beginning to its result.
 *
 * Every call gets an output, whatever happens: a history with a call that has none is refused by the service. Not here:
 * calls of code cells (`cell`), and what the tools do.
 */

import { type ToolCall, type Turn, withTrace } from '@rollout-trace/core/recorder/node';
import { recordedTool } from '../cell/recorded-tool.ts';
import { type CallItem, callOutput, type Item } from '../model/item.ts';
import type { RecordedItems } from '../model/recorded.ts';
import { CallOrder } from './call-order.ts';
import { type Tool, ToolError, type ToolOutcome } from './tool.ts';

/** What calls run in. */
export interface DispatchOptions {
  tools: () => readonly Tool[];
  recorded: RecordedItems;
  cwd: string;
  /** How long a tool may take to end after it was cancelled. */
  grace_ms: number;
  onStart?: (call: CallItem) => void;
  onEnd?: (call: CallItem, status: ToolOutcome['status']) => void;
}

/** The turn a call belongs to. */
export interface CallingTurn {
  id: string;
  trace: Turn;
  signal: AbortSignal;
}

/** The result of a call that was cancelled, as the model reads it. */
const CANCELLED = 'The call was cancelled by the user before it ended. Part of its work may be done.';

/** Runs the tool calls of one thread. */
export class ToolDispatcher {
  readonly #options: DispatchOptions;
  readonly #order = new CallOrder();

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** Runs one call. Never rejects. @returns the output item */
  async dispatch(call: CallItem, turn: CallingTurn): Promise<Item> {
    const tool = this.#find(call);
    const leave = await this.#order.enter(tool?.parallel ?? true);
    try {
      // A call that never began leaves no tool call in the trace, only its output in the history.
      if (turn.signal.aborted) return this.#output(call, CANCELLED);
      return await this.#run(call, tool, turn);
    } finally {
      leave();
    }
  }

  #find(call: CallItem): Tool | undefined {
    const namespace = typeof call.namespace === 'string' ? call.namespace : null;
    const type = call.type === 'function_call' ? 'function' : 'custom';
    return this.#options
      .tools()
      .find((tool) => tool.spec.name === call.name && tool.spec.type === type && tool.namespace === namespace);
  }

  async #run(call: CallItem, tool: Tool | undefined, turn: CallingTurn): Promise<Item> {
    const input = inputOf(call);
    const trace = turn.trace.startToolCall({
      ...recordedTool(call.name, tool, input),
      namespace: typeof call.namespace === 'string' ? call.namespace : null,
      callId: this.#options.recorded.callId(call),
      payload: call.type === 'function_call' ? { type: 'function', arguments: input } : { type: 'custom', input },
    });
    this.#options.onStart?.(call);
    const { item, status } = await this.#outcome(call, tool, input, trace, turn);
    this.#options.onEnd?.(call, status);
    return item;
  }

  async #outcome(
    call: CallItem,
    tool: Tool | undefined,
    input: string,
    trace: ToolCall,
    turn: CallingTurn,
  ): Promise<{ item: Item; status: ToolOutcome['status'] }> {
    try {
      if (tool === undefined) throw new ToolError(`there is no tool ${nameOf(call)}`);
      const { cwd, recorded } = this.#options;
      const { id: turnId, signal } = turn;
      const callId = recorded.callId(call);
      const running = withTrace(trace, () => tool.run({ callId, input, trace, turnId, cwd, signal }));
      const { output, status } = await this.#unlessStuck(running, signal);
      const item = this.#output(call, output);
      trace.respond(recorded.item(item), status);
      return { item, status };
    } catch (error) {
      if (turn.signal.aborted) {
        const item = this.#output(call, CANCELLED);
        trace.respond(this.#options.recorded.item(item), 'cancelled');
        return { item, status: 'cancelled' };
      }
      trace.fail(error);
      return { item: this.#output(call, messageOf(error)), status: 'failed' };
    }
  }

  #output(call: CallItem, output: ToolOutcome['output']): Item {
    const item = callOutput(call, output);
    this.#options.recorded.answered(item, call);
    return item;
  }

  /** A tool that does not end although it was cancelled is left to itself. */
  #unlessStuck<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
    const { grace_ms } = this.#options;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const giveUp = (): void => {
        timer = setTimeout(() => reject(new Error('the tool did not end when it was cancelled')), grace_ms);
      };
      const settled = (): void => {
        signal.removeEventListener('abort', giveUp);
        clearTimeout(timer);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      running.finally(settled).then(resolve, reject);
    });
  }
}

function inputOf(call: CallItem): string {
  const given = call.type === 'function_call' ? call.arguments : call.input;
  return typeof given === 'string' ? given : '';
}

function nameOf(call: CallItem): string {
  return typeof call.namespace === 'string' ? `${call.namespace}.${call.name}` : call.name;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
