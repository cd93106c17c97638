/** Code cells: scripts a model runs through the public `exec` tool, which may call tools of their own. */

import { CODE_CELL_STATUSES, type CodeCellStatus } from '../format/event.ts';
import { type Payload, PayloadDraft, word } from './event-draft.ts';
import { type Journal, OFF, type Scope } from './journal.ts';
import { type NestedToolCallOptions, startToolCall, ToolCall } from './tool.ts';
import { Turn } from './turn.ts';

/** How a code cell begins. */
export interface CodeCellOptions {
  /** The runtime's own id of the cell; unique in its thread. */
  runtimeCellId: string;
  /** The call id of the `exec` call that carries the script. */
  modelVisibleCallId: string;
  /** The script. */
  source: string;
}

/** The response of a runtime, as recorded: `{"response": …}`. */
type CellResponse = Payload;

/** Records one code cell. */
export class CodeCell {
  static readonly disabled: CodeCell = new CodeCell(OFF, null, null, '');

  readonly runtimeCellId: string;
  readonly #journal: Journal;
  readonly #turn: Turn | null;
  readonly #scope: Scope | null;
  #responded = false;
  #open = true;

  /** Use `Turn.startCodeCell`. */
  constructor(journal: Journal, turn: Turn | null, scope: Scope | null, runtimeCellId: string) {
    this.runtimeCellId = runtimeCellId;
    this.#journal = journal;
    this.#turn = turn;
    this.#scope = scope;
  }

  /** Whether anything is recorded. */
  get recording(): boolean {
    return this.#journal.on;
  }

  /** The turn this cell belongs to. */
  get turn(): Turn {
    return this.#turn ?? Turn.disabled;
  }

  /** Begins a tool call that the script makes. */
  startToolCall(options: NestedToolCallOptions): ToolCall {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return ToolCall.disabled;
    return startToolCall(this.#journal, this.turn, scope, options, this.runtimeCellId);
  }

  /**
   * The first thing `exec` returned: `yielded` while the script goes on, else how it ended. A terminal response is
   * followed by {@link CodeCell.end}.
   */
  initialResponse(status: CodeCellStatus, response?: CellResponse): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    if (this.#responded) {
      this.#journal.late();
      return;
    }
    this.#responded = true;
    this.#journal.write('code_cell_initial_response', scope, () => ({
      runtime_cell_id: this.runtimeCellId,
      status: word(status, CODE_CELL_STATUSES, 'status'),
      response_payload: responsePayload(response),
    }));
  }

  /** The script is over: `completed`, `failed` with an error text, or `terminated`. */
  end(status: CodeCellStatus = 'completed', response?: CellResponse): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    if (!this.#open) {
      this.#journal.late();
      return;
    }
    this.#open = false;
    this.#journal.write('code_cell_ended', scope, () => ({
      runtime_cell_id: this.runtimeCellId,
      status: word(status, CODE_CELL_STATUSES, 'status'),
      response_payload: responsePayload(response),
    }));
  }
}

function responsePayload(response: CellResponse | undefined): PayloadDraft | null {
  if (response === undefined) return null;
  return new PayloadDraft('tool_result', () => ({
    response: typeof response === 'function' ? (response() as unknown) : response,
  }));
}
