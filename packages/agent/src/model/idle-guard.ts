/** Aborts a request whose stream has fallen silent: a connection may be dead without having been closed. */

/** A signal that is aborted from outside, or when nothing has been heard for too long. */
export class IdleGuard {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(outer: AbortSignal, idle_ms: number) {
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
    this.#timer = this.#arm(idle_ms);
  }

  /** Whether it was the silence. */
  get expired(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Something was heard. */
  restart(idle_ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#arm(idle_ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(idle_ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(), idle_ms);
  }
}
