/** The signals by which somebody asks a command to end. */

/** As shells say it: 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Calls `cancel` at the first signal. Who asks again does not want to wait: then the process ends at once. A second
 * SIGHUP does not ask again: of a terminal that is closed the system tells, and the shell, and whoever passes signals on.
 *
 * @returns what gives the exit code of the first signal, and null where there was none
 */
export function onSignal(cancel: () => void): () => number | null {
  let code: number | null = null;
  for (const [signal, exitCode] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (code === null) {
        code = exitCode;
        cancel();
      } else if (signal !== 'SIGHUP') process.exit(exitCode);
    });
  }
  return () => code;
}
