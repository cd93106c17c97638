/** What is recorded of a command while it runs: the payloads of its beginning and its end. */

/** A command as it was started. */
export interface CommandStart {
  callId: string;
  turnId: string;
  /** Names the terminal within its thread. */
  sessionId: number;
  /** The shell, its options and the text. */
  command: readonly string[];
  cwd: string;
}

/** How it ended. */
export interface CommandEnd {
  exitCode: number;
  /** Whether the runtime ended it, and not the command itself. */
  stopped: boolean;
  /** What the terminal printed. */
  output: string;
  duration_ms: number;
}

export function commandBegin(start: CommandStart): object {
  return { ...head(start), started_at_ms: Date.now(), ...what(start) };
}

export function commandEnd(start: CommandStart, end: CommandEnd): object {
  const secs = Math.floor(end.duration_ms / 1000);
  return {
    ...head(start),
    completed_at_ms: Date.now(),
    ...what(start),
    aggregated_output: end.output,
    exit_code: end.exitCode,
    duration: { secs, nanos: Math.floor((end.duration_ms - secs * 1000) * 1e6) },
    status: end.exitCode === 0 && !end.stopped ? 'completed' : 'failed',
  };
}

function head({ callId, sessionId, turnId }: CommandStart): object {
  return { call_id: callId, process_id: String(sessionId), turn_id: turnId };
}

function what({ command, cwd }: CommandStart): object {
  const parsed_cmd = [{ type: 'unknown', cmd: command.at(-1) ?? '' }];
  return { command, cwd, parsed_cmd, source: 'unified_exec_startup' };
}
