/**
 * One command on a pseudo-terminal, from its start to its end.
 *
 * Records both on the tool call that opened it, which may have had its result long before. Not here: what the model
 * reads of it (`terminal-outcome.ts`).
 */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { type IPty, spawn } from '@lydell/node-pty';
import type { ToolCall } from '@rollout-trace/core/recorder/node';
import { EndMarkReader, markedCommand } from './end-mark.ts';
import { type Excerpt, OutputBuffer } from './output-buffer.ts';
import { markedEnvironment } from './processes.ts';
import { type CommandStart, commandBegin, commandEnd } from './runtime-observation.ts';

/** So much is kept of all a terminal prints, and of what it prints between two calls. */
const SCROLLBACK_BYTES = 1024 * 1024;

const COLUMNS = 120;
const ROWS = 40;

/** What a terminal is opened with. */
export interface TerminalOptions extends CommandStart {
  env: NodeJS.ProcessEnv;
  /** Its processes are known by this mark. */
  mark: string;
  /** The call that opens it. */
  trace: ToolCall;
  /** The command has ended, and the leader of its session is about to: what is left of it is to be remembered now. */
  beforeRelease: (leader: number) => Promise<void>;
}

/** A running command, or what is left of one that ended. */
export class Terminal {
  readonly sessionId: number;
  /** The call that opened it. */
  readonly trace: ToolCall;
  readonly #options: TerminalOptions;
  readonly #pty: IPty;
  readonly #reader: EndMarkReader;
  readonly #scrollback = new OutputBuffer(SCROLLBACK_BYTES);
  readonly #started_ms = performance.now();
  readonly #ended: Promise<void>;
  #unread = new OutputBuffer(SCROLLBACK_BYTES);
  #exitCode: number | null = null;
  #leaderLives = true;
  #ending: Promise<void> | null = null;
  #resolveEnded: () => void = () => {};

  /** Starts the command. @throws where the system has no terminal or process to give */
  constructor(options: TerminalOptions) {
    const token = randomUUID();
    this.sessionId = options.sessionId;
    this.trace = options.trace;
    this.#options = options;
    this.#reader = new EndMarkReader(token);
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#pty = spawn('/bin/sh', markedCommand(token, options.command), {
      name: 'dumb',
      cols: COLUMNS,
      rows: ROWS,
      cwd: options.cwd,
      env: markedEnvironment(options.env, options.mark),
    });
    this.#pty.onData((chunk) => this.#print(chunk));
    this.#pty.onExit(({ exitCode, signal }) => {
      this.#leaderLives = false;
      // Only where the shell around the command was killed, or could not print any more.
      this.#end(this.#reader.rest(), signal === undefined || signal === 0 ? exitCode : 128 + signal);
    });
    options.trace.runtimeStarted(() => commandBegin(options));
  }

  /** The exit code, by the convention of shells 128 and the number of the signal that ended it; null while it runs. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** What was printed since the last call, at most so much of it. */
  takeOutput(max_tokens: number): Excerpt {
    const excerpt = this.#unread.excerpt(max_tokens);
    this.#unread = new OutputBuffer(SCROLLBACK_BYTES);
    return excerpt;
  }

  /** Types into the terminal. False where the command has ended. */
  write(chars: string): boolean {
    if (this.#exitCode !== null) return false;
    if (chars !== '') this.#pty.write(chars);
    return true;
  }

  /** Waits until the command ends, the time is over or the signal is aborted. */
  async wait(time_ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    let interrupt = (): void => {};
    const interrupted = new Promise<void>((resolve) => {
      interrupt = resolve;
    });
    const timer = setTimeout(interrupt, time_ms);
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      await Promise.race([this.#ended, interrupted]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupt);
    }
  }

  /** The leader of its session, while it lives. */
  get leader(): number | null {
    return this.#leaderLives ? this.#pty.pid : null;
  }

  /** Its owner is ending it and everything it started. Resolves when that is done, whether or not it worked. */
  endWith(ending: Promise<void>): Promise<void> {
    this.#ending ??= ending.then(() =>
      // What even SIGKILL does not end hangs in the kernel. Nobody waits for it any longer.
      this.#end(this.#reader.rest(), 128 + constants.signals.SIGKILL),
    );
    return this.#ending;
  }

  #print(chunk: string): void {
    if (this.#exitCode !== null) return;
    const { text, exitCode } = this.#reader.read(chunk);
    if (exitCode === null) {
      this.#keep(text);
      return;
    }
    this.#end(text, exitCode);
    // The shell around the command waits for this.
    void this.#options.beforeRelease(this.#pty.pid).then(() => {
      // Once it is gone, its number may be another's.
      if (this.#leaderLives) this.#pty.kill('SIGKILL');
    });
  }

  #keep(text: string): void {
    this.#scrollback.push(text);
    this.#unread.push(text);
  }

  #end(lastText: string, exitCode: number): void {
    if (this.#exitCode !== null) return;
    this.#keep(lastText);
    this.#exitCode = exitCode;
    const stopped = this.#ending !== null;
    const end = {
      exitCode,
      stopped,
      output: this.#scrollback.excerpt().text,
      duration_ms: performance.now() - this.#started_ms,
    };
    const status = stopped ? 'cancelled' : exitCode === 0 ? 'completed' : 'failed';
    this.trace.runtimeEnded(status, () => commandEnd(this.#options, end));
    this.#resolveEnded();
  }
}
