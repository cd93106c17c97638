/**
 * Everything the reducer knows between two events: the graph so far, and the indexes that keep every lookup constant.
 *
 * One record per noun wraps the object of the graph with what only the reducer needs. Queues say which out-of-order
 * arrival they cover. Not here: what an event does (one file per noun).
 */

import type { RawEvent, RolloutStatus } from '../format/event.ts';
import { type FaultDetail, type Finding, type FindingCode, finding, TraceError } from '../format/finding.ts';
import type { GenerationRules } from '../format/generation.ts';
import type {
  CodeCell,
  CodexTurn,
  Compaction,
  CompactionRequest,
  ConversationItem,
  InferenceCall,
  InteractionEdge,
  InteractionEdgeKind,
  TerminalOperation,
  TerminalSession,
  Thread,
  ToolCall,
} from '../format/graph.ts';
import type { Int64, JsonObject } from '../format/json.ts';
import type { Manifest } from '../format/manifest.ts';
import type { PayloadRef } from '../format/payload.ts';
import { BodyError } from './bodies.ts';
import type { Candidate } from './normalize.ts';

/** Strict ends at the first inconsistency, as the reference does; salvage goes on and keeps findings. */
export type ReduceMode = 'strict' | 'salvage';

export interface ReduceOptions {
  rules: GenerationRules;
  mode: ReduceMode;
  /** SHA-256 of bytes as lower-case hex. The edges pass a native one; the core has its own. */
  sha256?: ((bytes: Uint8Array) => string) | undefined;
}

/** So many findings of one code are kept one by one. */
const MAX_FINDINGS = 1_000;

/** From this length on a list of ids has a set beside it. */
const INDEX_FROM = 32;

/** The ids of a request, in an array that later requests may share and extend but never change. */
export class ItemSequence {
  readonly records: ItemRecord[] = [];
  readonly ids: string[] = [];

  push(record: ItemRecord): void {
    this.records.push(record);
    this.ids.push(record.item.item_id);
  }

  /** A sequence of its own with the first `length` entries of this one. */
  fork(length: number): ItemSequence {
    const copy = new ItemSequence();
    for (let i = 0; i < length; i++) copy.push(this.records[i] as ItemRecord);
    return copy;
  }
}

/** A request's items as a shared sequence and a length. */
export interface SequenceSlice {
  sequence: ItemSequence;
  length: number;
}

/** Mail: an item by which one agent speaks to another (spec E1). */
export interface Mail {
  author: string;
  content: string;
}

export interface ItemRecord {
  readonly item: ConversationItem;
  readonly ordinal: number;
  readonly thread: ThreadRecord;
  /** The item was accepted, sent or compacted, so it belongs to the transcript (spec Q9). */
  inTranscript: boolean;
  /** Rank in the transcript of generations that build it by first use. */
  transcriptRank: number;
  /** Smallest index in the thread's latest request, for telling whether a position-wise match is used up. */
  position: number;
  /** Stamp of the request, response or compaction list that took this item last. */
  usedStamp: number;
  /** A later event changed what a sighting would do: links are due again. */
  dirty: boolean;
  /** Something other than the request changed the body or id: matching is due again. */
  rematch: boolean;
  /** The tool call on whose list the item is. */
  tool: ToolRecord | null;
  cell: CodeCell | null;
  /** Salvage only: a call whose call id already stood for another one. It belongs to a later tool call or cell. */
  readonly apart: boolean;
  /** Calls whose stored response holds this item. */
  readonly responders: InferenceRecord[];
  /** The producers by name, where there are many. */
  producers: Set<string> | null;
  mail: Mail | null;
  /** The item is the target of an edge. */
  edgeTarget: boolean;
}

interface AcceptanceReceipt {
  accepted_at_unix_ms: Int64;
  accepted_seq: Int64;
}

export interface ThreadRecord {
  readonly thread: Thread;
  /** In creation order. */
  readonly items: ItemRecord[];
  readonly byCallId: Map<string, ItemRecord[]>;
  readonly byResponsesId: Map<string, ItemRecord[]>;
  /** Items with an encrypted reasoning part, by its value (rule G17). */
  readonly byReasoning: Map<string, ItemRecord[]>;
  readonly byResponseId: Map<string, Set<InferenceRecord>>;
  /** Of each of these the first by the bytes of its id, where it was asked for. */
  readonly firstByResponseId: Map<string, InferenceRecord>;
  /** The last spoken item of each turn: what an agent result stands for (spec E8). */
  readonly lastSpoken: Map<string, ItemRecord>;
  /** Ids in the order of first use (rule G23). */
  readonly transcript: ItemRecord[];
  /** The history as last sent, and the response items behind it. */
  snapshot: SequenceSlice;
  tail: ItemRecord[];
  /** Only the response of this call may change the snapshot (spec Q7). */
  latestInference: InferenceRecord | null;
  /**
   * Covers: a compaction is installed before the request that uses it. Filled by the install, drained by the next full
   * request; what remains at the end has no effect.
   */
  pendingReplacement: ItemRecord[] | null;
  /** Covers: an item is accepted before its content is seen. Never drained: an id may be seen again. */
  readonly receipts: Map<string, AcceptanceReceipt>;
  /**
   * Covers: an agent message is accepted before the request that shows it. Filled by the acceptance, drained by the
   * sighting that claims it; what remains keeps the content of the acceptance.
   */
  readonly provisional: Map<string, ItemRecord>;
  /** The list the latest full request came from, to recognise the next one's beginning. */
  heldSerial: number;
  heldLength: number;
  /** Indexes in the held list that gave no item. */
  heldSkips: number[];
  /** Request positions whose match depends on the payload they stand in (spec X2). */
  unstable: number[];
  /** Smallest position of an item whose links are due again. */
  dirtyFrom: number;
  /** Mail that is not the target of an edge, by content. */
  readonly openMail: Map<string, ItemRecord[]>;
  /** Edges that wait for mail of this thread, by content. */
  readonly pendingMail: Map<string, PendingEdge[]>;
}

export interface InferenceRecord {
  readonly call: InferenceCall;
  readonly thread: ThreadRecord;
  /** Salvage only: false where a part of the request is not known, so that places in it mean nothing. */
  whole: boolean;
  request: SequenceSlice;
  response: ItemRecord[];
}

export interface ToolRecord {
  readonly call: ToolCall;
  /** The id the log gave the call: that of the graph, unless salvage had to tell two calls apart. */
  readonly givenId: string;
  readonly invocation: PayloadRef | null;
  readonly callItems: ItemRecord[];
  readonly startedBy: Set<InferenceRecord>;
  /** A call item or a response with one came in since the responses were linked. */
  responsesDue: boolean;
  operation: OperationRecord | null;
  readonly edges: InteractionEdge[];
  readonly pendingEdges: PendingEdge[];
}

export interface OperationRecord {
  readonly operation: TerminalOperation;
  readonly tool: ToolRecord;
  processId: string | null;
  session: TerminalSession | null;
}

/** A lifecycle event of a cell that is not materialised yet. */
export type QueuedCellEvent = {
  event: RawEvent<'code_cell_initial_response'> | RawEvent<'code_cell_ended'>;
  ordinal: number;
};

/**
 * Covers: the runtime starts a cell before the response that holds its source is reduced. Filled by the start, drained
 * when a custom tool call with its call id appears; what remains leaves no object.
 */
export interface QueuedCell {
  cellId: string;
  event: RawEvent<'code_cell_started'>;
  line: number | null;
  threadId: string;
  later: QueuedCellEvent[];
}

/**
 * Covers: a delivery is observed before its mail is seen. Filled by runtime events, drained by the mail; at the end
 * spawns fall back to the child thread, the others are dropped.
 */
export interface PendingEdge {
  edge_id: string;
  kind: InteractionEdgeKind;
  source: InteractionEdge['source'];
  targetThreadId: string;
  author: string;
  content: string;
  fallbackThreadId: string | null;
  started_at_unix_ms: Int64;
  ended_at_unix_ms: Int64 | null;
  carried_raw_payload_ids: string[];
}

/** The state between two events. Create with `createReducer`, advance with `step`, read with `finish`. */
export class ReducerState {
  readonly rules: GenerationRules;
  readonly mode: ReduceMode;
  readonly sha256: (bytes: Uint8Array) => string;
  readonly findings: Finding[] = [];

  traceId: string;
  readonly rolloutId: string;
  rootThreadId: string;
  readonly startedAt: Int64;
  endedAt: Int64 | null = null;
  status: RolloutStatus = 'running';
  /** `recording_completed` was seen: nothing may follow. */
  recordingCompleted = false;
  /** It was seen on a line that was written to its end (spec D9). */
  recordingComplete = false;
  /** Events applied so far. */
  events = 0;

  /** The event at hand, for times and for places of findings. */
  event: RawEvent | null = null;
  line: number | null = null;
  lineEnded = true;

  readonly threads: Map<string, ThreadRecord> = new Map();
  readonly turns: Map<string, CodexTurn> = new Map();
  readonly items: ItemRecord[] = [];
  readonly itemsByCallId: Map<string, ItemRecord[]> = new Map();
  readonly inferences: Map<string, InferenceRecord> = new Map();
  readonly runningInferences: Map<string, Set<InferenceRecord>> = new Map();
  readonly compactions: Map<string, Compaction> = new Map();
  readonly compactionRequests: Map<string, CompactionRequest> = new Map();
  readonly requestsOfCompaction: Map<string, string[]> = new Map();
  readonly tools: Map<string, ToolRecord> = new Map();
  /** In the order they started; more than one only in salvage. */
  readonly toolsByCallId: Map<string, ToolRecord[]> = new Map();
  /** Salvage only: ids that several tool calls were given, with all of them. */
  readonly toolsOfReusedId: Map<string, ToolRecord[]> = new Map();
  readonly toolsOfCell: Map<string, ToolRecord[]> = new Map();
  readonly operations: Map<string, OperationRecord> = new Map();
  readonly sessions: Map<string, TerminalSession> = new Map();
  readonly sessionByProcess: Map<string, TerminalSession> = new Map();
  readonly cells: Map<string, CodeCell> = new Map();
  /** The cells of a call id in the order they started, visible or queued; more than one only in salvage. */
  readonly cellIdsOfCall: Map<string, string[]> = new Map();
  readonly runningCells: Map<string, Set<CodeCell>> = new Map();
  /** Runtime cell id to cell id, by thread. */
  readonly cellOfRuntime: Map<string, Map<string, string>> = new Map();
  readonly queuedCells: Map<string, QueuedCell> = new Map();
  /** Queued cells whose source has appeared since the last flush. */
  readonly readyCells: Set<string> = new Set();
  readonly edges: Map<string, InteractionEdge> = new Map();
  readonly pendingEdges: Map<string, PendingEdge> = new Map();
  readonly rawPayloads: Map<string, PayloadRef> = new Map();
  /** Paths of payloads that were asked for and could not be had. */
  readonly unreadable: Set<string> = new Set();
  /** Contradictions that are told once. */
  readonly #told = new Set<string>();
  readonly #counts = new Map<FindingCode, number>();
  readonly #rests = new Map<FindingCode, Finding>();
  /** Parsed items that were normalised before; equal bytes give the same object. */
  readonly candidates: WeakMap<JsonObject, Candidate> = new WeakMap();
  stamp = 0;
  readonly #members: WeakMap<string[], Set<string>> = new WeakMap();

  constructor(manifest: Manifest, options: ReduceOptions, sha256: (bytes: Uint8Array) => string) {
    this.rules = options.rules;
    this.mode = options.mode;
    this.sha256 = options.sha256 ?? sha256;
    this.traceId = manifest.trace_id;
    this.rolloutId = manifest.rollout_id;
    this.rootThreadId = manifest.root_thread_id;
    this.startedAt = manifest.started_at_unix_ms;
  }

  /**
   * Something is wrong with the event at hand. Throws in strict mode; in salvage mode the finding is kept and the
   * caller goes on without what it could not understand.
   */
  fault(code: FindingCode, message: string, detail: FaultDetail = {}): void {
    const fault = finding(
      code,
      message,
      {
        file: detail.file ?? 'trace.jsonl',
        line: detail.line ?? (detail.file === undefined ? this.line : null),
        seq: this.event?.seq ?? null,
        json_path: detail.json_path ?? null,
      },
      detail.severity,
    );
    if (this.mode === 'strict') throw new TraceError(fault, detail.cause);
    this.keep(fault, detail.once);
  }

  /** Like {@link fault}, for what strict mode passes over: only salvage tells, and mends it. */
  notice(code: FindingCode, message: string, detail: FaultDetail = {}): void {
    if (this.mode === 'salvage') this.fault(code, message, { severity: 'warning', ...detail });
  }

  /** Keeps a finding. Of one code only so many are kept one by one; of the rest, how many there were. */
  keep(found: Finding, once?: string): void {
    const { code } = found;
    const before = this.#counts.get(code) ?? 0;
    if (once !== undefined) {
      const key = `${code} ${once}`;
      if (this.#told.has(key)) return;
      if (before < MAX_FINDINGS) this.#told.add(key);
    }
    const count = before + 1;
    this.#counts.set(code, count);
    if (count <= MAX_FINDINGS) {
      this.findings.push(found);
      return;
    }
    let rest = this.#rests.get(code);
    if (rest === undefined) {
      rest = finding(code, '', {}, found.severity);
      this.#rests.set(code, rest);
      this.findings.push(rest);
    }
    const more = count - MAX_FINDINGS;
    rest.message = `${more} more ${more === 1 ? 'finding' : 'findings'} like the ${MAX_FINDINGS} before`;
  }

  /** Reads a body; where it cannot be had, that is a finding and the answer is undefined (a body may be `null`). */
  read<T>(ref: PayloadRef, how: (ref: PayloadRef) => T): T | undefined {
    try {
      return how(ref);
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      this.unreadable.add(ref.path);
      this.fault(error.code, `${ref.raw_payload_id}: ${error.message}`, {
        file: ref.path,
        cause: error,
        once: `${ref.raw_payload_id} ${ref.path}`,
      });
      return undefined;
    }
  }

  /** Appends an id to a list that only grows, unless it is there. */
  addOnce(ids: string[], id: string): void {
    let members = this.#members.get(ids);
    if (members === undefined && ids.length >= INDEX_FROM) {
      members = new Set(ids);
      this.#members.set(ids, members);
    }
    if (members?.has(id) ?? ids.includes(id)) return;
    members?.add(id);
    ids.push(id);
  }

  get now(): Int64 {
    return this.event?.wall_time_unix_ms ?? this.startedAt;
  }

  get seq(): Int64 {
    return this.event?.seq ?? 0;
  }
}

/** Appends to the list of a key, making the list first. */
export function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
