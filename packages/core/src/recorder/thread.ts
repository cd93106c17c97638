/**
 * One thread of a rollout: the root, or a child agent. All of them write into the trace of the root.
 *
 * Not here: what happens inside a turn (`turn.ts`), the end of the whole (`rollout.ts`).
 */

import { ROLLOUT_STATUSES, type RolloutStatus } from '../format/event.ts';
import { type AgentMessage, type AgentResultOptions, agentResult } from './agent.ts';
import { type Payload, PayloadDraft, text, word } from './event-draft.ts';
import { type Journal, NO_SCOPE, naming, OFF, type Scope } from './journal.ts';
import { type ProtocolEventType, protocolEvent } from './protocol.ts';
import { mergedMetadata, type SessionMetadata, sessionMetadata } from './session-metadata.ts';
import { Turn, type TurnOptions } from './turn.ts';

/** How a child agent is described. */
export interface ChildThreadOptions {
  /** A UUID; one is made where it is left out. Edges between agents are drawn to UUIDs only. */
  threadId?: string;
  /**
   * The last part of the agent's path: `/root/<taskName>`. Where the path is told in observations of tool calls, strict readers
   * take lower-case letters, digits and underscores only.
   */
  taskName: string;
  nickname?: string | null;
  agentRole?: string | null;
  metadata?: SessionMetadata;
}

/** What a thread needs of the rollout it belongs to. */
export interface ThreadHome {
  readonly root: Thread;
  /** `close` writes the end of the thread itself. */
  opened(thread: Thread, close: (status: RolloutStatus) => void): void;
  ended(thread: Thread, status: RolloutStatus): void;
}

/** How a thread begins. */
export interface ThreadSeed {
  id: string;
  agentPath: string;
  depth: number;
  metadata: SessionMetadata;
}

/** What observations of the host may say of a child that was lost: well-formed, and no thread of the log. */
const LOST_ID = '00000000-0000-0000-0000-000000000000';
const NO_SEED: ThreadSeed = { id: '', agentPath: '', depth: 0, metadata: {} };

/** Records one thread. */
export class Thread {
  static readonly disabled: Thread = new Thread(OFF, null, NO_SEED);

  readonly id: string;
  readonly agentPath: string;
  readonly #journal: Journal;
  readonly #home: ThreadHome | null;
  readonly #seed: ThreadSeed;
  readonly #scope: Scope;
  #ended = false;
  /** False while the log does not say that the thread ended, though it did. */
  #endStands = true;

  /** Writes the beginning of a thread. Hosts use `startRollout` and {@link Thread.startChild}. */
  static open(journal: Journal, home: ThreadHome, seed: ThreadSeed): Thread {
    const recorded = journal.write('thread_started', NO_SCOPE, () => ({
      thread_id: text(seed.id, 'threadId'),
      agent_path: text(seed.agentPath, 'agentPath'),
      metadata_payload: new PayloadDraft('session_metadata', () => sessionMetadata(seed)),
    }));
    const thread = new Thread(recorded ? journal : journal.orphans, home, seed);
    if (recorded) home.opened(thread, (status) => thread.#close(status));
    return thread;
  }

  constructor(journal: Journal, home: ThreadHome | null, seed: ThreadSeed) {
    this.id = seed.id;
    this.agentPath = seed.agentPath;
    this.#journal = journal;
    this.#home = home;
    this.#seed = seed;
    this.#scope = { threadId: seed.id, turnId: null };
  }

  /** Whether anything is recorded. */
  get recording(): boolean {
    return this.#journal.on;
  }

  /** Which journal takes a record of `journal` that names this thread; see {@link naming}. For handles of the same trace. */
  journalNaming(journal: Journal, name: string): Journal {
    return naming(journal, this.#journal, name);
  }

  /** Begins a turn. */
  startTurn(options: TurnOptions = {}): Turn {
    const journal = this.#journal;
    if (!journal.on) return Turn.disabled;
    const begin = (): Turn => {
      const id = journal.unique('codex turn', options.turnId ?? journal.newId());
      const recorded = journal.write('codex_turn_started', { threadId: this.id, turnId: id }, () => ({
        codex_turn_id: text(id, 'turnId'),
        thread_id: this.id,
      }));
      return new Turn(recorded ? journal : journal.orphans, this, id);
    };
    return journal.guard((lost) => new Turn(lost, this, ''), begin);
  }

  /** Begins the thread of a child agent, in the same trace. */
  startChild(options: ChildThreadOptions): Thread {
    const journal = this.#journal;
    const home = this.#home;
    if (!journal.on || home === null) return Thread.disabled;
    const begin = (): Thread => {
      const id = journal.unique('thread', options.threadId ?? journal.newId());
      const agentPath = `${this.agentPath}/${text(options.taskName, 'taskName')}`;
      const depth = this.#seed.depth + 1;
      const spawn = {
        parent_thread_id: this.id,
        depth,
        agent_path: agentPath,
        agent_nickname: options.nickname ?? null,
        agent_role: options.agentRole ?? null,
      };
      const metadata = mergedMetadata(this.#seed.metadata, { rollout_path: null }, options.metadata, {
        task_name: options.taskName,
        nickname: spawn.agent_nickname,
        agent_role: spawn.agent_role,
        session_source: { subagent: { thread_spawn: spawn } },
      });
      return Thread.open(journal, home, { id, agentPath, depth, metadata });
    };
    const lostSeed = { ...NO_SEED, id: LOST_ID, agentPath: `${this.agentPath}/lost` };
    return journal.guard((lost) => new Thread(lost, home, lostSeed), begin);
  }

  /** An item entered this thread's history outside a turn; inside one, use the turn's method. */
  itemAccepted(itemId: string, agentMessage?: Payload<AgentMessage>): void {
    if (this.#journal.on) itemAccepted(this.#journal, this.#scope, itemId, agentMessage);
  }

  /** The result of a turn of this child thread reached its parent. */
  agentResult(options: AgentResultOptions): void {
    if (this.#journal.on) agentResult(this.#journal, this, options);
  }

  /** Leaves a breadcrumb of the protocol between agent and user interface. Stream deltas have no place here. */
  protocolEvent(type: ProtocolEventType, payload: Payload): void {
    if (this.#journal.on) protocolEvent(this.#journal, type, payload);
  }

  /** Ends the thread. The end of the root thread ends the rollout; that of a child never does. */
  end(status: RolloutStatus = 'completed'): void {
    if (!this.#journal.on) return;
    if (this.#ended) this.#journal.late();
    else if (this.#home?.root === this) this.#home.ended(this, status);
    else this.#close(status);
  }

  /** Takes up a thread again that has ended in this trace. */
  resume(): void {
    if (!this.#journal.on) return;
    if (!this.#ended) {
      this.#journal.late();
      return;
    }
    // A thread whose end was lost still runs, as far as the log says.
    const journal = this.#endStands ? this.#journal : this.#journal.orphans;
    const recorded = journal.write('thread_resumed', NO_SCOPE, () => ({ thread_id: this.id }));
    if (!recorded && this.#endStands) return;
    this.#ended = false;
    this.#endStands = true;
    this.#home?.opened(this, (status) => this.#close(status));
  }

  #close(status: RolloutStatus): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endStands = this.#journal.write('thread_ended', NO_SCOPE, () => ({
      thread_id: this.id,
      status: word(status, ROLLOUT_STATUSES, 'status'),
    }));
    if (this.#home?.root !== this) this.#home?.ended(this, status);
  }
}

/** An item entered a thread's history. */
export function itemAccepted(
  journal: Journal,
  scope: Scope,
  itemId: string,
  agentMessage: Payload<AgentMessage> | undefined,
): void {
  journal.write('history_item_accepted', scope, () => ({
    item_id: text(itemId, 'itemId'),
    agent_message_payload: agentMessage === undefined ? undefined : new PayloadDraft('protocol_event', agentMessage),
  }));
}
