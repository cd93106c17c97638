/**
 * The recorded command as a process: what it inherits, which signals are passed on to it, and how it ended. Its standard
 * streams are ours, so it may be anything, a full-screen program included.
 */

import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How a command ended, as a shell would say it. */
export interface CommandEnd {
  /** The command's own; 128 and the signal's number where a signal ended it; 126 or 127 where it could not be started. */
  exitCode: number;
  signal: string | null;
  /** Why it could not be started. */
  failure: { message: string; hint: string } | null;
}

export interface CommandOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** The descriptor that its standard output goes to. */
  stdout: 1 | 2;
}

/** What is passed on to the command: everything that asks a process to end and can be heard. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
type PassedOn = (typeof PASSED_ON)[number];
/** Those a terminal sends, and it sends them to every process in its foreground. */
const FROM_KEYBOARD: readonly PassedOn[] = ['SIGINT', 'SIGQUIT'];

const COULD_NOT_START = 126;
const NOT_FOUND = 127;

/** Runs a command to its end. Resolves always. */
export async function runCommand(words: readonly string[], options: CommandOptions): Promise<CommandEnd> {
  const [command = '', ...args] = words;
  let child: ChildProcess | null = null;
  const passOn = (signal: PassedOn): void => {
    // The command has it already: passed on, one stroke of Ctrl-C would count as two.
    if (FROM_KEYBOARD.includes(signal) && isInForeground()) return;
    child?.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, passOn);
  try {
    return await new Promise<CommandEnd>((resolve) => {
      // Loaded here, because no other command of the program starts a process.
      child = process.getBuiltinModule('node:child_process').spawn(command, args, {
        env: { ...options.environment },
        stdio: [0, options.stdout, 2],
      });
      child.once('exit', (code, signal) => resolve(ended(code, signal)));
      child.on('error', (error) => {
        // An error of a running command is a signal that did not reach it.
        if (child?.pid === undefined) resolve(notStarted(command, error));
      });
    });
  } catch (error) {
    return notStarted(command, error);
  } finally {
    // From here on a signal ends this process, as it ends any other.
    for (const signal of PASSED_ON) process.off(signal, passOn);
  }
}

function ended(code: number | null, signal: NodeJS.Signals | null): CommandEnd {
  if (signal === null) return { exitCode: code ?? COULD_NOT_START, signal, failure: null };
  const number = process.getBuiltinModule('node:os').constants.signals[signal];
  return { exitCode: 128 + number, signal, failure: null };
}

function notStarted(command: string, error: unknown): CommandEnd {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const end = (exitCode: number, message: string, hint: string): CommandEnd => {
    return { exitCode, signal: null, failure: { message: `${command || "''"} ${message}`, hint } };
  };
  if (command === '') return end(NOT_FOUND, 'is no command', 'Is a variable empty?');
  if (code === 'ENOENT') {
    const inFolder = /[/\\]/.test(command);
    const onWindows = process.platform === 'win32' ? ' On Windows a .cmd file is run by `cmd /c <command>`.' : '';
    if (inFolder) return end(NOT_FOUND, 'does not exist', `Is the path right?${onWindows}`);
    return end(NOT_FOUND, 'is no command: no folder of PATH has it', `Is it installed?${onWindows}`);
  }
  if (code === 'EACCES') return end(COULD_NOT_START, 'may not be executed', 'Is it a program, and may you run it?');
  return end(COULD_NOT_START, `could not be started (${code})`, 'The system refused to start it.');
}

/** Whether a key pressed at the terminal reaches this process, and with it the command. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8');
    // The name of the program, in parentheses, may hold anything; what stands behind it are numbers.
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal !== '0' && group === foreground;
  } catch {
    const { isatty } = process.getBuiltinModule('node:tty');
    return [0, 1, 2].some((descriptor) => isatty(descriptor));
  }
}
