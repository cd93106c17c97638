/** What the model and a code cell get from a terminal: how it stands, and what was printed since the last call. */

import { constants } from 'node:os';
import type { ToolOutcome } from '../tools/tool.ts';
import type { Terminal } from './terminal.ts';

/** How a call waited. */
export interface Waited {
  wall_time_ms: number;
  max_output_tokens: number;
  /** Whether the run of the call was cancelled. */
  cancelled: boolean;
  /** What else the model has to know, as a line. */
  note: string | null;
}

/** The outcome of a call that waited for a terminal. */
export function terminalOutcome(terminal: Terminal, waited: Waited): ToolOutcome {
  const { text, tokens, omittedTokens } = terminal.takeOutput(waited.max_output_tokens);
  const { exitCode } = terminal;
  const seconds = waited.wall_time_ms / 1000;
  const lines = [
    `Wall time: ${seconds.toFixed(4)} s`,
    exitCode === null ? `Running: session_id ${terminal.sessionId}` : `Exit code: ${exitCode}${signalNote(exitCode)}`,
    ...(waited.note === null ? [] : [waited.note]),
    omittedTokens === 0
      ? `Output (about ${tokens} tokens):`
      : `Output (about ${tokens} tokens, ${omittedTokens} of them omitted):`,
    text,
  ];
  return {
    output: lines.join('\n'),
    value: {
      wall_time_seconds: seconds,
      ...(exitCode === null ? { session_id: terminal.sessionId } : { exit_code: exitCode }),
      original_token_count: tokens,
      output: text,
    },
    status: waited.cancelled ? 'cancelled' : 'completed',
  };
}

/** The outcome of a call whose run was cancelled before it did anything. */
export function cancelledOutcome(): ToolOutcome {
  const output = 'The call was cancelled before it began.';
  return { output, value: { wall_time_seconds: 0, original_token_count: 0, output: '' }, status: 'cancelled' };
}

/** Shells say 128 and the number of the signal. A program may exit with such a code of its own, so this is a reading. */
function signalNote(exitCode: number): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return name === undefined ? '' : ` (as of ${name})`;
}
