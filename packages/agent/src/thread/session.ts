/**
 * A session: one rollout, one root thread, and everything they hold.
 *
 * Owns the defaults and the equipment of threads. Not here: what a thread does (`thread.ts`).
 */

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Rollout, type StartRolloutOptions, startRollout } from '@rollout-trace/core/recorder/node';
import OpenAI from 'openai';
import { type AgentLimits, AgentTree } from '../agents/agent-tree.ts';
import type { TerminalsOptions } from '../exec/terminals.ts';
import { type McpServers, startMcpServers } from '../mcp/mcp-tools.ts';
import type { McpServerOptions } from '../mcp/server.ts';
import { ModelClient } from '../model/client.ts';
import { RecordedItems } from '../model/recorded.ts';
import type { RequestBody } from '../model/request.ts';
import type { Tool } from '../tools/tool.ts';
import { type CodeOptions, openToolbox } from './equipment.ts';
import type { AgentListener } from './events.ts';
import { AgentThread, type RunOptions, type ThreadEnd } from './thread.ts';
import type { TurnResult } from './turn.ts';

/** What an agent works with. */
export interface AgentSessionOptions {
  /** A client of the service; else one is made of `apiKey` and `baseURL`, as the client's own defaults say. */
  client?: OpenAI;
  apiKey?: string;
  baseURL?: string;
  /** How the service is called in the trace; its host where it is left out. */
  providerName?: string;
  model: string;
  /** Further members of every request, such as `{ reasoning: { effort: 'high' } }`. */
  request?: RequestBody;
  instructions?: string;
  /** The folder the agent works in. */
  cwd: string;
  /** Tools of your own, beside those of the runtime. */
  tools?: readonly Tool[];
  /** Servers whose tools the agent has as well. One that does not start is a warning. */
  mcpServers?: readonly McpServerOptions[];
  /** How commands run; false: no command runs. Left out, commands do not see the key of the service. */
  terminals?: TerminalsOptions | false;
  /** Whether the agent may change files with patches; it may where it is left out. */
  patch?: boolean;
  /** How scripts of the model run; false: it writes none. */
  code?: CodeOptions | false;
  /** How far agents may multiply, two deep and eight at a time where it is left out; false: not at all. */
  agents?: Partial<AgentLimits> | false;
  /** The history is compacted when a request had more tokens than this. Left out, only `compact()` does it. */
  compactAtTokens?: number;
  /** Sends only what is new, behind the response before, which the service then has to store. */
  incremental?: boolean;
  /** How the session is recorded; false records nothing. Left out, the environment says. */
  record?: StartRolloutOptions | false;
  /** Hears what happens. */
  onEvent?: AgentListener;
  /** How long to wait before each further attempt at a request that failed. */
  retryDelays_ms?: readonly number[];
  /** How long a stream may say nothing before it counts as lost. */
  streamIdle_ms?: number;
  /** How long a tool may take to end after it was cancelled. */
  toolGrace_ms?: number;
}

const INSTRUCTIONS =
  'You are an agent that works with the tools it is given. Do what the user asks, then say what you did.';
const RETRY_DELAYS_MS: readonly number[] = [500, 1_000, 2_000, 4_000, 8_000];
const STREAM_IDLE_MS = 300_000;
/** Longer than the tools of the runtime need to kill what does not end by itself. */
const TOOL_GRACE_MS = 10_000;
const AGENT_LIMITS: AgentLimits = { depth: 2, agents: 8 };

/** An agent with one root thread. End it with {@link AgentSession.close}. */
export class AgentSession {
  readonly root: AgentThread;
  readonly #rollout: Rollout;
  readonly #starting = new AbortController();
  readonly #servers: Promise<McpServers>;

  constructor(options: AgentSessionOptions) {
    const { model, tools = [], mcpServers = [], record } = options;
    let fromServers: readonly Tool[] = [];
    const cwd = resolve(options.cwd);
    const client = options.client ?? newClient(options);
    const providerName = options.providerName ?? new URL(client.baseURL).host;
    const terminals =
      options.terminals === false
        ? null
        : { ...options.terminals, env: options.terminals?.env ?? commandEnvironment() };
    const agents = options.agents === false ? null : new AgentTree({ ...AGENT_LIMITS, ...options.agents });
    const id = (record === false ? undefined : record?.threadId) ?? randomUUID();
    this.#rollout = startRollout({
      ...(record === false ? { root: null } : record),
      threadId: id,
      metadata: {
        session_source: 'agent',
        cwd,
        model,
        provider_name: providerName,
        // Nobody is asked, and nothing is confined.
        approval_policy: 'never',
        sandbox_policy: 'danger-full-access',
        ...(record === false ? {} : record?.metadata),
      },
    });
    const recorded = new RecordedItems();
    this.root = new AgentThread(id, '/root', null, this.#rollout.root, {
      client: new ModelClient(client, recorded, options.streamIdle_ms ?? STREAM_IDLE_MS),
      recorded,
      model,
      providerName,
      instructions: options.instructions ?? `${INSTRUCTIONS} Your working folder is ${cwd}.`,
      cwd,
      request: options.request ?? {},
      compactAtTokens: options.compactAtTokens ?? null,
      incremental: options.incremental ?? false,
      retryDelays_ms: options.retryDelays_ms ?? RETRY_DELAYS_MS,
      toolGrace_ms: options.toolGrace_ms ?? TOOL_GRACE_MS,
      listener: guarded(options.onEvent),
      openToolbox: (thread) =>
        openToolbox(thread, {
          terminals,
          patch: options.patch ?? true,
          code: options.code === false ? null : (options.code ?? {}),
          agents,
          shared: () => [...fromServers, ...tools],
        }),
    });
    this.#servers = startMcpServers(mcpServers, this.#starting.signal);
    void this.#servers.then(({ tools: listed, failures }) => {
      // Ended before they had started: nothing was asked of them, and nobody is left to be told.
      if (this.#starting.signal.aborted) return;
      fromServers = listed;
      for (const failure of failures) this.root.warn(failure);
    });
  }

  /** Where the trace is written; empty where nothing is recorded. */
  get location(): string {
    return this.#rollout.location;
  }

  /** Runs one turn of the root thread, once the MCP servers are there. @throws as `AgentThread.run` */
  async run(prompt: string, options: RunOptions = {}): Promise<TurnResult> {
    await this.#equipped(options.signal);
    return this.root.run(prompt, options);
  }

  /** Compacts the history of the root thread now. */
  async compact(options: RunOptions = {}): Promise<TurnResult> {
    await this.#equipped(options.signal);
    return this.root.compact(options);
  }

  /**
   * Ends the session and all it holds: turns, children, processes, scripts, servers. The recording is complete then.
   * May be called again. @param end left out, `aborted` where a turn is running, else `completed`
   */
  async close(end?: ThreadEnd): Promise<void> {
    this.#starting.abort();
    await this.root.close(end ?? (this.root.busy ? 'aborted' : 'completed'));
    await (await this.#servers).close();
  }

  /** A turn that is cancelled meanwhile does not wait for servers that take their time. */
  async #equipped(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return;
    let stop: () => void = () => undefined;
    const cancelled = new Promise<void>((resolve) => {
      stop = resolve;
    });
    signal?.addEventListener('abort', stop);
    await Promise.race([this.#servers, cancelled]);
    signal?.removeEventListener('abort', stop);
  }
}

/** Commands are the model's, and must not find what the client of the service keeps secret. */
function commandEnvironment(): NodeJS.ProcessEnv {
  const { OPENAI_API_KEY: _key, OPENAI_ADMIN_KEY: _adminKey, OPENAI_WEBHOOK_SECRET: _secret, ...rest } = process.env;
  return rest;
}

/** An error of the host's own code is thrown where the host hears of it, not into a turn. */
function guarded(listener: AgentListener | undefined): AgentListener {
  if (listener === undefined) return () => undefined;
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

function newClient({ apiKey, baseURL }: AgentSessionOptions): OpenAI {
  return new OpenAI({
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(baseURL === undefined ? {} : { baseURL }),
  });
}
