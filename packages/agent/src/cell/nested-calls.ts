/** The calls of tools that scripts make: runs the tool as for the model, and records it as a call of the cell. */

import { randomUUID } from 'node:crypto';
import { type ToolPayload, withTrace } from '@rollout-trace/core/recorder/node';
import type { Tool } from '../tools/tool.ts';
import type { Cell } from './cell.ts';
import type { CallResult } from './messages.ts';

/** One call as a script makes it. */
export interface NestedCall {
  /** The runtime's own id. */
  readonly call: string;
  /** The name the script has for the tool. */
  readonly tool: string;
  readonly input: string;
}

/** A tool that takes no others beside it waits for the calls before it, and those after it wait for it. */
export class NestedCalls {
  readonly #running = new Set<Promise<CallResult>>();
  #alone: Promise<unknown> = Promise.resolve();

  /** Runs a call to its end. Never rejects. */
  run(cell: Cell, call: NestedCall): Promise<CallResult> {
    const tool = cell.tools.get(call.tool);
    if (tool === undefined) return Promise.resolve({ error: `there is no tool ${call.tool}` });
    const before = tool.parallel ? this.#alone : Promise.all([this.#alone, ...this.#running]);
    const result = runNested(cell, tool, call, before);
    if (!tool.parallel) this.#alone = result;
    this.#running.add(result);
    void result.then(() => this.#running.delete(result));
    return result;
  }

  /** Resolves when no call runs. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}

async function runNested(cell: Cell, tool: Tool, call: NestedCall, before: Promise<unknown>): Promise<CallResult> {
  const { input } = call;
  const { signal, turnId, cwd } = cell;
  const callId = `exec-${randomUUID()}`;
  const payload: ToolPayload =
    tool.spec.type === 'custom' ? { type: 'custom', input } : { type: 'function', arguments: input };
  const { name } = tool.spec;
  const { namespace } = tool;
  const trace = cell.trace.startToolCall({ name, namespace, payload, runtimeToolId: call.call, toolCallId: callId });
  try {
    await before;
    signal.throwIfAborted();
    const run = () => tool.run({ callId, input, trace, turnId, cwd, signal });
    const { value, status } = await withTrace(cell.trace, () => withTrace(trace, run));
    const json: string | undefined = JSON.stringify(value);
    // Where the script is over, no code got the value.
    if (signal.aborted) trace.end(status);
    else trace.respondToCode(value, status);
    return { json: json ?? null };
  } catch (error) {
    trace.fail(error, signal.aborted ? 'cancelled' : 'failed');
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
