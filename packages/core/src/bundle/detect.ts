/**
 * Finds out which generation a bundle has: no file says so, `schema_version` decides only between two halves
 * (docs/generations.md, section a). Reads the log once, and payloads only where the log does not decide.
 */

import type { Generation } from '../format/generation.ts';
import { type Json, member } from '../format/json.ts';

export interface DetectedGeneration {
  generation: Generation;
  /** False where nothing in the bundle tells it from its neighbours. */
  certain: boolean;
  /** What decided, for a person. */
  reason: string;
}

/** The parsed body of a payload reference as it stands in an event; undefined where it cannot be had. */
export type PeekPayload = (ref: Json | undefined) => Json | undefined;

const sure = (generation: Generation, reason: string): DetectedGeneration => ({ generation, certain: true, reason });
const guess = (generation: Generation, reason: string): DetectedGeneration => ({ generation, certain: false, reason });

/** What the log shows, collected in one pass. */
class Evidence {
  readonly types = new Set<string>();
  agentMessageKey = false;
  runtimeWithKind = false;
  runtimeWithoutKind = false;
  execRequestedByModel = false;
  upstreamRequestKey = false;
  inferenceEnded = false;
  inferenceIds: 'none' | 'counted' | 'unique' = 'none';
  readonly stdinTools = new Set<string>();
  stdinCompleted = false;
  /** Something stands behind the end that is no event any more. */
  unreadableBehindEnd = false;
  readonly requests: (Json | undefined)[] = [];
  readonly responses: (Json | undefined)[] = [];
  readonly runtimeEnds: (Json | undefined)[] = [];
  readonly compactions: (Json | undefined)[] = [];
  readonly turnStarts: (Json | undefined)[] = [];
  readonly configurations: (Json | undefined)[] = [];

  add(payload: Json | undefined): void {
    const type = member(payload, 'type');
    if (payload === undefined && this.types.has('rollout_ended')) this.unreadableBehindEnd = true;
    if (typeof type !== 'string') return;
    this.types.add(type);
    switch (type) {
      case 'history_item_accepted':
        this.agentMessageKey ||= member(payload, 'agent_message_payload') !== undefined;
        break;
      case 'tool_call_runtime_started':
        if (member(payload, 'kind') === undefined) this.runtimeWithoutKind = true;
        else this.runtimeWithKind = true;
        break;
      case 'tool_call_started':
        this.#tool(payload);
        break;
      case 'tool_call_ended':
        this.stdinCompleted ||=
          member(payload, 'status') === 'completed' && this.stdinTools.has(String(member(payload, 'tool_call_id')));
        break;
      case 'tool_call_runtime_ended':
        this.runtimeEnds.push(member(payload, 'runtime_payload'));
        break;
      case 'inference_started': {
        const id = member(payload, 'inference_call_id');
        if (this.inferenceIds !== 'unique') {
          this.inferenceIds = typeof id === 'string' && /^inference:\d+$/.test(id) ? 'counted' : 'unique';
        }
        this.requests.push(member(payload, 'request_payload'));
        break;
      }
      case 'inference_completed':
      case 'inference_failed':
        this.inferenceEnded = true;
        this.upstreamRequestKey ||= member(payload, 'upstream_request_id') !== undefined;
        this.responses.push(member(payload, 'response_payload') ?? member(payload, 'partial_response_payload'));
        break;
      case 'compaction_request_started':
        this.compactions.push(member(payload, 'request_payload'));
        break;
      case 'compaction_installed':
        this.compactions.push(member(payload, 'checkpoint_payload'));
        break;
      case 'protocol_event_observed':
        if (member(payload, 'event_type') === 'turn_started') this.turnStarts.push(member(payload, 'event_payload'));
        if (member(payload, 'event_type') === 'session_configured') {
          this.configurations.push(member(payload, 'event_payload'));
        }
        break;
      default:
    }
  }

  #tool(payload: Json | undefined): void {
    const kind = member(payload, 'kind');
    const byModel = member(member(payload, 'requester'), 'type') === 'model';
    if (member(kind, 'type') === 'other' && member(kind, 'name') === 'exec' && byModel)
      this.execRequestedByModel = true;
    if (member(kind, 'type') === 'write_stdin') this.stdinTools.add(String(member(payload, 'tool_call_id')));
  }
}

/**
 * @param schemaVersion that of the manifest; null where it cannot be read
 * @param payloads the `payload` of each event, in order; undefined for a line that has none, or cannot be parsed
 */
export function detectGeneration(
  schemaVersion: number | null,
  payloads: Iterable<Json | undefined>,
  peek: PeekPayload,
): DetectedGeneration {
  const evidence = new Evidence();
  for (const payload of payloads) {
    evidence.add(payload);
    if (schemaVersion !== 1 && (evidence.agentMessageKey || evidence.types.has('recording_completed'))) break;
  }
  if (schemaVersion !== null && schemaVersion > 2)
    return guess('0.169', `schema ${schemaVersion} is newer than any known`);
  const isSecond = schemaVersion === 2 || (schemaVersion === null && looksSecond(evidence));
  return isSecond ? detectSecond(evidence) : detectFirst(evidence, peek);
}

function looksSecond({ types, agentMessageKey, runtimeWithKind }: Evidence): boolean {
  return (
    agentMessageKey ||
    runtimeWithKind ||
    ['recording_completed', 'history_item_accepted', 'thread_resumed'].some((type) => types.has(type))
  );
}

/** Schema 2: rules 1 to 5. */
function detectSecond(evidence: Evidence): DetectedGeneration {
  const { types, runtimeWithKind, runtimeWithoutKind } = evidence;
  if (types.has('recording_completed')) return sure('0.169', 'the event recording_completed');
  if (evidence.agentMessageKey) return sure('0.169', 'an acceptance with an agent message');
  if (runtimeWithoutKind) return sure('0.165', 'a runtime start without a kind');
  if (types.has('code_cell_started')) {
    if (evidence.execRequestedByModel) return sure('0.169', 'the exec tool is recorded beside its code cell');
    if (runtimeWithKind) return sure('0.166', 'a runtime start with a kind, and code cells without their exec tool');
    return guess('0.166', 'code cells without their exec tool: 0.165 or 0.166');
  }
  if (evidence.unreadableBehindEnd)
    return guess('0.169', 'an unreadable line behind the end, where 0.169 writes recording_completed');
  if (types.has('rollout_ended')) {
    // Never surely: a recorder of 0.169 that was stopped before its last event leaves the very same log.
    if (runtimeWithKind || types.has('thread_resumed'))
      return guess('0.166', 'an end without recording_completed: 0.166, or 0.169 stopped before its last event');
    return guess('0.166', 'an end without recording_completed: 0.165, 0.166, or 0.169 stopped before its last event');
  }
  return guess('0.169', 'the log was cut off before anything that tells 0.165, 0.166 and 0.169 apart');
}

/** Schema 1: rules 6 to 13. */
function detectFirst(evidence: Evidence, peek: PeekPayload): DetectedGeneration {
  const { types, inferenceIds } = evidence;
  if (types.has('stdin_target_resolved')) return sure('0.164', 'the event stdin_target_resolved');
  if (isNewFirst(evidence, peek)) return detectLateFirst(evidence, peek);
  const countsCacheWrites = evidence.responses.some((ref) => {
    return member(member(peek(ref), 'token_usage'), 'cache_write_input_tokens') !== undefined;
  });
  if (countsCacheWrites) return sure('0.150', 'cache_write_input_tokens in a response');
  const namesRootTurn = evidence.requests.some((ref) => {
    return member(member(peek(ref), 'client_metadata'), 'root_turn_id') !== undefined;
  });
  if (namesRootTurn) return sure('0.150', 'root_turn_id in a request');
  if (types.has('mcp_tool_call_correlation_assigned'))
    return sure('0.140', 'the event mcp_tool_call_correlation_assigned');
  if (inferenceIds === 'unique') return sure('0.140', 'inference ids that are not counted');
  const configurations = evidence.configurations.map(peek);
  if (inferenceIds === 'none' && configurations.some((body) => member(body, 'thread_id') !== undefined)) {
    return sure('0.140', 'a session configuration that names its thread');
  }
  if (types.has('inference_cancelled')) return sure('0.128', 'the event inference_cancelled');
  if (evidence.upstreamRequestKey) return sure('0.128', 'upstream_request_id beside counted inference ids');
  if (types.has('code_cell_started')) return sure('0.128', 'code cells beside counted inference ids');
  if (evidence.inferenceEnded) return sure('0.125', 'inferences that end without upstream_request_id');
  if (configurations.length > 0) {
    const hasPolicy = configurations.some((body) => member(body, 'sandbox_policy') !== undefined);
    return hasPolicy
      ? sure('0.125', 'a session configuration with a sandbox policy')
      : sure('0.128', 'a session configuration without a sandbox policy');
  }
  if (inferenceIds === 'counted') return guess('0.128', 'an inference that never ended: 0.124 to 0.128');
  return guess('0.164', 'nothing in the bundle depends on the generation');
}

/** Whether a bundle of schema 1 is of 0.162 or later (rule 7). */
function isNewFirst(evidence: Evidence, peek: PeekPayload): boolean {
  for (const ref of evidence.runtimeEnds) {
    const body = peek(ref);
    if (member(body, 'exit_code') === undefined) continue;
    if (member(body, 'stdout') !== undefined) return false;
    if (member(body, 'aggregated_output') !== undefined) return true;
  }
  return evidence.turnStarts.some((ref) => member(peek(ref), 'turn_attribution') !== undefined);
}

function detectLateFirst(evidence: Evidence, peek: PeekPayload): DetectedGeneration {
  for (const ref of evidence.compactions) {
    const body = peek(ref);
    for (const key of ['input', 'input_history', 'replacement_history']) {
      const items = member(body, key);
      if (!Array.isArray(items)) continue;
      const passed = items.map((item) => member(item, 'internal_chat_message_metadata_passthrough'));
      if (passed.every((metadata) => metadata === undefined)) continue;
      return passed.some((metadata) => member(metadata, 'content_item_metadata') !== undefined)
        ? sure('0.164', 'compacted items with content_item_metadata')
        : sure('0.163', 'compacted items without content_item_metadata');
    }
  }
  if (evidence.stdinCompleted) return sure('0.163', 'a completed write_stdin whose target was not resolved');
  return guess('0.164', 'nothing tells 0.162 and 0.163 from 0.164');
}
