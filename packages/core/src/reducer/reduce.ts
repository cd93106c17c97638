/** The event table: which room answers which event. Nothing else stands here but the way in and the way out. */

import { payloadRefs } from '../format/decode-event.ts';
import type { EventType, RawEvent } from '../format/event.ts';
import type { Manifest } from '../format/manifest.ts';
import { acceptHistoryItem } from './acceptance.ts';
import { observeAgentResult } from './agent.ts';
import type { Bodies } from './bodies.ts';
import { cellEvent, startCell } from './code-cell.ts';
import {
  completeCompactionRequest,
  failCompactionRequest,
  installCompaction,
  startCompactionRequest,
} from './compaction.ts';
import { cancelInference, completeInference, failInference, startInference } from './inference.ts';
import { sha256Hex } from './sha256.ts';
import { type ReduceOptions, ReducerState } from './state.ts';
import { endRollout, endThread, endTurn, resumeThread, startRollout, startThread, startTurn } from './thread.ts';
import { correlateMcp, endTool, endToolRuntime, resolveStdinTarget, startTool, startToolRuntime } from './tool.ts';

type Handler<T extends EventType> = (state: ReducerState, event: RawEvent<T>, bodies: Bodies) => void;

const EVENT_HANDLERS: { readonly [T in EventType]: Handler<T> } = {
  recording_completed: (state) => {
    state.recordingCompleted = true;
    state.recordingComplete = state.lineEnded;
  },
  rollout_started: (state, { payload }) => startRollout(state, payload),
  rollout_ended: (state, { payload }) => endRollout(state, payload),
  thread_started: (state, { payload }, bodies) => startThread(state, payload, bodies),
  thread_ended: (state, { payload }) => endThread(state, payload),
  thread_resumed: (state, { payload }) => resumeThread(state, payload),
  codex_turn_started: (state, { payload }) => startTurn(state, payload),
  codex_turn_ended: (state, { payload }) => endTurn(state, payload),
  history_item_accepted: (state, { payload }, bodies) => acceptHistoryItem(state, payload, bodies),
  inference_started: (state, { payload }, bodies) => startInference(state, payload, bodies),
  inference_completed: (state, { payload }, bodies) => completeInference(state, payload, bodies),
  inference_failed: (state, { payload }, bodies) => failInference(state, payload, bodies),
  inference_cancelled: (state, { payload }, bodies) => cancelInference(state, payload, bodies),
  tool_call_started: (state, { payload }, bodies) => startTool(state, payload, bodies),
  mcp_tool_call_correlation_assigned: (state, { payload }) => correlateMcp(state, payload),
  stdin_target_resolved: (state, { payload }) => resolveStdinTarget(state, payload),
  tool_call_runtime_started: (state, { payload }, bodies) => startToolRuntime(state, payload, bodies),
  tool_call_runtime_ended: (state, { payload }, bodies) => endToolRuntime(state, payload, bodies),
  tool_call_ended: (state, { payload }, bodies) => endTool(state, payload, bodies),
  code_cell_started: (state, event) => startCell(state, event),
  code_cell_initial_response: (state, event) => cellEvent(state, event),
  code_cell_ended: (state, event) => cellEvent(state, event),
  compaction_request_started: (state, { payload }) => startCompactionRequest(state, payload),
  compaction_request_completed: (state, { payload }) => completeCompactionRequest(state, payload),
  compaction_request_failed: (state, { payload }) => failCompactionRequest(state, payload),
  compaction_installed: (state, { payload }, bodies) => installCompaction(state, payload, bodies),
  agent_result_observed: (state, { payload }) => observeAgentResult(state, payload),
  // Breadcrumbs are evidence only: their payload is recorded, nothing follows from it (spec O1).
  protocol_event_observed: () => {},
  other: (state, { payload }) => {
    state.fault(
      'event_unsupported',
      `an event of type other and kind ${payload.kind} has no meaning in any generation`,
    );
    for (const ref of payload.payloads) state.rawPayloads.set(ref.raw_payload_id, ref);
  },
};

/** A reducer before its first event. */
export function createReducer(manifest: Manifest, options: ReduceOptions): ReducerState {
  return new ReducerState(manifest, options, sha256Hex);
}

/** Where an event stands in its log. */
export interface EventPlace {
  /** Counts from 1, blank lines included. */
  line: number;
  /** The line was written to its end. */
  ended: boolean;
}

/**
 * Applies one event. Pure but for the state; never waits.
 *
 * @param place where the event stands, for findings and for the end of the recording; none for an event without a log
 * @throws TraceError in strict mode at the first inconsistency; the state is of no use then
 */
export function step(state: ReducerState, event: RawEvent, bodies: Bodies, place?: EventPlace): void {
  state.event = event;
  state.line = place?.line ?? null;
  state.lineEnded = place?.ended ?? true;
  state.events++;
  for (const ref of payloadRefs(event)) state.rawPayloads.set(ref.raw_payload_id, ref);
  const handler = EVENT_HANDLERS[event.payload.type] as Handler<EventType>;
  handler(state, event, bodies);
}
