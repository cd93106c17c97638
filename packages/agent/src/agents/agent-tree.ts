/**
 * The agents of a session: who was spawned by whom, what each is doing, and what passes between them.
 *
 * An agent works on a task in a turn of its own, while the others go on. When the turn is over, its result goes to the
 * agent that spawned it, whatever that one is doing then. Not here: what a thread is (`thread`), and the tools the model
 * does all this with (`agent-tools.ts`).
 */

import type { AgentStatus } from '@rollout-trace/core/recorder/node';
import { type AgentMessageItem, agentMessage } from '../model/item.ts';
import type { AgentThread } from '../thread/thread.ts';
import { ToolError } from '../tools/tool.ts';
import { agentPathOf, checkTaskName, isBelow } from './agent-path.ts';
import { resultMessage, statusAfter } from './agent-result.ts';

/** How far agents may multiply. */
export interface AgentLimits {
  /** 0: the root alone, 1: its children, and so on. */
  depth: number;
  /** How many there may be at a time beside the root, whether they work or not. */
  agents: number;
}

/** The task of a new agent, and how it is described. */
export interface AgentSeed {
  taskName: string;
  message: string;
  nickname: string | null;
  agentRole: string | null;
  /** Null: that of the agent that spawns it. */
  model: string | null;
}

/** One agent as others see it. */
export interface AgentEntry {
  agent_name: string;
  agent_status: AgentStatus;
}

interface Agent {
  readonly thread: AgentThread;
  status: AgentStatus;
  /** The newest task it was given. */
  task: AgentMessageItem | null;
  /** The turn it works in; null while it works on nothing. */
  work: { stop: AbortController; over: Promise<void> } | null;
}

/** All agents of one session. */
export class AgentTree {
  readonly #limits: AgentLimits;
  readonly #agents = new Map<string, Agent>();
  readonly #listeners = new Set<(thread: AgentThread) => void>();

  constructor(limits: AgentLimits) {
    this.#limits = limits;
  }

  /** A thread takes part: the root. Those that are spawned do by themselves. */
  join(thread: AgentThread): void {
    if (this.#agents.has(thread.path)) return;
    this.#agents.set(thread.path, { thread, status: 'pending_init', task: null, work: null });
  }

  /** Whether the agent may have children. */
  maySpawn(thread: AgentThread): boolean {
    return thread.depth < this.#limits.depth;
  }

  /** Begins an agent, and its first turn. @throws {ToolError} where the name is no name or taken, or a limit is met */
  spawn(parent: AgentThread, { taskName, message, ...seed }: AgentSeed): AgentThread {
    checkTaskName(taskName);
    const { depth } = this.#limits;
    if (!this.maySpawn(parent)) throw new ToolError(`agents may not be nested deeper than ${depth}`);
    const path = agentPathOf(taskName, parent.path);
    if (this.#agents.has(path))
      throw new ToolError(
        `there is or was an agent ${path}; choose another task_name, or open it again with resume_agent`,
      );
    this.#makeRoom();
    const { nickname, agentRole, model } = seed;
    const thread = parent.spawn({
      taskName,
      nickname,
      agentRole,
      ...(model === null ? {} : { model }),
      instructions: instructionsOf(path, parent, agentRole),
    });
    this.join(thread);
    this.#assign(this.#agent(thread.path), parent.path, message);
    return thread;
  }

  /** An agent tells another something. That one reads it when it works, now or later. @throws {ToolError} */
  send(from: AgentThread, target: string, text: string): AgentThread {
    const agent = this.#other(from, target);
    agent.thread.deliver(mail(from.path, agent.thread.path, text));
    return agent.thread;
  }

  /** An agent gives another a task: at once where that one works on nothing, else as its next. @throws {ToolError} */
  assign(from: AgentThread, target: string, text: string): AgentThread {
    const agent = this.#other(from, target);
    if (agent.thread.depth === 0)
      throw new ToolError('the root agent takes its tasks from the user; send it a message');
    this.#assign(agent, from.path, text);
    return agent.thread;
  }

  /** Ends the turn of an agent below, which may then be given another task. @throws {ToolError} */
  async interrupt(from: AgentThread, target: string): Promise<{ thread: AgentThread; before: AgentStatus }> {
    const agent = this.#below(from, target);
    const before = agent.status;
    agent.task = null;
    agent.work?.stop.abort();
    await agent.work?.over;
    return { thread: agent.thread, before };
  }

  /** Ends an agent below: its turn, its children, and everything its tools hold. @throws {ToolError} */
  async close(from: AgentThread, target: string): Promise<{ thread: AgentThread; before: AgentStatus }> {
    const agent = this.#below(from, target);
    const before = agent.status;
    await agent.thread.close(agent.thread.busy ? 'aborted' : 'completed');
    this.#stopped(agent);
    return { thread: agent.thread, before };
  }

  /** Opens an agent below again that was closed; it works on nothing yet. @throws {ToolError} also where a limit is met */
  async resume(from: AgentThread, target: string): Promise<AgentThread> {
    const path = agentPathOf(target, from.path);
    const agent = this.#agents.get(path);
    if (agent === undefined || !isBelow(path, from.path)) throw new ToolError(`no agent of yours is ${path}`);
    const { thread } = agent;
    if (!thread.closed) throw new ToolError(`agent ${path} is not closed`);
    if (thread.parent?.closed === true) throw new ToolError(`open ${thread.parent.path} first, which spawned ${path}`);
    this.#makeRoom();
    await agent.work?.over;
    await thread.reopen();
    agent.status = 'pending_init';
    agent.task = null;
    return thread;
  }

  /** The agents that can be spoken to, at or below a path where one is given. */
  list(below: string | null): AgentEntry[] {
    return [...this.#agents.values()]
      .filter(({ thread }) => !thread.closed)
      .filter(({ thread: { path } }) => below === null || path === below || isBelow(path, below))
      .map((agent) => ({ agent_name: agent.thread.path, agent_status: this.#statusOf(agent) }));
  }

  /** Whether anybody works who might send the agent a message. */
  anyoneElseWorks(thread: AgentThread): boolean {
    return [...this.#agents.values()].some(
      (agent) => agent.thread !== thread && (agent.thread.busy || agent.work !== null),
    );
  }

  /** Tells of every agent that has stopped working. @returns what ends that */
  onStop(listener: (thread: AgentThread) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #makeRoom(): void {
    const { agents } = this.#limits;
    const live = [...this.#agents.values()].filter(({ thread }) => thread.depth > 0 && !thread.closed);
    if (live.length >= agents)
      throw new ToolError(`the limit of agents at a time is ${agents}; close one that is done`);
  }

  #assign(agent: Agent, author: string, text: string): void {
    const task = mail(author, agent.thread.path, text);
    agent.task = task;
    agent.thread.deliver(task);
    // Where somebody else runs a turn of the agent, that turn reads it.
    if (agent.work === null && !agent.thread.busy) void this.#work(agent);
  }

  /** Turn after turn, until every task that came meanwhile has been read. */
  async #work(agent: Agent): Promise<void> {
    const { thread } = agent;
    do {
      const stop = new AbortController();
      const over = this.#turn(agent, stop.signal);
      agent.work = { stop, over };
      await over;
    } while (agent.task !== null && !thread.closed && thread.mailbox.unread.includes(agent.task));
    agent.work = null;
    this.#stopped(agent);
  }

  async #turn(agent: Agent, signal: AbortSignal): Promise<void> {
    const { thread } = agent;
    agent.status = 'running';
    try {
      const result = await thread.run(null, { signal });
      agent.status = statusAfter(result);
      const message = resultMessage(thread.path, agent.status);
      const { parent } = thread;
      if (message === null || parent === null) return;
      thread.trace.agentResult({ turn: result.trace, parent: parent.trace, message, status: agent.status });
      this.#deliver(thread, parent, message);
    } catch (error) {
      // Nothing of a turn is thrown but mistakes of this program; whoever waits for the agent must hear of it.
      agent.task = null;
      agent.status = { errored: error instanceof Error ? error.message : String(error) };
      const message = resultMessage(thread.path, agent.status);
      if (message !== null && thread.parent !== null) this.#deliver(thread, thread.parent, message);
    }
  }

  #deliver(from: AgentThread, to: AgentThread, text: string): void {
    if (!to.closed) to.deliver(mail(from.path, to.path, text));
  }

  #stopped({ thread }: Agent): void {
    for (const listener of this.#listeners) listener(thread);
  }

  #statusOf({ thread, status }: Agent): AgentStatus {
    if (thread.closed) return 'shutdown';
    // The turns of the root are run by somebody else.
    if (thread.busy) return 'running';
    return thread.depth === 0 ? { completed: null } : status;
  }

  #agent(path: string): Agent {
    const agent = this.#agents.get(path);
    if (agent !== undefined && !agent.thread.closed) return agent;
    if (agent !== undefined) throw new ToolError(`agent ${path} was closed; resume_agent opens it again`);
    const known = this.list(null).map(({ agent_name }) => agent_name);
    throw new ToolError(`there is no agent ${path}; there are ${known.join(', ')}`);
  }

  #other(from: AgentThread, target: string): Agent {
    const agent = this.#agent(agentPathOf(target, from.path));
    if (agent.thread === from) throw new ToolError('target must be another agent');
    return agent;
  }

  #below(from: AgentThread, target: string): Agent {
    const agent = this.#other(from, target);
    if (isBelow(agent.thread.path, from.path)) return agent;
    throw new ToolError(`agent ${agent.thread.path} was not spawned by you or an agent of yours`);
  }
}

/** A message in the form that readers of traces compare with the call that sent it: its text is the whole content. */
function mail(author: string, recipient: string, text: string): AgentMessageItem {
  return agentMessage({ author, recipient, content: [{ type: 'input_text', text }] });
}

function instructionsOf(path: string, parent: AgentThread, agentRole: string | null): string {
  const role = agentRole === null ? '' : ` in the role ${agentRole}`;
  return [
    parent.root.settings.instructions,
    `You are the agent ${path}${role}. Your tasks come as messages of other agents.`,
    `The last message of each of your turns is given to ${parent.path} as the result.`,
  ].join('\n\n');
}
