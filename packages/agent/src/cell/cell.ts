/**
 * One cell as the host sees it: what its script has put out, how it ended, and the recording of both.
 *
 * Not here: what the model reads of it (`response.ts`), and its calls of tools (`nested-calls.ts`).
 */

import { setMaxListeners } from 'node:events';
import type { CodeCell } from '@rollout-trace/core/recorder/node';
import type { OutputPart, Tool } from '../tools/tool.ts';
import type { CellEnd } from './messages.ts';

/** What a cell has to say since it last said something. */
export interface CellResponse {
  readonly cell: string;
  readonly status: 'yielded' | CellEnd['status'];
  readonly parts: readonly OutputPart[];
  /** Why it failed. */
  readonly error: string | null;
}

export class Cell {
  readonly id: string;
  readonly trace: CodeCell;
  readonly turnId: string;
  readonly cwd: string;
  /** The tools its script may call, by the names it has for them. */
  readonly tools: ReadonlyMap<string, Tool>;
  readonly #aborted = new AbortController();
  readonly #waiting = new Set<() => void>();
  #parts: OutputPart[] = [];
  #end: CellEnd | null = null;
  #yielded = false;
  #responded = false;

  constructor(id: string, trace: CodeCell, made: Pick<Cell, 'turnId' | 'cwd' | 'tools'>) {
    this.id = id;
    this.trace = trace;
    this.turnId = made.turnId;
    this.cwd = made.cwd;
    this.tools = made.tools;
    // As many calls as the script makes at once listen to it; Node would print a warning.
    setMaxListeners(0, this.#aborted.signal);
  }

  get end(): CellEnd | null {
    return this.#end;
  }

  /** Aborted when the script is over: nobody is left to take the result of a call. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  output(part: OutputPart): void {
    if (this.#end === null) this.#parts.push(part);
  }

  /** The script wants the model to read what there is. */
  yieldControl(): void {
    if (this.#end !== null) return;
    this.#yielded = true;
    this.#wake();
  }

  /** The script is over. The first time counts. */
  finish(end: CellEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    // Until `exec` has returned, the end is recorded with what it returns.
    if (this.#responded) this.trace.end(end.status, recorded(this.#response()));
    this.#aborted.abort();
    this.#wake();
  }

  /** Waits until the script is over or yields, at most so long. */
  async wait(time_ms: number, signal: AbortSignal): Promise<void> {
    if (this.#end !== null || this.#yielded || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, time_ms);
      signal.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }

  /** Waits until the script is over. */
  async ended(): Promise<void> {
    while (this.#end === null) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Takes what is new. The first time is what `exec` returns. */
  take(): CellResponse {
    const response = this.#response();
    this.#parts = [];
    this.#yielded = false;
    if (!this.#responded) {
      this.#responded = true;
      this.trace.initialResponse(response.status, recorded(response));
      if (response.status !== 'yielded') this.trace.end(response.status, recorded(response));
    }
    return response;
  }

  #response(): CellResponse {
    const status = this.#end?.status ?? 'yielded';
    return { cell: this.id, status, parts: this.#parts, error: this.#end?.error ?? null };
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** The response as the runtime's own, for the trace. */
function recorded({ cell, status, parts, error }: CellResponse): object {
  const content_items = [...parts];
  if (status === 'yielded') return { Yielded: { cell_id: cell, content_items } };
  if (status === 'terminated') return { Terminated: { cell_id: cell, content_items } };
  return { Result: { cell_id: cell, content_items, error_text: error } };
}
