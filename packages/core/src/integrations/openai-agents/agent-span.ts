/**
 * An agent at work: from its span's start to its end it is one turn of its thread. Thread and turn begin with the first
 * thing that is recorded of it, because only its first request says which conversation goes on.
 */

import type { ExecutionStatus } from '../../format/event.ts';
import { Thread } from '../../recorder/thread.ts';
import type { ToolCall } from '../../recorder/tool.ts';
import type { Turn } from '../../recorder/turn.ts';
import { recordedName } from '../recorded-name.ts';
import { listOf, membersOf, textOrNull } from '../session/json.ts';
import { recordedIdOf } from '../session/told-calls.ts';
import type { CallWatcher, Sighting } from '../session/transcript.ts';
import type { AgentBook, AskedCall } from './agent-book.ts';
import type { AgentRun } from './agent-run.ts';
import type { ToolSpan } from './tool-span.ts';

/** How an agent came to work. */
export type Origin =
  | { type: 'run' }
  /** The agent works for a tool of another one. */
  | { type: 'tool'; tool: ToolSpan }
  /** Another agent handed over to it. */
  | { type: 'handoff'; from: AgentSpan; call: ToolCall | null; asked: AskedCall };

/** One agent at work. */
export class AgentSpan {
  readonly name: string;
  readonly origin: Origin;
  /** The model that answered last. */
  model = '';
  /** What the agent said last. */
  lastText: string | null = null;
  readonly #run: AgentRun;
  #book: AgentBook | null = null;
  #thread: Thread = Thread.disabled;
  #turn: Turn | null = null;
  #ownsTurn = true;
  /** How the last model call ended. */
  #lastCall: 'answered' | 'failed' | 'cancelled' = 'answered';
  /** Tools that run or ran, and of which it is not known which call they are. */
  readonly #untold = new Set<ToolSpan>();

  constructor(run: AgentRun, name: string, origin: Origin) {
    this.#run = run;
    this.name = name;
    this.origin = origin;
  }

  /** The thread of this agent; disabled before anything of it is recorded. */
  get thread(): Thread {
    return this.#thread;
  }

  /** The turn of this agent; null before anything of it is recorded. */
  get turn(): Turn | null {
    return this.#turn;
  }

  /** Whether the agent works in the conversation with the host, and not for a tool. */
  get isInConversation(): boolean {
    return this.origin.type === 'run' || (this.origin.type === 'handoff' && this.origin.from.isInConversation);
  }

  /** The turn of a model call, and who hears how it ends. */
  ask(sighting: Sighting, model: string): { turn: Turn; watcher: CallWatcher } {
    if (model !== '') this.model = model;
    this.#settleUntold();
    const turn = this.#turn ?? this.#begin(sighting);
    const told = this.isInConversation ? (this.#book?.transcript.begin(sighting) ?? null) : null;
    return {
      turn,
      watcher: {
        answered: (responseId, items) => {
          this.#lastCall = 'answered';
          this.answered(items);
          told?.answered(responseId, items);
        },
        gaveUp: (status, responseId) => {
          this.#lastCall = status;
          told?.gaveUp(status, responseId);
        },
      },
    };
  }

  /** The last model call failed, and nothing else is known of it. */
  modelFailed(): void {
    this.#lastCall = 'failed';
  }

  /** The conversation this agent works in has a shorter history now. */
  compacted(items: readonly unknown[]): void {
    if (this.isInConversation) this.#book?.transcript.compacted(items);
  }

  /** What the model said. */
  answered(items: readonly unknown[]): void {
    this.#book?.setAsked(this.#thread, items.flatMap(askedBy));
    this.lastText = lastTextOf(items) ?? this.lastText;
  }

  /** The call of this tool, where the last response asked for it once; it is taken by that. */
  onlyCall(tool: string): AskedCall | null {
    const [first, ...others] = this.#asked().filter(({ name }) => isCalled(name, tool));
    return first === undefined || others.length > 0 ? null : this.#take(first);
  }

  /** The first call of this tool the last response asked for; it is taken by that. */
  firstCall(tool: string): AskedCall | null {
    const first = this.#asked().find(({ name }) => isCalled(name, tool));
    return first === undefined ? null : this.#take(first);
  }

  /** The call the last response asked for, where it is one only; it is taken by that. */
  onlyCallOfAll(): AskedCall | null {
    const [first, ...others] = this.#asked();
    return first === undefined || others.length > 0 ? null : this.#take(first);
  }

  /** The call of this tool with these arguments. Of several that are the same in all, the first. */
  callWith(tool: string, text: string): AskedCall | null {
    const fits = this.#asked().filter((asked) => isCalled(asked.name, tool));
    const found = fits.find((asked) => asked.arguments === text) ?? (fits.length === 1 ? fits[0] : undefined);
    return found === undefined ? null : this.#take(found);
  }

  /** The call with this id; one whose id was used before has a number behind it (`told-calls.ts`). */
  takeCall(callId: string): AskedCall | null {
    const asked = this.#asked();
    const recorded = recordedIdOf(
      callId,
      asked.map((one) => one.callId),
    );
    const found = asked.find((one) => one.callId === recorded);
    return recorded === undefined || found === undefined ? null : this.#take(found);
  }

  /** A tool runs, and which call it is will show later. */
  toolUntold(tool: ToolSpan): void {
    this.#untold.add(tool);
  }

  /** It is known which call the tool is. What ran beside it may be the one that is left. */
  toolTold(tool: ToolSpan): void {
    if (this.#untold.delete(tool)) this.settleLeft(tool.name);
  }

  /** Settles a tool that is over and told nothing of its call, where one tool and one call of that name are left. */
  settleLeft(name: string): void {
    const [tool, ...others] = [...this.#untold].filter((untold) => untold.name === name);
    if (tool === undefined || others.length > 0 || !tool.over) return;
    const call = this.onlyCall(name);
    if (call !== null) tool.settle(call);
  }

  /** Begins to record a tool call. Null where another adapter records it, or nobody does. */
  startToolCall(asked: AskedCall, name: string): ToolCall | null {
    const turn = this.#turn;
    if (turn === null) return null;
    const { callId } = asked;
    if (callId !== null && !this.#run.claims(turn, callId)) return null;
    const isNew = callId === null || this.#book === null || this.#book.isNewCall(callId);
    if (!isNew) {
      const message = `the call id ${callId} was used before in this rollout; the second call of it is recorded without`;
      this.#thread.protocolEvent('warning', { type: 'warning', message });
    }
    return turn.startToolCall({
      name: recordedName(name),
      callId: isNew ? callId : null,
      payload: { type: 'function', arguments: asked.arguments },
    });
  }

  /**
   * The agent is done. A run that the host aborts while a model answers ends as if it had come to its end.
   *
   * @param error why it failed; what a model call says of itself is not said again
   */
  end(told: ExecutionStatus, error: string | null): void {
    this.#settleUntold();
    const status = this.#lastCall === 'cancelled' ? 'cancelled' : told;
    const turn = this.#turn;
    if (turn === null) return;
    if (error !== null && this.#lastCall === 'answered') {
      this.#thread.protocolEvent('error', { type: 'error', message: error });
    }
    if (this.#ownsTurn) turn.end(status);
    if (this.origin.type !== 'tool') return;
    const { tool } = this.origin;
    tool.agentEnded(this, status);
    if (tool.agent.turn !== null && this.lastText !== null) {
      const result = status === 'failed' ? { errored: this.lastText } : { completed: this.lastText };
      this.#thread.agentResult({ turn, parent: tool.agent.thread, message: this.lastText, status: result });
    }
    this.#thread.end(status === 'completed' || status === 'failed' ? status : 'aborted');
  }

  /** The process ends while the agent is at work. */
  abandon(): void {
    this.#settleUntold();
    if (this.#ownsTurn) this.#turn?.end('aborted');
    this.#turn = null;
  }

  #begin(sighting: Sighting): Turn {
    const { origin } = this;
    if (origin.type === 'tool') this.#beginFor(origin.tool);
    else if (origin.type === 'handoff') this.#takeOver(origin.from, origin.call, origin.asked);
    else this.#beginRun(sighting);
    this.#turn ??= this.#thread.startTurn();
    return this.#turn;
  }

  #beginRun(sighting: Sighting): void {
    const { hostTurn } = this.#run;
    const book = this.#run.bookOf(this.name, sighting);
    this.#book = book;
    this.#thread = hostTurn?.thread ?? book.successor(this.name, book.root).thread;
    this.#turn = hostTurn;
    this.#ownsTurn = hostTurn === null;
  }

  #beginFor(tool: ToolSpan): void {
    const book = tool.agent.#book;
    this.#book = book;
    this.#thread = book?.child(this.name, tool.agent.thread) ?? Thread.disabled;
    tool.agentStarted(this);
  }

  #takeOver(from: AgentSpan, call: ToolCall | null, asked: AskedCall): void {
    const book = from.#book;
    this.#book = book;
    if (book === null) return;
    const inConversation = this.isInConversation;
    const { thread, begun } = inConversation
      ? book.successor(this.name, from.thread)
      : { thread: book.child(this.name, from.thread), begun: true };
    this.#thread = thread;
    if (call !== null && asked.callId !== null) this.#run.handedOver(call, asked, from, this, begun);
  }

  /** What is over and fits two calls is recorded as none of them. */
  #settleUntold(): void {
    for (const tool of [...this.#untold]) if (tool.over) tool.settle(null);
  }

  #take(asked: AskedCall): AskedCall {
    const left = this.#asked().filter((other) => other !== asked);
    this.#book?.setAsked(this.#thread, left);
    return asked;
  }

  #asked(): readonly AskedCall[] {
    this.#resume();
    return this.#book?.askedIn(this.#thread) ?? [];
  }

  /** A run that was interrupted for an approval goes on with the tool, before any model is asked. */
  #resume(): void {
    const book = this.#run.book;
    const thread = book?.threadOf(this.name) ?? null;
    if (this.#turn !== null || this.origin.type !== 'run' || book === null || thread === null) return;
    this.#book = book;
    this.#thread = thread;
    this.#ownsTurn = this.#run.hostTurn === null;
    this.#turn = this.#run.hostTurn ?? thread.startTurn();
  }
}

/** Tools of the service's own have another name than the type of their calls. */
function isCalled(name: string, tool: string): boolean {
  return name === tool || name === `${tool}_call`;
}

function askedBy(item: unknown): AskedCall[] {
  const { call_id, name, arguments: text, input } = membersOf(item);
  if (typeof call_id !== 'string' || typeof name !== 'string') return [];
  return [{ callId: call_id, name, arguments: textOrNull(text) ?? textOrNull(input) ?? '' }];
}

function lastTextOf(items: readonly unknown[]): string | null {
  const message = items.filter((item) => membersOf(item).type === 'message').at(-1);
  const texts = listOf(membersOf(message).content).flatMap((part) => {
    const { text } = membersOf(part);
    return typeof text === 'string' ? [text] : [];
  });
  return texts.length === 0 ? null : texts.join('');
}
