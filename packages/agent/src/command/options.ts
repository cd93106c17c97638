/** The command line of `rollout-trace-agent`: what its arguments mean. */

import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';

/** What was asked for. */
export interface CommandOptions {
  prompt: string;
  model: string;
  cwd: string;
  mcp: readonly McpCommand[];
  compactAtTokens: number | null;
  incremental: boolean;
  /** Whether the agent may spawn others. */
  agents: boolean;
  json: boolean;
}

/** An MCP server to start. */
interface McpCommand {
  name: string;
  command: string;
  args: readonly string[];
}

/** The arguments make no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `Usage: rollout-trace-agent [options] PROMPT

Runs one turn of an agent in a folder, with a shell, patches, code and child agents, and records everything it does.

  --model MODEL          the model that answers; OPENAI_MODEL where it is left out
  --cwd FOLDER           where the agent works; this folder where it is left out
  --mcp 'COMMAND ARGS'   starts an MCP server; 'NAME=COMMAND ARGS' names it; may be repeated
  --compact-at TOKENS    compacts the history when a request had more tokens
  --incremental          sends only what is new; the service then stores the conversation
  --no-agents            the agent spawns no other agents
  --json                 prints the result as JSON instead of the text
  --help                 prints this

OPENAI_API_KEY and OPENAI_BASE_URL say which service is asked, and nothing else is. The trace is written below
ROLLOUT_TRACE_ROOT, else CODEX_ROLLOUT_TRACE_ROOT, else ./rollout-traces. It holds everything the agent read and wrote:
treat it as a secret.

Exit codes: 0 done, 1 the turn failed, 2 usage, 130 cancelled.
`;

/** @returns null where only help is wanted. @throws {UsageError} */
export function commandOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandOptions | null {
  const { values, positionals } = parsed(args);
  if (values.help === true) return null;
  const prompt = positionals.join(' ');
  if (prompt.trim() === '') throw new UsageError('There is no prompt.');
  const model = values.model ?? environment.OPENAI_MODEL ?? '';
  if (model === '') throw new UsageError('There is no model: give --model, or set OPENAI_MODEL.');
  return {
    prompt,
    model,
    cwd: values.cwd ?? '.',
    mcp: named((values.mcp ?? []).map(mcpCommand)),
    compactAtTokens: values['compact-at'] === undefined ? null : tokens(values['compact-at']),
    incremental: values.incremental ?? false,
    agents: values['no-agents'] !== true,
    json: values.json ?? false,
  };
}

/** @throws {UsageError} where the environment does not say which service is asked */
export function requireService(environment: Readonly<Record<string, string | undefined>>): void {
  if (!environment.OPENAI_API_KEY) throw new UsageError('OPENAI_API_KEY is not set.');
  const { OPENAI_BASE_URL: address } = environment;
  // As the client has it, which takes blanks for nothing.
  if (address === undefined || address.trim() === '') return;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new UsageError(`OPENAI_BASE_URL must be an address that begins with https: or http:, but is '${address}'.`);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: { type: 'string' },
        cwd: { type: 'string' },
        mcp: { type: 'string', multiple: true },
        'compact-at': { type: 'string' },
        incremental: { type: 'boolean' },
        'no-agents': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // What follows the first sentence is about options that begin like other things.
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s|\.$|\n/);
    throw new UsageError(`${sentence}.`);
  }
}

function tokens(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError(`--compact-at must be a number of tokens, but is '${text}'.`);
  return Number(text);
}

/** A word of a command line: quotes keep spaces in it. */
const WORD = /(?:[^\s'"]+|'[^']*'|"[^"]*")+/g;

function mcpCommand(text: string): McpCommand {
  const [, name, line = ''] = /^(?:([\w-]+)=)?(.*)$/s.exec(text) ?? [];
  const words = (line.match(WORD) ?? []).map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  const [command, ...args] = words;
  if (command === undefined) throw new UsageError(`--mcp must be a command, but is '${text}'.`);
  return { name: name ?? basename(command, extname(command)), command, args };
}

/** Of servers with the same name all but the first get a number. */
function named(commands: readonly McpCommand[]): McpCommand[] {
  const seen = new Map<string, number>();
  return commands.map((command) => {
    const count = (seen.get(command.name) ?? 0) + 1;
    seen.set(command.name, count);
    return count === 1 ? command : { ...command, name: `${command.name}-${count}` };
  });
}
