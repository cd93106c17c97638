/** Compactions: a thread's history is replaced by a shorter one (spec 6.5). */

import { compareUtf8 } from '../format/canonical-json.ts';
import type { EventPayload, ExecutionStatus } from '../format/event.ts';
import { type Json, jsonTypeName, member } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import type { Bodies } from './bodies.ts';
import { flushQueuedCells } from './code-cell.ts';
import { createItem, enterTranscript, type Sighting } from './conversation.ts';
import type { Candidate } from './normalize.ts';
import { normalizeList, normalizing, placeBySearch, snapshotItems } from './placement.ts';
import { addTo, type ItemRecord, type ReducerState } from './state.ts';
import { knownThread, turnOf } from './thread.ts';
import { closeWindow, openWindow } from './window.ts';

export function startCompactionRequest(state: ReducerState, event: EventPayload<'compaction_request_started'>): void {
  const { compaction_request_id: id, compaction_id, thread_id } = event;
  if (state.compactionRequests.has(id)) {
    state.fault('compaction_duplicate', `compaction request ${id} starts again, but it has started already`);
    return;
  }
  if (knownThread(state, thread_id) === null) return;
  state.compactionRequests.set(id, {
    compaction_request_id: id,
    compaction_id,
    thread_id,
    codex_turn_id: turnOf(state, `compaction request ${id}`, thread_id, event.codex_turn_id),
    execution: openWindow(state),
    model: event.model,
    provider_name: event.provider_name,
    raw_request_payload_id: event.request_payload.raw_payload_id,
    raw_response_payload_id: null,
  });
  addTo(state.requestsOfCompaction, compaction_id, id);
}

export function completeCompactionRequest(
  state: ReducerState,
  event: EventPayload<'compaction_request_completed'>,
): void {
  endRequest(
    state,
    event.compaction_request_id,
    event.compaction_id,
    'completed',
    event.response_payload.raw_payload_id,
  );
}

export function failCompactionRequest(state: ReducerState, event: EventPayload<'compaction_request_failed'>): void {
  endRequest(state, event.compaction_request_id, event.compaction_id, 'failed', null);
}

function endRequest(
  state: ReducerState,
  id: string,
  compactionId: string,
  status: ExecutionStatus,
  responseId: string | null,
): void {
  const request = state.compactionRequests.get(id);
  if (request === undefined) {
    state.fault('compaction_unknown', `compaction request ${id} ends, but it has not started in this trace`);
    return;
  }
  if (request.compaction_id !== compactionId) {
    state.fault(
      'compaction_unknown',
      `compaction request ${id} ends for compaction ${compactionId}, but it started for ${request.compaction_id}`,
    );
  }
  closeWindow(state, request.execution, status);
  request.raw_response_payload_id = responseId;
}

/** One list of a checkpoint; null where it cannot be had. */
function history(state: ReducerState, body: Json | undefined, key: string, ref: PayloadRef): Json[] | null {
  if (body === undefined) return null;
  const list = member(body, key);
  if (Array.isArray(list)) return list;
  state.fault(
    'checkpoint_invalid',
    `${key} of checkpoint ${ref.raw_payload_id} is ${jsonTypeName(list)}, not an array`,
    {
      file: ref.path,
      json_path: `/${key}`,
    },
  );
  return null;
}

export function installCompaction(
  state: ReducerState,
  event: EventPayload<'compaction_installed'>,
  bodies: Bodies,
): void {
  const { compaction_id: id, checkpoint_payload: ref } = event;
  const threadId = state.event?.thread_id ?? null;
  const eventTurn = state.event?.codex_turn_id ?? null;
  if (threadId === null) {
    state.fault('context_missing', `compaction ${id} is installed by an event without a thread id`);
    return;
  }
  if (eventTurn === null) state.fault('context_missing', `compaction ${id} is installed by an event without a turn id`);
  if (state.compactions.has(id)) {
    state.fault('compaction_duplicate', `compaction ${id} is installed again, but it has been installed already`);
    return;
  }
  const thread = knownThread(state, threadId);
  if (thread === null) return;
  const turnId = eventTurn === null ? null : turnOf(state, `compaction ${id}`, threadId, eventTurn);
  const body = state.read(ref, (r) => bodies.json(r));
  const input = history(state, body, 'input_history', ref);
  const replacement = history(state, body, 'replacement_history', ref);

  const context = normalizing(state, ref.raw_payload_id, ref.path);
  const before: Sighting = { thread, turnId, producer: null };
  const by: Sighting = { thread, turnId, producer: { type: 'compaction', compaction_id: id } };
  const inputItems = normalizeList(state, input ?? [], context, '/input_history');
  const inputRecords = placeBySearch(state, inputItems, snapshotItems(thread), before);
  for (const record of inputRecords) enterTranscript(state, record);
  flushQueuedCells(state);
  const marker = createItem(state, { ...MARKER, parts: [] }, by);
  enterTranscript(state, marker);
  const replacementItems = normalizeList(state, replacement ?? [], context, '/replacement_history');
  const replacementRecords = placeBySearch(state, replacementItems, [], by);
  for (const record of replacementRecords) enterTranscript(state, record);
  flushQueuedCells(state);

  const ids = (records: ItemRecord[]): string[] => records.map(({ item }) => item.item_id);
  state.compactions.set(id, {
    compaction_id: id,
    thread_id: threadId,
    codex_turn_id: turnId,
    installed_at_unix_ms: state.now,
    marker_item_id: marker.item.item_id,
    request_ids: [...(state.requestsOfCompaction.get(id) ?? [])].sort(compareUtf8),
    input_item_ids: ids(inputRecords),
    replacement_item_ids: ids(replacementRecords),
  });
  // A checkpoint that cannot be read must not empty the history.
  if (replacement !== null) thread.pendingReplacement = replacementRecords;
  thread.latestInference = null;
}

const MARKER: Candidate = {
  id: undefined,
  role: 'assistant',
  channel: null,
  kind: 'compaction_marker',
  agent_message: undefined,
  parts: [],
  call_id: null,
  unstable: false,
  payloadId: '',
};
