/**
 * The host's end of a worker: starts it, notices when it dies or no longer answers, and says so once.
 *
 * A worker that is not answering is one whose script is inside of something QuickJS does not interrupt.
 */

import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';

const PING_MS = 1000;
/** Room for QuickJS's own stack, several times over. */
const STACK_MB = 8;

export interface CellWorkerEvents {
  message(message: FromWorker): void;
  /** The worker is no more; nothing else comes of it. The reason is a clause. */
  gone(reason: string): void;
}

export class CellWorker {
  readonly #worker: Worker;
  readonly #events: CellWorkerEvents;
  /** How long it may take to answer: as long as a slice, and then some. */
  readonly #patience_ms: number;
  #watch: NodeJS.Timeout | null = null;
  /** While it starts, nothing is asked. */
  #started = false;
  #asked_ms: number | null = null;
  #gone = false;

  constructor(url: URL, start: WorkerStart, events: CellWorkerEvents) {
    this.#events = events;
    this.#patience_ms = start.limits.slice_ms + start.limits.grace_ms;
    this.#worker = new Worker(url, {
      workerData: start,
      env: {},
      execArgv: [],
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.stop(`said something that could not be read: ${error.message}`));
    this.#worker.on('error', (error: unknown) => {
      void this.stop(`died: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#worker.on('exit', (code) => this.stop(`ended with code ${code}`));
    this.#worker.unref();
  }

  post(message: ToWorker): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  /** Whether cells run: then the process waits for them, and the worker has to answer. */
  watch(on: boolean): void {
    if (this.#gone || on === (this.#watch !== null)) return;
    if (on) {
      this.#worker.ref();
      this.#watch = setInterval(() => this.#ping(), PING_MS);
    } else {
      this.#worker.unref();
      this.#unwatch();
    }
  }

  /** Ends the worker, whatever it does. */
  async stop(reason: string): Promise<void> {
    if (!this.#gone) {
      this.#gone = true;
      this.#unwatch();
      this.#events.gone(reason);
    }
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    if (this.#gone) return;
    this.#started = true;
    if (message.type === 'pong') this.#asked_ms = null;
    else this.#events.message(message);
  }

  #ping(): void {
    if (!this.#started) return;
    const now_ms = performance.now();
    if (this.#asked_ms === null) {
      this.#asked_ms = now_ms;
      this.post({ type: 'ping' });
    } else if (now_ms - this.#asked_ms > this.#patience_ms) {
      void this.stop('did not answer any more');
    }
  }

  #unwatch(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
    this.#asked_ms = null;
  }
}
