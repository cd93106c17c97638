/**
 * The printed form of a graph: `state.json`, byte for byte as the reference prints it (spec section 5).
 *
 * Owns the order of the fields and what each generation leaves out. Gives chunks, never one giant string: the lists of
 * request items are slices of bytes that are made once. Not here: files.
 */

import { compareUtf8 } from './canonical-json.ts';
import type { GenerationRules } from './generation.ts';
import type { Graph, TokenUsage } from './graph.ts';
import { IdList } from './id-list.ts';

const TOP: readonly (keyof Graph & string)[] = [
  'schema_version',
  'trace_id',
  'rollout_id',
  'started_at_unix_ms',
  'ended_at_unix_ms',
  'status',
  'recording_complete',
  'root_thread_id',
];

/** The names of the maps of the graph. */
type CollectionName = keyof { [Key in keyof Graph as Graph[Key] extends ReadonlyMap<string, object> ? Key : never]: 1 };
type MapValue<T> = T extends ReadonlyMap<string, infer Value> ? Value : never;

/** Values of the fields of an object, in the order of the file. Undefined ones are left out. */
type Printed = Record<string, unknown>;

/** The maps of the graph in the order of the file, and the fields of their objects. */
const COLLECTIONS: {
  [Name in CollectionName]: (object: MapValue<Graph[Name]>) => Record<keyof MapValue<Graph[Name]>, unknown>;
} = {
  threads: (o) => ({
    thread_id: o.thread_id,
    agent_path: o.agent_path,
    nickname: o.nickname,
    origin: o.origin,
    execution: o.execution,
    default_model: o.default_model,
    conversation_item_ids: o.conversation_item_ids,
  }),
  codex_turns: (o) => ({
    codex_turn_id: o.codex_turn_id,
    thread_id: o.thread_id,
    execution: o.execution,
    input_item_ids: o.input_item_ids,
  }),
  conversation_items: (o) => ({
    item_id: o.item_id,
    responses_item_id: o.responses_item_id,
    accepted_at_unix_ms: o.accepted_at_unix_ms,
    accepted_seq: o.accepted_seq,
    thread_id: o.thread_id,
    codex_turn_id: o.codex_turn_id,
    first_seen_at_unix_ms: o.first_seen_at_unix_ms,
    role: o.role,
    channel: o.channel,
    kind: o.kind,
    agent_message: o.agent_message,
    body: o.body,
    call_id: o.call_id,
    produced_by: o.produced_by,
  }),
  inference_calls: (o) => ({
    inference_call_id: o.inference_call_id,
    thread_id: o.thread_id,
    codex_turn_id: o.codex_turn_id,
    execution: o.execution,
    model: o.model,
    provider_name: o.provider_name,
    response_id: o.response_id,
    upstream_request_id: o.upstream_request_id,
    request_item_ids: o.request_item_ids,
    response_item_ids: o.response_item_ids,
    tool_call_ids_started_by_response: o.tool_call_ids_started_by_response,
    usage: o.usage,
    raw_request_payload_id: o.raw_request_payload_id,
    raw_response_payload_id: o.raw_response_payload_id,
  }),
  code_cells: (o) => ({
    code_cell_id: o.code_cell_id,
    model_visible_call_id: o.model_visible_call_id,
    thread_id: o.thread_id,
    codex_turn_id: o.codex_turn_id,
    source_item_id: o.source_item_id,
    output_item_ids: o.output_item_ids,
    runtime_cell_id: o.runtime_cell_id,
    execution: o.execution,
    runtime_status: o.runtime_status,
    initial_response_at_unix_ms: o.initial_response_at_unix_ms,
    initial_response_seq: o.initial_response_seq,
    initial_response_status: o.initial_response_status,
    raw_initial_response_payload_id: o.raw_initial_response_payload_id,
    raw_result_payload_id: o.raw_result_payload_id,
    yielded_at_unix_ms: o.yielded_at_unix_ms,
    yielded_seq: o.yielded_seq,
    source_js: o.source_js,
    nested_tool_call_ids: o.nested_tool_call_ids,
    wait_tool_call_ids: o.wait_tool_call_ids,
  }),
  tool_calls: (o) => ({
    tool_call_id: o.tool_call_id,
    mcp_call_id: o.mcp_call_id,
    model_visible_call_id: o.model_visible_call_id,
    code_mode_runtime_tool_id: o.code_mode_runtime_tool_id,
    started_code_cell_id: o.started_code_cell_id,
    thread_id: o.thread_id,
    started_by_codex_turn_id: o.started_by_codex_turn_id,
    execution: o.execution,
    requester: o.requester,
    kind: o.kind,
    model_visible_call_item_ids: o.model_visible_call_item_ids,
    model_visible_output_item_ids: o.model_visible_output_item_ids,
    terminal_operation_id: o.terminal_operation_id,
    summary: o.summary,
    raw_invocation_payload_id: o.raw_invocation_payload_id,
    raw_result_payload_id: o.raw_result_payload_id,
    raw_runtime_payload_ids: o.raw_runtime_payload_ids,
  }),
  terminal_sessions: (o) => ({
    terminal_id: o.terminal_id,
    thread_id: o.thread_id,
    created_by_operation_id: o.created_by_operation_id,
    operation_ids: o.operation_ids,
    execution: o.execution,
  }),
  terminal_operations: (o) => ({
    operation_id: o.operation_id,
    terminal_id: o.terminal_id,
    tool_call_id: o.tool_call_id,
    kind: o.kind,
    execution: o.execution,
    request: o.request,
    result: o.result,
    model_observations: o.model_observations,
    raw_payload_ids: o.raw_payload_ids,
  }),
  compactions: (o) => ({
    compaction_id: o.compaction_id,
    thread_id: o.thread_id,
    codex_turn_id: o.codex_turn_id,
    installed_at_unix_ms: o.installed_at_unix_ms,
    marker_item_id: o.marker_item_id,
    request_ids: o.request_ids,
    input_item_ids: o.input_item_ids,
    replacement_item_ids: o.replacement_item_ids,
  }),
  compaction_requests: (o) => ({
    compaction_request_id: o.compaction_request_id,
    compaction_id: o.compaction_id,
    thread_id: o.thread_id,
    codex_turn_id: o.codex_turn_id,
    execution: o.execution,
    model: o.model,
    provider_name: o.provider_name,
    raw_request_payload_id: o.raw_request_payload_id,
    raw_response_payload_id: o.raw_response_payload_id,
  }),
  interaction_edges: (o) => ({
    edge_id: o.edge_id,
    kind: o.kind,
    source: o.source,
    target: o.target,
    started_at_unix_ms: o.started_at_unix_ms,
    ended_at_unix_ms: o.ended_at_unix_ms,
    carried_item_ids: o.carried_item_ids,
    carried_raw_payload_ids: o.carried_raw_payload_ids,
  }),
  raw_payloads: (o) => ({
    raw_payload_id: o.raw_payload_id,
    kind: o.kind,
    path: o.path,
  }),
};

/** Fields of the newest shape that are null, not left out, where the generation does not know them. */
const NULL_WHERE_UNKNOWN: ReadonlySet<string> = new Set([
  'response_id',
  'initial_response_status',
  'raw_initial_response_payload_id',
  'raw_result_payload_id',
  'mcp_call_id',
]);

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
  for (const name of Object.keys(COLLECTIONS) as CollectionName[]) {
    writer.text(`,\n  "${name}": {`);
    const batches = new BatchPrinter(writer, lists);
    const objects: ReadonlyMap<string, object> = graph[name];
    const shape = COLLECTIONS[name] as (object: object) => Printed;
    const unknown = rules === null ? [] : [...unknownFields(rules, name)];
    for (const key of sortedKeys(objects)) {
      const printed = shape(objects.get(key) as object);
      for (const field of unknown) printed[field] = undefined;
      if (latest) asLatest(printed);
      batches.add(key, printed);
    }
    batches.flush();
    writer.text(batches.isFirst ? '}' : '\n  }');
  }
  writer.text('\n}');
  writer.flush();
}

/** What the newest shape has in place of what older generations do not know. */
function asLatest(printed: Printed): void {
  for (const field in printed) {
    if (printed[field] === undefined && NULL_WHERE_UNKNOWN.has(field)) printed[field] = null;
  }
  if ('usage' in printed) printed.usage = latestUsage(printed.usage as TokenUsage | null);
}

/** How deep the fields of an object stand in the file. */
const FIELD_INDENT = '      ';

/** So many objects are printed together, as long as they are small. More take more memory, and gain nothing. */
const MOST_OBJECTS = 16;
/** How many it is before it is known how large they are. */
const FIRST_OBJECTS = 4;
/** A batch whose text is longer than this, in UTF-16 units, is followed by a smaller one. */
const LONG_BATCH = 1 << 16;
/** What the engine prints around objects inside two lists. */
const BATCH_START = '[\n  [\n    {\n'.length;
const OBJECT_START = ',\n    {\n';
const BATCH_END = '\n  ]\n]'.length;
/** Stands for a list of ids until that is put in. No string has this in it: there, quotes are escaped. */
const ID_LIST = '"request_item_ids": 0';

/**
 * Prints the objects of one collection. The engine prints many at once, inside two lists, so that they stand as deep as
 * in the file, and several times faster than piece by piece; the keys are put in between. Lists of ids that share their
 * beginning are put in as ready bytes.
 */
class BatchPrinter {
  isFirst = true;
  readonly #writer: ChunkWriter;
  readonly #lists: IdListPrinter;
  readonly #keys: string[] = [];
  readonly #objects: Printed[] = [];
  readonly #idLists: IdList[] = [];
  #most = FIRST_OBJECTS;
  constructor(writer: ChunkWriter, lists: IdListPrinter) {
    this.#writer = writer;
    this.#lists = lists;
  }

  add(key: string, object: Printed): void {
    const ids = object.request_item_ids;
    if (ids instanceof IdList) {
      if (ids.length > 0) {
        object.request_item_ids = 0;
        this.#idLists.push(ids);
      } else object.request_item_ids = [];
    }
    this.#keys.push(key);
    this.#objects.push(object);
    if (this.#keys.length >= this.#most) this.flush();
  }

  flush(): void {
    if (this.#keys.length === 0) return;
    const printed = this.#print();
    if (printed === null) this.#writeApart();
    else {
      const objects = printed.slice(BATCH_START, -BATCH_END).split(OBJECT_START);
      let text = '';
      for (let i = 0; i < this.#keys.length; i++) text += `${this.#start(i)}{\n${objects[i]}`;
      this.#write(text);
    }
    const isLong = printed === null || printed.length > LONG_BATCH;
    this.#most = isLong ? Math.max(1, this.#most >> 2) : Math.min(MOST_OBJECTS, this.#most * 2);
    this.#keys.length = 0;
    this.#objects.length = 0;
    this.#idLists.length = 0;
  }

  /** What stands in front of an object. */
  #start(index: number): string {
    const comma = this.isFirst ? '' : ',';
    this.isFirst = false;
    return `${comma}\n    ${JSON.stringify(this.#keys[index])}: `;
  }

  /** Null where the engine cannot: an integer of 64 bits is beyond the exact ones, or the text would be too long. */
  #print(): string | null {
    try {
      return JSON.stringify([this.#objects], null, 2);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) return null;
      throw error;
    }
  }

  /** Field by field, so that each text is as short as can be. */
  #writeApart(): void {
    let lists = 0;
    for (const [index, object] of this.#objects.entries()) {
      let before = `${this.#start(index)}{`;
      for (const field in object) {
        const value = object[field];
        if (value === undefined) continue;
        this.#writer.text(`${before}\n${FIELD_INDENT}`);
        before = ',';
        if (value === 0 && field === 'request_item_ids') this.#writeIds(this.#idLists[lists++]);
        else this.#writer.text(`"${field}": ${printValue(value, FIELD_INDENT)}`);
      }
      this.#writer.text('\n    }');
    }
  }

  #write(text: string): void {
    let done = 0;
    for (const ids of this.#idLists) {
      const at = text.indexOf(ID_LIST, done);
      this.#writer.text(text.slice(done, at));
      this.#writeIds(ids);
      done = at + ID_LIST.length;
    }
    this.#writer.text(done === 0 ? text : text.slice(done));
  }

  #writeIds(ids: IdList | undefined): void {
    this.#writer.text('"request_item_ids": [\n');
    if (ids !== undefined) this.#writer.bytes(this.#lists.slice(ids));
    this.#writer.text('\n      ]');
  }
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
