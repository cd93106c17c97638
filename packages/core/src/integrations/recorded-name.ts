/**
 * The name a tool of somebody else is recorded under. Readers take every tool that is called `wait` for the one that
 * waits for a code cell, and refuse a trace in which it names none.
 */
export function recordedName(name: string): string {
  return name === 'wait' ? 'function.wait' : name;
}
