/**
 * One trace of the SDK: usually one run. It belongs to the turn the host works for, else to the conversation it goes on
 * with, else it begins one.
 */

import type { ToolCall } from '../../recorder/tool.ts';
import type { Turn } from '../../recorder/turn.ts';
import type { TraceSession } from '../session/session.ts';
import type { Sighting } from '../session/transcript.ts';
import { AgentBook, type AskedCall } from './agent-book.ts';
import type { AgentSpan, Origin } from './agent-span.ts';
import { agentEnded, agentStarted } from './spawn.ts';
import type { ToolSpan } from './tool-span.ts';

/** The name under which calls are claimed. */
export const OWNER = 'openai-agents';

/** A handoff whose successor has not begun to work. */
interface PendingHandoff {
  to: string;
  from: AgentSpan;
  call: ToolCall | null;
  asked: AskedCall;
}

/** Finds the conversation a run goes on with, or begins it. */
export type BookFinder = (rootAgent: string, sighting: Sighting, group: string | null) => AgentBook;

/** One trace of the SDK. */
export class AgentRun {
  readonly hostTurn: Turn | null;
  readonly #session: TraceSession;
  readonly #find: BookFinder;
  readonly #group: string | null;
  readonly #handoffs = new Map<AgentRun | ToolSpan, PendingHandoff>();
  #book: AgentBook | null = null;
  #current: AgentSpan | null = null;

  constructor(session: TraceSession, find: BookFinder, hostTurn: Turn | null, group: string | null) {
    this.#session = session;
    this.#find = find;
    this.hostTurn = hostTurn;
    this.#group = group;
  }

  /** The conversation; null before anything is recorded. */
  get book(): AgentBook | null {
    return this.#book;
  }

  /** The agent that works in the conversation with the host, or did last. */
  get current(): AgentSpan | null {
    return this.#current;
  }

  /** How an agent that begins to work came to it. */
  originOf(name: string, tool: ToolSpan | null): Origin {
    const scope = tool ?? this;
    const pending = this.#handoffs.get(scope);
    if (pending?.to === name) {
      this.#handoffs.delete(scope);
      return { type: 'handoff', from: pending.from, call: pending.call, asked: pending.asked };
    }
    return tool === null ? { type: 'run' } : { type: 'tool', tool };
  }

  /** An agent begins to work. */
  began(agent: AgentSpan): void {
    if (agent.isInConversation) this.#current = agent;
  }

  /** The conversation of this run. */
  bookOf(rootAgent: string, sighting: Sighting): AgentBook {
    if (this.#book === null) {
      this.#book =
        this.hostTurn === null
          ? this.#find(rootAgent, sighting, this.#group)
          : new AgentBook(null, this.hostTurn.thread, rootAgent);
      this.#book.running++;
    }
    return this.#book;
  }

  /** Whether this adapter records the call. */
  claims(turn: Turn, callId: string): boolean {
    return this.#session.claim('tool_call', `${turn.id} ${callId}`, OWNER);
  }

  /** An agent handed over to another one, which has not begun yet. */
  handoff(from: AgentSpan, to: string, tool: ToolSpan | null): void {
    const name = `transfer_to_${to.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
    // Of several handoffs in one response, the SDK makes the first and drops the others.
    const asked = from.firstCall(name) ?? from.onlyCallOfAll() ?? { callId: null, name, arguments: '' };
    const call = from.startToolCall(asked, asked.name);
    call?.end('completed');
    this.#handoffs.set(tool ?? this, { to, from, call, asked });
  }

  /** The agent that was handed over to has a thread now. */
  handedOver(call: ToolCall, asked: AskedCall, from: AgentSpan, to: AgentSpan, begun: boolean): void {
    const callId = asked.callId ?? call.id;
    // Back to an agent that has a thread: nothing is begun, and no edge can be told of it.
    if (!begun) return;
    agentStarted(call, callId, from.thread, to.thread, asked.arguments);
    const spawn = { sender: from.thread, child: to.thread, prompt: asked.arguments, model: from.model };
    agentEnded(call, callId, spawn, 'completed', null);
  }

  /** The trace is over. */
  end(): void {
    if (this.#book !== null) this.#book.running--;
    this.#handoffs.clear();
  }
}
