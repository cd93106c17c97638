/**
 * The order in which the calls of a thread run: as they came, those that may run together at the same time.
 *
 * A call that must be alone waits for all before it, and all behind it wait for it.
 */

/** Lets calls in. */
export class CallOrder {
  /** Fulfilled when the last call that must be alone, and all before it, are over. */
  #barrier: Promise<unknown> = Promise.resolve();
  /** Those behind the barrier. */
  #together: Promise<void>[] = [];

  /** Fulfilled when the call may run. The caller calls what it gives when the call is over. */
  async enter(parallel: boolean): Promise<() => void> {
    let leave: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const before = parallel ? this.#barrier : Promise.all([this.#barrier, ...this.#together]);
    if (parallel) this.#together.push(over);
    else {
      this.#barrier = Promise.all([before, over]);
      this.#together = [];
    }
    await before;
    return leave;
  }
}
