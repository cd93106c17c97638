/**
 * The reduced graph in its newest shape (spec section 5): what `state.json` holds, as types.
 *
 * Field names are those on disk. `null` is written as null. `undefined` is left out: either there is no value, or the
 * generation of the bundle does not know the field. The order of the fields on disk stands in `state-json.ts`.
 */

import type { CodeCellStatus, ExecutionStatus, RolloutStatus, ToolKind, ToolSummary } from './event.ts';
import type { IdList } from './id-list.ts';
import type { Int64 } from './json.ts';
import type { PayloadRef } from './payload.ts';

/** When something ran, by clock and by event. Open while `ended_seq` is null. */
export interface ExecutionWindow {
  started_at_unix_ms: Int64;
  started_seq: Int64;
  ended_at_unix_ms: Int64 | null;
  ended_seq: Int64 | null;
  status: ExecutionStatus;
}

export type ThreadOrigin =
  | { type: 'root' }
  | {
      type: 'spawned';
      /** The parent need not be in this trace. */
      parent_thread_id: string;
      /** The edge exists only once the spawn was observed. */
      spawn_edge_id: string;
      task_name: string;
      agent_role: string;
    };

/** One conversation: the root agent or a child agent. */
export interface Thread {
  thread_id: string;
  agent_path: string;
  nickname: string | null;
  origin: ThreadOrigin;
  execution: ExecutionWindow;
  default_model: string | null;
  /** The transcript: items that were accepted, sent to a model, or part of a compaction. */
  conversation_item_ids: string[];
}

/** One activation of a thread. */
export interface CodexTurn {
  codex_turn_id: string;
  thread_id: string;
  execution: ExecutionWindow;
  /** Always empty; the format reserves it. */
  input_item_ids: string[];
}

export type ConversationRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool';
export type ConversationChannel = 'analysis' | 'commentary' | 'final' | 'summary';
export type ConversationItemKind =
  | 'message'
  | 'reasoning'
  | 'function_call'
  | 'function_call_output'
  | 'custom_tool_call'
  | 'custom_tool_call_output'
  | 'compaction_marker';

export type ConversationPart =
  | { type: 'text'; text: string }
  | { type: 'summary'; text: string }
  | { type: 'encoded'; label: string; value: string }
  | { type: 'json'; summary: string; raw_payload_id: string }
  | { type: 'code'; language: string; source: string }
  | { type: 'payload_ref'; label: string; raw_payload_id: string; content_sha256?: string | undefined };

export interface AgentMessageRoute {
  author: string;
  recipient: string;
}

/** What brought an item into being, or showed it again. */
export type ItemProducer =
  | { type: 'inference'; inference_call_id: string }
  | { type: 'tool'; tool_call_id: string }
  | { type: 'code_cell'; code_cell_id: string }
  | { type: 'compaction'; compaction_id: string };

/** One model-visible item of a thread's history. */
export interface ConversationItem {
  item_id: string;
  /** The id the Responses API gave the item. */
  responses_item_id?: string | undefined;
  accepted_at_unix_ms?: Int64 | undefined;
  accepted_seq?: Int64 | undefined;
  thread_id: string;
  codex_turn_id: string | null;
  first_seen_at_unix_ms: Int64;
  role: ConversationRole;
  channel: ConversationChannel | null;
  kind: ConversationItemKind;
  agent_message?: AgentMessageRoute | undefined;
  body: { parts: ConversationPart[] };
  call_id: string | null;
  produced_by: ItemProducer[];
}

export interface TokenUsage {
  input_tokens: Int64;
  cached_input_tokens: Int64;
  cache_write_input_tokens?: Int64 | undefined;
  output_tokens: Int64;
  reasoning_output_tokens: Int64;
}

/** One request to a model and what came back. */
export interface InferenceCall {
  inference_call_id: string;
  thread_id: string;
  /** Null only where salvage could not find the turn. */
  codex_turn_id: string | null;
  execution: ExecutionWindow;
  model: string;
  provider_name: string;
  response_id?: string | null | undefined;
  upstream_request_id: string | null;
  /** Everything the model saw, in order. */
  request_item_ids: IdList;
  response_item_ids: string[];
  tool_call_ids_started_by_response: string[];
  usage: TokenUsage | null;
  raw_request_payload_id: string;
  raw_response_payload_id: string | null;
}

/** One JavaScript program the model ran. */
export interface CodeCell {
  code_cell_id: string;
  model_visible_call_id: string;
  thread_id: string;
  /** Null only where salvage could not find the turn. */
  codex_turn_id: string | null;
  source_item_id: string;
  output_item_ids: string[];
  runtime_cell_id: string;
  execution: ExecutionWindow;
  runtime_status: CodeCellStatus;
  initial_response_at_unix_ms: Int64 | null;
  initial_response_seq: Int64 | null;
  initial_response_status?: CodeCellStatus | null | undefined;
  raw_initial_response_payload_id?: string | null | undefined;
  raw_result_payload_id?: string | null | undefined;
  yielded_at_unix_ms: Int64 | null;
  yielded_seq: Int64 | null;
  source_js: string;
  nested_tool_call_ids: string[];
  wait_tool_call_ids: string[];
}

/** Who asked for a tool call. The cell need not exist: its call may never have become visible to the model. */
export type ToolRequester = { type: 'model' } | { type: 'code_cell'; code_cell_id: string };

/** One tool call as the runtime carried it out. */
export interface ToolCall {
  tool_call_id: string;
  mcp_call_id?: string | null | undefined;
  model_visible_call_id: string | null;
  code_mode_runtime_tool_id: string | null;
  started_code_cell_id?: string | undefined;
  thread_id: string;
  started_by_codex_turn_id: string | null;
  execution: ExecutionWindow;
  /** Null only where salvage could not tell who asked. */
  requester: ToolRequester | null;
  kind: ToolKind;
  model_visible_call_item_ids: string[];
  model_visible_output_item_ids: string[];
  terminal_operation_id: string | null;
  summary: ToolSummary;
  raw_invocation_payload_id: string | null;
  raw_result_payload_id: string | null;
  raw_runtime_payload_ids: string[];
}

export interface TerminalSession {
  terminal_id: string;
  thread_id: string;
  created_by_operation_id: string;
  operation_ids: string[];
  execution: ExecutionWindow;
}

export type TerminalRequest =
  | {
      type: 'exec_command';
      command: string[];
      display_command: string;
      cwd: string;
      yield_time_ms: Int64 | null;
      max_output_tokens: Int64 | null;
    }
  | { type: 'write_stdin'; stdin: string; yield_time_ms: Int64 | null; max_output_tokens: Int64 | null };

export interface TerminalResult {
  exit_code: number | null;
  stdout: string;
  stderr: string;
  formatted_output: string | null;
  original_token_count: Int64 | null;
  chunk_id: string | null;
}

export interface TerminalModelObservation {
  call_item_ids: string[];
  output_item_ids: string[];
  source: 'direct_tool_call';
}

/** One command started in a terminal, or one write to it. */
export interface TerminalOperation {
  operation_id: string;
  terminal_id: string | null;
  tool_call_id: string;
  kind: 'exec_command' | 'write_stdin';
  execution: ExecutionWindow;
  request: TerminalRequest;
  result: TerminalResult | null;
  model_observations: TerminalModelObservation[];
  raw_payload_ids: string[];
}

/** The moment a thread's history was replaced by a shorter one. */
export interface Compaction {
  compaction_id: string;
  thread_id: string;
  /** Null only where salvage could not find the turn. */
  codex_turn_id: string | null;
  installed_at_unix_ms: Int64;
  marker_item_id: string;
  request_ids: string[];
  input_item_ids: string[];
  replacement_item_ids: string[];
}

export interface CompactionRequest {
  compaction_request_id: string;
  compaction_id: string;
  thread_id: string;
  /** Null only where salvage could not find the turn. */
  codex_turn_id: string | null;
  execution: ExecutionWindow;
  model: string;
  provider_name: string;
  raw_request_payload_id: string;
  raw_response_payload_id: string | null;
}

export type InteractionEdgeKind = 'spawn_agent' | 'assign_agent_task' | 'send_message' | 'agent_result' | 'close_agent';

export type EdgeAnchor =
  | { type: 'conversation_item'; item_id: string }
  | { type: 'tool_call'; tool_call_id: string }
  | { type: 'thread'; thread_id: string };

/** How information moved from one agent to another. */
export interface InteractionEdge {
  edge_id: string;
  kind: InteractionEdgeKind;
  source: EdgeAnchor;
  target: EdgeAnchor;
  started_at_unix_ms: Int64;
  ended_at_unix_ms: Int64 | null;
  carried_item_ids: string[];
  carried_raw_payload_ids: string[];
}

/**
 * The whole graph of one bundle. Maps are in creation order; on disk their keys are sorted by UTF-8 bytes.
 * `schema_version` is that of the newest shape, whatever generation the bundle has.
 */
export interface Graph {
  schema_version: 2;
  trace_id: string;
  rollout_id: string;
  started_at_unix_ms: Int64;
  ended_at_unix_ms: Int64 | null;
  status: RolloutStatus;
  /** Null where the generation has no event that says so. */
  recording_complete: boolean | null;
  root_thread_id: string;
  threads: Map<string, Thread>;
  codex_turns: Map<string, CodexTurn>;
  conversation_items: Map<string, ConversationItem>;
  inference_calls: Map<string, InferenceCall>;
  code_cells: Map<string, CodeCell>;
  tool_calls: Map<string, ToolCall>;
  terminal_sessions: Map<string, TerminalSession>;
  terminal_operations: Map<string, TerminalOperation>;
  compactions: Map<string, Compaction>;
  compaction_requests: Map<string, CompactionRequest>;
  interaction_edges: Map<string, InteractionEdge>;
  raw_payloads: Map<string, PayloadRef>;
}
