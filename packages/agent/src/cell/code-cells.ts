/**
 * Code mode of one agent thread: the tools `exec` and `wait`, and the worker their scripts run in.
 *
 * There is one worker at a time, started with the first cell. A worker that dies takes its running cells with it, which
 * fail; the next cell gets a new one, which knows what earlier cells stored.
 */

import { Arguments } from '../tools/arguments.ts';
import { type Tool, ToolError, type ToolOutcome, type ToolRun } from '../tools/tool.ts';
import { Cell } from './cell.ts';
import { CellWorker } from './cell-worker.ts';
import type { CellLimits, FromWorker } from './messages.ts';
import { NestedCalls } from './nested-calls.ts';
import { parseCellRequest } from './pragma.ts';
import { cellOutcome } from './response.ts';
import { execSpec, scriptTools, WAIT_SPEC } from './specs.ts';

const YIELD_MS = 10_000;
const MOST_YIELD_MS = 300_000;
const OUTPUT_TOKENS = 10_000;

const CANCELLED: ToolOutcome = { output: 'The call was cancelled', value: null, status: 'cancelled' };

const LIMITS: CellLimits = {
  slice_ms: 10_000,
  memory_bytes: 64 * 1024 * 1024,
  output_chars: 4_000_000,
  stored_chars: 4_000_000,
  calls: 64,
  grace_ms: 2_000,
};

export interface CodeCellsOptions {
  /** The tools there are. Those that say `nested` are offered to scripts. */
  readonly tools: () => readonly Tool[];
  readonly limits?: Partial<CellLimits>;
  /** The built entry of the worker. */
  readonly workerUrl?: URL;
}

export class CodeCells {
  readonly #tools: () => readonly Tool[];
  readonly #limits: CellLimits;
  readonly #workerUrl: URL;
  /** Cells that run, and those whose end the model has not read. */
  readonly #cells = new Map<string, Cell>();
  readonly #nested = new NestedCalls();
  readonly #stored = new Map<string, string>();
  #worker: CellWorker | null = null;
  #started = 0;
  #closed = false;

  constructor(options: CodeCellsOptions) {
    this.#tools = options.tools;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#workerUrl = options.workerUrl ?? new URL('./worker.js', import.meta.url);
  }

  /** `exec` and `wait`. The description of `exec` tells which tools its scripts may call now. */
  tools(): Tool[] {
    const alone = { namespace: null, nested: false, parallel: false };
    return [
      { spec: execSpec(scriptTools(this.#tools())), ...alone, run: (run) => this.#exec(run) },
      { spec: WAIT_SPEC, ...alone, run: (run) => this.#wait(run) },
    ];
  }

  /** Terminates what runs, and ends the worker. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cell of this.#cells.values()) cell.finish({ status: 'terminated', error: null });
    await this.#worker?.stop('was closed');
    await within(this.#limits.grace_ms, this.#nested.settled());
  }

  /** After {@link CodeCells.close}: takes scripts again. Ids count on, and what was stored is there. */
  reopen(): void {
    this.#closed = false;
    this.#cells.clear();
  }

  async #exec(run: ToolRun): Promise<ToolOutcome> {
    const { source, yield_time_ms, max_output_tokens } = parseCellRequest(run.input);
    if (source.trim() === '') throw new ToolError('exec takes the source of a script, and got none');
    if (this.#closed) throw new ToolError('no cell can be started any more: the thread has ended');
    if (run.signal.aborted) return CANCELLED;
    const start_ms = performance.now();
    const cell = this.#start(run, source);
    await cell.wait(yieldTime(yield_time_ms), run.signal);
    if (run.signal.aborted) await cell.ended();
    return this.#outcome(cell, run, start_ms, max_output_tokens);
  }

  async #wait(run: ToolRun): Promise<ToolOutcome> {
    const given = new Arguments(run.input);
    const id = given.text('cell_id');
    const yield_time_ms = given.optionalCount('yield_time_ms');
    const max_tokens = given.optionalCount('max_tokens');
    const cell = this.#cells.get(id);
    if (cell === undefined) throw new ToolError(`there is no cell ${id} that runs or has output left`);
    const start_ms = performance.now();
    if (given.flag('terminate')) {
      this.#terminate(cell);
      await cell.ended();
    } else {
      await cell.wait(yieldTime(yield_time_ms), run.signal);
      // A cell of an earlier turn goes on, and keeps what it has to say for the next wait.
      if (run.signal.aborted && cell.turnId !== run.turnId) return CANCELLED;
      if (run.signal.aborted) await cell.ended();
    }
    return this.#outcome(cell, run, start_ms, max_tokens);
  }

  #outcome(cell: Cell, run: ToolRun, start_ms: number, max_tokens: number | null): ToolOutcome {
    const response = cell.take();
    if (cell.end !== null) this.#cells.delete(cell.id);
    const outcome = cellOutcome(response, performance.now() - start_ms, max_tokens ?? OUTPUT_TOKENS);
    return run.signal.aborted ? { ...outcome, status: 'cancelled' } : outcome;
  }

  #start(run: ToolRun, source: string): Cell {
    const id = `${++this.#started}`;
    const { turnId, cwd, signal } = run;
    const offered = scriptTools(this.#tools());
    const trace = run.trace.turn.startCodeCell({ runtimeCellId: id, modelVisibleCallId: run.callId, source });
    const cell = new Cell(id, trace, { turnId, cwd, tools: new Map(offered.map(({ name, tool }) => [name, tool])) });
    this.#cells.set(id, cell);
    // The turn outlives the call where the cell yields.
    const abort = () => this.#terminate(cell);
    signal.addEventListener('abort', abort);
    cell.signal.addEventListener('abort', () => signal.removeEventListener('abort', abort));
    const tools = offered.map(({ name, tool }) => {
      return { name, description: tool.spec.description, custom: tool.spec.type === 'custom' };
    });
    const worker = this.#workerForCells();
    worker.post({ type: 'run', cell: id, source, tools });
    worker.watch(true);
    return cell;
  }

  /** Ends a cell, and with it the worker where that does not do it. */
  #terminate(cell: Cell): void {
    const worker = this.#worker;
    if (cell.end !== null || worker === null) return;
    worker.post({ type: 'terminate', cell: cell.id });
    const timer = setTimeout(() => {
      cell.finish({ status: 'terminated', error: null });
      void worker.stop(`had to be ended to terminate cell ${cell.id}`);
    }, this.#limits.grace_ms);
    cell.signal.addEventListener('abort', () => clearTimeout(timer));
  }

  #workerForCells(): CellWorker {
    if (this.#worker !== null) return this.#worker;
    const start = { limits: this.#limits, stored: [...this.#stored] };
    const worker = new CellWorker(this.#workerUrl, start, {
      message: (message) => this.#receive(worker, message),
      gone: (reason) => {
        this.#worker = null;
        for (const cell of this.#cells.values()) {
          cell.finish({ status: 'failed', error: `Error: the worker of this cell ${reason}.` });
        }
      },
    });
    this.#worker = worker;
    return worker;
  }

  #receive(worker: CellWorker, message: FromWorker): void {
    switch (message.type) {
      case 'output':
        this.#cells.get(message.cell)?.output(message.part);
        return;
      case 'yielded':
        this.#cells.get(message.cell)?.yieldControl();
        return;
      case 'call': {
        const cell = this.#cells.get(message.cell);
        if (cell === undefined || cell.end !== null) return;
        void this.#nested.run(cell, message).then((result) => {
          worker.post({ type: 'settle', cell: cell.id, call: message.call, result });
        });
        return;
      }
      case 'stored':
        if (message.json === null) this.#stored.delete(message.key);
        else this.#stored.set(message.key, message.json);
        return;
      case 'ended':
        this.#cells.get(message.cell)?.finish(message.end);
        if (message.unusable !== null) void worker.stop(`was replaced, because ${message.unusable}`);
        worker.watch([...this.#cells.values()].some((cell) => cell.end === null));
        return;
      case 'pong':
    }
  }
}

function yieldTime(asked_ms: number | null): number {
  return Math.min(asked_ms ?? YIELD_MS, MOST_YIELD_MS);
}

/** Waits no longer than so long. */
async function within(time_ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, time_ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
