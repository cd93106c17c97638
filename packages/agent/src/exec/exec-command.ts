/** The tool `exec_command`: runs a command on a terminal of its own. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Arguments } from '../tools/arguments.ts';
import { type Tool, ToolError, type ToolOutcome, type ToolRun } from '../tools/tool.ts';
import { findShell } from './shell.ts';
import { cancelledOutcome, terminalOutcome } from './terminal-outcome.ts';
import type { Terminals } from './terminals.ts';
import { DEFAULT_OUTPUT_TOKENS, MOST_YIELD_MS, OUTPUT_TOKENS_PARAMETER, yieldParameter } from './yield.ts';

const DEFAULT_YIELD_MS = 10_000;

/** Commands run side by side, each on a terminal of its own. */
export function execCommandTool(terminals: Terminals): Tool {
  return {
    spec: {
      type: 'function',
      name: 'exec_command',
      description:
        'Runs a shell command on a terminal. Returns its output and exit code, or, where it still runs after ' +
        'yield_time_ms, the output so far and a session_id for write_stdin. Lines end as terminals end them, in \\r\\n.',
      parameters: {
        type: 'object',
        properties: {
          cmd: { type: 'string', description: 'The command, as text for the shell.' },
          workdir: { type: 'string', description: 'The folder to run in; the working folder where it is left out.' },
          shell: { type: 'string', description: 'The shell, by path or name; bash where it is left out.' },
          login: { type: 'boolean', description: 'Whether the shell reads the login profile first. Default false.' },
          yield_time_ms: yieldParameter(`Default ${DEFAULT_YIELD_MS}.`),
          max_output_tokens: OUTPUT_TOKENS_PARAMETER,
        },
        required: ['cmd'],
        additionalProperties: false,
      },
      strict: false,
    },
    namespace: null,
    nested: true,
    parallel: true,
    run: (run) => execCommand(terminals, run),
  };
}

async function execCommand(terminals: Terminals, run: ToolRun): Promise<ToolOutcome> {
  const given = new Arguments(run.input);
  const cmd = given.text('cmd');
  if (cmd.trim() === '') throw new ToolError('argument cmd must not be empty');
  // The system would take it as the end of the text, and run the rest of nothing.
  if (cmd.includes('\0')) throw new ToolError('argument cmd must not have a NUL character');
  const cwd = await folder(run.cwd, given.optionalText('workdir'));
  const askedShell = given.optionalText('shell');
  const shell = askedShell === null ? terminals.shell : findShell(askedShell, terminals.env);
  const login = given.flag('login');
  const yield_time_ms = Math.min(given.optionalCount('yield_time_ms') ?? DEFAULT_YIELD_MS, MOST_YIELD_MS);
  const max_output_tokens = given.optionalCount('max_output_tokens') ?? DEFAULT_OUTPUT_TOKENS;
  if (run.signal.aborted) return cancelledOutcome();

  const start_ms = performance.now();
  const command = [shell, ...(login ? ['-l'] : []), '-c', cmd];
  const terminal = terminals.open({ callId: run.callId, turnId: run.turnId, command, cwd, trace: run.trace });
  await terminal.wait(yield_time_ms, run.signal);
  const cancelled = run.signal.aborted && terminal.exitCode === null;
  if (cancelled) await terminals.end(terminal);
  terminals.settle(terminal);
  const wall_time_ms = performance.now() - start_ms;
  return terminalOutcome(terminal, { wall_time_ms, max_output_tokens, cancelled, note: null });
}

async function folder(cwd: string, workdir: string | null): Promise<string> {
  const path = workdir === null ? cwd : resolve(cwd, workdir);
  try {
    if ((await stat(path)).isDirectory()) return path;
  } catch {
    // Missing, not allowed, not even a path: none of them is a folder to run in.
  }
  throw new ToolError(`workdir ${path} is not a folder`);
}
