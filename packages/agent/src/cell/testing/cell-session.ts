/** Scaffolding of the cells' tests: a model's calls of `exec` and `wait`, dispatched, recorded and reduced. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReducedBundle, reduceBundle } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { type CallItem, type Item, userMessage } from '../../model/item.ts';
import { RecordedItems } from '../../model/recorded.ts';
import { ToolDispatcher } from '../../tools/dispatch.ts';
import type { Tool, ToolOutcome } from '../../tools/tool.ts';
import { CodeCells, type CodeCellsOptions } from '../code-cells.ts';

/** The worker as it is built: Node 20 does not load TypeScript. */
const WORKER = new URL('../../../dist/cell/worker.js', import.meta.url);
const MODEL = { model: 'model-1', providerName: 'test' };

/** A call as the model sees it. */
export interface SeenCall {
  callId: string;
  /** Everything it reads, joined. */
  text: string;
  /** The parts behind the head. */
  parts: unknown[];
  status: ToolOutcome['status'] | undefined;
}

/** One recorded turn of a model that writes code cells. */
export class CellSession {
  readonly cells: CodeCells;
  /** Cancels the turn. */
  readonly cancel = new AbortController();
  readonly #root = mkdtempSync(join(tmpdir(), 'rollout-trace-cells-'));
  readonly #rollout = startRollout({ root: join(this.#root, 'traces'), format: 'bundle' });
  readonly #turn = this.#rollout.root.startTurn();
  readonly #history: Item[] = [userMessage('Go.')];
  readonly #dispatcher: ToolDispatcher;
  readonly #statuses = new Map<string, ToolOutcome['status']>();
  #calls = 0;

  constructor(tools: readonly Tool[] = [], options: Partial<CodeCellsOptions> = {}) {
    this.cells = new CodeCells({ tools: () => tools, workerUrl: WORKER, ...options });
    this.#dispatcher = new ToolDispatcher({
      tools: () => this.cells.tools(),
      recorded: new RecordedItems(),
      cwd: this.#root,
      grace_ms: 30_000,
      onEnd: (call, status) => this.#statuses.set(call.call_id, status),
    });
  }

  /** Runs a script. */
  exec(source: string): Promise<SeenCall> {
    return this.#call((call_id) => ({
      type: 'custom_tool_call',
      id: `ctc_${call_id}`,
      call_id,
      name: 'exec',
      input: source,
    }));
  }

  wait(args: object): Promise<SeenCall> {
    const text = JSON.stringify(args);
    return this.#call((call_id) => ({
      type: 'function_call',
      id: `fc_${call_id}`,
      call_id,
      name: 'wait',
      arguments: text,
    }));
  }

  /** Ends everything that runs, and reads what was recorded. */
  async reduce(): Promise<ReducedBundle> {
    await this.cells.close();
    this.#infer([
      { type: 'message', id: 'msg_done', role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] },
    ]);
    this.#turn.end(this.cancel.signal.aborted ? 'cancelled' : 'completed');
    this.#rollout.end();
    return reduceBundle(directorySource(this.#rollout.location), { mode: 'salvage' });
  }

  async dispose(): Promise<void> {
    await this.cells.close();
    this.#rollout.end();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #call(make: (callId: string) => CallItem): Promise<SeenCall> {
    const callId = `call_${++this.#calls}`;
    const item = make(callId);
    this.#infer([item]);
    const output = await this.#dispatcher.dispatch(item, {
      id: this.#turn.id,
      trace: this.#turn,
      signal: this.cancel.signal,
    });
    this.#history.push(output);
    const parts = typeof output.output === 'string' ? [output.output] : (output.output as unknown[]);
    const texts = parts.map((part) => (typeof part === 'string' ? part : ((part as { text?: string }).text ?? '')));
    return { callId, text: texts.join('\n'), parts: parts.slice(1), status: this.#statuses.get(callId) };
  }

  #infer(outputItems: Item[]): void {
    const attempt = this.#turn.inference(MODEL).start({ model: 'model-1', input: [...this.#history] });
    attempt.complete({ responseId: `resp_${this.#history.length}`, outputItems });
    this.#history.push(...outputItems);
  }
}

/** A tool for scripts, made of a function of its arguments. */
export function scriptTool(
  name: string,
  run: (args: Record<string, unknown>, signal: AbortSignal) => unknown,
  more: Partial<Tool> = {},
): Tool {
  return {
    spec: { type: 'function', name, description: `The tool ${name}.`, parameters: { type: 'object' }, strict: false },
    namespace: null,
    nested: true,
    parallel: true,
    run: async ({ input, signal }) => ({
      output: '',
      value: await run(JSON.parse(input), signal),
      status: 'completed',
    }),
    ...more,
  };
}
