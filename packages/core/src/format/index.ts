/** `@rollout-trace/core/format`: what the bytes of a bundle mean. */

export { compactJson, compareUtf8, sortedJson } from './canonical-json.ts';
export { decodeEvent, decodeManifest, EVENT_FIELDS, payloadRefs, UnknownEventError } from './decode-event.ts';
export {
  CODE_CELL_STATUSES,
  type CodeCellStatus,
  type EventPayload,
  type EventPayloads,
  type EventType,
  EXECUTION_STATUSES,
  type ExecutionStatus,
  PLAIN_TOOL_KINDS,
  type RawEvent,
  type RawRequester,
  ROLLOUT_STATUSES,
  type RolloutStatus,
  type ToolKind,
  type ToolSummary,
} from './event.ts';
export { DecodeError } from './fields.ts';
export {
  FINDING_CODES,
  type Finding,
  type FindingCode,
  finding,
  type Place,
  placeText,
  type Severity,
  TraceError,
} from './finding.ts';
export {
  GENERATION_RULES,
  GENERATIONS,
  type Generation,
  type GenerationRules,
  NEWEST_GENERATION,
  parseGeneration,
} from './generation.ts';
export type {
  AgentMessageRoute,
  CodeCell,
  CodexTurn,
  Compaction,
  CompactionRequest,
  ConversationChannel,
  ConversationItem,
  ConversationItemKind,
  ConversationPart,
  ConversationRole,
  EdgeAnchor,
  ExecutionWindow,
  Graph,
  InferenceCall,
  InteractionEdge,
  InteractionEdgeKind,
  ItemProducer,
  TerminalModelObservation,
  TerminalOperation,
  TerminalRequest,
  TerminalResult,
  TerminalSession,
  Thread,
  ThreadOrigin,
  TokenUsage,
  ToolCall,
  ToolRequester,
} from './graph.ts';
export { IdList } from './id-list.ts';
export {
  type Int64,
  isJsonSyntax,
  type Json,
  JsonNumber,
  JsonObject,
  JsonSyntaxError,
  member,
  parseJson,
} from './json.ts';
export { EVENT_LOG_FILE, MANIFEST_FILE, type Manifest, STATE_FILE } from './manifest.ts';
export { PAYLOAD_KINDS, type PayloadKind, type PayloadRef } from './payload.ts';
export { printState, type StateJsonOptions, stateJson } from './state-json.ts';
