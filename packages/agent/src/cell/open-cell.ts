/** One cell inside the worker: what its script waits for, and what has become of it. */

import type { QuickJSHandle } from 'quickjs-emscripten';
import type { CellEnd } from './messages.ts';

/** The two ends of a promise a script has. */
export interface Waiting {
  readonly resolve: QuickJSHandle;
  readonly reject: QuickJSHandle;
}

interface Timer {
  readonly timeout: NodeJS.Timeout;
  readonly callback: QuickJSHandle;
}

/** A script that is not over. It owns the handles it is given. */
export class OpenCell {
  readonly id: string;
  /** The promise of the script; null until it was evaluated. */
  script: QuickJSHandle | null = null;
  /** How it ended, though what is left of it may still have to be stopped. */
  end: CellEnd | null = null;
  /** Characters of its output. */
  output_chars = 0;
  readonly #calls = new Map<string, Waiting>();
  readonly #timers = new Map<number, Timer>();
  /** Calls that run, and whose result the script waits for. */
  readonly #observed = new Set<string>();
  /** Errors the script has not looked at. */
  readonly #unobserved = new Map<string, string>();
  #started = 0;

  constructor(id: string) {
    this.id = id;
  }

  get waiting(): { calls: number; timers: number } {
    return { calls: this.#calls.size, timers: this.#timers.size };
  }

  /** The error of a call that failed unseen. */
  get unobserved(): string | null {
    const [error] = this.#unobserved.values();
    return error ?? null;
  }

  /** Takes up a call. @returns its id */
  addCall(waiting: Waiting): string {
    const call = `tool-${++this.#started}`;
    this.#calls.set(call, waiting);
    return call;
  }

  /** Gives up a call that has its result. `error` is null where it did not fail. */
  takeCall(call: string, error: string | null): Waiting | null {
    const waiting = this.#calls.get(call) ?? null;
    this.#calls.delete(call);
    if (!this.#observed.delete(call) && waiting !== null && error !== null) this.#unobserved.set(call, error);
    return waiting;
  }

  /** The script looks at the result of a call. */
  observe(call: string): void {
    if (this.#calls.has(call)) this.#observed.add(call);
    this.#unobserved.delete(call);
  }

  addTimer(id: number, timer: Timer): void {
    this.#timers.set(id, timer);
  }

  /** Gives up a timer that is due, or not wanted any more. @returns its callback */
  takeTimer(id: number): QuickJSHandle | null {
    const timer = this.#timers.get(id);
    if (timer === undefined) return null;
    this.#timers.delete(id);
    clearTimeout(timer.timeout);
    return timer.callback;
  }

  /** Drops whatever the script waits for. */
  dispose(): void {
    for (const id of [...this.#timers.keys()]) this.takeTimer(id)?.dispose();
    for (const waiting of this.#calls.values()) release(waiting);
    this.#calls.clear();
    this.script?.dispose();
    this.script = null;
  }
}

export function release({ resolve, reject }: Waiting): void {
  resolve.dispose();
  reject.dispose();
}
