/** What the exit code of a command says. Part of the contract of the command line. */

export const EXIT = {
  /** Done; the answer, if one was asked for, is yes. */
  done: 0,
  /** The answer is no: `verify` found errors. */
  no: 1,
  /** The command line was not understood, or the work could not be done. */
  failed: 2,
  /** Done, but evidence was lost or damaged. */
  damaged: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** From harmless to severe: what several bundles amount to. */
const SEVERITY: readonly ExitCode[] = [EXIT.done, EXIT.damaged, EXIT.no, EXIT.failed];

/** The exit code of a command that did several things. */
export function worst(codes: Iterable<ExitCode>): ExitCode {
  let severity = 0;
  for (const code of codes) severity = Math.max(severity, SEVERITY.indexOf(code));
  return SEVERITY[severity] ?? EXIT.failed;
}
