// Code cells: docs/reducer.md, section 6.8.

import { describe, expect, it } from 'vitest';
import {
  BASE,
  body,
  cellEnded,
  cellResponded,
  cellStarted,
  compactionInstalled,
  event,
  failure,
  inferenceCompleted,
  inferenceStarted,
  invocation,
  item,
  program,
  programOutput,
  reduce,
  type Sketch,
  threadStarted,
  toolStarted,
  turnEnded,
  turnStarted,
  user,
} from './testing/scenario.ts';

const SOURCE = inferenceStarted('I', [program('c')]);
const cellOf = (...sketches: Sketch[]) => reduce([...BASE, ...sketches]).graph.code_cells.get('code_cell:c');
const nested = (tool: string, cell: string) =>
  toolStarted(tool, { requester: { type: 'code_cell', runtime_cell_id: cell } });
const wait = (tool: string, args: unknown, tool_name = 'wait') =>
  toolStarted(tool, { kind: { type: 'other', name: 'wait' }, invocation_payload: invocation(tool_name, args) });

describe('the events of a cell', () => {
  it('C1: belong to the thread of the envelope, else to that of its turn', () => {
    expect(cellOf(SOURCE, cellStarted('1', 'c', { thread_id: null }))?.thread_id).toBe('T');
    for (const type of ['code_cell_started', 'code_cell_initial_response', 'code_cell_ended']) {
      const fields = { runtime_cell_id: '1', model_visible_call_id: 'c', source_js: '', status: 'completed' };
      const from = (codex_turn_id: string | null) =>
        failure([...BASE, event(type, fields, { thread_id: null, codex_turn_id })]);
      expect(from(null)).toBe('context_missing');
      expect(from('X')).toBe('turn_unknown');
    }
  });

  it('C2: start it once: neither cell nor runtime cell comes twice', () => {
    expect(failure([...BASE, cellStarted('1', 'c'), cellStarted('1', 'd')])).toBe('cell_duplicate');
    expect(failure([...BASE, cellStarted('1', 'c'), cellStarted('2', 'c')])).toBe('cell_duplicate');
    expect(failure([...BASE, SOURCE, cellStarted('1', 'c'), cellStarted('1', 'c')])).toBe('cell_duplicate');
  });

  it('C2: wait until the call of the cell is seen in its thread, and check thread and turn only then', () => {
    const lost = cellStarted('1', 'c', { thread_id: 'X', codex_turn_id: 'X' });
    expect(failure([...BASE, lost, SOURCE])).toBe('reduces');
    expect(cellOf(cellStarted('1', 'c'))).toBeUndefined();
    const wrong = [cellStarted('1', 'c', { codex_turn_id: 'X' })];
    expect(failure([...BASE, ...wrong])).toBe('reduces');
    expect(failure([...BASE, ...wrong, SOURCE])).toBe('turn_unknown');
  });

  it('C3: make a cell of the call it comes from, with the time of its start', () => {
    expect(cellOf(cellStarted('1', 'c'), inferenceStarted('I', [user('a'), program('c')]))).toMatchObject({
      code_cell_id: 'code_cell:c',
      model_visible_call_id: 'c',
      thread_id: 'T',
      codex_turn_id: 'U',
      source_item_id: 'conversation_item:2',
      runtime_cell_id: '1',
      runtime_status: 'starting',
      source_js: 'text("hi")',
      execution: { started_seq: 3, started_at_unix_ms: 1030, status: 'running' },
    });
  });

  it.each([
    ['no turn', { codex_turn_id: null }, 'context_missing'],
    ['an unknown turn', { codex_turn_id: 'X' }, 'turn_unknown'],
    ['the turn of another thread', { codex_turn_id: 'U2' }, 'turn_thread_mismatch'],
  ])('C3: refuse a start with %s', (_, envelope, code) => {
    const other = [threadStarted('T2', '/root/a'), turnStarted('U2', 'T2')];
    expect(failure([...BASE, ...other, SOURCE, cellStarted('1', 'c', envelope)])).toBe(code);
  });

  it('C3: attach outputs that are there, and the nested tools by the bytes of their ids', () => {
    const cell = cellOf(
      cellStarted('1', 'c'),
      nested('t2', '1'),
      nested('t10', '1'),
      inferenceStarted('I', [programOutput('c', 'x'), program('c')]),
    );
    expect(cell).toMatchObject({ output_item_ids: ['conversation_item:1'], nested_tool_call_ids: ['t10', 't2'] });
  });

  it('C3: that came while the cell waited are applied with their own times', () => {
    const cell = cellOf(cellStarted('1', 'c'), cellResponded('1', 'yielded'), cellEnded('1', 'completed'), SOURCE);
    expect(cell).toMatchObject({
      initial_response_seq: 4,
      yielded_seq: 4,
      execution: { status: 'completed', ended_seq: 5 },
    });
  });

  it('C4: a waiting cell is made at the end of a request, a response, or a list of a compaction', () => {
    const start = cellStarted('1', 'c');
    expect(cellOf(start, inferenceStarted('I', []), inferenceCompleted('I', [program('c')]))).toBeDefined();
    expect(cellOf(start, compactionInstalled('K', [program('c')], []))).toBeDefined();
    expect(cellOf(start, compactionInstalled('K', [], [program('c')]))).toBeDefined();
  });

  it('C4: a cell whose call never comes leaves no object, but its tools keep its name', () => {
    const { graph } = reduce([...BASE, cellStarted('1', 'c'), nested('t', '1'), turnEnded('U', 'failed')]);
    expect(graph.code_cells.size).toBe(0);
    expect(graph.tool_calls.get('t')?.requester).toEqual({ type: 'code_cell', code_cell_id: 'code_cell:c' });
  });
});

describe('the responses of a cell', () => {
  const start = [SOURCE, cellStarted('1', 'c')];

  it('C5: belong to a cell that has started', () => {
    expect(failure([...BASE, cellResponded('1', 'running')])).toBe('cell_unknown');
    expect(failure([...BASE, cellEnded('1', 'completed')])).toBe('cell_unknown');
  });

  it('C5: the first sets time, status and payload of the initial response, later ones only the status of the cell', () => {
    const cell = cellOf(...start, cellResponded('1', 'yielded', {}), cellResponded('1', 'running', {}));
    expect(cell).toMatchObject({
      initial_response_seq: 5,
      initial_response_status: 'yielded',
      raw_initial_response_payload_id: 'raw_payload:2',
      runtime_status: 'running',
    });
  });

  it('C5: the last yield counts, also behind the end', () => {
    const cell = cellOf(
      ...start,
      cellEnded('1', 'completed'),
      cellResponded('1', 'yielded'),
      cellResponded('1', 'yielded'),
    );
    expect(cell).toMatchObject({
      yielded_seq: 7,
      yielded_at_unix_ms: 1070,
      initial_response_seq: 6,
      runtime_status: 'yielded',
    });
  });

  it.each([
    ['completed', 'completed'],
    ['failed', 'failed'],
    ['terminated', 'cancelled'],
    ['running', 'running'],
    ['yielded', 'running'],
    ['starting', 'running'],
  ])('C6: an end with status %s gives the execution %s', (runtime_status, status) => {
    const cell = cellOf(...start, cellEnded('1', runtime_status));
    expect(cell).toMatchObject({ runtime_status, execution: { status, ended_seq: 5 } });
  });

  it('C6: an end stands for the initial response that never came, but not for its status; the last one counts', () => {
    const cell = cellOf(...start, cellEnded('1', 'completed', {}), cellEnded('1', 'failed'));
    expect(cell).toMatchObject({
      initial_response_seq: 5,
      initial_response_status: null,
      raw_result_payload_id: null,
      execution: { status: 'failed', ended_seq: 6 },
    });
  });
});

describe('what belongs to a cell', () => {
  it('C7: outputs of its call join it in whichever thread, and name their tool before it', () => {
    const { graph } = reduce([
      ...BASE,
      threadStarted('T2', '/root/a'),
      turnStarted('U2', 'T2'),
      SOURCE,
      cellStarted('1', 'c'),
      toolStarted('t', { model_visible_call_id: 'c' }),
      inferenceStarted('I2', [programOutput('c', 'x')], { thread_id: 'T2', codex_turn_id: 'U2' }),
    ]);
    expect(graph.code_cells.get('code_cell:c')?.output_item_ids).toEqual(['conversation_item:2']);
    expect(item(graph, 2).produced_by.map(({ type }) => type)).toEqual(['tool', 'code_cell']);
  });

  it('C8: its nested tools stand in the order they arrive', () => {
    const cell = cellOf(SOURCE, cellStarted('1', 'c'), nested('t2', '1'), nested('t10', '1'));
    expect(cell?.nested_tool_call_ids).toEqual(['t2', 't10']);
  });

  it('C9: a wait names the cell it waits for, whatever kind of tool it is', () => {
    expect(cellOf(SOURCE, cellStarted('1', 'c'), wait('w', { cell_id: '1' }))?.wait_tool_call_ids).toEqual(['w']);
    expect(cellOf(SOURCE, cellStarted('1', 'c'), wait('w', {}, 'other'))?.wait_tool_call_ids).toEqual([]);
  });

  it('C9: a wait for a cell that is not made yet stays without a link', () => {
    const cell = cellOf(cellStarted('1', 'c'), wait('w', { cell_id: '1' }), SOURCE);
    expect(cell?.wait_tool_call_ids).toEqual([]);
  });

  it.each([
    ['has no arguments', body({ tool_name: 'wait', payload: { type: 'custom', input: '' } })],
    ['has arguments that are not JSON', invocation('wait', '{')],
    ['names no cell', invocation('wait', {})],
    ['names a cell by number', invocation('wait', { cell_id: 1 })],
  ])('C9: a wait that %s is refused', (_, invocation_payload) => {
    const sketch = toolStarted('w', { kind: { type: 'mcp', server: 's', tool: 'wait' }, invocation_payload });
    expect(failure([...BASE, sketch])).toBe('wait_arguments_invalid');
  });
});
