/**
 * All terminals of one thread: who is open, by which number, and that none outlives its owner.
 *
 * The numbers count up and are never used again, so that a late call can only miss.
 */

import { randomUUID } from 'node:crypto';
import { type Tool, ToolError } from '../tools/tool.ts';
import { execCommandTool } from './exec-command.ts';
import { endFamily } from './processes.ts';
import { defaultShell, terminalEnvironment } from './shell.ts';
import { Terminal, type TerminalOptions } from './terminal.ts';
import { writeStdinTool } from './write-stdin.ts';

/** Terminals that are open, or ended without anybody having heard of it. */
const MOST_TERMINALS = 64;

const DEFAULT_GRACE_MS = 2_000;

/** How terminals are opened. Everything may be left out. */
export interface TerminalsOptions {
  /** The shell where a call names none; absolute. Left out, bash. */
  shell?: string;
  /** The environment of the commands. Left out, that of this process. */
  env?: NodeJS.ProcessEnv;
  /** From asking the processes of a terminal to end until they are killed; 2 seconds where it is left out. */
  grace_ms?: number;
}

/** Opens terminals, finds them again, and ends them. */
export class Terminals {
  readonly shell: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #grace_ms: number;
  readonly #id = randomUUID();
  readonly #open = new Map<number, Terminal>();
  #lastSessionId = 0;
  #closing: Promise<void> | null = null;

  constructor(options: TerminalsOptions = {}) {
    const env = options.env ?? process.env;
    this.shell = options.shell ?? defaultShell(env);
    this.env = terminalEnvironment(env);
    this.#grace_ms = options.grace_ms ?? DEFAULT_GRACE_MS;
  }

  /** `exec_command` and `write_stdin`. */
  tools(): Tool[] {
    return [execCommandTool(this), writeStdinTool(this)];
  }

  /** Starts a command. @throws {ToolError} where too many run already */
  open(options: Omit<TerminalOptions, 'sessionId' | 'env' | 'mark'>): Terminal {
    if (this.#closing !== null) throw new Error('the terminals of this thread are closed');
    this.#makeRoom();
    const sessionId = ++this.#lastSessionId;
    const terminal = new Terminal({ ...options, sessionId, env: this.env, mark: this.#mark(sessionId) });
    this.#open.set(sessionId, terminal);
    return terminal;
  }

  /** @throws {ToolError} where there is none of that number, or its end has been told */
  get(sessionId: number): Terminal {
    const terminal = this.#open.get(sessionId);
    if (terminal !== undefined) return terminal;
    const open = [...this.#open.keys()];
    const hint = open.length === 0 ? 'no session is open' : `open are ${open.join(', ')}`;
    throw new ToolError(`session ${sessionId} is unknown or has ended: ${hint}`);
  }

  /** Forgets a terminal if it has ended; its caller tells the model. */
  settle(terminal: Terminal): void {
    if (terminal.exitCode !== null) this.#open.delete(terminal.sessionId);
  }

  /** Ends a command and everything it started. Resolves when all of it is gone. */
  async end(terminal: Terminal): Promise<void> {
    const own = this.#mark(terminal.sessionId);
    await terminal.endWith(this.#endFamily([terminal], (mark) => mark === own));
  }

  /** Ends everything that commands of this thread started and that still runs, whether or not they have ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** After {@link Terminals.close}: takes commands again. Numbers count on. */
  reopen(): void {
    this.#closing = null;
  }

  async #close(): Promise<void> {
    const open = [...this.#open.values()];
    // Together, for each family looks through all processes there are.
    const ending = this.#endFamily(open, (mark) => mark.startsWith(`${this.#id}.`));
    await Promise.all([ending, ...open.map((terminal) => terminal.endWith(ending))]);
    this.#open.clear();
  }

  #endFamily(terminals: readonly Terminal[], hasMark: (mark: string) => boolean): Promise<void> {
    const leaders = (): Set<number> => new Set(terminals.flatMap(({ leader }) => (leader === null ? [] : [leader])));
    return endFamily({ leaders, hasMark }, this.#grace_ms);
  }

  #mark(sessionId: number): string {
    return `${this.#id}.${sessionId}`;
  }

  #makeRoom(): void {
    if (this.#open.size < MOST_TERMINALS) return;
    const ended = [...this.#open.values()].find((terminal) => terminal.exitCode !== null);
    if (ended === undefined)
      throw new ToolError(`${MOST_TERMINALS} terminals are open: end one with write_stdin before opening another`);
    this.settle(ended);
  }
}
