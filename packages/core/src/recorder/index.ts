/** `@rollout-trace/core/recorder`: recording without a host. The Node edge is `@rollout-trace/core/recorder/node`. */

export type { Delta, MemberDelta, Run } from '../format/segment/delta.ts';
export type {
  SegmentDecoderOptions,
  SegmentEvent,
  SegmentPayload,
  SegmentTail,
} from '../format/segment/segment-decoder.ts';
export { SegmentDecoder, SegmentError } from '../format/segment/segment-decoder.ts';
export { SEGMENT_SUFFIX } from '../format/segment/segment-format.ts';
export type { ToldList, ToldMember, ToldPayload } from '../format/segment/segment-lanes.ts';
export { SegmentLanes, textAround } from '../format/segment/segment-lanes.ts';
export type { AgentActivity, AgentMessage, AgentResultOptions, AgentStatus } from './agent.ts';
export { agentActivity } from './agent.ts';
export type { BundleFiles } from './bundle-sink.ts';
export { BundleSink } from './bundle-sink.ts';
export type { CodeCellOptions } from './code-cell.ts';
export { CodeCell } from './code-cell.ts';
export type { CompactionCheckpoint, CompactionOptions } from './compaction.ts';
export { Compaction, CompactionAttempt } from './compaction.ts';
export type { Diagnostic, Trouble, TroubleCounts } from './diagnostics.ts';
export { TROUBLES } from './diagnostics.ts';
export type { Payload } from './event-draft.ts';
export type { InferenceOptions, InferenceOutput, TokenUsage } from './inference.ts';
export { INFERENCE_CALL_HEADER, InferenceAttempt, InferenceContext } from './inference.ts';
export type { Materialized } from './materialize.ts';
export { materialize } from './materialize.ts';
export { MCP_CALL_META_KEY } from './mcp.ts';
export { MemoryBundle, MemorySegment } from './memory.ts';
export type { PlainJson } from './plain-json.ts';
export type { ProtocolEventType } from './protocol.ts';
export { PROTOCOL_EVENTS } from './protocol.ts';
export type { OpenedSink, RolloutIds, RolloutOptions } from './rollout.ts';
export { Rollout, startRollout } from './rollout.ts';
export type { SegmentFile, SegmentSinkOptions } from './segment-sink.ts';
export { SegmentSink } from './segment-sink.ts';
export type { SessionMetadata } from './session-metadata.ts';
export type { PayloadBody, Sink, SinkEntry, SinkPayload } from './sink.ts';
export type { ChildThreadOptions } from './thread.ts';
export { Thread } from './thread.ts';
export type { NestedToolCallOptions, ToolCallOptions } from './tool.ts';
export { ToolCall } from './tool.ts';
export type { ToolName, ToolPayload } from './tool-invocation.ts';
export type { TurnOptions } from './turn.ts';
export { Turn } from './turn.ts';
export type { WriteBudgetOptions } from './write-budget.ts';
