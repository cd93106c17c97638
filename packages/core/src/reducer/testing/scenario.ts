/**
 * Scaffolding of the reducer's tests: a sequence of events as a test writes it, and what becomes of it.
 *
 * Only scaffolds: ids, times and payload files are filled in, the sequence stays visible in the test. Unless a test says
 * otherwise, there is one thread `T` with one turn `U`, and event number n happens at time 1000 + 10 n.
 */

import { decodeEvent } from '../../format/decode-event.ts';
import { type Finding, type FindingCode, TraceError } from '../../format/finding.ts';
import { GENERATION_RULES, type Generation, type GenerationRules, NEWEST_GENERATION } from '../../format/generation.ts';
import type { Graph } from '../../format/graph.ts';
import { JsonSyntaxError, member, parseJson } from '../../format/json.ts';
import type { Manifest } from '../../format/manifest.ts';
import type { PayloadRef } from '../../format/payload.ts';
import { type Bodies, BodyError, plainItems } from '../bodies.ts';
import { endOfLog, finish } from '../finish.ts';
import { createReducer, step } from '../reduce.ts';
import type { ReduceMode } from '../state.ts';

type Fields = Record<string, unknown>;

/** The content of a payload file; stands in an event where the reference belongs. */
export class Body {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export function body(value: unknown): Body {
  return new Body(JSON.stringify(value));
}

/** Where an event says it belongs, and when it happened. */
export interface Envelope {
  thread_id?: string | null;
  codex_turn_id?: string | null;
  rollout_id?: string;
  at?: number;
  seq?: number;
}

export interface Sketch {
  payload: Fields;
  envelope: Envelope;
}

export function event(type: string, fields: Fields = {}, envelope: Envelope = {}): Sketch {
  return { payload: { type, ...fields }, envelope };
}

// ---- Events --------------------------------------------------------------------------------------------------------

export function threadStarted(thread_id = 'T', agent_path = '/root', metadata?: unknown): Sketch {
  const metadata_payload = metadata === undefined ? null : body(metadata);
  return event('thread_started', { thread_id, agent_path, metadata_payload });
}

export function threadEnded(thread_id = 'T', status = 'completed'): Sketch {
  return event('thread_ended', { thread_id, status });
}

export function turnStarted(codex_turn_id = 'U', thread_id = 'T'): Sketch {
  return event('codex_turn_started', { codex_turn_id, thread_id });
}

export function turnEnded(codex_turn_id = 'U', status = 'completed', envelope: Envelope = {}): Sketch {
  return event('codex_turn_ended', { codex_turn_id, status }, { thread_id: null, ...envelope });
}

/** The thread and turn most tests play in. */
export const BASE: readonly Sketch[] = [threadStarted(), turnStarted()];

/** `more` may name another thread and turn, or add to the request. */
export function inferenceStarted(inference_call_id: string, input: unknown, more: Fields = {}): Sketch {
  const { thread_id = 'T', codex_turn_id = 'U', ...request } = more;
  return event('inference_started', {
    inference_call_id,
    thread_id,
    codex_turn_id,
    model: 'model-1',
    provider_name: 'provider',
    request_payload: body({ ...request, input }),
  });
}

/** `more` may give `response_id`, `upstream_request_id` and `token_usage`. */
export function inferenceCompleted(inference_call_id: string, output_items: unknown, more: Fields = {}): Sketch {
  const { response_id = null, upstream_request_id = null, ...response } = more;
  const response_payload = body({ ...response, output_items });
  return event('inference_completed', { inference_call_id, response_id, upstream_request_id, response_payload });
}

export function inferenceFailed(
  inference_call_id: string,
  partial: unknown[] | null = null,
  more: Fields = {},
): Sketch {
  const partial_response_payload = partial === null ? null : body({ output_items: partial });
  return event('inference_failed', { inference_call_id, error: 'broken', partial_response_payload, ...more });
}

export function inferenceCancelled(inference_call_id: string, more: Fields = {}): Sketch {
  return event('inference_cancelled', {
    inference_call_id,
    reason: 'stopped',
    partial_response_payload: null,
    ...more,
  });
}

export function accepted(item_id: string, envelope: Envelope = {}, message?: unknown): Sketch {
  const agent_message_payload = message === undefined ? undefined : body(message);
  return event('history_item_accepted', { item_id, agent_message_payload }, envelope);
}

export function toolStarted(tool_call_id: string, more: Fields = {}, envelope: Envelope = {}): Sketch {
  return event(
    'tool_call_started',
    {
      tool_call_id,
      requester: { type: 'model' },
      kind: { type: 'exec_command' },
      summary: { type: 'generic', label: 'tool' },
      ...more,
    },
    envelope,
  );
}

/** The payload by which a tool is asked for, as the function call of a model. */
export function invocation(tool_name: string, args: unknown, more: Fields = {}): Body {
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  return body({ tool_name, payload: { type: 'function', arguments: text }, ...more });
}

export function runtimeStarted(
  tool_call_id: string,
  payload: unknown,
  kind: Fields = { type: 'exec_command' },
): Sketch {
  return event('tool_call_runtime_started', { tool_call_id, kind, runtime_payload: asBody(payload) });
}

export function runtimeEnded(tool_call_id: string, payload: unknown, status = 'completed'): Sketch {
  return event('tool_call_runtime_ended', { tool_call_id, status, runtime_payload: asBody(payload) });
}

export function toolEnded(tool_call_id: string, status = 'completed', payload?: unknown): Sketch {
  const result_payload = payload === undefined ? null : asBody(payload);
  return event('tool_call_ended', { tool_call_id, status, result_payload });
}

export function cellStarted(runtime_cell_id: string, model_visible_call_id: string, envelope: Envelope = {}): Sketch {
  return event('code_cell_started', { runtime_cell_id, model_visible_call_id, source_js: 'text("hi")' }, envelope);
}

export function cellResponded(runtime_cell_id: string, status: string, payload?: unknown): Sketch {
  const response_payload = payload === undefined ? null : asBody(payload);
  return event('code_cell_initial_response', { runtime_cell_id, status, response_payload });
}

export function cellEnded(runtime_cell_id: string, status: string, payload?: unknown): Sketch {
  const response_payload = payload === undefined ? null : asBody(payload);
  return event('code_cell_ended', { runtime_cell_id, status, response_payload });
}

export function compactionRequested(compaction_id: string, compaction_request_id: string, more: Fields = {}): Sketch {
  return event('compaction_request_started', {
    compaction_id,
    compaction_request_id,
    thread_id: 'T',
    codex_turn_id: 'U',
    model: 'model-1',
    provider_name: 'provider',
    request_payload: body({ input: [] }),
    ...more,
  });
}

export function compactionInstalled(
  compaction_id: string,
  input_history: unknown,
  replacement_history: unknown,
  envelope: Envelope = {},
): Sketch {
  const checkpoint_payload = body({ input_history, replacement_history });
  return event('compaction_installed', { compaction_id, checkpoint_payload }, envelope);
}

/** The result of child `C` reaches thread `T`. */
export function agentResult(edge_id: string, message: string, more: Fields = {}): Sketch {
  return event('agent_result_observed', {
    edge_id,
    child_thread_id: 'C',
    child_codex_turn_id: 'CU',
    parent_thread_id: 'T',
    message,
    ...more,
  });
}

function asBody(payload: unknown): Body {
  return payload instanceof Body ? payload : body(payload);
}

// ---- Model items ---------------------------------------------------------------------------------------------------

const withId = (item: Fields, id: string | undefined): Fields => (id === undefined ? item : { ...item, id });

export function user(text: string, id?: string): Fields {
  return withId({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }, id);
}

export function assistant(text: string, id?: string): Fields {
  return withId({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }, id);
}

export function call(call_id: string, args = '{}', id?: string): Fields {
  return withId({ type: 'function_call', name: 'tool', arguments: args, call_id }, id);
}

export function output(call_id: string, text: string, id?: string): Fields {
  return withId({ type: 'function_call_output', call_id, output: text }, id);
}

/** A program of the model: the call a code cell belongs to. */
export function program(call_id: string, input = 'text("hi")', id?: string): Fields {
  return withId({ type: 'custom_tool_call', name: 'exec', input, call_id }, id);
}

export function programOutput(call_id: string, text: string, id?: string): Fields {
  return withId({ type: 'custom_tool_call_output', call_id, output: text }, id);
}

export function reasoning(parts: { text?: string; summary?: string; encrypted?: string }, id?: string): Fields {
  const { text, summary, encrypted } = parts;
  return withId(
    {
      type: 'reasoning',
      summary: summary === undefined ? [] : [{ type: 'summary_text', text: summary }],
      content: text === undefined ? null : [{ type: 'reasoning_text', text }],
      encrypted_content: encrypted ?? null,
    },
    id,
  );
}

/** Mail between agents as an item: plain text, or what `encrypted` holds. */
export function mail(author: string, recipient: string, text: string, id?: string): Fields {
  return withId({ type: 'agent_message', author, recipient, content: [{ type: 'input_text', text }] }, id);
}

// ---- What becomes of them ------------------------------------------------------------------------------------------

export interface ScenarioOptions {
  generation?: Generation;
  mode?: ReduceMode;
}

export interface Scenario {
  graph: Graph;
  findings: readonly Finding[];
  rules: GenerationRules;
}

function manifestOf(rules: GenerationRules): Manifest {
  return {
    schema_version: rules.stateSchemaVersion,
    trace_id: 'trace',
    rollout_id: 'rollout',
    root_thread_id: 'T',
    started_at_unix_ms: 1000,
    raw_event_log: 'trace.jsonl',
    payloads_dir: 'payloads',
  };
}

/** The lines of the log and the payload files, by path. */
function logOf(sketches: readonly Sketch[], rules: GenerationRules): { lines: string[]; files: Map<string, string> } {
  const files = new Map<string, string>();
  const refs = new Map<Body, PayloadRef>();
  const place = (value: unknown): unknown => {
    if (!(value instanceof Body)) return value;
    let ref = refs.get(value);
    if (ref === undefined) {
      const n = refs.size + 1;
      ref = { raw_payload_id: `raw_payload:${n}`, kind: { type: 'protocol_event' }, path: `payloads/${n}.json` };
      refs.set(value, ref);
      files.set(ref.path, value.text);
    }
    return ref;
  };
  const lines = sketches.map(({ payload, envelope }, index) => {
    const {
      thread_id = 'T',
      codex_turn_id = 'U',
      rollout_id = 'rollout',
      seq = index + 1,
      at = 1000 + 10 * seq,
    } = envelope;
    const fields = Object.entries(payload).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map(place) : place(value),
    ]);
    return JSON.stringify({
      schema_version: rules.stateSchemaVersion,
      seq,
      wall_time_unix_ms: at,
      rollout_id,
      thread_id,
      codex_turn_id,
      payload: Object.fromEntries(fields),
    });
  });
  return { lines, files };
}

/** The scenario as the files of a bundle, for tests of what reads bundles. */
export function bundleFiles(
  sketches: readonly Sketch[],
  generation: Generation = NEWEST_GENERATION,
): Map<string, Uint8Array> {
  const rules = GENERATION_RULES[generation];
  const { lines, files } = logOf(sketches, rules);
  const encoder = new TextEncoder();
  return new Map([
    ['manifest.json', encoder.encode(JSON.stringify(manifestOf(rules)))],
    ['trace.jsonl', encoder.encode(lines.map((line) => `${line}\n`).join(''))],
    ...[...files].map(([path, text]): [string, Uint8Array] => [path, encoder.encode(text)]),
  ]);
}

/** Reduces the scenario, strictly and in the newest generation unless the options say otherwise. */
export function reduce(sketches: readonly Sketch[], options: ScenarioOptions = {}): Scenario {
  const rules = GENERATION_RULES[options.generation ?? NEWEST_GENERATION];
  const { lines, files } = logOf(sketches, rules);
  const state = createReducer(manifestOf(rules), { rules, mode: options.mode ?? 'strict' });
  const bodies = bodiesIn(files);
  lines.forEach((line, index) => {
    step(state, decodeEvent(parseJson(line), rules), bodies, { line: index + 1, ended: true });
  });
  state.event = null;
  endOfLog(state);
  return { graph: finish(state), findings: state.findings, rules };
}

/** The code of the error by which a strict reduction ends, or `reduces`. */
export function failure(sketches: readonly Sketch[], options: ScenarioOptions = {}): FindingCode | 'reduces' {
  try {
    reduce(sketches, options);
    return 'reduces';
  } catch (error) {
    if (error instanceof TraceError) return error.code;
    throw error;
  }
}

function bodiesIn(files: ReadonlyMap<string, string>): Bodies {
  const json: Bodies['json'] = (ref) => {
    const text = files.get(ref.path);
    if (text === undefined) throw new BodyError('payload_missing', `${ref.path} is not there`);
    try {
      return parseJson(text);
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw new BodyError('payload_invalid', error.message, error);
      throw error;
    }
  };
  return {
    json,
    request: (ref) => {
      const value = json(ref);
      const response = member(value, 'previous_response_id');
      const input = member(value, 'input');
      return {
        previousResponseId: typeof response === 'string' ? response : null,
        input: input === undefined ? 'missing' : Array.isArray(input) ? plainItems(input) : 'not_array',
      };
    },
  };
}

// ---- Looking at it -------------------------------------------------------------------------------------------------

/** Item number n of the graph. */
export function item(graph: Graph, n: number) {
  const found = graph.conversation_items.get(`conversation_item:${n}`);
  if (found === undefined) throw new Error(`there is no item ${n}, only ${graph.conversation_items.size}`);
  return found;
}

/** The numbers of reducer-made ids: `conversation_item:3` is 3. */
export function numbers(ids: Iterable<string>): number[] {
  return [...ids].map((id) => Number(id.slice(id.lastIndexOf(':') + 1)));
}

/** The numbers of the items of a request. */
export function requestOf(graph: Graph, inference: string): number[] {
  return numbers(graph.inference_calls.get(inference)?.request_item_ids ?? []);
}

/** The numbers of the items of a response. */
export function responseOf(graph: Graph, inference: string): number[] {
  return numbers(graph.inference_calls.get(inference)?.response_item_ids ?? []);
}

/** The numbers of the items in a thread's transcript. */
export function transcriptOf(graph: Graph, thread = 'T'): number[] {
  return numbers(graph.threads.get(thread)?.conversation_item_ids ?? []);
}
