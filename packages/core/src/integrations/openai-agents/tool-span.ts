/**
 * A tool that an agent runs: a span of the SDK without a call id. Which call it is, the hooks of a runner say; else the
 * response that asked for it, where it asked for the tool only once; else the arguments, which the span has soon after
 * it started. A call that the SDK refuses to run has no hook and perhaps no arguments: the error names it, or it is the one
 * that is left. What still fits two calls, when something in it asks or the model is asked again, is recorded without a
 * call id.
 */

import type { ExecutionStatus } from '../../format/event.ts';
import { currentTrace, enterTrace, enterUntoldCall } from '../../node/recorder/current-trace.ts';
import { ToolCall } from '../../recorder/tool.ts';
import { isMembers, type Members, membersOf, textOrNull } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import type { AskedCall } from './agent-book.ts';
import type { AgentSpan } from './agent-span.ts';
import { agentEnded, agentStarted } from './spawn.ts';

/** What the span of a tool says. */
export interface ToolSpanData {
  name: string;
  input?: unknown;
  output?: unknown;
  mcp_data?: unknown;
}

/** How the SDK names a call that the host did not approve. */
const REJECTED = /^Tool execution for (.+) was manually rejected by user\.$/;

/** One tool that runs. */
export class ToolSpan {
  readonly agent: AgentSpan;
  readonly #data: ToolSpanData;
  #call: ToolCall | null = null;
  #callId: string | null = null;
  #settled = false;
  #result: string | null = null;
  #end: { error: Members | null } | null = null;
  /** Agents that work for this tool, and what is to be told of them once the call is known. */
  readonly #told: ((call: ToolCall, callId: string) => void)[] = [];

  /** @param hooked whether a hook will name the call */
  constructor(agent: AgentSpan, data: ToolSpanData, hooked: boolean) {
    this.agent = agent;
    this.#data = data;
    const only = agent.onlyCall(data.name);
    if (only !== null) this.settle(only);
    else {
      agent.toolUntold(this);
      // What the tool does is not that of the tool before.
      if (agent.turn !== null) enterUntoldCall(agent.turn, () => this.#asked());
      // The arguments follow the start of the span at once.
      if (!hooked) queueMicrotask(() => quietly(undefined, () => this.#settleByArguments()));
    }
  }

  get name(): string {
    return this.#data.name;
  }

  /** Whether the tool is over. */
  get over(): boolean {
    return this.#end !== null;
  }

  /** A hook names the call. */
  named(toolCall: Members): void {
    const callId = textOrNull(toolCall.callId);
    if (callId === null || this.#settled) return;
    this.settle(
      this.agent.takeCall(callId) ?? { callId, name: this.#data.name, arguments: argumentsOf(toolCall, this.#data) },
    );
  }

  /** A hook tells the result. */
  returned(result: string): void {
    this.#result = result;
  }

  /** Whether the running code works for a tool call that another adapter records, or the host, within this one. */
  isBehindCurrent(): boolean {
    const { toolCall } = currentTrace();
    return this.#call !== null && toolCall.recording && toolCall !== this.#call;
  }

  /** Runs once the call is known; never where another adapter records it. */
  whenKnown(tell: (call: ToolCall, callId: string) => void): void {
    if (this.#call !== null && this.#callId !== null) tell(this.#call, this.#callId);
    else if (!this.#settled) this.#told.push(tell);
  }

  /** The tool is over. */
  end(error: Members | null): void {
    this.#end = { error };
    if (this.#settled) this.#finish(error);
    else {
      this.#settleByError(error);
      this.#settleByArguments();
      if (!this.#settled) this.agent.settleLeft(this.name);
    }
  }

  /** Records how it ended. */
  #finish(error: Members | null): void {
    const { output, mcp_data } = this.#data;
    const call = this.#call;
    if (call === null) return;
    const server = membersOf(mcp_data).server;
    const status = statusOf(error);
    // Whoever observes the transport has seen the requests themselves, and more of them.
    if (typeof server === 'string' && call.kind.type !== 'mcp') {
      const kind = { type: 'mcp', server, tool: this.#data.name } as const;
      call.runtimeStarted({ call_id: call.id, server, tool: this.#data.name, told_by: 'openai-agents' }, kind);
      call.runtimeEnded(status, { call_id: call.id, server, tool: this.#data.name, told_by: 'openai-agents' });
    }
    const text = textOrNull(output) ?? this.#result;
    if (text !== null) {
      const callId = this.#callId === null ? {} : { call_id: this.#callId };
      call.respond({ type: 'function_call_output', ...callId, output: text }, status);
    } else if (error !== null) call.fail(errorText(error), status);
    else call.end(status);
  }

  /** Something that the tool does wants to know its call, which a hook would have named by now. */
  #asked(): ToolCall {
    quietly(undefined, () => this.#settleNow());
    return this.#call ?? ToolCall.disabled;
  }

  #settleNow(): void {
    this.#settleByArguments();
    if (!this.#settled) this.settle(null);
  }

  #settleByError(error: Members | null): void {
    const callId = REJECTED.exec(String(membersOf(error?.data).error))?.[1];
    if (callId === undefined) return;
    const { name, input } = this.#data;
    this.settle(this.agent.takeCall(callId) ?? { callId, name, arguments: textOrNull(input) ?? '' });
  }

  #settleByArguments(): void {
    const text = textOrNull(this.#data.input);
    if (this.#settled || text === null) return;
    const found = this.agent.callWith(this.#data.name, text);
    if (found !== null) this.settle(found);
  }

  /** This is the call; null where it cannot be told which it is. */
  settle(call: AskedCall | null): void {
    const { name, input } = this.#data;
    const asked = call ?? { callId: null, name, arguments: textOrNull(input) ?? '' };
    this.#settled = true;
    this.#begin(asked);
    this.agent.toolTold(this);
    if (this.#end !== null) this.#finish(this.#end.error);
  }

  #begin(asked: AskedCall): void {
    const call = this.agent.startToolCall(asked, this.name);
    if (call === null) return;
    this.#call = call;
    this.#callId = asked.callId;
    // Once it is over, the running code is no longer its own.
    if (this.#end === null) enterTrace(call);
    if (asked.callId !== null) for (const tell of this.#told) tell(call, asked.callId);
    this.#told.length = 0;
  }

  /** An agent works for this tool. */
  agentStarted(child: AgentSpan): void {
    this.whenKnown((call, callId) => agentStarted(call, callId, this.agent.thread, child.thread, this.prompt));
  }

  /** An agent that worked for this tool is done. */
  agentEnded(child: AgentSpan, status: ExecutionStatus): void {
    const { model, lastText } = child;
    const spawn = { sender: this.agent.thread, child: child.thread, prompt: this.prompt, model };
    this.whenKnown((call, callId) => agentEnded(call, callId, spawn, status, lastText));
  }

  /** What the agent that works for this tool is asked. */
  get prompt(): string {
    const text = textOrNull(this.#data.input) ?? '';
    const asked = parsed(text);
    return isMembers(asked) && typeof asked.input === 'string' ? asked.input : text;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function argumentsOf(toolCall: Members, data: ToolSpanData): string {
  return (
    textOrNull(toolCall.arguments) ??
    textOrNull(data.input) ??
    JSON.stringify(toolCall.action ?? toolCall.operation ?? {})
  );
}

/** How a span ended. An abort is told as an error of that name. */
export function statusOf(error: Members | null): ExecutionStatus {
  if (error === null) return 'completed';
  const { error: thrown } = membersOf(error.data);
  return typeof thrown === 'string' && thrown.startsWith('AbortError') ? 'cancelled' : 'failed';
}

/** What the error of a span says. */
export function errorText({ message, data }: Members): string {
  const { error } = membersOf(data);
  const text = textOrNull(message) ?? 'the tool failed';
  return typeof error === 'string' ? `${text}: ${error}` : text;
}
