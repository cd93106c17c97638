/** Which shell runs a command, and what it finds in its environment. */

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { ToolError } from '../tools/tool.ts';

/** What a model expects a shell to be, else the one every system has. */
export function defaultShell(env: NodeJS.ProcessEnv): string {
  return findProgram('bash', env) ?? '/bin/sh';
}

/**
 * The path of a shell that was asked for by path or name.
 *
 * @throws {ToolError} where there is none
 */
export function findShell(shell: string, env: NodeJS.ProcessEnv): string {
  const found = findProgram(shell, env);
  if (found === null) throw new ToolError(`shell ${shell} was not found: give an absolute path, or a name in PATH`);
  return found;
}

function findProgram(name: string, env: NodeJS.ProcessEnv): string | null {
  if (isAbsolute(name)) return isProgram(name) ? name : null;
  if (name.includes('/')) return null;
  const folders = (env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

/** What a program needs to know to print plain text and to wait for nobody. */
export function terminalEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // The size of the terminal that started the agent is not that of ours.
  const { COLUMNS: _columns, LINES: _lines, ...rest } = env;
  return { ...rest, TERM: 'dumb', NO_COLOR: '1', PAGER: 'cat', GIT_PAGER: 'cat' };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
