/** Code cells: JavaScript programs the model ran, from start to last response (spec 6.8). */

import { compareUtf8 } from '../format/canonical-json.ts';
import type { CodeCellStatus, EventPayload, ExecutionStatus, RawEvent } from '../format/event.ts';
import type { CodeCell } from '../format/graph.ts';
import { addProducer, markDirty } from './conversation.ts';
import {
  addTo,
  type ItemRecord,
  type QueuedCell,
  type QueuedCellEvent,
  type ReducerState,
  type ToolRecord,
} from './state.ts';
import { turnOf } from './thread.ts';
import { closeWindow } from './window.ts';

/** Of the cells that share a call id in salvage, only so many are looked at: the latest. */
const RECENT_CELLS = 64;

/** The cells of a call id that are materialised: one, or in salvage several. */
function cellsOfCall(state: ReducerState, callId: string): CodeCell[] {
  const ids = state.cellIdsOfCall.get(callId)?.slice(-RECENT_CELLS) ?? [];
  return ids.map((id) => state.cells.get(id)).filter((cell) => cell !== undefined);
}

/** The thread of a cell event: the envelope's, else that of the envelope's turn (spec C1). */
function threadOfCell(state: ReducerState, what: string, runtimeId: string): string | null {
  const { thread_id: threadId, codex_turn_id: turnId } = state.event ?? { thread_id: null, codex_turn_id: null };
  if (threadId !== null) return threadId;
  if (turnId === null) {
    state.fault('context_missing', `the ${what} of runtime cell ${runtimeId} names neither thread nor turn`);
    return null;
  }
  const turn = state.turns.get(turnId);
  if (turn !== undefined) return turn.thread_id;
  state.fault(
    'turn_unknown',
    `the ${what} of runtime cell ${runtimeId} belongs to turn ${turnId}, which has not started in this trace`,
  );
  return null;
}

export function startCell(state: ReducerState, event: RawEvent<'code_cell_started'>): void {
  const { runtime_cell_id: runtimeId, model_visible_call_id: callId } = event.payload;
  const threadId = threadOfCell(state, 'start', runtimeId);
  if (threadId === null) return;
  const ofThread = state.cellOfRuntime.get(threadId);
  const cellId = newCellId(state, threadId, runtimeId, callId);
  if (cellId === null) return;
  addTo(state.cellIdsOfCall, callId, cellId);
  if (ofThread === undefined) state.cellOfRuntime.set(threadId, new Map([[runtimeId, cellId]]));
  else ofThread.set(runtimeId, cellId);
  const queued: QueuedCell = { cellId, event, line: state.line, threadId, later: [] };
  if (sourceItem(state, threadId, callId) === null) state.queuedCells.set(cellId, queued);
  else materialize(state, queued);
}

/**
 * The id of a cell that starts. Where its call id or its runtime id is taken, salvage tells the two cells apart
 * (`code_cell:<call id>#2`); what names the runtime id from now on means the new one.
 *
 * @returns null where the same line was written twice
 */
function newCellId(state: ReducerState, threadId: string, runtimeId: string, callId: string): string | null {
  const plain = `code_cell:${callId}`;
  const isTaken = (id: string): boolean => state.queuedCells.has(id) || state.cells.has(id);
  const mapped = state.cellOfRuntime.get(threadId)?.get(runtimeId);
  let known: string | null = null;
  if (mapped !== undefined && mapped !== plain) {
    state.fault('cell_duplicate', `runtime cell ${runtimeId} of thread ${threadId} is both ${mapped} and ${plain}`);
    known = mapped;
  } else if (isTaken(plain)) {
    state.fault('cell_duplicate', `${plain} starts again as runtime cell ${runtimeId}, but it has started already`);
    known = plain;
  }
  if (known !== null) {
    const startedSeq = state.queuedCells.get(known)?.event.seq ?? state.cells.get(known)?.execution.started_seq;
    if (startedSeq === state.seq) return null;
  }
  let id = plain;
  for (let n = (state.cellIdsOfCall.get(callId)?.length ?? 0) + 1; isTaken(id); n++) id = `${plain}#${n}`;
  return id;
}

/** The item whose call the cell is: a custom tool call with its call id in its thread. */
function sourceItem(state: ReducerState, threadId: string, callId: string): ItemRecord | null {
  const items = state.threads.get(threadId)?.byCallId.get(callId) ?? [];
  return (
    inItemOrder(
      state,
      items.filter(({ item, cell }) => item.kind === 'custom_tool_call' && cell === null),
    )[0] ?? null
  );
}

/** Items in creation order, or by the bytes of their ids where the generation sorts them so (rule G26). */
export function inItemOrder(state: ReducerState, records: ItemRecord[]): ItemRecord[] {
  if (state.rules.itemsInCreationOrder) return records;
  return [...records].sort((a, b) => compareUtf8(a.item.item_id, b.item.item_id));
}

/** A custom tool call came into being: a cell that waits for it can be made (spec C4). */
export function expectCell(state: ReducerState, record: ItemRecord): void {
  if (state.queuedCells.size === 0 || record.item.kind !== 'custom_tool_call' || record.item.call_id === null) return;
  for (const cellId of state.cellIdsOfCall.get(record.item.call_id)?.slice(-RECENT_CELLS) ?? []) {
    if (state.queuedCells.get(cellId)?.threadId === record.item.thread_id) state.readyCells.add(cellId);
  }
}

/** Makes the cells whose source has appeared, in byte order of their ids (spec C4). */
export function flushQueuedCells(state: ReducerState): void {
  if (state.readyCells.size === 0) return;
  const ready = [...state.readyCells].sort(compareUtf8);
  state.readyCells.clear();
  for (const cellId of ready) {
    const queued = state.queuedCells.get(cellId);
    if (queued === undefined || sourceItem(state, queued.threadId, callIdOf(queued)) === null) continue;
    state.queuedCells.delete(cellId);
    materialize(state, queued);
  }
}

function callIdOf({ event }: QueuedCell): string {
  return event.payload.model_visible_call_id;
}

/** Spec C3. Times and findings are those of the cell's own events, not of the event that showed its source. */
function materialize(state: ReducerState, queued: QueuedCell): void {
  const { event, cellId, threadId } = queued;
  const { runtime_cell_id: runtimeId, model_visible_call_id: callId, source_js } = event.payload;
  const thread = state.threads.get(threadId);
  if (event.codex_turn_id === null) {
    state.fault('context_missing', `the start of ${cellId} does not name the turn it belongs to`);
  }
  if (thread === undefined) {
    state.fault('thread_unknown', `${cellId} belongs to thread ${threadId}, which has not started in this trace`);
    return;
  }
  const turnId = event.codex_turn_id === null ? null : turnOf(state, cellId, threadId, event.codex_turn_id);
  const source = sourceItem(state, threadId, callId);
  if (source === null) return;
  const known = state.rules.codeCellResponses ? null : undefined;
  const cell: CodeCell = {
    code_cell_id: cellId,
    model_visible_call_id: callId,
    thread_id: threadId,
    codex_turn_id: turnId,
    source_item_id: source.item.item_id,
    output_item_ids: [],
    runtime_cell_id: runtimeId,
    execution: {
      started_at_unix_ms: event.wall_time_unix_ms,
      started_seq: event.seq,
      ended_at_unix_ms: null,
      ended_seq: null,
      status: 'running',
    },
    runtime_status: 'starting',
    initial_response_at_unix_ms: null,
    initial_response_seq: null,
    initial_response_status: known,
    raw_initial_response_payload_id: known,
    raw_result_payload_id: known,
    yielded_at_unix_ms: null,
    yielded_seq: null,
    source_js,
    nested_tool_call_ids: (state.toolsOfCell.get(cellId) ?? []).map(({ call }) => call.tool_call_id).sort(compareUtf8),
    wait_tool_call_ids: [],
  };
  source.cell = cell;
  state.cells.set(cellId, cell);
  if (turnId !== null) {
    const running = state.runningCells.get(turnId);
    if (running === undefined) state.runningCells.set(turnId, new Set([cell]));
    else running.add(cell);
  }
  const sameCall = state.itemsByCallId.get(callId) ?? [];
  for (const record of inItemOrder(
    state,
    sameCall.filter((other) => other.thread === thread),
  ))
    linkCellOutput(state, record);
  for (const record of sameCall) if (record.thread !== thread) markDirty(record);
  replay(state, queued.later);
}

function replay(state: ReducerState, later: QueuedCellEvent[]): void {
  const { event: now, line } = state;
  const order = (a: QueuedCellEvent, b: QueuedCellEvent): number =>
    a.event.seq < b.event.seq ? -1 : a.event.seq > b.event.seq ? 1 : a.ordinal - b.ordinal;
  for (const { event } of [...later].sort(order)) {
    state.event = event;
    applyCellEvent(state, event);
  }
  state.event = now;
  state.line = line;
}

/** An output item of a cell's call joins the cell, in whichever thread that is (spec C7). */
export function linkCellOutput(state: ReducerState, record: ItemRecord): void {
  const { item } = record;
  if (item.kind !== 'custom_tool_call_output' || item.call_id === null) return;
  const cell = record.cell ?? cellOfOutput(state, record, item.call_id);
  if (cell === null) return;
  if (record.cell === null) {
    record.cell = cell;
    cell.output_item_ids.push(item.item_id);
  }
  addProducer(record, { type: 'code_cell', code_cell_id: cell.code_cell_id });
}

/** Where salvage has several cells of one call id, each takes the first output of its thread that no other has. */
function cellOfOutput(state: ReducerState, { item }: ItemRecord, callId: string): CodeCell | null {
  const cells = cellsOfCall(state, callId);
  if (cells.length < 2) return cells[0] ?? null;
  const own = cells.filter((cell) => cell.thread_id === item.thread_id);
  return own.find((cell) => cell.output_item_ids.length === 0) ?? own.at(-1) ?? null;
}

/** The initial response or the end of a cell (spec C5, C6); kept for later while the cell is queued. */
export function cellEvent(
  state: ReducerState,
  event: RawEvent<'code_cell_initial_response'> | RawEvent<'code_cell_ended'>,
): void {
  const runtimeId = event.payload.runtime_cell_id;
  const what = event.payload.type === 'code_cell_ended' ? 'end' : 'initial response';
  const threadId = threadOfCell(state, what, runtimeId);
  if (threadId === null) return;
  const cellId = state.cellOfRuntime.get(threadId)?.get(runtimeId);
  const queued = cellId === undefined ? undefined : state.queuedCells.get(cellId);
  if (queued !== undefined) {
    queued.later.push({ event, ordinal: queued.later.length });
    return;
  }
  if (cellId === undefined || !state.cells.has(cellId)) {
    state.fault(
      'cell_unknown',
      `the ${what} belongs to runtime cell ${runtimeId}, which has not started in thread ${threadId}`,
    );
    return;
  }
  applyCellEvent(state, event);
}

function applyCellEvent(
  state: ReducerState,
  event: RawEvent<'code_cell_initial_response'> | RawEvent<'code_cell_ended'>,
): void {
  const { payload } = event;
  const threadId = event.thread_id ?? state.turns.get(event.codex_turn_id ?? '')?.thread_id ?? '';
  const cell = state.cells.get(state.cellOfRuntime.get(threadId)?.get(payload.runtime_cell_id) ?? '');
  if (cell === undefined) return;
  if (payload.type === 'code_cell_ended') {
    endCell(state, cell, payload.status, payload.response_payload?.raw_payload_id ?? null);
  } else respondFirst(state, cell, payload);
}

/** Spec C5, G32. */
function respondFirst(state: ReducerState, cell: CodeCell, event: EventPayload<'code_cell_initial_response'>): void {
  const isFirst = state.rules.codeCellResponses
    ? cell.initial_response_status === null
    : cell.initial_response_seq === null;
  if (isFirst) {
    cell.initial_response_at_unix_ms = state.now;
    cell.initial_response_seq = state.seq;
    if (state.rules.codeCellResponses) {
      cell.initial_response_status = event.status;
      cell.raw_initial_response_payload_id = event.response_payload?.raw_payload_id ?? null;
    }
  }
  cell.runtime_status = event.status;
  if (event.status === 'yielded') {
    cell.yielded_at_unix_ms = state.now;
    cell.yielded_seq = state.seq;
  }
}

const EXECUTION_OF: Readonly<Record<CodeCellStatus, ExecutionStatus>> = {
  completed: 'completed',
  failed: 'failed',
  terminated: 'cancelled',
  starting: 'running',
  running: 'running',
  yielded: 'running',
};

/** Spec C6. */
function endCell(state: ReducerState, cell: CodeCell, status: CodeCellStatus, payloadId: string | null): void {
  cell.initial_response_at_unix_ms ??= state.now;
  cell.initial_response_seq ??= state.seq;
  closeWindow(state, cell.execution, EXECUTION_OF[status]);
  cell.runtime_status = status;
  if (state.rules.codeCellResponses) cell.raw_result_payload_id = payloadId;
}

/** The turn ended: its running cells will not be heard of again (spec R7). Queued cells are not closed. */
export function endTurnCells(state: ReducerState, turnId: string, turnStatus: ExecutionStatus): void {
  if (turnStatus === 'completed' || turnStatus === 'running') return;
  for (const cell of state.runningCells.get(turnId) ?? []) {
    if (cell.execution.status === 'running')
      endCell(state, cell, turnStatus === 'failed' ? 'failed' : 'terminated', null);
  }
}

/** A tool call made by a cell (spec C8). */
export function addNestedTool(state: ReducerState, cellId: string, tool: ToolRecord): void {
  const tools = state.toolsOfCell.get(cellId);
  if (tools === undefined) state.toolsOfCell.set(cellId, [tool]);
  else tools.push(tool);
  state.cells.get(cellId)?.nested_tool_call_ids.push(tool.call.tool_call_id);
}
