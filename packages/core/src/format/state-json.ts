/**
 * The printed form of a graph: `state.json`, byte for byte as the reference prints it (spec section 5).
 *
 * Owns the order of the fields and what each generation leaves out. Gives chunks, never one giant string: the lists of
 * request items are slices of bytes that are made once. Not here: files.
 */

import { compareUtf8 } from './canonical-json.ts';
import type { GenerationRules } from './generation.ts';
import type {
  CodeCell,
  CodexTurn,
  Compaction,
  CompactionRequest,
  ConversationItem,
  Graph,
  InferenceCall,
  InteractionEdge,
  TerminalOperation,
  TerminalSession,
  Thread,
  TokenUsage,
  ToolCall,
} from './graph.ts';
import { IdList } from './id-list.ts';
import type { PayloadRef } from './payload.ts';

type Keys<T> = readonly (keyof T & string)[];

const TOP: Keys<Graph> = [
  'schema_version',
  'trace_id',
  'rollout_id',
  'started_at_unix_ms',
  'ended_at_unix_ms',
  'status',
  'recording_complete',
  'root_thread_id',
];

const THREAD: Keys<Thread> = [
  'thread_id',
  'agent_path',
  'nickname',
  'origin',
  'execution',
  'default_model',
  'conversation_item_ids',
];
const TURN: Keys<CodexTurn> = ['codex_turn_id', 'thread_id', 'execution', 'input_item_ids'];
const ITEM: Keys<ConversationItem> = [
  'item_id',
  'responses_item_id',
  'accepted_at_unix_ms',
  'accepted_seq',
  'thread_id',
  'codex_turn_id',
  'first_seen_at_unix_ms',
  'role',
  'channel',
  'kind',
  'agent_message',
  'body',
  'call_id',
  'produced_by',
];
const INFERENCE: Keys<InferenceCall> = [
  'inference_call_id',
  'thread_id',
  'codex_turn_id',
  'execution',
  'model',
  'provider_name',
  'response_id',
  'upstream_request_id',
  'request_item_ids',
  'response_item_ids',
  'tool_call_ids_started_by_response',
  'usage',
  'raw_request_payload_id',
  'raw_response_payload_id',
];
const CELL: Keys<CodeCell> = [
  'code_cell_id',
  'model_visible_call_id',
  'thread_id',
  'codex_turn_id',
  'source_item_id',
  'output_item_ids',
  'runtime_cell_id',
  'execution',
  'runtime_status',
  'initial_response_at_unix_ms',
  'initial_response_seq',
  'initial_response_status',
  'raw_initial_response_payload_id',
  'raw_result_payload_id',
  'yielded_at_unix_ms',
  'yielded_seq',
  'source_js',
  'nested_tool_call_ids',
  'wait_tool_call_ids',
];
const TOOL: Keys<ToolCall> = [
  'tool_call_id',
  'mcp_call_id',
  'model_visible_call_id',
  'code_mode_runtime_tool_id',
  'started_code_cell_id',
  'thread_id',
  'started_by_codex_turn_id',
  'execution',
  'requester',
  'kind',
  'model_visible_call_item_ids',
  'model_visible_output_item_ids',
  'terminal_operation_id',
  'summary',
  'raw_invocation_payload_id',
  'raw_result_payload_id',
  'raw_runtime_payload_ids',
];
const SESSION: Keys<TerminalSession> = [
  'terminal_id',
  'thread_id',
  'created_by_operation_id',
  'operation_ids',
  'execution',
];
const OPERATION: Keys<TerminalOperation> = [
  'operation_id',
  'terminal_id',
  'tool_call_id',
  'kind',
  'execution',
  'request',
  'result',
  'model_observations',
  'raw_payload_ids',
];
const COMPACTION: Keys<Compaction> = [
  'compaction_id',
  'thread_id',
  'codex_turn_id',
  'installed_at_unix_ms',
  'marker_item_id',
  'request_ids',
  'input_item_ids',
  'replacement_item_ids',
];
const COMPACTION_REQUEST: Keys<CompactionRequest> = [
  'compaction_request_id',
  'compaction_id',
  'thread_id',
  'codex_turn_id',
  'execution',
  'model',
  'provider_name',
  'raw_request_payload_id',
  'raw_response_payload_id',
];
const EDGE: Keys<InteractionEdge> = [
  'edge_id',
  'kind',
  'source',
  'target',
  'started_at_unix_ms',
  'ended_at_unix_ms',
  'carried_item_ids',
  'carried_raw_payload_ids',
];
const PAYLOAD: Keys<PayloadRef> = ['raw_payload_id', 'kind', 'path'];

/** The maps of the graph in the order of the file, with the fields of their objects. */
const COLLECTIONS = [
  ['threads', THREAD],
  ['codex_turns', TURN],
  ['conversation_items', ITEM],
  ['inference_calls', INFERENCE],
  ['code_cells', CELL],
  ['tool_calls', TOOL],
  ['terminal_sessions', SESSION],
  ['terminal_operations', OPERATION],
  ['compactions', COMPACTION],
  ['compaction_requests', COMPACTION_REQUEST],
  ['interaction_edges', EDGE],
  ['raw_payloads', PAYLOAD],
] as const satisfies readonly (readonly [keyof Graph, readonly string[]])[];

/** Fields of the newest shape that are null, not left out, where the generation does not know them. */
const NULL_WHERE_UNKNOWN: ReadonlySet<string> = new Set([
  'response_id',
  'initial_response_status',
  'raw_initial_response_payload_id',
  'raw_result_payload_id',
  'mcp_call_id',
]);

type CollectionName = (typeof COLLECTIONS)[number][0];

/** The fields of one collection that the generation of the bundle does not write. */
function unknownFields(rules: GenerationRules, name: CollectionName): ReadonlySet<string> {
  const unless = (known: boolean, ...fields: string[]): string[] => (known ? [] : fields);
  switch (name) {
    case 'conversation_items':
      return new Set([
        ...unless(rules.itemIds, 'responses_item_id'),
        ...unless(rules.acceptanceFields, 'accepted_at_unix_ms', 'accepted_seq'),
        ...unless(rules.agentMessageItems, 'agent_message'),
      ]);
    case 'inference_calls':
      return new Set(unless(rules.responseIdField, 'response_id'));
    case 'code_cells':
      return new Set(
        unless(
          rules.codeCellResponses,
          'initial_response_status',
          'raw_initial_response_payload_id',
          'raw_result_payload_id',
        ),
      );
    case 'tool_calls':
      return new Set([
        ...unless(rules.mcpCorrelation, 'mcp_call_id'),
        ...unless(rules.startedCodeCell, 'started_code_cell_id'),
      ]);
    default:
      return new Set();
  }
}

export interface StateJsonOptions {
  /** The rules of the bundle's own shape; none for the newest shape. */
  rules: GenerationRules | null;
}

const CHUNK = 1 << 20;
/** Text is gathered up to about this many UTF-16 units before it is encoded. */
const PIECE = 1 << 13;
const LONG = 1 << 10;

/** Collects text and ready bytes in one buffer, and hands it out each time it is full. */
class ChunkWriter {
  readonly #emit: (bytes: Uint8Array) => void;
  readonly #encoder = new TextEncoder();
  readonly #buffer = new Uint8Array(CHUNK);
  #length = 0;
  #text = '';
  constructor(emit: (bytes: Uint8Array) => void) {
    this.#emit = emit;
  }

  text(text: string): void {
    // A long text is encoded on its own: joined to others it would be copied, and one accent makes all of it wide.
    if (text.length >= LONG) {
      this.#encode();
      this.#text = text;
      this.#encode();
    } else {
      this.#text += text;
      if (this.#text.length >= PIECE) this.#encode();
    }
  }

  bytes(bytes: Uint8Array): void {
    this.#encode();
    for (let at = 0; at < bytes.length; ) {
      if (this.#length === CHUNK) this.#hand();
      const part = bytes.subarray(at, at + CHUNK - this.#length);
      this.#buffer.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
    }
  }

  flush(): void {
    this.#encode();
    this.#hand();
  }

  #encode(): void {
    let text = this.#text;
    this.#text = '';
    while (text.length > 0) {
      const { read, written } = this.#encoder.encodeInto(text, this.#buffer.subarray(this.#length));
      this.#length += written;
      if (read === text.length) return;
      text = text.slice(read);
      this.#hand();
    }
  }

  #hand(): void {
    if (this.#length > 0) this.#emit(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}

const ABOVE_SURROGATES = /[\ud800-\uffff]/;
const ID_INDENT = '        ';

/** The printed ids of shared lists: made once per array, then only sliced. */
class IdListPrinter {
  readonly #ready = new Map<readonly string[], { bytes: Uint8Array; ends: Uint32Array }>();
  readonly #longest = new Map<readonly string[], number>();

  /** A shared array is printed only as far as some list reaches. */
  expect(list: IdList): void {
    if (list.length > (this.#longest.get(list.shared) ?? 0)) this.#longest.set(list.shared, list.length);
  }

  slice(list: IdList): Uint8Array {
    let ready = this.#ready.get(list.shared);
    if (ready === undefined) {
      ready = this.#print(list.shared, this.#longest.get(list.shared) ?? list.length);
      this.#ready.set(list.shared, ready);
    }
    return ready.bytes.subarray(0, ready.ends[list.length - 1]);
  }

  #print(ids: readonly string[], length: number): { bytes: Uint8Array; ends: Uint32Array } {
    const lines: string[] = [];
    const ends = new Uint32Array(length);
    let at = 0;
    for (let i = 0; i < length; i++) {
      // Reducer-made ids are ASCII, so units are bytes.
      const line = `${i > 0 ? ',\n' : ''}${ID_INDENT}${JSON.stringify(ids[i])}`;
      lines.push(line);
      at += line.length;
      ends[i] = at;
    }
    return { bytes: new TextEncoder().encode(lines.join('')), ends };
  }
}

/** How deep the fields of an object stand in the file. */
const FIELD_INDENT = '      ';

function printValue(value: unknown, indent: string): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'object':
      break;
    default:
      return String(value);
  }
  if (value === null) return 'null';
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    let out = '[';
    for (let i = 0; i < value.length; i++) out += `${i > 0 ? ',' : ''}\n${inner}${printValue(value[i], inner)}`;
    return `${out}\n${indent}]`;
  }
  if (value instanceof IdList) return printValue(value.toArray(), indent);
  let out = '{';
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    out += `${out.length > 1 ? ',' : ''}\n${inner}"${key}": ${printValue(member, inner)}`;
  }
  return out.length > 1 ? `${out}\n${indent}}` : '{}';
}

/** The value of a field. The engine prints what has no 64-bit integer beyond the exact ones; it is several times faster. */
function printField(value: unknown): string {
  if (value === null || typeof value !== 'object') return printValue(value, FIELD_INDENT);
  if (Array.isArray(value) && value.length === 0) return '[]';
  try {
    return JSON.stringify(value, null, 2).replaceAll('\n', `\n${FIELD_INDENT}`);
  } catch (error) {
    if (error instanceof TypeError) return printValue(value, FIELD_INDENT);
    throw error;
  }
}

/**
 * Prints a graph in chunks of UTF-8.
 *
 * @param emit called with each chunk in order; the bytes are valid only during the call
 */
export function printState(graph: Graph, options: StateJsonOptions, emit: (bytes: Uint8Array) => void): void {
  const { rules } = options;
  const writer = new ChunkWriter(emit);
  const latest = rules === null;
  writer.text('{');
  TOP.forEach((key, index) => {
    if (key === 'recording_complete' && rules?.recordingCompleted === false) return;
    const value = key === 'schema_version' && rules !== null ? rules.stateSchemaVersion : graph[key];
    writer.text(`${index > 0 ? ',' : ''}\n  "${key}": ${printValue(value, '  ')}`);
  });
  const lists = new IdListPrinter();
  for (const call of graph.inference_calls.values()) lists.expect(call.request_item_ids);
  for (const [name, fields] of COLLECTIONS) {
    const objects: ReadonlyMap<string, object> = graph[name];
    writer.text(`,\n  "${name}": {`);
    const unknown = rules === null ? null : unknownFields(rules, name);
    const written = (fields as readonly string[]).filter((field) => unknown?.has(field) !== true);
    let first = true;
    for (const key of sortedKeys(objects)) {
      writer.text(`${first ? '' : ','}\n    ${JSON.stringify(key)}: {`);
      printObject(writer, lists, objects.get(key) as Record<string, unknown>, written, latest);
      writer.text('\n    }');
      first = false;
    }
    writer.text(first ? '}' : '\n  }');
  }
  writer.text('\n}');
  writer.flush();
}

function printObject(
  writer: ChunkWriter,
  lists: IdListPrinter,
  object: Record<string, unknown>,
  fields: readonly string[],
  latest: boolean,
): void {
  let out = '';
  for (const field of fields) {
    let value = object[field];
    if (value === undefined) {
      if (!latest || !NULL_WHERE_UNKNOWN.has(field)) continue;
      value = null;
    }
    out += `${field === fields[0] ? '' : ','}\n${FIELD_INDENT}"${field}": `;
    if (value instanceof IdList && value.length > 0) {
      writer.text(`${out}[\n`);
      writer.bytes(lists.slice(value));
      out = '\n      ]';
      continue;
    }
    const printed = printField(field === 'usage' && latest ? latestUsage(value as TokenUsage | null) : value);
    if (printed.length >= LONG) {
      writer.text(out);
      writer.text(printed);
      out = '';
    } else out += printed;
  }
  writer.text(out);
}

function latestUsage(usage: TokenUsage | null): TokenUsage | null {
  if (usage === null) return null;
  const { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens } = usage;
  const cache_write_input_tokens = usage.cache_write_input_tokens ?? 0;
  return { input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens, reasoning_output_tokens };
}

function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  const keys = [...map.keys()];
  // Below the surrogates UTF-16 and UTF-8 agree on the order, and the built-in comparison is the faster one.
  return keys.some((key) => ABOVE_SURROGATES.test(key)) ? keys.sort(compareUtf8) : keys.sort();
}

/** The whole state as one text. For graphs that fit into a string; files are written with {@link printState}. */
export function stateJson(graph: Graph, options: StateJsonOptions = { rules: null }): string {
  const decoder = new TextDecoder('utf-8');
  let text = '';
  printState(graph, options, (bytes) => {
    text += decoder.decode(bytes, { stream: true });
  });
  return text + decoder.decode();
}
