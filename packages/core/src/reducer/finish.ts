/**
 * From the state to the graph as it is known now: what is only certain at the end is derived here (spec E10, Q9, S1).
 *
 * Reading the graph changes nothing, so it may be read after any event. The objects are those of the state and change
 * with its next step.
 */

import type { CodeCell, Graph, Thread, ToolCall } from '../format/graph.ts';
import { checkSettlement, settledEdges } from './spawn-fallback.ts';
import type { ItemRecord, ReducerState } from './state.ts';

export function finish(state: ReducerState): Graph {
  return {
    schema_version: 2,
    trace_id: state.traceId,
    rollout_id: state.rolloutId,
    started_at_unix_ms: state.startedAt,
    ended_at_unix_ms: state.endedAt,
    status: state.status,
    recording_complete: state.rules.recordingCompleted ? state.recordingComplete : null,
    root_thread_id: state.rootThreadId,
    threads: threads(state),
    codex_turns: new Map(state.turns),
    conversation_items: new Map(state.items.map(({ item }) => [item.item_id, item])),
    inference_calls: valuesOf(state.inferences, ({ call }) => call),
    code_cells: new Map(state.cells),
    tool_calls: tools(state),
    terminal_sessions: new Map(state.sessions),
    terminal_operations: valuesOf(state.operations, ({ operation }) => operation),
    compactions: new Map(state.compactions),
    compaction_requests: new Map(state.compactionRequests),
    interaction_edges: settledEdges(state),
    raw_payloads: new Map(state.rawPayloads),
  };
}

function valuesOf<T, U>(records: ReadonlyMap<string, T>, value: (record: T) => U): Map<string, U> {
  const out = new Map<string, U>();
  for (const [key, record] of records) out.set(key, value(record));
  return out;
}

/** The transcript of each thread (spec Q9, G23). */
function threads(state: ReducerState): Map<string, Thread> {
  return valuesOf(state.threads, ({ thread, items, transcript }) => {
    const shown = state.rules.transcriptDerived ? items.filter((record) => record.inTranscript) : transcript;
    thread.conversation_item_ids = shown.map(({ item }) => item.item_id);
    return thread;
  });
}

/** The public exec tool and the cell it started are two views of one call (spec S1). */
function tools(state: ReducerState): Map<string, ToolCall> {
  return valuesOf(state.tools, ({ call, callItems }) => {
    const isExec = call.kind.type === 'other' && call.kind.name === 'exec' && call.requester?.type === 'model';
    const cell = isExec ? startedCell(state, call, callItems) : undefined;
    const starts = state.rules.startedCodeCell && cell?.thread_id === call.thread_id;
    call.started_code_cell_id = starts ? cell?.code_cell_id : undefined;
    return call;
  });
}

/** The cell of the tool's call id. Of several in salvage it is the one that has the tool's call as its source. */
function startedCell(state: ReducerState, call: ToolCall, callItems: readonly ItemRecord[]): CodeCell | undefined {
  const ids = call.model_visible_call_id === null ? [] : (state.cellIdsOfCall.get(call.model_visible_call_id) ?? []);
  if (ids.length > 1) return callItems.find(({ cell }) => cell !== null)?.cell ?? undefined;
  return ids[0] === undefined ? undefined : state.cells.get(ids[0]);
}

/**
 * The log has ended. Call once, before the last {@link finish}: contradictions that only the end shows become findings.
 *
 * @throws TraceError in strict mode
 */
export function endOfLog(state: ReducerState): void {
  checkSettlement(state);
}
