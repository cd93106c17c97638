/** The command line was not understood. */
export class UsageError extends Error {
  /** What to do about it: one sentence, or none. */
  readonly hint: string | null;
  constructor(message: string, hint: string | null = null) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
  }
}
