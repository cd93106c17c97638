/** Inference calls: one request to a model, and what came back (spec 6.4). */

import { compareUtf8 } from '../format/canonical-json.ts';
import type { EventPayload, ExecutionStatus } from '../format/event.ts';
import type { TokenUsage } from '../format/graph.ts';
import { IdList } from '../format/id-list.ts';
import { asI64, type Int64, type Json, jsonTypeName, member } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import type { Bodies, InputItems, RequestBody } from './bodies.ts';
import { flushQueuedCells } from './code-cell.ts';
import { checkReuse, claimProvisional, createItem, enterTranscript, type Sighting, sight } from './conversation.ts';
import { matches } from './match.ts';
import type { Candidate } from './normalize.ts';
import { normalizeList, normalizing, placeBySearch, placeRequest, RequestBuilder, snapshotItems } from './placement.ts';
import {
  type InferenceRecord,
  type ItemRecord,
  ItemSequence,
  type ReducerState,
  type SequenceSlice,
  type ThreadRecord,
} from './state.ts';
import { inferenceStatusAfterTurn, knownThread, turnOf } from './thread.ts';
import { expectStartingResponse } from './tool-items.ts';
import { closeWindow, openWindow } from './window.ts';

export function startInference(state: ReducerState, event: EventPayload<'inference_started'>, bodies: Bodies): void {
  const { inference_call_id: id, thread_id, request_payload } = event;
  if (state.inferences.has(id)) {
    state.fault('inference_duplicate', `inference ${id} starts again, but it has started already`);
    return;
  }
  const turnId = turnOf(state, `inference ${id}`, thread_id, event.codex_turn_id);
  const thread = knownThread(state, thread_id);
  if (thread === null) return;
  const body = state.read(request_payload, (ref) => bodies.request(ref, thread_id));
  const input = body === undefined ? null : inputOf(state, body, request_payload);
  const record: InferenceRecord = {
    call: {
      inference_call_id: id,
      thread_id,
      codex_turn_id: turnId,
      execution: openWindow(state),
      model: event.model,
      provider_name: event.provider_name,
      response_id: state.rules.responseIdField ? null : undefined,
      upstream_request_id: null,
      request_item_ids: new IdList([]),
      response_item_ids: [],
      tool_call_ids_started_by_response: [],
      usage: null,
      raw_request_payload_id: request_payload.raw_payload_id,
      raw_response_payload_id: null,
    },
    thread,
    whole: input !== null,
    request: { sequence: new ItemSequence(), length: 0 },
    response: [],
  };
  const sighting: Sighting = { thread, turnId, producer: null };
  // A request that cannot be read says nothing about the history: what was known of it stays.
  if (body !== undefined && input !== null) {
    record.request =
      body.previousResponseId === null
        ? placeRequest(state, input, normalizing(state, request_payload.raw_payload_id, request_payload.path), sighting)
        : placeIncremental(state, record, input, body.previousResponseId, request_payload, sighting);
  }
  record.call.request_item_ids = new IdList(record.request.sequence.ids, record.request.length);
  thread.latestInference = record;
  state.inferences.set(id, record);
  if (turnId !== null) {
    const running = state.runningInferences.get(turnId);
    if (running === undefined) state.runningInferences.set(turnId, new Set([record]));
    else running.add(record);
  }
  flushQueuedCells(state);
}

function inputOf(state: ReducerState, { input }: RequestBody, payload: PayloadRef): InputItems | null {
  if (input !== 'missing' && input !== 'not_array') return input;
  const found = input === 'missing' ? 'is missing' : 'is not an array';
  state.fault('request_input_invalid', `the input of request ${payload.raw_payload_id} ${found}`, {
    file: payload.path,
    json_path: '/input',
  });
  return null;
}

/** The inference of the thread whose response the id names: the first by the bytes of its own id (spec Q3). */
function inferenceByResponse(thread: ThreadRecord, responseId: string): InferenceRecord | null {
  let first = thread.firstByResponseId.get(responseId);
  if (first !== undefined) return first;
  for (const record of thread.byResponseId.get(responseId) ?? []) {
    if (first === undefined || isBefore(record, first)) first = record;
  }
  if (first !== undefined) thread.firstByResponseId.set(responseId, first);
  return first ?? null;
}

function isBefore(a: InferenceRecord, b: InferenceRecord): boolean {
  return compareUtf8(a.call.inference_call_id, b.call.inference_call_id) < 0;
}

/** The response of an inference has an id now, or another one, or none any more. */
function nameResponse(record: InferenceRecord, responseId: string | null): void {
  const { thread, call } = record;
  const { byResponseId, firstByResponseId } = thread;
  const before = responseIdOf(record);
  if (call.response_id === undefined) call.upstream_request_id = responseId;
  else call.response_id = responseId;
  if (before === responseId) return;
  if (before !== null) {
    byResponseId.get(before)?.delete(record);
    if (firstByResponseId.get(before) === record) firstByResponseId.delete(before);
  }
  if (responseId === null) return;
  const named = byResponseId.get(responseId);
  if (named === undefined) byResponseId.set(responseId, new Set([record]));
  else named.add(record);
  const first = firstByResponseId.get(responseId);
  if (first !== undefined && isBefore(record, first)) firstByResponseId.set(responseId, record);
}

/** Where the response id stands: up to 0.125 it had no field of its own (rule G14). */
function responseIdOf(record: InferenceRecord): string | null {
  return record.call.response_id === undefined ? record.call.upstream_request_id : record.call.response_id;
}

/** A request that continues an earlier response: only the new items are given (spec Q3). */
function placeIncremental(
  state: ReducerState,
  record: InferenceRecord,
  input: InputItems,
  previousResponseId: string,
  payload: PayloadRef,
  sighting: Sighting,
): SequenceSlice {
  const { thread } = record;
  const id = record.call.inference_call_id;
  const candidates = normalizeList(
    state,
    input.items.slice(0, input.length),
    normalizing(state, payload.raw_payload_id, payload.path),
    '/input',
  );
  const previous = inferenceByResponse(thread, previousResponseId);
  if (previous === null) {
    state.fault(
      'previous_response_unknown',
      `request ${payload.raw_payload_id} of inference ${id} continues response ${previousResponseId}, which no inference of thread ${record.call.thread_id} received`,
      { file: payload.path, json_path: '/previous_response_id' },
    );
  }
  const builder = new RequestBuilder(previous?.request.sequence ?? new ItemSequence());
  if (previous !== null) {
    builder.keep(previous.request.length);
    for (const item of previous.response) {
      enterTranscript(state, item);
      builder.push(item);
    }
  }
  record.whole = previous?.whole === true;
  if (!record.whole) return placeKnownPart(state, builder, candidates, sighting);
  const { snapshot, tail } = thread;
  for (const candidate of candidates) {
    const apart = checkReuse(state, thread, candidate, payload.raw_payload_id);
    const place = builder.length;
    const there = place < snapshot.length ? snapshot.sequence.records[place] : tail[place - snapshot.length];
    const item =
      claimProvisional(state, candidate, sighting) ??
      placeAt(state, candidate, there, sighting, apart, () =>
        state.fault(
          'request_mismatch',
          `item ${place + 1} of inference ${id} (thread ${record.call.thread_id}) is ${there?.item.item_id} in the history, but something else in ${payload.raw_payload_id}`,
          { file: payload.path },
        ),
      );
    enterTranscript(state, item);
    builder.push(item);
  }
  const slice = builder.slice();
  thread.snapshot = slice;
  thread.tail = [];
  thread.heldSerial = 0;
  return slice;
}

function placeAt(
  state: ReducerState,
  candidate: Candidate,
  there: ItemRecord | undefined,
  sighting: Sighting,
  apart: boolean,
  mismatch: () => void,
): ItemRecord {
  if (there !== undefined && !matches(there.item, candidate)) mismatch();
  else if (there !== undefined) {
    sight(state, there, candidate, sighting.producer);
    return there;
  }
  return createItem(state, candidate, sighting, apart);
}

/**
 * A request behind something unknown: what is given is searched in the history, for its place is not known. It adds to
 * the history instead of replacing it.
 */
function placeKnownPart(
  state: ReducerState,
  builder: RequestBuilder,
  candidates: readonly Candidate[],
  sighting: Sighting,
): SequenceSlice {
  const { thread } = sighting;
  const before = new Set(builder.records());
  const history = [...snapshotItems(thread)].filter((record) => !before.has(record));
  const known = new Set(history);
  for (const record of placeBySearch(state, candidates, history, sighting)) {
    enterTranscript(state, record);
    builder.push(record);
    if (!known.has(record)) thread.tail.push(record);
  }
  return builder.slice();
}

/** What the three ends of an inference have in common. */
interface InferenceEnd {
  id: string;
  status: ExecutionStatus;
  responseId: string | null;
  upstreamRequestId: string | null;
  payload: PayloadRef | null;
}

export function completeInference(
  state: ReducerState,
  event: EventPayload<'inference_completed'>,
  bodies: Bodies,
): void {
  endInference(state, bodies, {
    id: event.inference_call_id,
    status: 'completed',
    responseId: event.response_id,
    upstreamRequestId: event.upstream_request_id,
    payload: event.response_payload,
  });
}

export function failInference(state: ReducerState, event: EventPayload<'inference_failed'>, bodies: Bodies): void {
  endInference(state, bodies, {
    id: event.inference_call_id,
    status: 'failed',
    responseId: null,
    upstreamRequestId: event.upstream_request_id,
    payload: event.partial_response_payload,
  });
}

export function cancelInference(state: ReducerState, event: EventPayload<'inference_cancelled'>, bodies: Bodies): void {
  endInference(state, bodies, {
    id: event.inference_call_id,
    status: 'cancelled',
    responseId: null,
    upstreamRequestId: event.upstream_request_id,
    payload: event.partial_response_payload,
  });
}

/** Spec Q6 to Q8. */
function endInference(state: ReducerState, bodies: Bodies, end: InferenceEnd): void {
  const record = state.inferences.get(end.id);
  if (record === undefined) {
    state.fault('inference_unknown', `inference ${end.id} ends, but it has not started in this trace`);
    return;
  }
  const { call } = record;
  const body = end.payload === null ? undefined : state.read(end.payload, (ref) => bodies.json(ref));
  const response = end.payload === null || body === undefined ? null : reduceResponse(state, record, body, end.payload);
  nameResponse(record, end.responseId);
  if (state.rules.responseIdField) call.upstream_request_id = end.upstreamRequestId ?? call.upstream_request_id;
  if (call.execution.status === 'running' || !state.rules.inferenceEndsOnce)
    closeWindow(state, call.execution, end.status);
  if (call.codex_turn_id !== null) state.runningInferences.get(call.codex_turn_id)?.delete(record);
  if (end.payload !== null || !state.rules.inferenceEndsOnce) {
    call.raw_response_payload_id = end.payload?.raw_payload_id ?? null;
  }
  if (response !== null) storeResponse(state, record, response);
  if (body !== undefined) call.usage = readUsage(state, body) ?? call.usage;
  flushQueuedCells(state);
}

function reduceResponse(
  state: ReducerState,
  record: InferenceRecord,
  body: Json,
  payload: PayloadRef,
): ItemRecord[] | null {
  const list = member(body, 'output_items');
  if (!Array.isArray(list)) {
    state.fault(
      'response_items_invalid',
      `output_items of response ${payload.raw_payload_id} is ${jsonTypeName(list)}, not an array`,
      {
        file: payload.path,
        json_path: '/output_items',
      },
    );
    return null;
  }
  const { thread, call } = record;
  const candidates = normalizeList(
    state,
    list,
    normalizing(state, payload.raw_payload_id, payload.path),
    '/output_items',
  );
  const sighting: Sighting = {
    thread,
    turnId: call.codex_turn_id,
    producer: { type: 'inference', inference_call_id: call.inference_call_id },
  };
  return placeBySearch(state, candidates, knownByIds(state, thread, candidates), sighting);
}

/** Items of the thread that have the id of any item in the response, in creation order (spec Q6, G21). */
function knownByIds(state: ReducerState, thread: ThreadRecord, candidates: readonly Candidate[]): ItemRecord[] {
  if (!state.rules.responseItemsReused) return [];
  const ids = new Set(candidates.map((candidate) => candidate.id));
  const known: ItemRecord[] = [];
  for (const id of ids) if (id !== undefined) known.push(...(thread.byResponsesId.get(id) ?? []));
  return known.sort((a, b) => a.ordinal - b.ordinal);
}

function storeResponse(state: ReducerState, record: InferenceRecord, response: ItemRecord[]): void {
  const { thread, call } = record;
  for (const item of record.response) {
    const at = item.responders.indexOf(record);
    if (at >= 0) item.responders.splice(at, 1);
  }
  record.response = response;
  call.response_item_ids = response.map(({ item }) => item.item_id);
  for (const item of response) {
    item.responders.push(record);
    expectStartingResponse(item);
    if (!state.rules.transcriptDerived) enterTranscript(state, item);
  }
  if (!state.rules.snapshotFollowsLatest) thread.tail.push(...response);
  else if (thread.latestInference === record && !record.whole) {
    const known = new Set(snapshotItems(thread));
    thread.tail.push(...response.filter((item) => !known.has(item)));
  } else if (thread.latestInference === record) {
    thread.snapshot = record.request;
    thread.tail = [...response];
  }
}

const COUNTS = ['input_tokens', 'cached_input_tokens', 'output_tokens', 'reasoning_output_tokens'] as const;

/** Spec Q8: null where the counts are not all integers. */
function readUsage(state: ReducerState, body: Json): TokenUsage | null {
  const usage = member(body, 'token_usage');
  const count = (key: string): Int64 | null => {
    const value = asI64(member(usage, key));
    return value !== null && value < 0 ? 0 : value;
  };
  const [input, cached, output, reasoning] = COUNTS.map(count);
  if (input == null || cached == null || output == null || reasoning == null) return null;
  return {
    input_tokens: input,
    cached_input_tokens: cached,
    cache_write_input_tokens: state.rules.cacheWriteTokens ? (count('cache_write_input_tokens') ?? 0) : undefined,
    output_tokens: output,
    reasoning_output_tokens: reasoning,
  };
}

/** The turn ended: its running inferences will not be heard of again (spec R7, G16). */
export function endTurnInferences(state: ReducerState, turnId: string, turnStatus: ExecutionStatus): void {
  const status = inferenceStatusAfterTurn(turnStatus);
  const running = state.runningInferences.get(turnId);
  if (status === null || running === undefined) return;
  for (const { call } of running) closeWindow(state, call.execution, status);
  running.clear();
}
