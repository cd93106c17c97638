/**
 * What can happen: every raw event of every generation, as one map from type to fields (spec section 3).
 *
 * The unions are derived from the map, so an event type without an owner in the reducer does not compile. Field names
 * are those on disk. A field the format may leave out is null here.
 */

import type { Int64, Json } from './json.ts';
import type { PayloadRef } from './payload.ts';

export const ROLLOUT_STATUSES = ['running', 'completed', 'failed', 'aborted'] as const;
export type RolloutStatus = (typeof ROLLOUT_STATUSES)[number];

export const EXECUTION_STATUSES = ['running', 'completed', 'failed', 'cancelled', 'aborted'] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

export const CODE_CELL_STATUSES = ['starting', 'running', 'yielded', 'completed', 'failed', 'terminated'] as const;
export type CodeCellStatus = (typeof CODE_CELL_STATUSES)[number];

/** Who asked for a tool call, in the words of the recorder. */
export type RawRequester = { type: 'model' } | { type: 'code_cell'; runtime_cell_id: string };

/** The tool kinds that carry nothing but their name. */
export const PLAIN_TOOL_KINDS = [
  'exec_command',
  'write_stdin',
  'apply_patch',
  'web',
  'image_generation',
  'spawn_agent',
  'assign_agent_task',
  'send_message',
  'wait_agent',
  'close_agent',
] as const;

export type ToolKind =
  | { type: (typeof PLAIN_TOOL_KINDS)[number] }
  | { type: 'mcp'; server: string; tool: string }
  | { type: 'other'; name: string };

export type ToolSummary =
  | { type: 'terminal'; operation_id: string }
  | { type: 'agent'; target_agent_path: string; task_name: string | null; message_preview: string }
  | { type: 'wait_agent'; target_agent_path: string | null; timeout_ms: Int64 | null }
  | { type: 'generic'; label: string; input_preview: string | null; output_preview: string | null };

/** The fields of each raw event, by type, in the order a recorder writes them. */
export interface EventPayloads {
  recording_completed: Record<never, never>;
  rollout_started: { trace_id: string; root_thread_id: string };
  rollout_ended: { status: RolloutStatus };
  thread_started: { thread_id: string; agent_path: string; metadata_payload: PayloadRef | null };
  thread_ended: { thread_id: string; status: RolloutStatus };
  thread_resumed: { thread_id: string };
  codex_turn_started: { codex_turn_id: string; thread_id: string };
  codex_turn_ended: { codex_turn_id: string; status: ExecutionStatus };
  history_item_accepted: { item_id: string; agent_message_payload: PayloadRef | null };
  inference_started: {
    inference_call_id: string;
    thread_id: string;
    codex_turn_id: string;
    model: string;
    provider_name: string;
    request_payload: PayloadRef;
  };
  inference_completed: {
    inference_call_id: string;
    response_id: string | null;
    upstream_request_id: string | null;
    response_payload: PayloadRef;
  };
  inference_failed: {
    inference_call_id: string;
    upstream_request_id: string | null;
    error: string;
    partial_response_payload: PayloadRef | null;
  };
  inference_cancelled: {
    inference_call_id: string;
    upstream_request_id: string | null;
    reason: string;
    partial_response_payload: PayloadRef | null;
  };
  tool_call_started: {
    tool_call_id: string;
    model_visible_call_id: string | null;
    code_mode_runtime_tool_id: string | null;
    requester: RawRequester;
    kind: ToolKind;
    summary: ToolSummary;
    invocation_payload: PayloadRef | null;
  };
  mcp_tool_call_correlation_assigned: { tool_call_id: string; mcp_call_id: string };
  stdin_target_resolved: { tool_call_id: string; exec_tool_call_id: string };
  /** `kind` is null where the recorder was older than 0.166 and did not write it. */
  tool_call_runtime_started: { tool_call_id: string; kind: ToolKind | null; runtime_payload: PayloadRef };
  tool_call_runtime_ended: { tool_call_id: string; status: ExecutionStatus; runtime_payload: PayloadRef };
  tool_call_ended: { tool_call_id: string; status: ExecutionStatus; result_payload: PayloadRef | null };
  code_cell_started: { runtime_cell_id: string; model_visible_call_id: string; source_js: string };
  code_cell_initial_response: {
    runtime_cell_id: string;
    status: CodeCellStatus;
    response_payload: PayloadRef | null;
  };
  code_cell_ended: { runtime_cell_id: string; status: CodeCellStatus; response_payload: PayloadRef | null };
  compaction_request_started: {
    compaction_id: string;
    compaction_request_id: string;
    thread_id: string;
    codex_turn_id: string;
    model: string;
    provider_name: string;
    request_payload: PayloadRef;
  };
  compaction_request_completed: {
    compaction_id: string;
    compaction_request_id: string;
    response_payload: PayloadRef;
  };
  compaction_request_failed: { compaction_id: string; compaction_request_id: string; error: string };
  compaction_installed: { compaction_id: string; checkpoint_payload: PayloadRef };
  agent_result_observed: {
    edge_id: string;
    child_thread_id: string;
    child_codex_turn_id: string;
    parent_thread_id: string;
    message: string;
    carried_payload: PayloadRef | null;
  };
  protocol_event_observed: { event_type: string; event_payload: PayloadRef };
  /** Reserved by the format. No generation of the reference reduces it. */
  other: { kind: string; summary: string; payloads: PayloadRef[]; metadata: Json };
}

export type EventType = keyof EventPayloads;
export type EventPayload<T extends EventType = EventType> = { [K in T]: { type: K } & EventPayloads[K] }[T];

/** One line of `trace.jsonl`. `seq` counts from 1; the time is Unix milliseconds. */
export interface RawEvent<T extends EventType = EventType> {
  schema_version: number;
  seq: Int64;
  wall_time_unix_ms: Int64;
  rollout_id: string;
  thread_id: string | null;
  codex_turn_id: string | null;
  payload: EventPayload<T>;
}
