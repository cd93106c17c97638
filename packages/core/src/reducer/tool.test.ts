// Tool calls: docs/reducer.md, section 6.6.

import { describe, expect, it } from 'vitest';
import {
  BASE,
  body,
  call,
  cellStarted,
  event,
  failure,
  inferenceCompleted,
  inferenceStarted,
  item,
  mail,
  numbers,
  output,
  program,
  reduce,
  runtimeEnded,
  runtimeStarted,
  type Sketch,
  threadStarted,
  toolEnded,
  toolStarted,
  turnStarted,
  user,
} from './testing/scenario.ts';

const OTHER = { type: 'other', name: 'f' };
const EXEC = { type: 'other', name: 'exec' };
const toolOf = (sketches: Sketch[], id = 't') => reduce([...BASE, ...sketches]).graph.tool_calls.get(id);

describe('the start of a tool call', () => {
  it('T1: happens once per tool call, and once per call of the model in the whole bundle', () => {
    expect(failure([...BASE, toolStarted('t'), toolStarted('t')])).toBe('tool_duplicate');
    const first = toolStarted('t1', { model_visible_call_id: 'c' });
    expect(failure([...BASE, first, toolStarted('t2', { model_visible_call_id: 'c' })])).toBe('tool_duplicate');
    const elsewhere = toolStarted('t2', { model_visible_call_id: 'c' }, { thread_id: 'T2', codex_turn_id: null });
    expect(failure([...BASE, threadStarted('T2', '/root/a'), first, elsewhere])).toBe('tool_duplicate');
  });

  it('T1: needs a thread or a turn, both known, and the turn of that thread', () => {
    const from = (thread_id: string | null, codex_turn_id: string | null) =>
      failure([...BASE, threadStarted('T2', '/root/a'), toolStarted('t', {}, { thread_id, codex_turn_id })]);
    expect(from(null, null)).toBe('context_missing');
    expect(from('T', 'X')).toBe('turn_unknown');
    expect(from('X', null)).toBe('thread_unknown');
    expect(from('X', 'Y')).toBe('thread_unknown');
    expect(from('T2', 'U')).toBe('turn_thread_mismatch');
  });

  it('T1: takes the thread from its turn, and may lack the turn', () => {
    expect(toolOf([toolStarted('t', {}, { thread_id: null })])).toMatchObject({
      thread_id: 'T',
      started_by_codex_turn_id: 'U',
    });
    expect(toolOf([toolStarted('t', {}, { codex_turn_id: null })])?.started_by_codex_turn_id).toBeNull();
  });

  it('T1: by a code cell needs a cell that has started in its thread', () => {
    const requester = { type: 'code_cell', runtime_cell_id: '1' };
    expect(failure([...BASE, toolStarted('t', { requester })])).toBe('cell_unknown');
    const call = toolOf([cellStarted('1', 'c'), toolStarted('t', { requester })]);
    expect(call?.requester).toEqual({ type: 'code_cell', code_cell_id: 'code_cell:c' });
  });

  it('T2: finds the calls and outputs of its thread that are there already, in the order they came into being', () => {
    const input = [...Array.from({ length: 8 }, (_, n) => user(`${n}`)), call('c'), output('c', 'a'), output('c', 'b')];
    const { graph } = reduce([...BASE, inferenceStarted('I', input), toolStarted('t', { model_visible_call_id: 'c' })]);
    const found = graph.tool_calls.get('t');
    expect(numbers(found?.model_visible_call_item_ids ?? [])).toEqual([9]);
    expect(numbers(found?.model_visible_output_item_ids ?? [])).toEqual([10, 11]);
    expect(item(graph, 10).produced_by).toEqual([{ type: 'tool', tool_call_id: 't' }]);
  });
});

describe('the end of a tool call', () => {
  it('T3: must belong to a tool call that started; the last one counts, also where it has no payload', () => {
    expect(failure([...BASE, toolEnded('t')])).toBe('tool_unknown');
    const twice = toolOf([toolStarted('t'), toolEnded('t', 'completed', {}), toolEnded('t', 'failed')]);
    expect(twice).toMatchObject({ raw_result_payload_id: null, execution: { status: 'failed', ended_seq: 5 } });
  });

  it('T3: adds its payload to the first edge of the tool, else to the first that waits', () => {
    const id = '00000000-0000-4000-8000-00000000000a';
    const interaction = { call_id: 'c', sender_thread_id: id, receiver_thread_id: id, prompt: 'hi' };
    const kind = { type: 'send_message' };
    const start = [threadStarted(id, '/root/a'), toolStarted('t', { kind }), runtimeStarted('t', interaction, kind)];
    const seen = inferenceStarted('I', [mail('/root', '/root/a', 'hi')], { thread_id: id, codex_turn_id: 'U2' });
    const turn = turnStarted('U2', id);
    const waiting = reduce([...BASE, ...start, toolEnded('t', 'completed', {}), turn, seen]).graph;
    const made = reduce([...BASE, ...start, turn, seen, toolEnded('t', 'completed', {})]).graph;
    for (const graph of [waiting, made]) {
      const [edge] = graph.interaction_edges.values();
      expect(edge?.carried_raw_payload_ids).toContain(graph.tool_calls.get('t')?.raw_result_payload_id);
    }
  });
});

describe('the runtime of a tool call', () => {
  it('T4: must belong to a tool call that started', () => {
    expect(failure([...BASE, runtimeStarted('t', {}, OTHER)])).toBe('tool_unknown');
    expect(failure([...BASE, runtimeEnded('t', {})])).toBe('tool_unknown');
  });

  it('T4: says what kind of tool it is, whatever the start said', () => {
    const kind = { type: 'mcp', server: 's', tool: 't' };
    expect(toolOf([toolStarted('t', { kind: OTHER }), runtimeStarted('t', {}, kind)])?.kind).toEqual(kind);
  });

  it('T4: adds each of its payloads once', () => {
    const payload = body({});
    const call = toolOf([
      toolStarted('t', { kind: OTHER }),
      runtimeStarted('t', payload, OTHER),
      runtimeEnded('t', payload),
      runtimeEnded('t', {}),
    ]);
    expect(call?.raw_runtime_payload_ids).toEqual(['raw_payload:1', 'raw_payload:2']);
  });
});

describe('items of a tool call', () => {
  it('T5: join the tool call with their call id whenever they are seen, in whichever thread that is', () => {
    const { graph } = reduce([
      ...BASE,
      threadStarted('T2', '/root/a'),
      turnStarted('U2', 'T2'),
      toolStarted('t', { model_visible_call_id: 'c' }),
      inferenceStarted('I1', [call('c')]),
      inferenceStarted('I2', [output('c', 'x')], { thread_id: 'T2', codex_turn_id: 'U2' }),
    ]);
    expect(graph.tool_calls.get('t')).toMatchObject({
      model_visible_call_item_ids: ['conversation_item:1'],
      model_visible_output_item_ids: ['conversation_item:2'],
    });
    expect(item(graph, 2).produced_by).toEqual([{ type: 'tool', tool_call_id: 't' }]);
  });

  it('T5: of another thread that were there before join at their next sighting', () => {
    const elsewhere = { thread_id: 'T2', codex_turn_id: 'U2' };
    const before = [
      ...BASE,
      threadStarted('T2', '/root/a'),
      turnStarted('U2', 'T2'),
      inferenceStarted('I1', [call('c')], elsewhere),
      toolStarted('t', { model_visible_call_id: 'c' }),
    ];
    expect(reduce(before).graph.tool_calls.get('t')?.model_visible_call_item_ids).toEqual([]);
    const after = reduce([...before, inferenceStarted('I2', [call('c')], elsewhere)]).graph;
    expect(after.tool_calls.get('t')?.model_visible_call_item_ids).toEqual(['conversation_item:1']);
  });

  it('T6: make the inference whose response holds the call the one that started the tool', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', []),
      inferenceCompleted('I', [call('c')]),
      toolStarted('t', { model_visible_call_id: 'c' }),
    ]);
    expect(graph.inference_calls.get('I')?.tool_call_ids_started_by_response).toEqual(['t']);
  });

  it('T6: of a tool that started before its response do so only when the call is seen again', () => {
    const early = [
      ...BASE,
      inferenceStarted('I', []),
      toolStarted('t', { model_visible_call_id: 'c' }),
      inferenceCompleted('I', [call('c')]),
    ];
    expect(reduce(early).graph.inference_calls.get('I')?.tool_call_ids_started_by_response).toEqual([]);
    const { graph } = reduce([...early, inferenceStarted('I2', [call('c')])]);
    expect(graph.inference_calls.get('I')?.tool_call_ids_started_by_response).toEqual(['t']);
  });
});

describe('MCP calls and programs', () => {
  const correlated = (tool_call_id: string, mcp_call_id: string) =>
    event('mcp_tool_call_correlation_assigned', { tool_call_id, mcp_call_id });

  it('T7: a tool call gets one MCP call id, which two tool calls may share', () => {
    expect(failure([...BASE, correlated('t', 'm')])).toBe('tool_unknown');
    expect(failure([...BASE, toolStarted('t'), correlated('t', 'm'), correlated('t', 'm')])).toBe('mcp_duplicate');
    const { graph } = reduce([
      ...BASE,
      toolStarted('t1'),
      toolStarted('t2'),
      correlated('t1', 'm'),
      correlated('t2', 'm'),
    ]);
    expect([...graph.tool_calls.values()].map(({ mcp_call_id }) => mcp_call_id)).toEqual(['m', 'm']);
  });

  const cell = [inferenceStarted('I', [program('c')]), cellStarted('1', 'c')];

  it('S1: an exec of the model started the cell with its call id, whichever comes first', () => {
    const exec = toolStarted('t', { kind: EXEC, model_visible_call_id: 'c' });
    expect(toolOf([...cell, exec])?.started_code_cell_id).toBe('code_cell:c');
    expect(toolOf([exec, ...cell])?.started_code_cell_id).toBe('code_cell:c');
  });

  it('S1: no tool call of another thread did', () => {
    const exec = toolStarted('t', { kind: EXEC, model_visible_call_id: 'c' }, { thread_id: 'T2', codex_turn_id: null });
    expect(toolOf([threadStarted('T2', '/root/a'), ...cell, exec])?.started_code_cell_id).toBeUndefined();
  });

  it('S1: no other tool call did, nor one whose cell has no source', () => {
    const started = (more: object, envelope = {}) =>
      toolOf([...cell, toolStarted('t', { model_visible_call_id: 'c', kind: EXEC, ...more }, envelope)])
        ?.started_code_cell_id;
    expect(started({ kind: OTHER })).toBeUndefined();
    expect(started({ model_visible_call_id: null })).toBeUndefined();
    expect(started({ requester: { type: 'code_cell', runtime_cell_id: '1' } })).toBeUndefined();
    const queued = [cellStarted('1', 'c'), toolStarted('t', { kind: EXEC, model_visible_call_id: 'c' })];
    expect(toolOf(queued)?.started_code_cell_id).toBeUndefined();
  });
});
