/** The calls of tools that scripts make: runs the tool as for the model, and records it as a call of the cell. */

import { randomUUID } from 'node:crypto';
import { type ToolPayload, withTrace } from '@rollout-trace/core/recorder/node';
import { CallOrder } from '../tools/call-order.ts';
import type { Tool } from '../tools/tool.ts';
import type { Cell } from './cell.ts';
import type { CallResult } from './messages.ts';
import { recordedTool } from './recorded-tool.ts';

/** One call as a script makes it. */
export interface NestedCall {
  /** The runtime's own id. */
  readonly call: string;
  /** The name the script has for the tool. */
  readonly tool: string;
  readonly input: string;
}

/** The nested calls of a thread. */
export class NestedCalls {
  readonly #order = new CallOrder();
  readonly #running = new Set<Promise<CallResult>>();

  /** Runs a call to its end. Never rejects. */
  async run(cell: Cell, call: NestedCall): Promise<CallResult> {
    const tool = cell.tools.get(call.tool);
    if (tool === undefined) return failed(`there is no tool ${call.tool}`);
    const result = this.#run(cell, tool, call);
    this.#running.add(result);
    void result.then(() => this.#running.delete(result));
    return result;
  }

  /** Resolves when no call runs. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(cell: Cell, tool: Tool, { call, input }: NestedCall): Promise<CallResult> {
    const { signal, turnId, cwd } = cell;
    const { namespace, spec } = tool;
    const callId = `exec-${randomUUID()}`;
    const payload: ToolPayload =
      spec.type === 'custom' ? { type: 'custom', input } : { type: 'function', arguments: input };
    const options = {
      ...recordedTool(spec.name, tool, input),
      namespace,
      payload,
      runtimeToolId: call,
      toolCallId: callId,
    };
    const trace = cell.trace.startToolCall(options);
    const leave = await this.#order.enter(tool.parallel);
    try {
      signal.throwIfAborted();
      const run = () => tool.run({ callId, input, trace, turnId, cwd, signal });
      const { value, status } = await withTrace(cell.trace, () => withTrace(trace, run));
      const json: string | undefined = JSON.stringify(value);
      // Where the script is over, no code got the value.
      if (signal.aborted) trace.end(status);
      else trace.respondToCode(value, status);
      return { json: json ?? null, error: null };
    } catch (error) {
      trace.fail(error, signal.aborted ? 'cancelled' : 'failed');
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      leave();
    }
  }
}

function failed(error: string): CallResult {
  return { json: null, error };
}
