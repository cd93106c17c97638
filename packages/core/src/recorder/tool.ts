/**
 * Tool calls, from dispatch to result.
 *
 * A call is asked for by the model or by a code cell; while it runs, its runtime may be observed (a process, a patch,
 * an MCP request, another agent); then it has one result. Not here: names, kinds and previews (`tool-invocation.ts`).
 */

import {
  EXECUTION_STATUSES,
  type ExecutionStatus,
  PLAIN_TOOL_KINDS,
  type RawRequester,
  type ToolKind,
  type ToolSummary,
} from '../format/event.ts';
import { errorText } from './diagnostics.ts';
import { optionalText, type Payload, PayloadDraft, text, word } from './event-draft.ts';
import { type Journal, naming, OFF, type Scope } from './journal.ts';
import { withMcpCallId } from './mcp.ts';
import { inputPreview, invocation, type ToolName, type ToolPayload, toolKind, toolLabel } from './tool-invocation.ts';
import { Turn } from './turn.ts';

/** A tool call that the model asked for. */
export interface ToolCallOptions {
  name: string;
  namespace?: string | null;
  payload: ToolPayload;
  /** The call id the model sees. Where it is left out, the call has none. */
  callId?: string | null;
  /** The recorder's own id of the call; the model's where it is left out. */
  toolCallId?: string;
  /** Where the name does not tell what the tool is. */
  kind?: ToolKind;
}

/** A tool call that a code cell makes. */
export interface NestedToolCallOptions {
  name: string;
  namespace?: string | null;
  payload: ToolPayload;
  /** The runtime's own id of the call. */
  runtimeToolId: string;
  /** The recorder's own id of the call; one is made where it is left out. */
  toolCallId?: string;
  kind?: ToolKind;
}

const NO_KIND: ToolKind = { type: 'other', name: '' };

/** Records one tool call. The first result counts; later ones are ignored and counted. */
export class ToolCall {
  static readonly disabled: ToolCall = new ToolCall(OFF, null, null, '', NO_KIND);

  readonly id: string;
  readonly #journal: Journal;
  readonly #turn: Turn | null;
  readonly #scope: Scope | null;
  #kind: ToolKind;
  #open = true;
  #mcpCallId: string | null = null;

  /** Use `Turn.startToolCall` and `CodeCell.startToolCall`. */
  constructor(journal: Journal, turn: Turn | null, scope: Scope | null, id: string, kind: ToolKind) {
    this.id = id;
    this.#journal = journal;
    this.#turn = turn;
    this.#scope = scope;
    this.#kind = kind;
  }

  /** Whether anything is recorded. */
  get recording(): boolean {
    return this.#journal.on;
  }

  /** The turn this call belongs to. */
  get turn(): Turn {
    return this.#turn ?? Turn.disabled;
  }

  /** What the call stands for, as it was said last. */
  get kind(): ToolKind {
    return this.#kind;
  }

  /**
   * What the call stands for began to run.
   *
   * @param kind where it is something else than the tool's name says, such as an MCP tool called by a namespace
   */
  runtimeStarted(payload: Payload, kind?: ToolKind): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    const said = kind ?? this.#kind;
    const recorded = this.#journal.write('tool_call_runtime_started', scope, () => ({
      tool_call_id: this.id,
      kind: checkedKind(said),
      runtime_payload: new PayloadDraft('tool_runtime_event', payload),
    }));
    if (recorded) this.#kind = said;
  }

  /** What the call stands for ended. May come after the result, and after the turn. */
  runtimeEnded(status: ExecutionStatus, payload: Payload): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    this.#journal.write('tool_call_runtime_ended', scope, () => ({
      tool_call_id: this.id,
      status: word(status, EXECUTION_STATUSES, 'status'),
      runtime_payload: new PayloadDraft('tool_runtime_event', payload),
    }));
  }

  /** This call writes to the terminal that another call opened. */
  stdinTarget(exec: ToolCall): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    const write = (): void => {
      naming(this.#journal, exec.#journal, 'exec').write('stdin_target_resolved', scope, () => ({
        tool_call_id: this.id,
        exec_tool_call_id: exec.id,
      }));
    };
    this.#journal.guard(() => undefined, write);
  }

  /**
   * The request to an MCP server, when it is really sent: gains a correlation id in its `_meta`. Called again, it gives
   * the same id. Where nothing is recorded the request comes back untouched.
   */
  mcpRequest<T extends object>(request: T): T {
    const journal = this.#journal;
    if (!journal.on || this.#scope === null) return request;
    const correlate = (): T => {
      if (this.#mcpCallId === null) {
        const id = journal.newId();
        const recorded = journal.write('mcp_tool_call_correlation_assigned', { threadId: null, turnId: null }, () => ({
          tool_call_id: this.id,
          mcp_call_id: id,
        }));
        if (!recorded) return request;
        this.#mcpCallId = id;
      }
      return withMcpCallId(request, this.#mcpCallId);
    };
    return journal.guard(() => request, correlate);
  }

  /** The result goes to the model as this item. A failed tool may have one too. */
  respond(responseItem: Payload, status: ExecutionStatus = 'completed'): void {
    this.#end(status, () => ({ type: 'direct_response', response_item: evaluated(responseItem) }));
  }

  /** The result goes to a script as this value. */
  respondToCode(value: Payload, status: ExecutionStatus = 'completed'): void {
    this.#end(status, () => ({ type: 'code_mode_response', value: evaluated(value) ?? null }));
  }

  /** The tool failed before it had a result of its own. */
  fail(error: unknown, status: ExecutionStatus = 'failed'): void {
    this.#end(status, () => ({ type: 'error', error: errorText(error) }));
  }

  /** The call ended without a result. */
  end(status: ExecutionStatus): void {
    this.#end(status, null);
  }

  #end(status: ExecutionStatus, result: (() => object) | null): void {
    const scope = this.#scope;
    if (!this.#journal.on || scope === null) return;
    if (!this.#open) {
      this.#journal.late();
      return;
    }
    this.#open = false;
    this.#journal.write('tool_call_ended', scope, () => ({
      tool_call_id: this.id,
      status: word(status, EXECUTION_STATUSES, 'status'),
      result_payload: result === null ? null : new PayloadDraft('tool_result', result),
    }));
  }
}

/** Writes the dispatch of a tool call. `runtimeCellId` is that of the cell that makes it, if one does. */
export function startToolCall(
  journal: Journal,
  turn: Turn,
  scope: Scope,
  options: ToolCallOptions | NestedToolCallOptions,
  runtimeCellId: string | null = null,
): ToolCall {
  const begin = (): ToolCall => {
    const callId = 'callId' in options ? optionalText(options.callId, 'callId') : null;
    const id = journal.unique(
      'tool call',
      text(options.toolCallId ?? callId ?? `exec-${journal.newId()}`, 'toolCallId'),
    );
    const name = text(options.name, 'name');
    const namespace = optionalText(options.namespace, 'namespace');
    const kind = options.kind ?? toolKind(name);
    const requester: RawRequester =
      runtimeCellId === null ? { type: 'model' } : { type: 'code_cell', runtime_cell_id: runtimeCellId };
    const recorded = journal.write('tool_call_started', scope, () => ({
      tool_call_id: id,
      model_visible_call_id: callId,
      code_mode_runtime_tool_id: 'runtimeToolId' in options ? text(options.runtimeToolId, 'runtimeToolId') : null,
      requester,
      kind: checkedKind(kind),
      summary: summary({ name, namespace }, options.payload),
      invocation_payload: new PayloadDraft('tool_invocation', invocation({ name, namespace }, options.payload)),
    }));
    return new ToolCall(recorded ? journal : journal.orphans, turn, scope, id, kind);
  };
  return journal.guard((lost) => new ToolCall(lost, turn, scope, '', NO_KIND), begin);
}

function summary(tool: ToolName, payload: ToolPayload): ToolSummary {
  return { type: 'generic', label: toolLabel(tool), input_preview: inputPreview(payload), output_preview: null };
}

function evaluated(value: Payload): unknown {
  return typeof value === 'function' ? (value() as unknown) : value;
}

function checkedKind(kind: ToolKind): ToolKind {
  if (kind.type === 'mcp')
    return { type: 'mcp', server: text(kind.server, 'kind.server'), tool: text(kind.tool, 'kind.tool') };
  if (kind.type === 'other') return { type: 'other', name: text(kind.name, 'kind.name') };
  return { type: word(kind.type, PLAIN_TOOL_KINDS, 'kind.type') };
}
