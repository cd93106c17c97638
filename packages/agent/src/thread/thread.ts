/**
 * One thread of an agent: the root, or a child that another agent spawned. Owns the history, the mailbox, the toolbox
 * and the children, and lets one turn run at a time.
 *
 * Not here: what happens in a turn (`turn.ts`), which tools there are (`session.ts`).
 */

import { randomUUID } from 'node:crypto';
import type { SessionMetadata, Thread } from '@rollout-trace/core/recorder/node';
import { abortWith } from '../abort-with.ts';
import type { ModelClient } from '../model/client.ts';
import type { AgentMessageItem } from '../model/item.ts';
import type { RecordedItems } from '../model/recorded.ts';
import type { RequestBody, RequestSettings } from '../model/request.ts';
import { ToolDispatcher } from '../tools/dispatch.ts';
import type { AgentListener } from './events.ts';
import { History } from './history.ts';
import { Mailbox } from './mailbox.ts';
import type { Toolbox } from './toolbox.ts';
import { runTurn, type TurnResult } from './turn.ts';

/** What all threads of a session have in common. */
export interface ThreadSettings {
  client: ModelClient;
  recorded: RecordedItems;
  model: string;
  providerName: string;
  instructions: string;
  cwd: string;
  /** Further members of every request. */
  request: RequestBody;
  /** Null: no compaction happens by itself. */
  compactAtTokens: number | null;
  incremental: boolean;
  retryDelays_ms: readonly number[];
  toolGrace_ms: number;
  listener: AgentListener;
  /** Called once for each thread that begins. */
  openToolbox: (thread: AgentThread) => Toolbox;
}

/** How a child is described. */
export interface SpawnOptions {
  /** The last part of its path: lower-case letters, digits and `_`. */
  taskName: string;
  nickname?: string | null;
  agentRole?: string | null;
  /** Instead of the model of its parent. */
  model?: string;
  /** Instead of the instructions of its parent. */
  instructions?: string;
}

/** How a turn is run. */
export interface RunOptions {
  /** Aborted, it cancels the turn. */
  signal?: AbortSignal;
}

/** Status words of the end of a thread. */
export type ThreadEnd = 'completed' | 'failed' | 'aborted';

/** One thread. */
export class AgentThread {
  /** A UUID, also where nothing is recorded. */
  readonly id: string;
  /** `/root`, or `/root/<task>` and so on for a child. */
  readonly path: string;
  /** 0 for the root. */
  readonly depth: number;
  readonly parent: AgentThread | null;
  readonly trace: Thread;
  readonly settings: ThreadSettings;
  readonly history = new History();
  readonly mailbox = new Mailbox();
  readonly dispatcher: ToolDispatcher;
  readonly #toolbox: Toolbox;
  readonly #children: AgentThread[] = [];
  #closing = new AbortController();
  #turn: Promise<unknown> | null = null;
  #closed: Promise<void> | null = null;

  /** Children are made by {@link AgentThread.spawn}. */
  constructor(id: string, path: string, parent: AgentThread | null, trace: Thread, settings: ThreadSettings) {
    this.id = id;
    this.path = path;
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.parent = parent;
    this.trace = trace;
    this.settings = settings;
    this.#toolbox = settings.openToolbox(this);
    this.dispatcher = new ToolDispatcher({
      tools: () => this.#toolbox.tools(),
      recorded: settings.recorded,
      cwd: settings.cwd,
      grace_ms: settings.toolGrace_ms,
      onStart: (call) => {
        const input = call.type === 'function_call' ? call.arguments : call.input;
        const { call_id: callId, name } = call;
        settings.listener({ type: 'tool_started', agentPath: path, callId, name, input: String(input ?? '') });
      },
      onEnd: ({ call_id: callId, name }, status) =>
        settings.listener({ type: 'tool_ended', agentPath: path, callId, name, status }),
    });
    trace.protocolEvent('session_configured', {
      type: 'session_configured',
      session_id: this.root.id,
      thread_id: id,
      ...(parent === null ? {} : { parent_thread_id: parent.id }),
      model: settings.model,
      model_provider_id: settings.providerName,
      cwd: settings.cwd,
    });
  }

  /** The thread the session began with. */
  get root(): AgentThread {
    return this.parent === null ? this : this.parent.root;
  }

  /** Its children, in the order they began. */
  get children(): readonly AgentThread[] {
    return this.#children;
  }

  /** Whether a turn is running. */
  get busy(): boolean {
    return this.#turn !== null;
  }

  /** Whether it takes no more turns. */
  get closed(): boolean {
    return this.#closed !== null;
  }

  /** What is the same in all its requests. */
  get requestSettings(): RequestSettings {
    const { model, instructions, request } = this.settings;
    return {
      model,
      instructions,
      more: request,
      metadata: { agent_path: this.path, thread_id: this.id },
      cacheKey: this.root.id,
    };
  }

  /** The tools the model is told of. */
  tools(): ReturnType<Toolbox['tools']> {
    return this.#toolbox.tools();
  }

  /**
   * Runs a turn to its end. The turn has begun, and stands in the trace, when this returns its promise.
   *
   * @param prompt what the user says; null where the messages in the mailbox are what there is to do
   * @throws where a turn is running already, or the thread is closed
   */
  run(prompt: string | null, { signal }: RunOptions = {}): Promise<TurnResult> {
    return this.#startTurn({ type: 'prompt', prompt }, signal);
  }

  /** Compacts the history, in a turn of its own. @throws as {@link AgentThread.run} */
  compact({ signal }: RunOptions = {}): Promise<TurnResult> {
    return this.#startTurn({ type: 'compaction' }, signal);
  }

  /** Something does not work, and the thread goes on without it. */
  warn(message: string): void {
    this.trace.protocolEvent('warning', { type: 'warning', message });
    this.settings.listener({ type: 'warning', agentPath: this.path, message });
  }

  /** A message of another agent arrives. It is read before the next request of this thread. */
  deliver(message: AgentMessageItem): void {
    this.mailbox.deliver(message);
  }

  /** Begins the thread of a child, with tools of its own. Its first turn is begun by {@link AgentThread.run}. */
  spawn({ taskName, nickname = null, agentRole = null, ...instead }: SpawnOptions): AgentThread {
    if (this.closed) throw new Error(`the thread ${this.path} is closed`);
    const threadId = randomUUID();
    const settings = { ...this.settings, ...instead };
    const metadata: SessionMetadata = { model: settings.model };
    const trace = this.trace.startChild({ threadId, taskName, nickname, agentRole, metadata });
    const child = new AgentThread(threadId, `${this.path}/${taskName}`, this, trace, settings);
    this.#children.push(child);
    return child;
  }

  /** Ends the children, the running turn, what the tools hold, and the thread. May be called again. */
  close(end: ThreadEnd = 'completed'): Promise<void> {
    this.#closed ??= this.#close(end);
    return this.#closed;
  }

  /**
   * Opens a child again that was closed: it has its history and new tools, and its children stay closed.
   *
   * @throws where it is not closed, or its parent is
   */
  async reopen(): Promise<void> {
    if (this.#closed === null) throw new Error(`the thread ${this.path} is open`);
    await this.#closed;
    if (this.parent === null || this.parent.closed) throw new Error(`the parent of the thread ${this.path} is closed`);
    this.#closed = null;
    this.#closing = new AbortController();
    this.#toolbox.reopen();
    this.trace.resume();
  }

  async #close(end: ThreadEnd): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#children].reverse().map((child) => child.close(child.busy ? 'aborted' : end)));
    // Whoever ran the turn has heard of its failure.
    await this.#turn?.catch(() => undefined);
    await this.#toolbox.close();
    this.trace.protocolEvent('shutdown_complete', { type: 'shutdown_complete' });
    this.trace.end(end);
  }

  #startTurn(work: Parameters<typeof runTurn>[1], signal: AbortSignal | undefined): Promise<TurnResult> {
    if (this.closed) throw new Error(`the thread ${this.path} is closed`);
    if (this.#turn !== null) throw new Error(`the thread ${this.path} is in the middle of a turn`);
    const interruption = new AbortController();
    const stopListening = abortWith(interruption, [this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    const done = runTurn(this, work, interruption.signal).finally(() => {
      stopListening();
      this.#turn = null;
    });
    this.#turn = done;
    return done;
  }
}
