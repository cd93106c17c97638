/**
 * What can be wrong with a bundle, as data: the table of codes, the finding, and the error of a strict reduction.
 *
 * One table owns the codes; `docs/errors.md` is checked against it. Every message names both sides of the
 * contradiction. Not here: usage errors of the command line.
 */

import type { Int64 } from './json.ts';

export type Severity = 'error' | 'warning' | 'info';

interface CodeEntry {
  severity: Severity;
  /** What the code means, for a person. */
  title: string;
  /** What to do about it. */
  hint: string;
}

const REPAIR = 'Reduce without --strict to go on past it.';
const DAMAGE = 'The bundle is damaged or incomplete; what is left was reduced.';
const RECORDER = 'The recorder wrote a log that contradicts itself; please report it to the producer with this line.';

/** Every code, in the order of `docs/errors.md`. */
export const FINDING_CODES = {
  // The files
  manifest_missing: {
    severity: 'error',
    title: 'manifest.json is missing or unreadable',
    hint: 'Is this a bundle folder? A bundle has manifest.json and trace.jsonl.',
  },
  manifest_invalid: {
    severity: 'error',
    title: 'manifest.json is not a manifest',
    hint: 'Ids and start time were taken from the log.',
  },
  log_missing: {
    severity: 'error',
    title: 'trace.jsonl is missing or unreadable',
    hint: 'Without a log nothing is known but the manifest.',
  },
  schema_unsupported: {
    severity: 'error',
    title: 'the schema version is newer than any this reader knows',
    hint: 'Update rollout-trace. Salvage reads the bundle as far as it is known.',
  },
  event_schema_unsupported: { severity: 'error', title: 'an event has a schema version of its own', hint: REPAIR },
  payload_missing: { severity: 'error', title: 'a payload file is missing or unreadable', hint: DAMAGE },
  payload_invalid: { severity: 'error', title: 'a payload file is not JSON', hint: DAMAGE },
  payload_outside: {
    severity: 'error',
    title: 'a payload path leaves the bundle',
    hint: 'Such paths are refused: a bundle must not read files of the machine it is opened on.',
  },
  segment_invalid: {
    severity: 'error',
    title: 'a file is no segment, or one of an unknown version',
    hint: 'A segment is a file that ends in .rollout; update rollout-trace if it is newer.',
  },
  segment_torn: {
    severity: 'warning',
    title: 'the last record of a segment was cut off',
    hint: 'The recorder was stopped while it wrote; everything acknowledged before was reduced.',
  },
  segment_corrupt: {
    severity: 'error',
    title: 'a record of a segment is not what was written',
    hint: 'The bytes changed after they were written; everything before them was reduced.',
  },
  // The log
  line_unreadable: { severity: 'error', title: 'a line of the log is not UTF-8', hint: DAMAGE },
  line_torn: {
    severity: 'error',
    title: 'the last line of the log was cut off',
    hint: 'The recorder was stopped while it wrote; what stands before the tear is whole.',
  },
  line_invalid: { severity: 'error', title: 'a line of the log is not an event', hint: DAMAGE },
  line_too_long: { severity: 'error', title: 'a line of the log is too long to be read', hint: DAMAGE },
  event_unknown: {
    severity: 'error',
    title: 'an event has a type this generation does not know',
    hint: 'A newer recorder may have written it. The event was counted and left out.',
  },
  event_unsupported: { severity: 'error', title: 'an event has no meaning in any generation', hint: REPAIR },
  seq_broken: { severity: 'error', title: 'an event is missing, repeated or out of order', hint: DAMAGE },
  rollout_mismatch: {
    severity: 'error',
    title: 'an event belongs to another rollout',
    hint: 'Two logs may have been mixed.',
  },
  event_after_end: {
    severity: 'error',
    title: 'something stands behind recording_completed',
    hint: 'Two recorders may have written to one log.',
  },
  recording_incomplete: {
    severity: 'info',
    title: 'the recording was not completed',
    hint: 'The recorder was stopped, or still runs.',
  },
  // Threads and turns
  thread_duplicate: { severity: 'error', title: 'a thread starts twice', hint: RECORDER },
  thread_unknown: { severity: 'error', title: 'an event refers to a thread that never started', hint: RECORDER },
  thread_metadata_invalid: {
    severity: 'error',
    title: 'the metadata of a thread has fields of the wrong type',
    hint: RECORDER,
  },
  thread_resume_unknown: {
    severity: 'error',
    title: 'a thread is resumed that never started here',
    hint: 'It belongs to an earlier trace.',
  },
  thread_resume_running: { severity: 'error', title: 'a thread is resumed that has not ended', hint: RECORDER },
  turn_duplicate: { severity: 'error', title: 'a turn starts twice', hint: RECORDER },
  turn_unknown: {
    severity: 'error',
    title: 'an event refers to a turn that never started',
    hint: 'Reviews and Codex 0.124 record turns they never start.',
  },
  turn_thread_mismatch: { severity: 'error', title: 'an event puts a turn into another thread', hint: RECORDER },
  context_missing: { severity: 'error', title: 'an event lacks the thread or turn it belongs to', hint: RECORDER },
  // Inference and conversation
  inference_duplicate: { severity: 'error', title: 'an inference starts twice', hint: RECORDER },
  inference_unknown: { severity: 'error', title: 'an inference ends that never started', hint: RECORDER },
  previous_response_unknown: {
    severity: 'error',
    title: 'an incremental request continues an unknown response',
    hint: 'The response was not recorded, e.g. a WebSocket warm-up; what stood before the new items is not known.',
  },
  request_mismatch: {
    severity: 'error',
    title: 'an incremental request contradicts the history it continues',
    hint: 'A request that branches off an older response looks like this.',
  },
  request_input_invalid: { severity: 'error', title: 'a request has no list of input items', hint: DAMAGE },
  response_items_invalid: { severity: 'error', title: 'a response has no list of output items', hint: DAMAGE },
  item_invalid: {
    severity: 'error',
    title: 'a model item lacks what its type needs',
    hint: 'The item was left out; the evidence is in the payload.',
  },
  item_type_unknown: {
    severity: 'error',
    title: 'a model item has a type that is not supported',
    hint: 'The item was left out; the evidence is in the payload.',
  },
  call_id_reused: {
    severity: 'error',
    title: 'a call id is used for different content',
    hint: 'Some providers number calls per response. The items were kept apart.',
  },
  reasoning_reused: {
    severity: 'error',
    title: 'an encrypted reasoning comes with different readable text',
    hint: 'The items were kept apart.',
  },
  summary_cut: {
    severity: 'error',
    title: 'the reference dies cutting a long summary inside a character',
    hint: 'Generations before 0.166 panic here. The summary was cut between characters.',
  },
  acceptance_mismatch: {
    severity: 'error',
    title: 'an accepted agent message is not the one its receipt names',
    hint: RECORDER,
  },
  // Compaction
  compaction_duplicate: { severity: 'error', title: 'a compaction or its request happens twice', hint: RECORDER },
  compaction_unknown: {
    severity: 'error',
    title: 'a compaction request ends that never started, or for another compaction',
    hint: RECORDER,
  },
  checkpoint_invalid: { severity: 'error', title: 'a checkpoint lacks one of its histories', hint: DAMAGE },
  // Tools, terminals, code cells
  tool_duplicate: {
    severity: 'error',
    title: 'a tool call starts twice',
    hint: 'The model used a call id again, or the recorder wrote a line twice. A second call was kept, with an id of its own.',
  },
  tool_unknown: {
    severity: 'error',
    title: 'an event refers to a tool call that never started',
    hint: 'Reviews record the runtime of calls they never start.',
  },
  mcp_duplicate: { severity: 'error', title: 'a tool call gets two MCP call ids', hint: RECORDER },
  mcp_invocation_invalid: { severity: 'error', title: 'the invocation of an MCP call is malformed', hint: RECORDER },
  terminal_duplicate: { severity: 'error', title: 'a tool call would start two terminal operations', hint: RECORDER },
  terminal_payload_invalid: {
    severity: 'error',
    title: 'a terminal payload lacks what its kind needs',
    hint: 'Commands intercepted as patches and calls with bad arguments look like this.',
  },
  terminal_process_changed: { severity: 'error', title: 'a terminal operation changes its process', hint: RECORDER },
  terminal_thread_mismatch: {
    severity: 'error',
    title: 'a terminal is used by two threads',
    hint: 'Process ids are unique per bundle up to 0.163.',
  },
  cell_duplicate: { severity: 'error', title: 'a code cell starts twice', hint: RECORDER },
  cell_unknown: { severity: 'error', title: 'an event refers to a code cell that never started', hint: RECORDER },
  wait_arguments_invalid: {
    severity: 'error',
    title: 'a wait call does not name the cell it waits for',
    hint: 'The model left the argument out. The call was kept, without a link to a cell.',
  },
  // Agents
  edge_conflict: {
    severity: 'error',
    title: 'one interaction between agents is told in two ways',
    hint: 'The first one was kept.',
  },
  agent_payload_invalid: { severity: 'error', title: 'an agent payload lacks what its kind needs', hint: RECORDER },
  agent_activity_mismatch: {
    severity: 'error',
    title: 'an agent activity does not fit the tool that reports it',
    hint: RECORDER,
  },
  // The reader
  limit_exceeded: {
    severity: 'error',
    title: 'something is too large or too deep to be interpreted',
    hint: 'The evidence stays in the bundle; it was left out of the graph.',
  },
  internal: {
    severity: 'error',
    title: 'the reducer failed on this event',
    hint: 'This is a defect of rollout-trace. Please report it with the bundle or the event.',
  },
} as const satisfies Record<string, CodeEntry>;

export type FindingCode = keyof typeof FINDING_CODES;

/** Where in a bundle something stands. Lines and seq count from 1; `json_path` is a JSON Pointer. */
export interface Place {
  file: string | null;
  line: number | null;
  seq: Int64 | null;
  json_path: string | null;
}

/** One thing that is wrong with a bundle. */
export interface Finding extends Place {
  code: FindingCode;
  severity: Severity;
  /** One sentence with both sides of the contradiction. */
  message: string;
  hint: string;
}

/** What a place in the code knows when something is wrong; the rest of the finding comes from the table and the event. */
export interface FaultDetail {
  file?: string | undefined;
  line?: number | undefined;
  json_path?: string | undefined;
  severity?: Severity | undefined;
  /** A contradiction that shows again and again is one finding: the first with this key is kept. */
  once?: string | undefined;
  cause?: unknown;
}

/** Builds a finding from the table. */
export function finding(code: FindingCode, message: string, place: Partial<Place> = {}, severity?: Severity): Finding {
  const entry = FINDING_CODES[code];
  return {
    code,
    severity: severity ?? entry.severity,
    message,
    file: place.file ?? null,
    line: place.line ?? null,
    seq: place.seq ?? null,
    json_path: place.json_path ?? null,
    hint: entry.hint,
  };
}

/** Where a finding stands, for a person: `trace.jsonl:12 seq 12 /input/3`. */
export function placeText(place: Place): string {
  const parts: string[] = [];
  if (place.file !== null) parts.push(place.line === null ? place.file : `${place.file}:${place.line}`);
  else if (place.line !== null) parts.push(`line ${place.line}`);
  if (place.seq !== null) parts.push(`seq ${place.seq}`);
  if (place.json_path !== null && place.json_path !== '') parts.push(place.json_path);
  return parts.join(' ');
}

/** The first inconsistency, in strict mode. `finding` has code, place and hint. */
export class TraceError extends Error {
  readonly finding: Finding;
  constructor(fault: Finding, cause?: unknown) {
    super(fault.message, cause === undefined ? undefined : { cause });
    this.name = 'TraceError';
    this.finding = fault;
  }

  get code(): FindingCode {
    return this.finding.code;
  }
}
