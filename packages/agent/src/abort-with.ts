/**
 * Hands an abort on.
 *
 * `AbortSignal.any` would do, but Node 20 holds the signals it is made of only weakly: an `AbortSignal.timeout` that
 * nobody else holds is collected as garbage, and never aborted. A listener keeps it.
 */

/** Aborts a controller with the first of the signals that is aborted. @returns what ends the listening */
export function abortWith(controller: AbortController, signals: readonly AbortSignal[]): () => void {
  const stops = signals.map((signal) => {
    const abort = (): void => controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  });
  return () => {
    for (const stop of stops) stop();
  };
}
