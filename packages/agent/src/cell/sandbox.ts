/**
 * The QuickJS runtime of a thread's cells: one context, whose state cells hand on to the next.
 *
 * Scripts run in slices. A slice begins with one thing that happened (a cell starts, a call has its result, a timer is
 * due) and ends when nothing is left to do until the next thing happens. What runs in a slice runs for the cell it
 * happened to, so output and calls belong to that cell even where it calls what an earlier one left in `globalThis`.
 * A slice has a time limit, and is ended early by `exit()` and by a request to terminate its cell.
 *
 * Not here: the port to the host (`worker.ts`), and what a script sees (`prelude.ts`).
 */

import { getQuickJS, type QuickJSContext, type QuickJSHandle, type QuickJSRuntime } from 'quickjs-emscripten';
import type { CallResult, CellEnd, CellLimits, CellTool, FromWorker, WorkerStart } from './messages.ts';
import { prelude } from './prelude.ts';

/** What QuickJS may put on its own stack. The worker's stack must hold several times as much. */
const STACK_BYTES = 256 * 1024;
/** How often a running slice looks for requests to end it. */
const POLL_MS = 20;
/** How long what is left of a stopped slice may take before the runtime is given up. */
const STOPPING_MS = 500;
const JOBS_AT_ONCE = 32;

const COMPLETED: CellEnd = { status: 'completed', error: null };
const TERMINATED: CellEnd = { status: 'terminated', error: null };

interface OpenCell {
  readonly id: string;
  /** The promise of the script; null until it was evaluated. */
  script: QuickJSHandle | null;
  readonly calls: Map<string, { resolve: QuickJSHandle; reject: QuickJSHandle }>;
  readonly timers: Map<number, { timeout: NodeJS.Timeout; callback: QuickJSHandle }>;
  readonly observed: Set<string>;
  /** Errors of calls whose result the script has not looked at. */
  readonly unobserved: Map<string, string>;
  started_calls: number;
  output_chars: number;
  end: CellEnd | null;
}

interface Slice {
  readonly cell: OpenCell;
  readonly deadline_ms: number;
  next_poll_ms: number;
  /** Since when everything that still runs is interrupted. */
  stopped_ms: number | null;
}

/** What a sandbox needs of the worker it runs in. */
export interface SandboxHost {
  post(message: FromWorker): void;
  /** Whether the host has asked to terminate a cell; looks at the port itself, as a slice blocks the event loop. */
  isTerminated(cell: string): boolean;
}

export class Sandbox {
  readonly #host: SandboxHost;
  readonly #limits: CellLimits;
  readonly #stored: Map<string, string>;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #doors: { begin: QuickJSHandle; describe: QuickJSHandle; probe: QuickJSHandle };
  readonly #cells = new Map<string, OpenCell>();
  #slice: Slice | null = null;
  #timers = 0;

  static async open(start: WorkerStart, host: SandboxHost): Promise<Sandbox> {
    const quickjs = await getQuickJS();
    return new Sandbox(quickjs.newRuntime(), start, host);
  }

  private constructor(runtime: QuickJSRuntime, { limits, stored }: WorkerStart, host: SandboxHost) {
    this.#host = host;
    this.#limits = limits;
    this.#stored = new Map(stored);
    this.#runtime = runtime;
    runtime.setMemoryLimit(limits.memory_bytes);
    runtime.setMaxStackSize(STACK_BYTES);
    runtime.setInterruptHandler(() => this.#isStopped());
    this.#context = runtime.newContext();
    this.#doors = this.#loadPrelude();
  }

  /** Starts a cell. */
  run(id: string, source: string, tools: readonly CellTool[]): void {
    const cell: OpenCell = {
      id,
      script: null,
      calls: new Map(),
      timers: new Map(),
      observed: new Set(),
      unobserved: new Map(),
      started_calls: 0,
      output_chars: 0,
      end: null,
    };
    this.#cells.set(id, cell);
    this.#run(cell, () => {
      const failed = this.#call(this.#doors.begin, this.#context.newString(JSON.stringify(tools)));
      if (failed !== null) return failed;
      const result = this.#context.evalCode(source, `cell-${id}.js`, { type: 'module' });
      if (result.error !== undefined) return result.error;
      cell.script = result.value;
      return null;
    });
  }

  /** Hands the result of a call to the script that made it. */
  settle(id: string, call: string, result: CallResult): void {
    const cell = this.#cells.get(id);
    const waiting = cell?.calls.get(call);
    if (cell === undefined || waiting === undefined) return;
    cell.calls.delete(call);
    const settled = this.#fitting(result);
    if ('error' in settled && !cell.observed.has(call)) cell.unobserved.set(call, settled.error);
    this.#run(cell, () => {
      if ('error' in settled) return this.#call(waiting.reject, this.#context.newString(settled.error));
      const { json } = settled;
      return this.#call(waiting.resolve, json === null ? this.#context.undefined : this.#context.newString(json));
    });
    waiting.resolve.dispose();
    waiting.reject.dispose();
  }

  /** Ends a cell that waits for something; a cell that runs is ended by {@link SandboxHost.isTerminated}. */
  terminate(id: string): void {
    const cell = this.#cells.get(id);
    if (cell !== undefined) this.#close(cell, TERMINATED);
  }

  #run(cell: OpenCell, enter: () => QuickJSHandle | null): void {
    const { failed, isSettled } = this.#inSlice(cell, (slice) => ({
      failed: enter(),
      isSettled: this.#runJobs(slice),
    }));
    if (failed !== null) {
      const error = this.#describe(cell, failed);
      cell.end = cell.end === null ? { status: 'failed', error } : withFrames(cell.end, error);
    }
    for (const open of this.#cells.values()) {
      const end = open.end ?? this.#endOf(open);
      if (end !== null) this.#close(open, end);
    }
    if (!isSettled) this.#giveUp(`cell ${cell.id} could not be stopped`);
    else if (cell.end?.status === 'failed') this.#probe(cell);
  }

  #inSlice<T>(cell: OpenCell, action: (slice: Slice) => T): T {
    const now_ms = performance.now();
    const slice: Slice = {
      cell,
      deadline_ms: now_ms + this.#limits.slice_ms,
      next_poll_ms: now_ms + POLL_MS,
      stopped_ms: null,
    };
    this.#slice = slice;
    try {
      return action(slice);
    } finally {
      this.#slice = null;
    }
  }

  /** Runs what promises have left to do. False where that does not end. */
  #runJobs(slice: Slice): boolean {
    while (this.#runtime.hasPendingJob()) {
      const result = this.#runtime.executePendingJobs(JOBS_AT_ONCE);
      if (result.error !== undefined) result.error.dispose();
      if (!this.#isStopped()) continue;
      if (performance.now() - (slice.stopped_ms ?? 0) > STOPPING_MS) return false;
    }
    return true;
  }

  /** Whether what runs now is to be interrupted. QuickJS asks after every few thousand steps. */
  #isStopped(): boolean {
    const slice = this.#slice;
    if (slice === null) return false;
    if (slice.stopped_ms !== null) return true;
    const now_ms = performance.now();
    if (now_ms > slice.deadline_ms) {
      const error = `The script ran for ${this.#limits.slice_ms} ms without waiting for anything, and was stopped.`;
      this.#stop({ status: 'failed', error });
    } else if (now_ms > slice.next_poll_ms) {
      slice.next_poll_ms = now_ms + POLL_MS;
      if (this.#host.isTerminated(slice.cell.id)) this.#stop(TERMINATED);
    }
    return slice.stopped_ms !== null;
  }

  #stop(end: CellEnd): void {
    const slice = this.#slice;
    if (slice === null) return;
    slice.stopped_ms ??= performance.now();
    slice.cell.end ??= end;
  }

  /** How the script of a cell ended; null while it goes on. */
  #endOf(cell: OpenCell): CellEnd | null {
    if (cell.script === null) return null;
    const state = this.#context.getPromiseState(cell.script);
    if (state.type === 'pending') return null;
    if (state.type === 'rejected') return { status: 'failed', error: this.#describe(cell, state.error) };
    if (state.value !== cell.script) state.value.dispose();
    const [unobserved] = cell.unobserved.values();
    if (unobserved === undefined) return COMPLETED;
    return { status: 'failed', error: `Error: a tool call failed that the script did not wait for: ${unobserved}` };
  }

  #close(cell: OpenCell, end: CellEnd): void {
    this.#cells.delete(cell.id);
    cell.end = end;
    for (const { timeout, callback } of cell.timers.values()) {
      clearTimeout(timeout);
      callback.dispose();
    }
    for (const { resolve, reject } of cell.calls.values()) {
      resolve.dispose();
      reject.dispose();
    }
    cell.timers.clear();
    cell.calls.clear();
    cell.script?.dispose();
    this.#host.post({ type: 'ended', cell: cell.id, end });
  }

  /** A cell that failed may have used up the memory of all. */
  #probe(cell: OpenCell): void {
    const failed = this.#inSlice(cell, () => this.#call(this.#doors.probe));
    if (failed === null) return;
    failed.dispose();
    this.#giveUp(`cell ${cell.id} left no memory`);
  }

  #giveUp(reason: string): void {
    this.#host.post({ type: 'unusable', reason });
  }

  /** Calls a function of the script's side with handles it takes over. Gives what was thrown. */
  #call(callee: QuickJSHandle, ...args: QuickJSHandle[]): QuickJSHandle | null {
    const result = this.#context.callFunction(callee, this.#context.undefined, args);
    for (const handle of args) handle.dispose();
    if (result.error !== undefined) return result.error;
    result.value.dispose();
    return null;
  }

  /** Takes the handle over. Reading an error may run code of the script. */
  #describe(cell: OpenCell, error: QuickJSHandle): string {
    const { describe } = this.#doors;
    const result = this.#inSlice(cell, () => this.#context.callFunction(describe, this.#context.undefined, error));
    error.dispose();
    if (result.error !== undefined) {
      result.error.dispose();
      return 'Error: what the script threw could not be read.';
    }
    return result.value.consume((text) => this.#context.getString(text));
  }

  #fitting(result: CallResult): CallResult {
    const chars = 'error' in result ? result.error.length : (result.json?.length ?? 0);
    if (chars * 4 <= this.#limits.memory_bytes) return result;
    return { error: `The result has ${chars} characters, too many for the memory of a script.` };
  }

  #loadPrelude(): { begin: QuickJSHandle; describe: QuickJSHandle; probe: QuickJSHandle } {
    const context = this.#context;
    const host = context.newObject();
    for (const [name, action] of Object.entries(this.#hostFunctions())) {
      context.newFunction(name, action).consume((handle) => context.setProp(host, name, handle));
    }
    const make = context.unwrapResult(context.evalCode(`(${prelude.toString()})`, 'prelude.js'));
    const made = context.unwrapResult(context.callFunction(make, context.undefined, host, context.global));
    const doors = {
      begin: context.getProp(made, 'begin'),
      describe: context.getProp(made, 'describe'),
      probe: context.getProp(made, 'probe'),
    };
    for (const handle of [host, make, made]) handle.dispose();
    return doors;
  }

  #hostFunctions(): Record<string, (...args: QuickJSHandle[]) => QuickJSHandle | undefined> {
    const context = this.#context;
    return {
      text: (text) => this.#output({ type: 'input_text', text: this.#text(text) }),
      image: (url) => this.#output({ type: 'input_image', image_url: this.#text(url) }),
      call: (tool, input, resolve, reject) => {
        const cell = this.#running();
        if (cell.calls.size >= this.#limits.calls) {
          throw new RangeError(`A script may have ${this.#limits.calls} tool calls at the same time.`);
        }
        const call = `tool-${++cell.started_calls}`;
        if (resolve === undefined || reject === undefined) return undefined;
        cell.calls.set(call, { resolve: resolve.dup(), reject: reject.dup() });
        this.#host.post({ type: 'call', cell: cell.id, call, tool: this.#text(tool), input: this.#text(input) });
        return context.newString(call);
      },
      observed: (call) => {
        const id = this.#text(call);
        this.#slice?.cell.observed.add(id);
        this.#slice?.cell.unobserved.delete(id);
        return undefined;
      },
      yieldControl: () => {
        this.#host.post({ type: 'yielded', cell: this.#running().id });
        return undefined;
      },
      exit: () => {
        this.#stop(COMPLETED);
        throw new Error('The script has ended.');
      },
      store: (key, json) => {
        this.#running();
        this.#store(this.#text(key), this.#optionalText(json));
        return undefined;
      },
      load: (key) => {
        const json = this.#stored.get(this.#text(key));
        return json === undefined ? undefined : context.newString(json);
      },
      setTimer: (callback, delay_ms) => {
        const cell = this.#running();
        if (callback === undefined || delay_ms === undefined) return undefined;
        const id = ++this.#timers;
        const held = callback.dup();
        const timeout = setTimeout(() => this.#fire(cell, id), delay(context.getNumber(delay_ms)));
        cell.timers.set(id, { timeout, callback: held });
        return context.newNumber(id);
      },
      clearTimer: (handle) => {
        const timers = this.#slice?.cell.timers;
        const id = handle === undefined ? 0 : context.getNumber(handle);
        const timer = timers?.get(id);
        if (timer === undefined) return undefined;
        clearTimeout(timer.timeout);
        timer.callback.dispose();
        timers?.delete(id);
        return undefined;
      },
    };
  }

  /** The cell that runs. @throws where it has ended, and what runs is only the rest of it */
  #running(): OpenCell {
    const cell = this.#slice?.cell;
    if (cell === undefined || cell.end !== null) throw new Error('The script has ended.');
    return cell;
  }

  #output(part: Extract<FromWorker, { type: 'output' }>['part']): undefined {
    const cell = this.#running();
    cell.output_chars += part.type === 'input_text' ? part.text.length : part.image_url.length;
    if (cell.output_chars > this.#limits.output_chars) {
      throw new RangeError(`The output of a script is limited to ${this.#limits.output_chars} characters.`);
    }
    this.#host.post({ type: 'output', cell: cell.id, part });
  }

  #store(key: string, json: string | null): void {
    const before = this.#stored.get(key);
    let chars = json === null ? 0 : key.length + json.length;
    for (const [name, value] of this.#stored) if (name !== key) chars += name.length + value.length;
    if (chars > this.#limits.stored_chars) {
      throw new RangeError(`Cells may store ${this.#limits.stored_chars} characters of JSON.`);
    }
    if (json === null) this.#stored.delete(key);
    else this.#stored.set(key, json);
    if (before !== (json ?? undefined)) this.#host.post({ type: 'stored', key, json });
  }

  #fire(cell: OpenCell, id: number): void {
    const timer = cell.timers.get(id);
    if (timer === undefined) return;
    cell.timers.delete(id);
    this.#run(cell, () => this.#call(timer.callback));
    timer.callback.dispose();
  }

  #text(handle: QuickJSHandle | undefined): string {
    return handle === undefined ? '' : this.#context.getString(handle);
  }

  #optionalText(handle: QuickJSHandle | undefined): string | null {
    return handle === undefined || this.#context.typeof(handle) !== 'string' ? null : this.#context.getString(handle);
  }
}

/** What Node takes without a warning. */
function delay(ms: number): number {
  return Math.min(Math.max(ms, 0), 2 ** 31 - 1);
}

/** A script that was stopped while it ran failed somewhere: adds the lines. */
function withFrames(end: CellEnd, error: string): CellEnd {
  if (end.status !== 'failed') return end;
  return { status: 'failed', error: [end.error, ...error.split('\n').slice(1)].join('\n') };
}
