/**
 * How much of the host's time may go into writing, where the host would rather lose evidence than wait.
 *
 * Writes are synchronous, so a slow disk slows the host down; there is never a backlog. With a budget, inference calls
 * that begin while it is overdrawn are left out whole and counted. Not here: the clock, which is given.
 */

/** What a host accepts. */
export interface WriteBudgetOptions {
  /** The share of time that writing may take in the long run, e.g. 0.1. */
  maxShare: number;
  /** How many milliseconds it may take at once before anything is left out. */
  burstMs: number;
}

/** Keeps account of the time that was spent writing. */
export class WriteBudget {
  readonly #options: WriteBudgetOptions;
  readonly #stopwatch: () => number;
  #spent = 0;
  #since: number;

  /** @param stopwatch milliseconds that never go back */
  constructor(options: WriteBudgetOptions, stopwatch: () => number) {
    this.#options = options;
    this.#stopwatch = stopwatch;
    this.#since = stopwatch();
  }

  /** Runs a write and charges its time. */
  charge(write: () => void): void {
    const start = this.#stopwatch();
    try {
      write();
    } finally {
      this.#spent += this.#stopwatch() - start;
    }
  }

  /** Whether more was spent than is allowed so far. */
  get overdrawn(): boolean {
    const now = this.#stopwatch();
    this.#spent = Math.max(0, this.#spent - (now - this.#since) * this.#options.maxShare);
    this.#since = now;
    return this.#spent > this.#options.burstMs;
  }
}
