/** Runs what an adapter does beside the host's work. What it throws reaches nobody: recording never hurts the host. */
export function quietly<T>(fallback: T, action: () => T): T {
  try {
    return action();
  } catch {
    return fallback;
  }
}
