/** Scaffolding of the tools' tests: runs calls as a model would make them, recorded, and reduces what was recorded. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReducedBundle, reduceBundle } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { type Tool, ToolError, type ToolOutcome } from '../tool.ts';

/** How a call is made, where it matters. */
interface CallOptions {
  signal?: AbortSignal;
  /** Makes it a call of the session's code cell. */
  nested?: boolean;
}

/** One recorded turn in a folder of its own, with a working folder beside it. */
export class RecordedSession {
  readonly cwd: string;
  readonly #root = mkdtempSync(join(tmpdir(), 'rollout-trace-agent-'));
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #rollout;
  readonly #turn;
  readonly #cell;
  #calls = 0;

  constructor(tools: readonly Tool[]) {
    this.#tools = new Map(tools.map((tool) => [tool.spec.name, tool]));
    this.cwd = mkdtempSync(join(this.#root, 'project-'));
    this.#rollout = startRollout({ root: join(this.#root, 'traces'), format: 'bundle' });
    this.#turn = this.#rollout.root.startTurn();
    const inference = this.#turn.inference({ model: 'model-1', providerName: 'test' }).start({ input: [] });
    const cellCall = { type: 'custom_tool_call', call_id: 'call_cell', name: 'exec', input: 'text(1)' };
    inference.complete({ responseId: 'resp_1', outputItems: [cellCall] });
    this.#cell = this.#turn.startCodeCell({ runtimeCellId: '1', modelVisibleCallId: 'call_cell', source: 'text(1)' });
  }

  /** Where the trace is written. */
  get bundle(): string {
    return this.#rollout.location;
  }

  /** Runs a call of a tool. Arguments that are no text become JSON. A `ToolError` is its result, as for a model. */
  async call(
    name: string,
    input: object | string,
    options: CallOptions = {},
  ): Promise<ToolOutcome & { callId: string }> {
    const tool = this.#tools.get(name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    const number = ++this.#calls;
    const text = typeof input === 'string' ? input : JSON.stringify(input);
    const payload =
      tool.spec.type === 'custom'
        ? { type: 'custom' as const, input: text }
        : { type: 'function' as const, arguments: text };
    const trace = options.nested
      ? this.#cell.startToolCall({ name, payload, runtimeToolId: `tool-${number}` })
      : this.#turn.startToolCall({ name, callId: `call_${number}`, payload });
    const callId = trace.id;
    const signal = options.signal ?? new AbortController().signal;
    try {
      const outcome = await tool.run({ callId, input: text, trace, turnId: this.#turn.id, cwd: this.cwd, signal });
      if (options.nested) trace.respondToCode(outcome.value, outcome.status);
      else
        trace.respond({ type: `${payload.type}_call_output`, call_id: callId, output: outcome.output }, outcome.status);
      return { ...outcome, callId };
    } catch (error) {
      trace.fail(error);
      if (!(error instanceof ToolError)) throw error;
      return { output: error.message, value: null, status: 'failed', callId };
    }
  }

  /** Ends the turn; what its commands started may go on. */
  endTurn(): void {
    this.#cell.initialResponse('completed');
    this.#cell.end('completed');
    this.#turn.end('completed');
  }

  /** Ends the recording and reduces it, strictly: the first contradiction throws. */
  reduce(): ReducedBundle {
    this.#rollout.end('completed');
    return reduceBundle(directorySource(this.bundle), { mode: 'strict' });
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
