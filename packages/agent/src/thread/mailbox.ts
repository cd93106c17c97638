/** Messages of other agents that have arrived and not been read: a thread reads them before its next request. */

import type { AgentMessageItem } from '../model/item.ts';

/** One thread's unread messages. */
export class Mailbox {
  #messages: AgentMessageItem[] = [];
  #waiting = new Set<() => void>();

  /** A message arrives. */
  deliver(message: AgentMessageItem): void {
    this.#messages.push(message);
    for (const wake of this.#waiting) wake();
  }

  get hasMail(): boolean {
    return this.#messages.length > 0;
  }

  /** Everything that is unread, in order. */
  get unread(): readonly AgentMessageItem[] {
    return this.#messages;
  }

  /** Fulfilled once something unread is there, at once where it is; also when the signal is aborted. */
  arrival(signal: AbortSignal): Promise<void> {
    if (this.hasMail || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** Takes everything that is unread, in order. */
  take(): AgentMessageItem[] {
    const taken = this.#messages;
    this.#messages = [];
    return taken;
  }
}
