/** `@rollout-trace/core/recorder/node`: recording in a Node process. */

export type { SegmentTail } from '../format/segment/segment-decoder.ts';
export type { AgentActivity, AgentMessage, AgentResultOptions, AgentStatus } from '../recorder/agent.ts';
export { agentActivity } from '../recorder/agent.ts';
export type { CodeCell, CodeCellOptions } from '../recorder/code-cell.ts';
export type { Compaction, CompactionAttempt, CompactionCheckpoint, CompactionOptions } from '../recorder/compaction.ts';
export type { Diagnostic, Trouble, TroubleCounts } from '../recorder/diagnostics.ts';
export type { Payload } from '../recorder/event-draft.ts';
export type {
  InferenceAttempt,
  InferenceContext,
  InferenceOptions,
  InferenceOutput,
  TokenUsage,
} from '../recorder/inference.ts';
export { INFERENCE_CALL_HEADER } from '../recorder/inference.ts';
export type { Materialized } from '../recorder/materialize.ts';
export type { ProtocolEventType } from '../recorder/protocol.ts';
export type { Rollout } from '../recorder/rollout.ts';
export type { SessionMetadata } from '../recorder/session-metadata.ts';
export type { ChildThreadOptions, Thread } from '../recorder/thread.ts';
export type { NestedToolCallOptions, ToolCall, ToolCallOptions } from '../recorder/tool.ts';
export type { ToolPayload } from '../recorder/tool-invocation.ts';
export type { Turn, TurnOptions } from '../recorder/turn.ts';
export type { WriteBudgetOptions } from '../recorder/write-budget.ts';
export type { CurrentTrace } from './recorder/current-trace.ts';
export { currentTrace, withTrace } from './recorder/current-trace.ts';
export { materializeSegment } from './recorder/materialize-segment.ts';
export type { TraceFormat } from './recorder/open-sink.ts';
export type { StartRolloutOptions } from './recorder/start-rollout.ts';
export { startRollout } from './recorder/start-rollout.ts';
