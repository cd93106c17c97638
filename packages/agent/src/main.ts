/** `rollout-trace-agent`: one turn of an agent from the command line, recorded. */

import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CommandOptions, commandOptions, HELP, requireService, UsageError } from './command/options.ts';
import { harmlessJson, progress, reason } from './command/progress.ts';
import { onSignal } from './command/signals.ts';
import { openTraceRoot } from './command/trace-root.ts';
import { AgentSession } from './thread/session.ts';
import type { TurnResult } from './thread/turn.ts';

const USAGE = 2;
const EXIT_CODES = { completed: 0, failed: 1, cancelled: 130 } as const;

exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = commandOptions(args, process.env);
    if (options === null) {
      process.stdout.write(HELP);
      return 0;
    }
    requireService(process.env);
    return await runCommand({ ...options, cwd: workingFolder(options.cwd) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell(error instanceof UsageError ? `${message} --help tells what there is.` : message);
    return USAGE;
  }
}

async function runCommand(options: CommandOptions): Promise<number> {
  const { prompt, model, cwd, mcp, compactAtTokens, incremental, agents, json } = options;
  const root = resolve(openTraceRoot(process.env));
  const controller = new AbortController();
  const session = new AgentSession({
    model,
    cwd,
    mcpServers: mcp.map(({ name, command, args }) => ({ name, command, args: [...args], cwd })),
    incremental,
    ...(agents ? {} : { agents: false as const }),
    ...(compactAtTokens === null ? {} : { compactAtTokens }),
    record: {
      root,
      metadata: { session_source: 'exec' },
      onDiagnostic: ({ message }) => tell(`The trace is not complete: ${reason(message)}`),
    },
    onEvent: progress({
      text: json ? null : (text) => process.stdout.write(text),
      line: tell,
      columns: () => process.stderr.columns,
    }),
  });
  const signalled = onSignal(() => controller.abort());
  // Nobody reads any more: there is nothing left to do.
  process.stdout.on('error', () => controller.abort());
  // What is told beside it may go unheard.
  process.stderr.on('error', () => undefined);
  let result: TurnResult;
  try {
    result = await session.run(prompt, { signal: controller.signal });
  } finally {
    await session.close();
  }
  const { status, text, error, turnId } = result;
  const trace = session.location === '' ? null : session.location;
  if (json) process.stdout.write(`${harmlessJson({ status, text, error: error ?? null, turn_id: turnId, trace })}\n`);
  if (error !== undefined) tell(`The turn failed: ${reason(error)}`);
  if (status === 'cancelled') tell('The turn was cancelled.');
  tell(trace === null ? 'Nothing was recorded.' : `Trace: ${trace}`);
  return status === 'cancelled' ? (signalled() ?? EXIT_CODES.cancelled) : EXIT_CODES[status];
}

/** @throws {UsageError} where it is no folder */
function workingFolder(name: string): string {
  let folder: string;
  try {
    folder = realpathSync(name);
  } catch {
    throw new UsageError(`There is no folder ${name}.`);
  }
  if (!statSync(folder).isDirectory()) throw new UsageError(`${name} is no folder.`);
  return folder;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Ends the process once everything is written. A tool that could not be stopped must not keep it. */
function exit(code: number): void {
  process.stdout.write('', () => process.exit(code));
}
