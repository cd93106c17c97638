/**
 * Where a run of the AI SDK is recorded. One that a tool calls is the work of a child agent; one that the host runs
 * within a turn belongs to that turn; one for a thread is a turn of it; any other is a turn of a conversation, which
 * goes on with the run whose messages it repeats.
 */

import { currentTrace } from '../../node/recorder/current-trace.ts';
import type { Rollout } from '../../recorder/rollout.ts';
import type { Thread } from '../../recorder/thread.ts';
import type { ToolCall } from '../../recorder/tool.ts';
import type { Turn } from '../../recorder/turn.ts';
import { commonLength, withoutReasoning } from '../session/history.ts';
import type { TraceSession } from '../session/session.ts';

/** The name under which calls are claimed. */
export const OWNER = 'ai-sdk';

/** How a run ended; aborted where the recording ended before it. */
export type RunStatus = 'completed' | 'failed' | 'cancelled' | 'aborted';

/** What is known of a run when it begins. */
export interface RunBeginning {
  model: string;
  providerName: string;
  /** What the host calls the run, if it does (`telemetry.functionId`). */
  name: string | null;
  /** What the run begins with, as items of the format; asked where it matters. */
  input: () => readonly unknown[];
}

/** Where a run is recorded. */
export interface RunPlace {
  turn: Turn;
  /** Whether it is in a rollout that was begun here, and ends with the session. */
  isOwn: boolean;
  /** The ids of calls that stand in the rollout, as far as it is known. */
  callIds: Set<string>;
  /** `history` is everything the run was sent and answered. */
  end(status: RunStatus, history: () => readonly unknown[]): void;
}

/** An open rollout holds a file. The conversation that was heard of least lately ends when there are more. */
const OPEN_CONVERSATIONS = 100;
const UNJOINED = 'the call that began this agent: edges are drawn between threads whose ids are UUIDs only';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Conversation {
  rollout: Rollout;
  /** Without reasoning; null while a run is under way. */
  history: readonly unknown[] | null;
}

/** Finds the places of runs. */
export class RunPlaces {
  readonly #session: TraceSession;
  readonly #conversations = new Set<Conversation>();
  /** Those of rollouts that were begun here. */
  readonly #own = new WeakSet<Thread>();
  /** The ids of calls, which the threads of a rollout share. */
  readonly #callIds = new WeakMap<Thread, Set<string>>();
  /** How many children of a thread have a name. */
  readonly #children = new WeakMap<Thread, Map<string, number>>();

  constructor(session: TraceSession) {
    this.#session = session;
  }

  /** The place of a run that begins now; null where nothing is recorded. */
  of(beginning: RunBeginning): RunPlace | null {
    const current = currentTrace();
    if (current.toolCall.recording) return this.#child(current.toolCall, beginning);
    if (current.turn.recording) return { ...this.#kept(current.thread), turn: current.turn, end: () => undefined };
    if (current.thread.recording) return this.#newTurn(current.thread);
    return this.#session.recording ? this.#conversation(beginning) : null;
  }

  /** The rollouts end. What goes on with one of their conversations begins a new one. */
  forget(): void {
    this.#conversations.clear();
  }

  #child(caller: ToolCall, { model, providerName, name, input }: RunBeginning): RunPlace {
    const parent = caller.turn.thread;
    const child = parent.startChild({
      taskName: this.#taskName(parent, name ?? 'agent'),
      nickname: name,
      metadata: { model, provider_name: providerName },
    });
    if (UUID.test(parent.id) && UUID.test(child.id)) {
      const spawn = { call_id: caller.id, sender_thread_id: parent.id, prompt: promptOf(input()), model };
      const effort = { reasoning_effort: 'provider-default' };
      caller.runtimeStarted({ ...spawn, ...effort }, { type: 'spawn_agent' });
      caller.runtimeEnded('completed', { ...spawn, ...effort, new_thread_id: child.id, status: 'running' });
    } else this.#session.notObservable(child, OWNER, [UNJOINED]);
    if (this.#own.has(parent)) this.#own.add(child);
    this.#callIds.set(child, this.#kept(parent).callIds);
    const place = this.#newTurn(child);
    const { turn } = place;
    return {
      ...place,
      end: (status) => {
        turn.end(status);
        child.end(status === 'cancelled' ? 'aborted' : status);
      },
    };
  }

  /** The last part of an agent's path; readers know letters, digits and underscores. */
  #taskName(parent: Thread, name: string): string {
    const plain =
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '_')
        .slice(0, 60) || 'agent';
    const names = this.#children.get(parent) ?? new Map<string, number>();
    this.#children.set(parent, names);
    const count = (names.get(plain) ?? 0) + 1;
    names.set(plain, count);
    return count === 1 ? plain : `${plain}_${count}`;
  }

  #conversation({ model, providerName, input }: RunBeginning): RunPlace {
    const told = withoutReasoning(input());
    let found: Conversation | null = null;
    for (const known of this.#conversations) {
      const length = known.history?.length ?? 0;
      if (length <= (found?.history?.length ?? 0)) continue;
      if (known.history !== null && commonLength(known.history, told) === length) found = known;
    }
    const conversation = found ?? {
      rollout: this.#session.openRollout({ model, provider_name: providerName }),
      history: null,
    };
    conversation.history = null;
    this.#conversations.delete(conversation);
    this.#conversations.add(conversation);
    if (this.#conversations.size > OPEN_CONVERSATIONS) this.#endOldest();
    const { root } = conversation.rollout;
    this.#own.add(root);
    const place = this.#newTurn(root);
    const { turn } = place;
    return {
      ...place,
      end: (status, history) => {
        turn.end(status);
        conversation.history = withoutReasoning(history());
      },
    };
  }

  #newTurn(thread: Thread): RunPlace {
    const turn = thread.startTurn();
    return { ...this.#kept(thread), turn, end: (status) => turn.end(status) };
  }

  /** What is kept of a thread. */
  #kept(thread: Thread): Pick<RunPlace, 'isOwn' | 'callIds'> {
    const callIds = this.#callIds.get(thread) ?? new Set();
    this.#callIds.set(thread, callIds);
    return { isOwn: this.#own.has(thread), callIds };
  }

  #endOldest(): void {
    for (const conversation of this.#conversations) {
      if (conversation.history === null) continue;
      this.#conversations.delete(conversation);
      this.#session.endRollout(conversation.rollout);
      return;
    }
  }
}

/** What the newest message says, in words. */
function promptOf(input: readonly unknown[]): string {
  const { content } = (input.at(-1) ?? {}) as { content?: unknown };
  const parts = Array.isArray(content) ? (content as { text?: unknown }[]) : [];
  return parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n');
}
