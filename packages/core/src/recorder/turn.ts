/** One turn of a thread: what is asked of the model, and everything that is done for it. */

import { EXECUTION_STATUSES, type ExecutionStatus } from '../format/event.ts';
import type { AgentMessage } from './agent.ts';
import { CodeCell, type CodeCellOptions } from './code-cell.ts';
import { Compaction, type CompactionOptions } from './compaction.ts';
import { type Payload, text, word } from './event-draft.ts';
import { InferenceContext, type InferenceOptions } from './inference.ts';
import { type Journal, naming, OFF, type Scope } from './journal.ts';
import { itemAccepted, Thread } from './thread.ts';
import { startToolCall, ToolCall, type ToolCallOptions } from './tool.ts';

/** How a turn begins. */
export interface TurnOptions {
  /** One is made where it is left out. */
  turnId?: string;
}

/** Records one turn. */
export class Turn {
  static readonly disabled: Turn = new Turn(OFF, null, '');

  readonly id: string;
  readonly #journal: Journal;
  readonly #thread: Thread | null;
  readonly #scope: Scope;
  #open = true;

  /** Use {@link Thread.startTurn}. */
  constructor(journal: Journal, thread: Thread | null, id: string) {
    this.id = id;
    this.#journal = journal;
    this.#thread = thread;
    this.#scope = { threadId: thread?.id ?? null, turnId: id };
  }

  /** Whether anything is recorded. */
  get recording(): boolean {
    return this.#journal.on;
  }

  /** Which journal takes a record of `journal` that names this turn; see {@link naming}. For handles of the same trace. */
  journalNaming(journal: Journal, name: string): Journal {
    return naming(journal, this.#journal, name);
  }

  /** The thread this turn belongs to. */
  get thread(): Thread {
    return this.#thread ?? Thread.disabled;
  }

  /** An item entered the history. `agentMessage` is the item itself where another agent sent it. */
  itemAccepted(itemId: string, agentMessage?: Payload<AgentMessage>): void {
    if (this.#journal.on) itemAccepted(this.#journal, this.#scope, itemId, agentMessage);
  }

  /** Says which model answers; each upstream request is then an attempt of its own. */
  inference(options: InferenceOptions): InferenceContext {
    return this.#journal.on ? new InferenceContext(this.#journal, this.#scope, options) : InferenceContext.disabled;
  }

  /** Begins a compaction of the thread's history. */
  compaction(options: CompactionOptions): Compaction {
    if (!this.#journal.on) return Compaction.disabled;
    return this.#journal.guard(
      (lost) => new Compaction(lost, this.#scope, null),
      () => new Compaction(this.#journal, this.#scope, options),
    );
  }

  /** Begins a tool call that the model asked for. */
  startToolCall(options: ToolCallOptions): ToolCall {
    return this.#journal.on ? startToolCall(this.#journal, this, this.#scope, options) : ToolCall.disabled;
  }

  /** Begins a code cell: the script of an `exec` call. The call itself is a tool call as well. */
  startCodeCell(options: CodeCellOptions): CodeCell {
    const journal = this.#journal;
    if (!journal.on) return CodeCell.disabled;
    const begin = (): CodeCell => {
      const { source } = options;
      const cellId = text(options.runtimeCellId, 'runtimeCellId');
      const callId = text(options.modelVisibleCallId, 'modelVisibleCallId');
      // Readers know a cell of a thread by either.
      const runtimeCellId = journal.unique(`runtime cell of ${this.thread.id}`, cellId);
      const modelVisibleCallId = journal.unique('call of a code cell', callId);
      const recorded = journal.write('code_cell_started', this.#scope, () => ({
        runtime_cell_id: runtimeCellId,
        model_visible_call_id: modelVisibleCallId,
        source_js: text(source, 'source'),
      }));
      return new CodeCell(recorded ? journal : journal.orphans, this, this.#scope, runtimeCellId);
    };
    return journal.guard((lost) => new CodeCell(lost, this, this.#scope, ''), begin);
  }

  /** Ends the turn. Work in the background may go on and be recorded. */
  end(status: ExecutionStatus = 'completed'): void {
    if (!this.#journal.on) return;
    if (!this.#open) {
      this.#journal.late();
      return;
    }
    this.#open = false;
    this.#journal.write('codex_turn_ended', this.#scope, () => ({
      codex_turn_id: this.id,
      status: word(status, EXECUTION_STATUSES, 'status'),
    }));
  }
}
