/**
 * How the generations of the format differ: one typed table, read by the rooms of the reducer.
 *
 * A generation is named by the Codex version whose reducer first behaved so. `schema_version` in a bundle decides only
 * between "up to 0.164" and "0.165 and later". Each column below states what changed against the one before it; the
 * numbers G1 to G46 are those of `docs/generations.md`. Not here: finding out which generation a bundle has
 * (`bundle/detect.ts`).
 */

import type { EventType } from './event.ts';

export const GENERATIONS = ['0.125', '0.128', '0.140', '0.150', '0.163', '0.164', '0.165', '0.166', '0.169'] as const;
export type Generation = (typeof GENERATIONS)[number];
export const NEWEST_GENERATION: Generation = '0.169';

export interface GenerationRules {
  /** G1: `schema_version` written to the state. */
  stateSchemaVersion: 1 | 2;
  /** G2: manifest and every event must have schema version 2. */
  versionGate: boolean;
  /** G3: `seq` must be 1, 2, 3 and so on. */
  seqCheck: boolean;
  /** G4: every event must carry the manifest's rollout id. */
  rolloutIdCheck: boolean;
  /** G5: `recording_completed` ends the log; the state says `recording_complete`. */
  recordingCompleted: boolean;
  /** G6: every payload, interpreted or not, must be valid JSON in the end. */
  payloadCheck: boolean;
  /** G7: the event types that are known. */
  eventTypes: ReadonlySet<EventType>;
  /** G8: numbers of payload JSON keep their text, or go through a double. */
  numbers: 'text' | 'double';
  /** G9: `agent_message` items are known, and the state has `agent_message`. */
  agentMessageItems: boolean;
  /** G9: `context_compaction` items are known. */
  contextCompactionItems: boolean;
  /** G9: `additional_tools` items are skipped, not refused. */
  additionalToolsSkipped: boolean;
  /** G10: `internal_chat_message_metadata_passthrough` is dropped before an item is read. */
  passthroughDropped: boolean;
  /** G11: an empty content array gives no parts, and payload references carry a content hash. */
  contentHashes: boolean;
  /** G12: a summary is cut between characters; before, the process died inside one. */
  wholeCharacterSummaries: boolean;
  /** G13: `usage.cache_write_input_tokens`. */
  cacheWriteTokens: boolean;
  /** G14: `response_id` has a field of its own; before, it stood in `upstream_request_id`. */
  responseIdField: boolean;
  /** G15: a window that is closed stays closed when an inference ends again. */
  inferenceEndsOnce: boolean;
  /** G16: the end of a turn closes its running inferences. */
  turnEndClosesInferences: boolean;
  /** G17: reasoning items with one encrypted part merge; before, differing readable parts were an error. */
  reasoningMerges: boolean;
  /** G18: outputs are held to the call-id check as well as calls. */
  callIdCheckOutputs: boolean;
  /** G19: items have ids, and ids take part in matching. */
  itemIds: boolean;
  /** G20: the item at the same position may be taken twice by one request. */
  positionMayRepeat: boolean;
  /** G21: response items are looked up by id before they are made. */
  responseItemsReused: boolean;
  /** G22: only the response of the latest inference enters the snapshot; before, every response was appended. */
  snapshotFollowsLatest: boolean;
  /** G23: the transcript is derived (accepted, sent or compacted items); before, ids entered at first use. */
  transcriptDerived: boolean;
  /** G24: what an acceptance does. */
  acceptances: 'none' | 'receipts' | 'agent_messages';
  /** G25: `accepted_at_unix_ms` and `accepted_seq` are written. */
  acceptanceFields: boolean;
  /** G26: items of a call in creation order; before, by the bytes of the item id. */
  itemsInCreationOrder: boolean;
  /** G27: mail is searched in creation order; before, in transcript order. */
  mailInCreationOrder: boolean;
  /** G28: where the kind of a tool comes from once it runs. */
  runtimeKind: 'dispatch' | 'mcp_invocation' | 'event';
  /** G29: every runtime start payload is parsed, not only those of kinds that need it. */
  runtimeStartAlwaysParsed: boolean;
  /** G30: `mcp_call_id`. */
  mcpCorrelation: boolean;
  /** G31: `started_code_cell_id`. */
  startedCodeCell: boolean;
  /** G32: code cells keep the status and payload of their responses. */
  codeCellResponses: boolean;
  /** G33: sessions are made per operation; before, a process id was the session id of the whole bundle. */
  ownTerminalSessions: boolean;
  /** G34: `stdin_target_resolved` moves an operation to the session it wrote to. */
  stdinTargets: boolean;
  /** G35: the end of a command carries `aggregated_output`; before, three strings. */
  aggregatedOutput: boolean;
  /** G36: bad `write_stdin` arguments give no operation; before, an error. */
  badStdinTolerated: boolean;
  /** G37: a `write_stdin` with a namespace is not a terminal operation. */
  namespacedStdinIgnored: boolean;
  /** G38: runtime ends with `agent_thread_id` are sub-agent activities. */
  agentActivities: boolean;
  /** G39: the activity `completed` is known and ignored. */
  activityCompleted: boolean;
  /** G40: mail may be a header followed by an encrypted text. */
  headedMail: boolean;
  /** G41: the author of a mail is compared. */
  mailAuthorCompared: boolean;
  /** G42: `encrypted_content` of JSON mail is its content. */
  encryptedJsonMail: boolean;
  /** G43: one mail completes one edge. */
  mailLinkedOnce: boolean;
  /** G44: the child of an agent result must be known. */
  resultChildChecked: boolean;
  /** G45: any non-empty `reasoning_effort` of a spawn is accepted. */
  anyReasoningEffort: boolean;
  /** G46: `thread_resumed`. */
  threadResumed: boolean;
}

const FIRST_EVENTS: readonly EventType[] = [
  'rollout_started',
  'rollout_ended',
  'thread_started',
  'thread_ended',
  'codex_turn_started',
  'codex_turn_ended',
  'inference_started',
  'inference_completed',
  'inference_failed',
  'tool_call_started',
  'tool_call_runtime_started',
  'tool_call_runtime_ended',
  'tool_call_ended',
  'code_cell_started',
  'code_cell_initial_response',
  'code_cell_ended',
  'compaction_request_started',
  'compaction_request_completed',
  'compaction_request_failed',
  'compaction_installed',
  'agent_result_observed',
  'protocol_event_observed',
  'other',
];

const G0_125: GenerationRules = {
  stateSchemaVersion: 1,
  versionGate: false,
  seqCheck: false,
  rolloutIdCheck: false,
  recordingCompleted: false,
  payloadCheck: false,
  eventTypes: new Set(FIRST_EVENTS),
  numbers: 'double',
  agentMessageItems: false,
  contextCompactionItems: false,
  additionalToolsSkipped: false,
  passthroughDropped: false,
  contentHashes: false,
  wholeCharacterSummaries: false,
  cacheWriteTokens: false,
  responseIdField: false,
  inferenceEndsOnce: false,
  turnEndClosesInferences: false,
  reasoningMerges: false,
  callIdCheckOutputs: true,
  itemIds: false,
  positionMayRepeat: true,
  responseItemsReused: false,
  snapshotFollowsLatest: false,
  transcriptDerived: false,
  acceptances: 'none',
  acceptanceFields: false,
  itemsInCreationOrder: false,
  mailInCreationOrder: false,
  runtimeKind: 'dispatch',
  runtimeStartAlwaysParsed: false,
  mcpCorrelation: false,
  startedCodeCell: false,
  codeCellResponses: false,
  ownTerminalSessions: false,
  stdinTargets: false,
  aggregatedOutput: false,
  badStdinTolerated: false,
  namespacedStdinIgnored: false,
  agentActivities: false,
  activityCompleted: false,
  headedMail: false,
  mailAuthorCompared: false,
  encryptedJsonMail: false,
  mailLinkedOnce: false,
  resultChildChecked: false,
  anyReasoningEffort: false,
  threadResumed: false,
};

const after = (
  before: GenerationRules,
  changes: Partial<Omit<GenerationRules, 'eventTypes'>>,
  ...events: EventType[]
): GenerationRules => ({ ...before, ...changes, eventTypes: new Set([...before.eventTypes, ...events]) });

const G0_128 = after(
  G0_125,
  { responseIdField: true, inferenceEndsOnce: true, turnEndClosesInferences: true, reasoningMerges: true },
  'inference_cancelled',
);

const G0_140 = after(
  G0_128,
  {
    numbers: 'text',
    agentMessageItems: true,
    contextCompactionItems: true,
    mcpCorrelation: true,
    agentActivities: true,
    mailAuthorCompared: true,
    encryptedJsonMail: true,
    mailLinkedOnce: true,
    resultChildChecked: true,
    anyReasoningEffort: true,
  },
  'mcp_tool_call_correlation_assigned',
);

const G0_150 = after(G0_140, {
  additionalToolsSkipped: true,
  passthroughDropped: true,
  cacheWriteTokens: true,
  activityCompleted: true,
  headedMail: true,
});

const G0_163 = after(G0_150, { aggregatedOutput: true });

const G0_164 = after(
  G0_163,
  {
    runtimeKind: 'mcp_invocation',
    runtimeStartAlwaysParsed: true,
    codeCellResponses: true,
    ownTerminalSessions: true,
    stdinTargets: true,
    namespacedStdinIgnored: true,
  },
  'stdin_target_resolved',
);

const G0_165 = after(
  G0_164,
  {
    stateSchemaVersion: 2,
    versionGate: true,
    contentHashes: true,
    itemIds: true,
    responseItemsReused: true,
    snapshotFollowsLatest: true,
    transcriptDerived: true,
    acceptances: 'receipts',
    mailInCreationOrder: true,
  },
  'history_item_accepted',
);

const G0_166 = after(
  G0_165,
  {
    wholeCharacterSummaries: true,
    callIdCheckOutputs: false,
    positionMayRepeat: false,
    itemsInCreationOrder: true,
    runtimeKind: 'event',
    runtimeStartAlwaysParsed: false,
    badStdinTolerated: true,
    threadResumed: true,
  },
  'thread_resumed',
);

const G0_169 = after(
  G0_166,
  {
    seqCheck: true,
    rolloutIdCheck: true,
    recordingCompleted: true,
    payloadCheck: true,
    acceptances: 'agent_messages',
    acceptanceFields: true,
    startedCodeCell: true,
  },
  'recording_completed',
);

/** The rules of each generation. */
export const GENERATION_RULES: Readonly<Record<Generation, GenerationRules>> = {
  '0.125': G0_125,
  '0.128': G0_128,
  '0.140': G0_140,
  '0.150': G0_150,
  '0.163': G0_163,
  '0.164': G0_164,
  '0.165': G0_165,
  '0.166': G0_166,
  '0.169': G0_169,
};

/** The generation a text names: `0.169`, or a Codex version such as `0.155.0` that belongs to one; else null. */
export function parseGeneration(text: string): Generation | null {
  const found = /^0\.(\d+)(?:\.\d+)?$/.exec(text);
  if (found === null) return null;
  const minor = Number(found[1]);
  let best: Generation | null = null;
  for (const name of GENERATIONS) if (Number(name.slice(2)) <= minor) best = name;
  // 0.162 already wrote what the generation named after 0.163 reads; 0.124 is read, as 0.125 does, without success.
  if (minor === 162) return '0.163';
  return minor === 124 ? '0.125' : best;
}
