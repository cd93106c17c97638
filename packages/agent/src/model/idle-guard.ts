/** Aborts a request whose stream has fallen silent: a connection may be dead without having been closed. */

import { abortWith } from '../abort-with.ts';

/** A signal that is aborted from outside, or when nothing has been heard for too long. */
export class IdleGuard {
  readonly #controller = new AbortController();
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout;
  #expired = false;

  constructor(outer: AbortSignal, idle_ms: number) {
    this.#stopListening = abortWith(this.#controller, [outer]);
    this.#timer = this.#arm(idle_ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was the silence. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Something was heard. */
  restart(idle_ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#arm(idle_ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopListening();
  }

  #arm(idle_ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#expired = true;
      this.#controller.abort();
    }, idle_ms);
  }
}
