/**
 * The process of an MCP server, as the transport of a client: messages as lines on its standard streams.
 *
 * It stands in a process group of its own, because many servers are started through a wrapper such as `npx`: whoever
 * ends only the wrapper leaves the server behind. What leaves the group is known by a mark in its environment. Not here:
 * what the messages say (`server.ts`).
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client';
import { endFamily, type KnownProcesses, MARK_VARIABLE, markedEnvironment, sessionMembers } from '../exec/processes.ts';

/** How a server is started. */
export interface StdioCommand {
  command: string;
  args?: readonly string[];
  /** Added to the environment that the server inherits: see {@link INHERITED}. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

/** A server is not one of ours: of the environment it gets what a program needs to run, and no keys. */
const INHERITED = [
  ...['HOME', 'LANG', 'LC_ALL', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'TMPDIR', 'TZ', 'USER'],
  MARK_VARIABLE,
  ...['APPDATA', 'COMSPEC', 'LOCALAPPDATA', 'PATHEXT', 'PROGRAMFILES', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERPROFILE'],
];
/** One message. More than the images that a model is given of a result: others are at least named. */
const MESSAGE_BYTES = 32 * 1024 * 1024;
/** Of what a server writes to stderr only the end is kept. */
const STDERR_BYTES = 8 * 1024;
/** Between closing its standard input and SIGTERM, and between SIGTERM and SIGKILL. */
const GRACE_MS = 1000;
/** How long output may still arrive after the process has ended, where others hold its streams open. */
const DRAIN_MS = 250;

const GROUPS = process.platform !== 'win32';

/** One run of a server's process. */
export class StdioProcess implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;

  readonly #command: StdioCommand;
  readonly #mark = randomUUID();
  /** Gets whole lines: with every piece of a long one it would copy all that came before. */
  readonly #buffer = new ReadBuffer({ maxBufferSize: Number.POSITIVE_INFINITY });
  #line: Buffer[] = [];
  #line_bytes = 0;
  #child: ChildProcessWithoutNullStreams | null = null;
  #stderr = Buffer.alloc(0);
  #ended: Promise<void> = Promise.resolve();
  #end: string | null = null;

  constructor(command: StdioCommand) {
    this.#command = command;
  }

  /** Null while it can be used or has not begun; else why not: `exited with code 1`, with the last words on stderr. */
  get end(): string | null {
    if (this.#end === null) return null;
    const words = this.#stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
    return words === '' ? this.#end : `${this.#end}; its last words were: ${words}`;
  }

  /** @throws where there is no such command, or it may not be run */
  async start(): Promise<void> {
    const { command, args = [], env, cwd } = this.#command;
    const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
    const child = spawn(command, args, {
      cwd,
      env: markedEnvironment({ ...Object.fromEntries(inherited), ...env }, this.#mark),
      stdio: 'pipe',
      detached: GROUPS,
      windowsHide: true,
    });
    this.#child = child;
    let drained: NodeJS.Timeout | undefined;
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        clearTimeout(drained);
        resolve();
        this.onclose?.();
      });
    });
    child.once('exit', (code, signal) => {
      this.#end ??= code === null ? `was ended by ${signal}` : `exited with code ${code}`;
      // What it started and left behind goes with it.
      this.#signal('SIGKILL');
      drained = setTimeout(() => destroyStreams(child), DRAIN_MS);
    });
    child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_BYTES);
    });
    // A write to a process that has just ended fails; its end is told by `close`.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        this.#end ??= `could not be started (${error.message})`;
        reject(error);
      });
    });
  }

  /** @throws where the server takes no input any more; then it has ended, and `end` says how */
  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    const failure = await new Promise<Error | null>((resolve) => {
      if (stdin?.writable !== true) resolve(new Error('the server takes no more input'));
      else stdin.write(serializeMessage(message), (error) => resolve(error ?? null));
    });
    if (failure === null) return;
    await this.#ended;
    throw failure;
  }

  /** Ends the process: asks by closing its standard input, then by SIGTERM, and then does not ask; and all it started. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const members = await sessionMembers(child.pid);
    // Its number is its own, and so is its session, as long as its end has not been seen.
    const known: KnownProcesses = isRunning(child) ? members : new Map();
    await this.#endProcess(child);
    const family = {
      leaders: () => new Set<number>(),
      hasMark: (mark: string) => mark === this.#mark,
      known: () => known,
    };
    await endFamily(family, GRACE_MS);
  }

  async #endProcess(child: ChildProcessWithoutNullStreams): Promise<void> {
    child.stdin.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await settledWithin(this.#ended, GRACE_MS)) return;
      this.#signal(signal);
    }
    await this.#ended;
  }

  #receive(chunk: Buffer): void {
    this.#line.push(chunk);
    this.#line_bytes += chunk.length;
    if (this.#line_bytes > MESSAGE_BYTES) {
      const error = new Error(`more than ${MESSAGE_BYTES} bytes`);
      this.#line = [];
      this.#line_bytes = 0;
      // What follows cannot be told apart any more.
      this.#end ??= `wrote a message that is too long (${error.message})`;
      this.onerror?.(error);
      void this.close();
      return;
    }
    const behind = chunk.lastIndexOf('\n') + 1;
    if (behind === 0) return;
    const lines = Buffer.concat(this.#line);
    this.#line_bytes = chunk.length - behind;
    this.#line = [chunk.subarray(behind)];
    this.#buffer.append(lines.subarray(0, lines.length - this.#line_bytes));
    for (;;) {
      try {
        const message = this.#buffer.readMessage();
        if (message === null) return;
        this.onmessage?.(message);
      } catch (error) {
        // A line that is no message is the server's mistake; the next one may be fine.
        this.onerror?.(asError(error));
      }
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      if (GROUPS) process.kill(-pid, signal);
      else this.#child?.kill(signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}

function isRunning({ exitCode, signalCode }: ChildProcessWithoutNullStreams): boolean {
  return exitCode === null && signalCode === null;
}

function destroyStreams(child: ChildProcessWithoutNullStreams): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}

async function settledWithin(done: Promise<void>, time_ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), time_ms);
  });
  try {
    return await Promise.race([done.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
