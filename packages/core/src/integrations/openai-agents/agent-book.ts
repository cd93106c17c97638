/**
 * The rollout of a conversation with agents: its root is the agent that was run first, every other agent that it hands
 * over to or asks is a child. Runs that go on with the conversation find it again by what was said, or by the group id
 * the host gave.
 */

import type { Rollout } from '../../recorder/rollout.ts';
import { Thread } from '../../recorder/thread.ts';
import { Transcript } from '../session/transcript.ts';

/** A call the model asked for. */
export interface AskedCall {
  callId: string | null;
  name: string;
  arguments: string;
}

/** One conversation with agents. */
export class AgentBook {
  /** Null where the host has a rollout of its own, and runs agents in it. */
  readonly rollout: Rollout | null;
  readonly root: Thread;
  readonly transcript: Transcript = new Transcript();
  /** Traces of the SDK that are under way in it. */
  running = 0;
  readonly #asked = new Map<Thread, readonly AskedCall[]>();
  readonly #byName = new Map<string, Thread>();
  readonly #taskNames = new Set<string>();
  readonly #callIds = new Set<string>();

  constructor(rollout: Rollout | null, root: Thread, rootAgent: string) {
    this.rollout = rollout;
    this.root = root;
    this.#byName.set(rootAgent, root);
  }

  /** The thread of an agent by its name, where it has one. */
  threadOf(name: string): Thread | null {
    return this.#byName.get(name) ?? null;
  }

  /** The calls that the model of a thread asked for last, and that nothing was recorded of yet. */
  askedIn(thread: Thread): readonly AskedCall[] {
    return this.#asked.get(thread) ?? [];
  }

  setAsked(thread: Thread, asked: readonly AskedCall[]): void {
    this.#asked.set(thread, asked);
  }

  /** The thread of an agent that takes the conversation over; begun where it has none. */
  successor(name: string, from: Thread): { thread: Thread; begun: boolean } {
    const known = this.#byName.get(name);
    if (known !== undefined) return { thread: known, begun: false };
    const thread = this.child(name, from);
    this.#byName.set(name, thread);
    return { thread, begun: true };
  }

  /** A new thread for an agent. */
  child(name: string, parent: Thread): Thread {
    return parent.recording
      ? parent.startChild({ taskName: this.#taskName(name), nickname: name, agentRole: name })
      : Thread.disabled;
  }

  /** Whether the call id is new to this rollout. Readers refuse a second tool call with the same. */
  isNewCall(callId: string): boolean {
    const { size } = this.#callIds;
    return this.#callIds.add(callId).size > size;
  }

  /** The last part of a path: readers take letters, digits and underscores. */
  #taskName(name: string): string {
    const plain =
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '_')
        .replaceAll(/^_+|_+$/g, '') || 'agent';
    const base = plain === 'root' ? 'root_agent' : plain;
    let free = base;
    for (let n = 2; this.#taskNames.has(free); n++) free = `${base}_${n}`;
    this.#taskNames.add(free);
    return free;
  }
}
