// The printed state: docs/format.md, section 5.

import { describe, expect, it } from 'vitest';
import {
  BASE,
  call,
  event,
  inferenceCompleted,
  inferenceStarted,
  reduce,
  threadStarted,
  toolStarted,
  user,
} from '../reducer/testing/scenario.ts';
import { GENERATIONS, parseGeneration } from './generation.ts';
import type { Graph } from './graph.ts';
import { printState, stateJson } from './state-json.ts';

const graphOf = (...sketches: Parameters<typeof reduce>[0]): Graph => reduce(sketches).graph;
const USAGE = { input_tokens: 1, cached_input_tokens: 2, output_tokens: 3, reasoning_output_tokens: 4 };
const SESSION = [
  ...BASE,
  inferenceStarted('I', [user('a')]),
  inferenceCompleted('I', [call('c')], { token_usage: USAGE }),
  toolStarted('t'),
];

describe('the text of a state', () => {
  it('F7: has two spaces per level, every element on a line of its own, and no newline at the end', () => {
    const text = stateJson(graphOf(threadStarted()));
    expect(text.slice(0, 40)).toBe('{\n  "schema_version": 2,\n  "trace_id": "');
    expect(text).toContain('"origin": {\n        "type": "root"\n      },');
    expect(text.endsWith('}')).toBe(true);
    expect(JSON.stringify(JSON.parse(text), null, 2)).toBe(text);
  });

  it('F7: has empty lists and maps in one line', () => {
    const text = stateJson(graphOf(...BASE));
    expect(text).toContain('"input_item_ids": []');
    expect(text).toContain('"tool_calls": {}');
  });

  it('F7: has the fields of every object in one order, whatever order they came in', () => {
    const keys = (text: string) => Object.keys(JSON.parse(text));
    expect(keys(stateJson(graphOf()))).toEqual([
      'schema_version',
      'trace_id',
      'rollout_id',
      'started_at_unix_ms',
      'ended_at_unix_ms',
      'status',
      'recording_complete',
      'root_thread_id',
      'threads',
      'codex_turns',
      'conversation_items',
      'inference_calls',
      'code_cells',
      'tool_calls',
      'terminal_sessions',
      'terminal_operations',
      'compactions',
      'compaction_requests',
      'interaction_edges',
      'raw_payloads',
    ]);
  });

  it('F8: has the keys of its maps in the order of their UTF-8 bytes', () => {
    const ids = ['\u{1f600}', '\uff5a', 'T10', 'T2'];
    const text = stateJson(graphOf(...ids.map((id) => threadStarted(id))));
    const found = [...text.matchAll(/"thread_id": "(.*)"/g)].map(([, id]) => id);
    expect(found).toEqual(['T10', 'T2', '\uff5a', '\u{1f600}']);
  });

  it('F9: writes absent values as null, but leaves out those that only some items have', () => {
    const { conversation_items, tool_calls } = JSON.parse(stateJson(graphOf(...SESSION)));
    expect(Object.keys(conversation_items['conversation_item:1'])).not.toContain('responses_item_id');
    expect(tool_calls.t).toMatchObject({ mcp_call_id: null, terminal_operation_id: null });
    expect(Object.keys(tool_calls.t)).not.toContain('started_code_cell_id');
  });

  it('F9: keeps all digits of 64-bit integers', () => {
    const sketch = event('rollout_ended', { status: 'completed' }, { at: 9007199254740991 });
    expect(stateJson(graphOf(sketch))).toContain('"ended_at_unix_ms": 9007199254740991,');
    const graph = { ...graphOf(), ended_at_unix_ms: 9223372036854775807n };
    expect(stateJson(graph)).toContain('"ended_at_unix_ms": 9223372036854775807,');
  });

  it('F9: keeps all digits wherever the integer stands, and the objects around it as they are', () => {
    const before = stateJson(graphOf(...manyCalls()));
    const graph = graphOf(...manyCalls());
    const execution = graph.inference_calls.get('I7')?.execution;
    if (execution === undefined) throw new Error('the session has no I7');
    const seq = String(execution.started_seq);
    execution.started_seq = 18446744073709551615n;
    const lines = stateJson(graph).split('\n');
    const changed = before
      .split('\n')
      .flatMap((line, at) => (line === lines[at] ? [] : [[line.trim(), lines[at]?.trim()]]));
    expect(changed).toEqual([[`"started_seq": ${seq},`, '"started_seq": 18446744073709551615,']]);
  });

  it('F10: is printed alike, whatever its texts look like', () => {
    const graph = graphOf(...manyCalls(), threadStarted('__proto__'), threadStarted('7'), threadStarted('10'));
    const text = stateJson(graph);
    const state = JSON.parse(text);
    expect(Object.keys(state.conversation_items)).toEqual([...graph.conversation_items.keys()].sort());
    for (const [id, { body }] of graph.conversation_items) expect(state.conversation_items[id].body).toEqual(body);
    for (const [id] of graph.inference_calls)
      expect(state.inference_calls[id].request_item_ids).toEqual(idsOf(graph, id));
    const threads = [...text.matchAll(/^ {6}"thread_id": "(.*)",\n {6}"agent_path"/gm)].map(([, id]) => id);
    expect(threads).toEqual(['10', '7', 'T', '__proto__']);
  });

  it('F10: comes in chunks of UTF-8 that together are the text, with shared lists written out in full', () => {
    const items = Array.from({ length: 200 }, (_, n) => user(`ä${n}`));
    const graph = graphOf(
      ...BASE,
      ...items.map((_, n) => inferenceStarted(`I${n}`, items.slice(0, n))),
      inferenceStarted('other', items.slice(100).reverse()),
    );
    const chunks: Buffer[] = [];
    printState(graph, { rules: null }, (bytes) => chunks.push(Buffer.from(bytes)));
    expect(Buffer.concat(chunks).toString('utf8')).toBe(stateJson(graph));
    const { inference_calls } = JSON.parse(stateJson(graph));
    for (const [id, { request_item_ids }] of graph.inference_calls) {
      expect(inference_calls[id].request_item_ids.map(String)).toEqual(idsOf(graph, id));
      expect(inference_calls[id].request_item_ids).toHaveLength(request_item_ids.length);
    }
  });
});

/** More calls than are printed together, with texts that look like the text of a state. */
function manyCalls(): Parameters<typeof reduce>[0] {
  const texts = ['},\n    {\n', '"request_item_ids": 0', '\n  ]\n]', 'é—😀', 'x'.repeat(100_000)];
  const items = Array.from({ length: 40 }, (_, n) => user(`${n} ${texts[n % texts.length]}`));
  return [...BASE, ...items.map((_, n) => inferenceStarted(`I${n}`, items.slice(0, n)))];
}

function idsOf(graph: Graph, inference: string): string[] {
  return [...(graph.inference_calls.get(inference)?.request_item_ids ?? [])];
}

describe('the shape of a state', () => {
  it.each(GENERATIONS)('F11: the newest shape of a bundle of %s has every field of the newest', (generation) => {
    const old = SESSION.map((sketch) => ({ ...sketch }));
    const { graph } = reduce(old, { generation });
    const { schema_version, recording_complete, inference_calls, tool_calls } = JSON.parse(stateJson(graph));
    expect(schema_version).toBe(2);
    expect(recording_complete).toBe(generation === '0.169' ? false : null);
    expect(inference_calls.I).toHaveProperty('response_id');
    expect(inference_calls.I.usage).toHaveProperty('cache_write_input_tokens', 0);
    expect(tool_calls.t).toHaveProperty('mcp_call_id');
  });

  it('F11: the own shape of a bundle has the fields of its generation and no others', () => {
    const { graph, rules } = reduce(SESSION, { generation: '0.125' });
    const state = JSON.parse(stateJson(graph, { rules }));
    expect(state).not.toHaveProperty('recording_complete');
    expect(state.inference_calls.I).not.toHaveProperty('response_id');
    expect(state.inference_calls.I.usage).not.toHaveProperty('cache_write_input_tokens');
    expect(state.tool_calls.t).not.toHaveProperty('mcp_call_id');
  });

  it.each([
    ['0.169', '0.169'],
    ['0.125.0', '0.125'],
    ['0.124.0', '0.125'],
    ['0.130.0', '0.128'],
    ['0.161.0', '0.150'],
    ['0.162.0', '0.163'],
    ['0.167.0', '0.166'],
    ['0.900.0', '0.169'],
    ['0.1.0', null],
    ['latest', null],
  ])('F12: the version %s belongs to generation %s', (version, generation) => {
    expect(parseGeneration(version)).toBe(generation);
  });
});
