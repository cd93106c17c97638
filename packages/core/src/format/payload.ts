/** The reference from an event to a payload file (spec section 2). What stands inside the files: `docs/format.md`. */

/** What a payload is evidence of. Never influences the reduction. */
export const PAYLOAD_KINDS = [
  'inference_request',
  'inference_response',
  'compaction_request',
  'compaction_checkpoint',
  'compaction_response',
  'tool_invocation',
  'tool_result',
  'tool_runtime_event',
  'terminal_runtime_event',
  'protocol_event',
  'session_metadata',
  'agent_result',
] as const;

export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

/** Names one payload file; `path` is relative to the bundle. */
export interface PayloadRef {
  raw_payload_id: string;
  kind: { type: PayloadKind };
  path: string;
}
