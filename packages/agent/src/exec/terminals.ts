/**
 * All terminals of one thread: who is open, by which number, and that none outlives its owner.
 *
 * The numbers count up and are never used again, so that a late call can only miss.
 */

import { randomUUID } from 'node:crypto';
import { type Tool, ToolError } from '../tools/tool.ts';
import { execCommandTool } from './exec-command.ts';
import { endFamily, type KnownProcesses, sessionMembers } from './processes.ts';
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
  /** What was left of commands that have ended, by the number of their terminal. */
  readonly #left = new Map<number, KnownProcesses>();
  readonly #looking = new Set<Promise<void>>();
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
  open(options: Omit<TerminalOptions, 'sessionId' | 'env' | 'mark' | 'beforeRelease'>): Terminal {
    if (this.#closing !== null) throw new Error('the terminals of this thread are closed');
    this.#makeRoom();
    const sessionId = ++this.#lastSessionId;
    const terminal = new Terminal({
      ...options,
      sessionId,
      env: this.env,
      mark: this.#mark(sessionId),
      beforeRelease: (leader) => this.#remember(sessionId, leader),
    });
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
    await terminal.endWith(this.#endFamily([terminal], (sessionId) => sessionId === terminal.sessionId));
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
    const ending = this.#endFamily(open, () => true);
    await Promise.all([ending, ...open.map((terminal) => terminal.endWith(ending))]);
    this.#open.clear();
    this.#left.clear();
  }

  /** Looks what is in the session of a terminal, before its leader ends. */
  #remember(sessionId: number, leader: number): Promise<void> {
    const looking = sessionMembers(leader).then((members) => {
      if (members.size > 0) this.#left.set(sessionId, members);
      this.#looking.delete(looking);
    });
    this.#looking.add(looking);
    return looking;
  }

  async #endFamily(terminals: readonly Terminal[], of: (sessionId: number) => boolean): Promise<void> {
    await Promise.all(this.#looking);
    const leaders = (): Set<number> => new Set(terminals.flatMap(({ leader }) => (leader === null ? [] : [leader])));
    const known = (): KnownProcesses =>
      new Map([...this.#left].flatMap(([sessionId, members]) => (of(sessionId) ? [...members] : [])));
    const hasMark = (mark: string): boolean => {
      const [id, sessionId] = mark.split('.');
      return id === this.#id && of(Number(sessionId));
    };
    await endFamily({ leaders, hasMark, known }, this.#grace_ms);
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
