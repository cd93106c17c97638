/**
 * The QuickJS runtime of a thread's cells: one context, whose state cells hand on to the next.
 *
 * Scripts run in slices. A slice begins with one thing that happened (a cell starts, a call has its result, a timer is
 * due) and ends when nothing is left to do until the next thing happens. What runs in a slice runs for the cell it
 * happened to, so output and calls belong to that cell even where it calls what an earlier one left in `globalThis`.
 * A slice has a time limit, and is ended early by `exit()` and by a request to terminate its cell.
 *
 * Not here: the port to the host (`worker.ts`), and what a script can call (`prelude.ts`, `script-host.ts`).
 */

import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  RELEASE_SYNC,
} from 'quickjs-emscripten';
import type { CallResult, CellEnd, CellLimits, CellTool, FromWorker, WorkerStart } from './messages.ts';
import { OpenCell, release } from './open-cell.ts';
import { type PreludeDoors, prelude } from './prelude.ts';
import { scriptHost } from './script-host.ts';
import { StoredValues } from './stored-values.ts';

/** Node has it; the types of Node do not. */
declare const WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => object };

/** What QuickJS may put on its own stack. The worker's stack must hold several times as much. */
const STACK_BYTES = 256 * 1024;
/** How often a running slice looks for requests to end it. */
const POLL_MS = 20;
/** How long what is left of a stopped slice may take before the runtime is given up, and so many jobs at least. */
const STOPPING_MS = 500;
const STOPPING_JOBS = 10_000;
const JOBS_AT_ONCE = 32;
/** A string of QuickJS takes two bytes per character, and as much again while it is made. */
const BYTES_PER_CHAR = 4;
/** Enough of an error to know it by; a script may throw as much text as it has memory. */
const LONGEST_ERROR_CHARS = 10_000;
const PAGE_BYTES = 64 * 1024;
/** What QuickJS is compiled to begin with. */
const FIRST_PAGES = 256;
/**
 * A script is the body of a function: a module would be kept, with all its variables, for as long as the runtime lives.
 * All of this stands in its first line, so that the lines of the script keep their numbers.
 */
const BEFORE_SCRIPT = '(async () => { "use strict"; ';
const AFTER_SCRIPT = '\n})()';

const COMPLETED: CellEnd = { status: 'completed', error: null };
const TERMINATED: CellEnd = { status: 'terminated', error: null };

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
  readonly #stored: StoredValues;
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;
  readonly #doors: Record<keyof PreludeDoors, QuickJSHandle>;
  readonly #cells = new Map<string, OpenCell>();
  #slice: Slice | null = null;

  static async open(start: WorkerStart, host: SandboxHost): Promise<Sandbox> {
    // QuickJS has a limit of its own, but as it is compiled here that does not count what an allocation really takes.
    const maximum = Math.max(Math.ceil(start.limits.memory_bytes / PAGE_BYTES), FIRST_PAGES);
    const wasmMemory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum });
    const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmMemory }));
    return new Sandbox(quickjs.newRuntime(), start, host);
  }

  private constructor(runtime: QuickJSRuntime, { limits, stored }: WorkerStart, host: SandboxHost) {
    this.#host = host;
    this.#limits = limits;
    this.#stored = new StoredValues(limits.stored_chars, stored);
    this.#runtime = runtime;
    runtime.setMaxStackSize(STACK_BYTES);
    runtime.setInterruptHandler(() => this.#isStopped());
    this.#context = runtime.newContext();
    this.#doors = this.#loadPrelude();
  }

  /** Starts a cell. */
  run(id: string, source: string, tools: readonly CellTool[]): void {
    const cell = new OpenCell(id);
    this.#cells.set(id, cell);
    this.#runSlice(cell, () => {
      const failed = this.#call(this.#doors.begin, this.#context.newString(JSON.stringify(tools)));
      if (failed !== null) return failed;
      const result = this.#context.evalCode(`${BEFORE_SCRIPT}${source}${AFTER_SCRIPT}`, `cell-${id}.js`);
      if (result.error !== undefined) return result.error;
      cell.script = result.value;
      return null;
    });
  }

  /** Hands the result of a call to the script that made it. */
  settle(id: string, call: string, result: CallResult): void {
    const cell = this.#cells.get(id);
    const { json, error } = this.#fitting(result);
    const waiting = cell?.takeCall(call, error) ?? null;
    if (cell === undefined || waiting === null) return;
    const settle = error === null ? waiting.resolve : waiting.reject;
    const value = error ?? json;
    this.#runSlice(cell, () =>
      this.#call(settle, value === null ? this.#context.undefined : this.#context.newString(value)),
    );
    release(waiting);
  }

  /** Ends a cell that waits for something; a cell that runs is ended by {@link SandboxHost.isTerminated}. */
  terminate(id: string): void {
    const cell = this.#cells.get(id);
    if (cell !== undefined) this.#close(cell, TERMINATED, null);
  }

  /** Runs one slice. @param enter gives what was thrown */
  #runSlice(cell: OpenCell, enter: () => QuickJSHandle | null): void {
    const { failed, isOver } = this.#inSlice(cell, (slice) => ({ failed: enter(), isOver: this.#runJobs(slice) }));
    const end: CellEnd | null =
      failed === null ? this.#endOf(cell) : { status: 'failed', error: this.#describe(cell, failed) };
    cell.end = cell.end === null ? end : withLines(cell.end, end);
    for (const { key, json } of this.#stored.takeChanged()) this.#host.post({ type: 'stored', key, json });
    // A promise that cells share may have ended another one too.
    for (const other of [...this.#cells.values()]) {
      const otherEnd = other === cell ? null : this.#endOf(other);
      if (otherEnd !== null) this.#close(other, otherEnd, null);
    }
    if (cell.end !== null) this.#close(cell, cell.end, isOver ? null : `cell ${cell.id} could not be stopped`);
  }

  #inSlice<T>(cell: OpenCell, action: (slice: Slice) => T): T {
    const now_ms = performance.now();
    const deadline_ms = now_ms + this.#limits.slice_ms;
    const slice: Slice = { cell, deadline_ms, next_poll_ms: now_ms + POLL_MS, stopped_ms: null };
    this.#slice = slice;
    try {
      return action(slice);
    } finally {
      this.#slice = null;
    }
  }

  /** Runs what promises have left to do. False where that does not end. */
  #runJobs(slice: Slice): boolean {
    let rest = STOPPING_JOBS;
    while (this.#runtime.hasPendingJob()) {
      const result = this.#runtime.executePendingJobs(JOBS_AT_ONCE);
      if (result.error !== undefined) result.error.dispose();
      if (!this.#isStopped() || slice.stopped_ms === null) continue;
      rest -= JOBS_AT_ONCE;
      if (rest < 0 && performance.now() - slice.stopped_ms > STOPPING_MS) return false;
    }
    return true;
  }

  /** Whether what runs now is to be interrupted. QuickJS asks after every few thousand steps. */
  #isStopped(): boolean {
    const slice = this.#slice;
    if (slice === null || slice.stopped_ms !== null) return slice !== null;
    const now_ms = performance.now();
    if (now_ms > slice.deadline_ms) {
      const time = `${this.#limits.slice_ms} ms`;
      this.#stop(slice, { status: 'failed', error: `Error: the script ran for ${time} without waiting for anything` });
    } else if (now_ms > slice.next_poll_ms) {
      slice.next_poll_ms = now_ms + POLL_MS;
      if (this.#host.isTerminated(slice.cell.id)) this.#stop(slice, TERMINATED);
    }
    return slice.stopped_ms !== null;
  }

  #stop(slice: Slice, end: CellEnd): void {
    slice.stopped_ms = performance.now();
    slice.cell.end ??= end;
  }

  /** How the script of a cell ended; null while it goes on. */
  #endOf(cell: OpenCell): CellEnd | null {
    if (cell.script === null) return null;
    const state = this.#context.getPromiseState(cell.script);
    if (state.type === 'pending') return null;
    if (state.type === 'rejected') return { status: 'failed', error: this.#describe(cell, state.error) };
    if (state.value !== cell.script) state.value.dispose();
    if (cell.unobserved === null) return COMPLETED;
    return {
      status: 'failed',
      error: shortened(`Error: a tool call failed that the script did not wait for: ${cell.unobserved}`),
    };
  }

  #close(cell: OpenCell, end: CellEnd, unusable: string | null): void {
    cell.end = end;
    this.#cells.delete(cell.id);
    cell.dispose();
    const reason =
      unusable ?? (end.status === 'failed' && !this.#hasMemory(cell) ? `cell ${cell.id} left no memory` : null);
    this.#host.post({ type: 'ended', cell: cell.id, end, unusable: reason });
  }

  /** A cell that failed may have left no memory to the others. */
  #hasMemory(cell: OpenCell): boolean {
    const failed = this.#inSlice(cell, () => this.#call(this.#doors.probe));
    failed?.dispose();
    return failed === null;
  }

  #timerIsDue(cell: OpenCell, id: number): void {
    const callback = cell.takeTimer(id);
    if (callback === null) return;
    this.#runSlice(cell, () => this.#call(callback));
    callback.dispose();
  }

  /** Calls a function of the script's side; takes the arguments over. Gives what was thrown. */
  #call(callee: QuickJSHandle, ...args: QuickJSHandle[]): QuickJSHandle | null {
    const result = this.#context.callFunction(callee, this.#context.undefined, args);
    for (const handle of args) handle.dispose();
    if (result.error !== undefined) return result.error;
    result.value.dispose();
    return null;
  }

  /** What was thrown, as text; takes it over. Reading it may run code of the script. */
  #describe(cell: OpenCell, error: QuickJSHandle): string {
    const { describe } = this.#doors;
    const result = this.#inSlice(cell, () => this.#context.callFunction(describe, this.#context.undefined, error));
    error.dispose();
    if (result.error === undefined)
      return result.value.consume((text) => withColumns(shortened(this.#context.getString(text))));
    result.error.dispose();
    return 'Error: what the script threw could not be read';
  }

  #fitting(result: CallResult): CallResult {
    const chars = (result.error ?? result.json ?? '').length;
    if (chars * BYTES_PER_CHAR <= this.#limits.memory_bytes) return result;
    return { json: null, error: `the result has ${chars} characters, too many for the memory of a script` };
  }

  #loadPrelude(): Record<keyof PreludeDoors, QuickJSHandle> {
    const context = this.#context;
    const functions = scriptHost({
      context,
      limits: this.#limits,
      stored: this.#stored,
      running: () => {
        const cell = this.#slice?.cell;
        if (cell === undefined || cell.end !== null) throw new Error('The script has ended.');
        return cell;
      },
      observe: (call) => this.#slice?.cell.observe(call),
      exit: () => {
        if (this.#slice !== null) this.#stop(this.#slice, COMPLETED);
      },
      timerIsDue: (cell, id) => this.#timerIsDue(cell, id),
      post: (message) => this.#host.post(message),
    });
    const host = context.newObject();
    for (const [name, action] of Object.entries(functions)) {
      context.newFunction(name, action).consume((handle) => context.setProp(host, name, handle));
    }
    const make = context.unwrapResult(context.evalCode(`(${prelude.toString()})`, 'prelude.js'));
    const made = context.unwrapResult(context.callFunction(make, context.undefined, host, context.global));
    const door = (name: keyof PreludeDoors) => context.getProp(made, name);
    const doors = { begin: door('begin'), describe: door('describe'), probe: door('probe') };
    for (const handle of [host, make, made]) handle.dispose();
    return doors;
  }
}

function shortened(error: string): string {
  if (error.length <= LONGEST_ERROR_CHARS) return error;
  return `${error.slice(0, LONGEST_ERROR_CHARS).toWellFormed()}… (${error.length} characters)`;
}

/** A script that was stopped while it ran was somewhere: adds the lines. */
function withLines(stopped: CellEnd, seen: CellEnd | null): CellEnd {
  if (stopped.status !== 'failed' || seen?.status !== 'failed') return stopped;
  return { status: 'failed', error: [stopped.error, ...seen.error.split('\n').slice(1)].join('\n') };
}

/** Columns of a script's first line as its author counts them. */
function withColumns(error: string): string {
  return error.replaceAll(/(\(cell-\d+\.js:1:|at cell-\d+\.js:1:)(\d+)/g, (_, place: string, column: string) => {
    return `${place}${Math.max(Number(column) - BEFORE_SCRIPT.length, 1)}`;
  });
}
