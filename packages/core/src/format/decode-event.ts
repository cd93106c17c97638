/**
 * From a parsed line of `trace.jsonl` to a typed event (spec sections 2 and 3), and from parsed JSON to a manifest.
 *
 * Hand-written, because the errors carry the path and because the reference's leniencies (structures as arrays, unit
 * values as `{"word": null}`) are part of the format. Not here: what an event means.
 */

import {
  CODE_CELL_STATUSES,
  type EventPayload,
  type EventPayloads,
  type EventType,
  EXECUTION_STATUSES,
  PLAIN_TOOL_KINDS,
  type RawEvent,
  type RawRequester,
  ROLLOUT_STATUSES,
  type ToolKind,
  type ToolSummary,
} from './event.ts';
import { DecodeError, Fields } from './fields.ts';
import type { GenerationRules } from './generation.ts';
import { type Json, JsonObject, jsonTypeName } from './json.ts';
import type { Manifest } from './manifest.ts';
import { PAYLOAD_KINDS, type PayloadRef } from './payload.ts';

/** An event whose type the generation does not know. Data to salvage, an error in strict mode. */
export class UnknownEventError extends DecodeError {
  readonly eventType: string;
  constructor(eventType: string) {
    super('/payload/type', 'an event type this generation knows', `"${eventType.slice(0, 60)}"`);
    this.name = 'UnknownEventError';
    this.eventType = eventType;
  }
}

const MANIFEST_FIELDS = [
  'schema_version',
  'trace_id',
  'rollout_id',
  'root_thread_id',
  'started_at_unix_ms',
  'raw_event_log',
  'payloads_dir',
];

/** @throws DecodeError naming the first field that is missing or has the wrong type (spec M1) */
export function decodeManifest(value: Json): Manifest {
  const fields = new Fields(value, MANIFEST_FIELDS, '');
  return {
    schema_version: fields.u32('schema_version'),
    trace_id: fields.string('trace_id'),
    rollout_id: fields.string('rollout_id'),
    root_thread_id: fields.string('root_thread_id'),
    started_at_unix_ms: fields.i64('started_at_unix_ms'),
    raw_event_log: fields.string('raw_event_log'),
    payloads_dir: fields.string('payloads_dir'),
  };
}

const ENVELOPE_FIELDS = [
  'schema_version',
  'seq',
  'wall_time_unix_ms',
  'rollout_id',
  'thread_id',
  'codex_turn_id',
  'payload',
];
const REF_FIELDS = ['raw_payload_id', 'kind', 'path'];
const KIND_FIELDS = ['type', 'value'];

function ref(fields: Fields, name: string): PayloadRef {
  const parts = new Fields(fields.get(name), REF_FIELDS, fields.at(name));
  const kind = parts.get('kind');
  if (!(kind instanceof JsonObject)) throw new DecodeError(parts.at('kind'), 'an object', jsonTypeName(kind));
  const tag = new Fields(kind, KIND_FIELDS, parts.at('kind'));
  const value = tag.get('value');
  if (value !== undefined && value !== null) tag.fail('value', 'null');
  return {
    raw_payload_id: parts.string('raw_payload_id'),
    kind: { type: tag.word('type', PAYLOAD_KINDS) },
    path: parts.string('path'),
  };
}

function optionalRef(fields: Fields, name: string): PayloadRef | null {
  const value = fields.get(name);
  return value === undefined || value === null ? null : ref(fields, name);
}

const REQUESTERS = ['model', 'code_cell'] as const;
function requester(fields: Fields, name: string): RawRequester {
  const parts = new Fields(fields.get(name), ['type', 'runtime_cell_id'], fields.at(name));
  const type = parts.word('type', REQUESTERS);
  return type === 'model' ? { type } : { type, runtime_cell_id: parts.string('runtime_cell_id') };
}

const TOOL_KINDS = [...PLAIN_TOOL_KINDS, 'mcp', 'other'] as const;
/** The fields of an array in place of a structure begin with the tag; which follow depends on it. */
function tagOf(value: Json | undefined): Json | undefined {
  return value instanceof JsonObject ? value.get('type') : Array.isArray(value) ? value[0] : undefined;
}

function toolKind(fields: Fields, name: string): ToolKind {
  const value = fields.get(name);
  const names = tagOf(value) === 'other' ? ['type', 'name'] : ['type', 'server', 'tool'];
  const parts = new Fields(value, names, fields.at(name));
  const type = parts.word('type', TOOL_KINDS);
  if (type === 'mcp') return { type, server: parts.string('server'), tool: parts.string('tool') };
  if (type === 'other') return { type, name: parts.string('name') };
  return { type };
}

const SUMMARY_FIELDS: Record<string, readonly string[]> = {
  terminal: ['type', 'operation_id'],
  agent: ['type', 'target_agent_path', 'task_name', 'message_preview'],
  wait_agent: ['type', 'target_agent_path', 'timeout_ms'],
  generic: ['type', 'label', 'input_preview', 'output_preview'],
};
const SUMMARIES = ['terminal', 'agent', 'wait_agent', 'generic'] as const;

function toolSummary(fields: Fields, name: string): ToolSummary {
  const value = fields.get(name);
  const parts = new Fields(value, SUMMARY_FIELDS[String(tagOf(value))] ?? ['type'], fields.at(name));
  const type = parts.word('type', SUMMARIES);
  switch (type) {
    case 'terminal':
      return { type, operation_id: parts.string('operation_id') };
    case 'agent':
      return {
        type,
        target_agent_path: parts.string('target_agent_path'),
        task_name: parts.optionalString('task_name'),
        message_preview: parts.string('message_preview'),
      };
    case 'wait_agent':
      return {
        type,
        target_agent_path: parts.optionalString('target_agent_path'),
        timeout_ms: parts.optionalU64('timeout_ms'),
      };
    case 'generic':
      return {
        type,
        label: parts.string('label'),
        input_preview: parts.optionalString('input_preview'),
        output_preview: parts.optionalString('output_preview'),
      };
  }
}

function present(fields: Fields, name: string): Json {
  const value = fields.get(name);
  return value === undefined ? fields.fail(name, 'given') : value;
}

function refs(fields: Fields, name: string): PayloadRef[] {
  const list = fields.get(name);
  if (!Array.isArray(list)) return fields.fail(name, 'an array');
  const names = list.map((_, index) => String(index));
  const entries = new Fields(list, names, fields.at(name));
  return names.map((index) => ref(entries, index));
}

/** How one event type is read: its fields in order, and the function that reads them. */
interface EventDecoder<T extends EventType> {
  names: readonly (keyof EventPayloads[T] & string)[];
  read: (fields: Fields, rules: GenerationRules) => EventPayloads[T];
}

const EVENT_DECODERS: { [T in EventType]: EventDecoder<T> } = {
  recording_completed: { names: [], read: () => ({}) },
  rollout_started: {
    names: ['trace_id', 'root_thread_id'],
    read: (f) => ({ trace_id: f.string('trace_id'), root_thread_id: f.string('root_thread_id') }),
  },
  rollout_ended: { names: ['status'], read: (f) => ({ status: f.word('status', ROLLOUT_STATUSES) }) },
  thread_started: {
    names: ['thread_id', 'agent_path', 'metadata_payload'],
    read: (f) => ({
      thread_id: f.string('thread_id'),
      agent_path: f.string('agent_path'),
      metadata_payload: optionalRef(f, 'metadata_payload'),
    }),
  },
  thread_ended: {
    names: ['thread_id', 'status'],
    read: (f) => ({ thread_id: f.string('thread_id'), status: f.word('status', ROLLOUT_STATUSES) }),
  },
  thread_resumed: { names: ['thread_id'], read: (f) => ({ thread_id: f.string('thread_id') }) },
  codex_turn_started: {
    names: ['codex_turn_id', 'thread_id'],
    read: (f) => ({ codex_turn_id: f.string('codex_turn_id'), thread_id: f.string('thread_id') }),
  },
  codex_turn_ended: {
    names: ['codex_turn_id', 'status'],
    read: (f) => ({ codex_turn_id: f.string('codex_turn_id'), status: f.word('status', EXECUTION_STATUSES) }),
  },
  history_item_accepted: {
    names: ['item_id', 'agent_message_payload'],
    read: (f, rules) => ({
      item_id: f.string('item_id'),
      agent_message_payload: rules.acceptances === 'agent_messages' ? optionalRef(f, 'agent_message_payload') : null,
    }),
  },
  inference_started: {
    names: ['inference_call_id', 'thread_id', 'codex_turn_id', 'model', 'provider_name', 'request_payload'],
    read: (f) => ({
      inference_call_id: f.string('inference_call_id'),
      thread_id: f.string('thread_id'),
      codex_turn_id: f.string('codex_turn_id'),
      model: f.string('model'),
      provider_name: f.string('provider_name'),
      request_payload: ref(f, 'request_payload'),
    }),
  },
  inference_completed: {
    names: ['inference_call_id', 'response_id', 'upstream_request_id', 'response_payload'],
    read: (f, rules) => ({
      inference_call_id: f.string('inference_call_id'),
      response_id: f.optionalString('response_id'),
      upstream_request_id: rules.responseIdField ? f.optionalString('upstream_request_id') : null,
      response_payload: ref(f, 'response_payload'),
    }),
  },
  inference_failed: {
    names: ['inference_call_id', 'upstream_request_id', 'error', 'partial_response_payload'],
    read: (f, rules) => ({
      inference_call_id: f.string('inference_call_id'),
      upstream_request_id: rules.responseIdField ? f.optionalString('upstream_request_id') : null,
      error: f.string('error'),
      partial_response_payload: optionalRef(f, 'partial_response_payload'),
    }),
  },
  inference_cancelled: {
    names: ['inference_call_id', 'upstream_request_id', 'reason', 'partial_response_payload'],
    read: (f) => ({
      inference_call_id: f.string('inference_call_id'),
      upstream_request_id: f.optionalString('upstream_request_id'),
      reason: f.string('reason'),
      partial_response_payload: optionalRef(f, 'partial_response_payload'),
    }),
  },
  tool_call_started: {
    names: [
      'tool_call_id',
      'model_visible_call_id',
      'code_mode_runtime_tool_id',
      'requester',
      'kind',
      'summary',
      'invocation_payload',
    ],
    read: (f) => ({
      tool_call_id: f.string('tool_call_id'),
      model_visible_call_id: f.optionalString('model_visible_call_id'),
      code_mode_runtime_tool_id: f.optionalString('code_mode_runtime_tool_id'),
      requester: requester(f, 'requester'),
      kind: toolKind(f, 'kind'),
      summary: toolSummary(f, 'summary'),
      invocation_payload: optionalRef(f, 'invocation_payload'),
    }),
  },
  mcp_tool_call_correlation_assigned: {
    names: ['tool_call_id', 'mcp_call_id'],
    read: (f) => ({ tool_call_id: f.string('tool_call_id'), mcp_call_id: f.string('mcp_call_id') }),
  },
  stdin_target_resolved: {
    names: ['tool_call_id', 'exec_tool_call_id'],
    read: (f) => ({ tool_call_id: f.string('tool_call_id'), exec_tool_call_id: f.string('exec_tool_call_id') }),
  },
  tool_call_runtime_started: {
    names: ['tool_call_id', 'kind', 'runtime_payload'],
    read: (f, rules) => ({
      tool_call_id: f.string('tool_call_id'),
      kind: rules.runtimeKind === 'event' ? toolKind(f, 'kind') : null,
      runtime_payload: ref(f, 'runtime_payload'),
    }),
  },
  tool_call_runtime_ended: {
    names: ['tool_call_id', 'status', 'runtime_payload'],
    read: (f) => ({
      tool_call_id: f.string('tool_call_id'),
      status: f.word('status', EXECUTION_STATUSES),
      runtime_payload: ref(f, 'runtime_payload'),
    }),
  },
  tool_call_ended: {
    names: ['tool_call_id', 'status', 'result_payload'],
    read: (f) => ({
      tool_call_id: f.string('tool_call_id'),
      status: f.word('status', EXECUTION_STATUSES),
      result_payload: optionalRef(f, 'result_payload'),
    }),
  },
  code_cell_started: {
    names: ['runtime_cell_id', 'model_visible_call_id', 'source_js'],
    read: (f) => ({
      runtime_cell_id: f.string('runtime_cell_id'),
      model_visible_call_id: f.string('model_visible_call_id'),
      source_js: f.string('source_js'),
    }),
  },
  code_cell_initial_response: {
    names: ['runtime_cell_id', 'status', 'response_payload'],
    read: (f) => ({
      runtime_cell_id: f.string('runtime_cell_id'),
      status: f.word('status', CODE_CELL_STATUSES),
      response_payload: optionalRef(f, 'response_payload'),
    }),
  },
  code_cell_ended: {
    names: ['runtime_cell_id', 'status', 'response_payload'],
    read: (f) => ({
      runtime_cell_id: f.string('runtime_cell_id'),
      status: f.word('status', CODE_CELL_STATUSES),
      response_payload: optionalRef(f, 'response_payload'),
    }),
  },
  compaction_request_started: {
    names: [
      'compaction_id',
      'compaction_request_id',
      'thread_id',
      'codex_turn_id',
      'model',
      'provider_name',
      'request_payload',
    ],
    read: (f) => ({
      compaction_id: f.string('compaction_id'),
      compaction_request_id: f.string('compaction_request_id'),
      thread_id: f.string('thread_id'),
      codex_turn_id: f.string('codex_turn_id'),
      model: f.string('model'),
      provider_name: f.string('provider_name'),
      request_payload: ref(f, 'request_payload'),
    }),
  },
  compaction_request_completed: {
    names: ['compaction_id', 'compaction_request_id', 'response_payload'],
    read: (f) => ({
      compaction_id: f.string('compaction_id'),
      compaction_request_id: f.string('compaction_request_id'),
      response_payload: ref(f, 'response_payload'),
    }),
  },
  compaction_request_failed: {
    names: ['compaction_id', 'compaction_request_id', 'error'],
    read: (f) => ({
      compaction_id: f.string('compaction_id'),
      compaction_request_id: f.string('compaction_request_id'),
      error: f.string('error'),
    }),
  },
  compaction_installed: {
    names: ['compaction_id', 'checkpoint_payload'],
    read: (f) => ({
      compaction_id: f.string('compaction_id'),
      checkpoint_payload: ref(f, 'checkpoint_payload'),
    }),
  },
  agent_result_observed: {
    names: ['edge_id', 'child_thread_id', 'child_codex_turn_id', 'parent_thread_id', 'message', 'carried_payload'],
    read: (f) => ({
      edge_id: f.string('edge_id'),
      child_thread_id: f.string('child_thread_id'),
      child_codex_turn_id: f.string('child_codex_turn_id'),
      parent_thread_id: f.string('parent_thread_id'),
      message: f.string('message'),
      carried_payload: optionalRef(f, 'carried_payload'),
    }),
  },
  protocol_event_observed: {
    names: ['event_type', 'event_payload'],
    read: (f) => ({ event_type: f.string('event_type'), event_payload: ref(f, 'event_payload') }),
  },
  other: {
    names: ['kind', 'summary', 'payloads', 'metadata'],
    read: (f) => ({
      kind: f.string('kind'),
      summary: f.string('summary'),
      payloads: refs(f, 'payloads'),
      metadata: present(f, 'metadata'),
    }),
  },
};

/** Every event type of the newest generation, with its field names in the order a recorder writes them. */
export const EVENT_FIELDS: { readonly [T in EventType]: readonly string[] } = Object.fromEntries(
  Object.entries(EVENT_DECODERS).map(([type, decoder]) => [type, decoder.names]),
) as { [T in EventType]: readonly string[] };

/** The field names with the tag in front: what an array in place of the payload counts on. */
const TAGGED_FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(EVENT_FIELDS).map(([type, names]) => [type, ['type', ...names]]),
);

function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENT_DECODERS, type);
}

/**
 * Decodes one parsed line.
 *
 * @param rules decide which event types and fields are known
 * @throws UnknownEventError for a type the generation does not know, DecodeError for everything else
 */
export function decodeEvent(value: Json, rules: GenerationRules): RawEvent {
  const envelope = new Fields(value, ENVELOPE_FIELDS, '');
  const payload = envelope.get('payload');
  const tag = tagOf(payload);
  const body = new Fields(payload, TAGGED_FIELDS.get(String(tag)) ?? ['type'], '/payload');
  const type = body.string('type');
  if (!isEventType(type) || !rules.eventTypes.has(type)) throw new UnknownEventError(type);
  const decoder: EventDecoder<EventType> = EVENT_DECODERS[type] as EventDecoder<EventType>;
  return {
    schema_version: envelope.u32('schema_version'),
    seq: envelope.u64('seq'),
    wall_time_unix_ms: envelope.i64('wall_time_unix_ms'),
    rollout_id: envelope.string('rollout_id'),
    thread_id: envelope.optionalString('thread_id'),
    codex_turn_id: envelope.optionalString('codex_turn_id'),
    payload: { type, ...decoder.read(body, rules) } as EventPayload,
  };
}

/** The payload references of an event, in field order. Of `other` there are none: it fails before (spec D12). */
export function payloadRefs(event: RawEvent): PayloadRef[] {
  const { payload } = event;
  switch (payload.type) {
    case 'thread_started':
      return some(payload.metadata_payload);
    case 'history_item_accepted':
      return some(payload.agent_message_payload);
    case 'inference_started':
    case 'compaction_request_started':
      return [payload.request_payload];
    case 'inference_completed':
    case 'compaction_request_completed':
      return [payload.response_payload];
    case 'inference_failed':
    case 'inference_cancelled':
      return some(payload.partial_response_payload);
    case 'tool_call_started':
      return some(payload.invocation_payload);
    case 'tool_call_runtime_started':
    case 'tool_call_runtime_ended':
      return [payload.runtime_payload];
    case 'tool_call_ended':
      return some(payload.result_payload);
    case 'code_cell_initial_response':
    case 'code_cell_ended':
      return some(payload.response_payload);
    case 'compaction_installed':
      return [payload.checkpoint_payload];
    case 'agent_result_observed':
      return some(payload.carried_payload);
    case 'protocol_event_observed':
      return [payload.event_payload];
    case 'recording_completed':
    case 'rollout_started':
    case 'rollout_ended':
    case 'thread_ended':
    case 'thread_resumed':
    case 'codex_turn_started':
    case 'codex_turn_ended':
    case 'mcp_tool_call_correlation_assigned':
    case 'stdin_target_resolved':
    case 'code_cell_started':
    case 'compaction_request_failed':
    case 'other':
      return [];
  }
}

function some(reference: PayloadRef | null): PayloadRef[] {
  return reference === null ? [] : [reference];
}
