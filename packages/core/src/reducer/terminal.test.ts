// Terminals: docs/reducer.md, section 6.7.

import { describe, expect, it } from 'vitest';
import {
  BASE,
  body,
  call,
  event,
  failure,
  inferenceStarted,
  invocation,
  output,
  reduce,
  runtimeEnded,
  runtimeStarted,
  type Sketch,
  threadStarted,
  toolEnded,
  toolStarted,
} from './testing/scenario.ts';

const EXEC = { type: 'exec_command' };
const STDIN = { type: 'write_stdin' };
const COMMAND = { command: ['ls', '-l'], cwd: '/tmp' };

/** A command that runs in a process. */
const exec = (tool: string, process_id?: string): Sketch[] => [
  toolStarted(tool),
  runtimeStarted(tool, { ...COMMAND, process_id }, EXEC),
];
/** A write that reaches a process. */
const write = (tool: string, process_id: string, envelope = {}): Sketch[] => [
  toolStarted(tool, { kind: STDIN }, envelope),
  runtimeStarted(tool, { ...COMMAND, process_id, interaction_input: 'y' }, STDIN),
];
/** A write that is known by its invocation alone. */
const asked = (tool: string, args: unknown, more = {}): Sketch =>
  toolStarted(tool, { kind: STDIN, invocation_payload: invocation('write_stdin', args, more) });
const resolved = (tool_call_id: string, exec_tool_call_id: string) =>
  event('stdin_target_resolved', { tool_call_id, exec_tool_call_id });

const graphOf = (...sketches: Sketch[]) => reduce([...BASE, ...sketches]).graph;
const operation = (n: number, ...sketches: Sketch[]) =>
  graphOf(...sketches).terminal_operations.get(`terminal_operation:${n}`);
const sessions = (...sketches: Sketch[]) =>
  [...graphOf(...sketches).terminal_sessions.values()].map(({ terminal_id, operation_ids }) => [
    terminal_id.slice('terminal_session:terminal_operation:'.length),
    operation_ids.map((id) => id.slice('terminal_operation:'.length)).join(' '),
  ]);

describe('a terminal operation', () => {
  it('T8: that never reached the runtime ends with its tool call', () => {
    const result = body({ type: 'direct_response', response_item: { output: 'done' } });
    const ended = operation(1, asked('t', { session_id: 's' }), toolEnded('t', 'failed', result));
    expect(ended).toMatchObject({ execution: { status: 'failed', ended_seq: 4 }, result: { stdout: 'done' } });
  });

  it('T8: that did is left to its runtime', () => {
    const ended = operation(1, ...exec('t'), toolEnded('t', 'completed', {}));
    expect(ended).toMatchObject({ execution: { status: 'running' }, result: null });
  });

  it('T9: of a command keeps its words, its folder and the payload it was read from', () => {
    const graph = graphOf(...exec('t'));
    expect(graph.terminal_operations.get('terminal_operation:1')).toMatchObject({
      kind: 'exec_command',
      tool_call_id: 't',
      terminal_id: null,
      request: {
        type: 'exec_command',
        command: ['ls', '-l'],
        display_command: 'ls -l',
        cwd: '/tmp',
        yield_time_ms: null,
        max_output_tokens: null,
      },
      raw_payload_ids: ['raw_payload:1'],
    });
    expect(graph.tool_calls.get('t')).toMatchObject({
      terminal_operation_id: 'terminal_operation:1',
      summary: { type: 'terminal', operation_id: 'terminal_operation:1' },
    });
  });

  it.each([
    ['no command', { cwd: '/' }],
    ['a command of numbers', { command: [1], cwd: '/' }],
    ['no folder', { command: [] }],
    ['a process id that is a number', { ...COMMAND, process_id: 7 }],
    ['an input that is a number', { ...COMMAND, interaction_input: 7 }],
  ])('T9: with %s is refused', (_, payload) => {
    expect(failure([...BASE, toolStarted('t'), runtimeStarted('t', payload)])).toBe('terminal_payload_invalid');
  });

  it('T9: is the only one of its tool call', () => {
    expect(failure([...BASE, ...exec('t'), runtimeStarted('t', COMMAND)])).toBe('terminal_duplicate');
  });

  it('T9: of a write is made from the arguments of its invocation', () => {
    const made = operation(1, asked('t', { session_id: 7, chars: 'y', yield_time_ms: 1, max_output_tokens: 2 }));
    expect(made?.request).toEqual({ type: 'write_stdin', stdin: 'y', yield_time_ms: 1, max_output_tokens: 2 });
    expect(operation(1, asked('t', { session_id: 's' }))?.request).toMatchObject({ stdin: '', yield_time_ms: null });
  });

  it.each([
    ['that are not JSON', '{'],
    ['without a session', {}],
    ['with an empty session', { session_id: '' }],
    ['with null as session', { session_id: null }],
    ['with characters that are no text', { session_id: 's', chars: 1 }],
    ['with a negative limit', { session_id: 's', yield_time_ms: -1 }],
  ])('T9: is not made of arguments %s, which is no error', (_, args) => {
    expect(graphOf(asked('t', args)).terminal_operations.size).toBe(0);
  });

  it('T9: is not made of a write in a namespace', () => {
    const sketch = asked('t', { session_id: 's' }, { tool_namespace: 'n' });
    expect(graphOf(sketch).terminal_operations.size).toBe(0);
  });

  it.each([
    ['names another tool', { tool_name: 'other', payload: { type: 'function', arguments: '{}' } }],
    ['has no payload type', { tool_name: 'write_stdin', payload: {} }],
    ['is a custom call', { tool_name: 'write_stdin', payload: { type: 'custom', arguments: '{}' } }],
    ['has no arguments', { tool_name: 'write_stdin', payload: { type: 'function' } }],
  ])('T9: whose invocation %s is refused', (_, payload) => {
    const sketch = toolStarted('t', { kind: STDIN, invocation_payload: body(payload) });
    expect(failure([...BASE, sketch])).toBe('terminal_payload_invalid');
  });
});

describe('the end of a terminal operation', () => {
  it('T10: of a command carries exit code and output', () => {
    const ended = operation(1, ...exec('t'), runtimeEnded('t', { exit_code: 3, aggregated_output: 'x' }, 'failed'));
    expect(ended).toMatchObject({
      execution: { status: 'failed', ended_seq: 5 },
      result: {
        exit_code: 3,
        stdout: 'x',
        stderr: '',
        formatted_output: null,
        original_token_count: null,
        chunk_id: null,
      },
      raw_payload_ids: ['raw_payload:1', 'raw_payload:2'],
    });
  });

  it.each([
    ['no exit code', { aggregated_output: '' }],
    ['an exit code beyond 32 bits', { exit_code: 2 ** 31 }],
    ['an output that is null', { exit_code: 0, aggregated_output: null }],
    ['a process id that is a number', { exit_code: 0, process_id: 1 }],
    ['the result of a tool', { type: 'error', error: 'x' }],
  ])('T10: of a command with %s is refused', (_, payload) => {
    expect(failure([...BASE, ...exec('t'), runtimeEnded('t', payload)])).toBe('terminal_payload_invalid');
  });

  const writeEnd = (payload: unknown) => operation(1, ...write('t', 'p'), runtimeEnded('t', payload))?.result;

  it('T10: of a write may have the shape of a command', () => {
    expect(writeEnd({ exit_code: 0 })).toMatchObject({ exit_code: 0, stdout: '' });
  });

  it.each([
    ['a text', { output: 'a' }, 'a'],
    ['a list of texts', { output: [{ text: 'a' }, { image: 'x' }, { text: 'b' }] }, 'a\nb'],
    ['another value', { output: { b: 1 } }, '{"b":1}'],
    ['no output', { output: null, id: 'x' }, '{"output":null,"id":"x"}'],
  ])('T10: of a write shows what the tool gave to the model: %s', (_, response_item, shown) => {
    const result = writeEnd({ type: 'direct_response', response_item });
    expect(result).toMatchObject({ exit_code: null, stdout: shown, stderr: '', formatted_output: shown });
  });

  it('T10: of a write shows what the tool gave to a code cell', () => {
    const value = { output: 'a', exit_code: 1, original_token_count: 5, chunk_id: 'k' };
    expect(writeEnd({ type: 'code_mode_response', value })).toEqual({
      exit_code: 1,
      stdout: 'a',
      stderr: '',
      formatted_output: 'a',
      original_token_count: 5,
      chunk_id: 'k',
    });
    const odd = { output: 'a', exit_code: 'one' };
    expect(writeEnd({ type: 'code_mode_response', value: odd })?.stdout).toBe('{"output":"a","exit_code":"one"}');
    expect(writeEnd({ type: 'code_mode_response', value: 'a' })?.stdout).toBe('a');
  });

  it('T10: of a write shows an error, and is refused where it is none of these', () => {
    expect(writeEnd({ type: 'error', error: 'no' })).toMatchObject({
      stdout: '',
      stderr: 'no',
      formatted_output: 'no',
    });
    expect(failure([...BASE, ...write('t', 'p'), runtimeEnded('t', { type: 'none' })])).toBe(
      'terminal_payload_invalid',
    );
  });
});

describe('a terminal session', () => {
  it('T11: begins with every command, also where the process id was used before', () => {
    expect(sessions(...exec('t1', 'p'), ...exec('t2', 'p'))).toEqual([
      ['1', '1'],
      ['2', '2'],
    ]);
  });

  it('T11: is joined by writes to the process it had last', () => {
    expect(sessions(...exec('t1', 'p'), ...write('t2', 'p'), ...exec('t3', 'p'), ...write('t4', 'p'))).toEqual([
      ['1', '1 2'],
      ['3', '3 4'],
    ]);
  });

  it('T11: begins with a write to an unknown process, and belongs to one thread', () => {
    const elsewhere = { thread_id: 'T2', codex_turn_id: null };
    const all = [
      threadStarted('T2', '/root/a'),
      ...exec('t1', 'p'),
      ...write('t2', 'p', elsewhere),
      ...write('t3', 'p', elsewhere),
    ];
    expect(sessions(...all)).toEqual([
      ['1', '1'],
      ['2', '2 3'],
    ]);
    expect(graphOf(...all).terminal_sessions.get('terminal_session:terminal_operation:2')).toMatchObject({
      thread_id: 'T2',
      created_by_operation_id: 'terminal_operation:2',
      execution: { started_seq: 7, status: 'running', ended_seq: null },
    });
  });

  it('T11: is found when the process is known only at the end, and a process never changes', () => {
    const end = (process_id: string) => runtimeEnded('t1', { exit_code: 0, process_id });
    expect(sessions(...exec('t1'), end('p'), ...write('t2', 'p'))).toEqual([['1', '1 2']]);
    expect(failure([...BASE, ...exec('t1', 'p'), end('q')])).toBe('terminal_process_changed');
  });

  it('T12: takes in a write whose target is resolved, and one left without operations is gone', () => {
    const moved = [...exec('t1', 'p'), asked('t2', { session_id: 'other' }), resolved('t2', 't1')];
    expect(sessions(...moved)).toEqual([['1', '1 2']]);
    expect(operation(2, ...moved)?.terminal_id).toBe('terminal_session:terminal_operation:1');
  });

  it('T12: that lost its last operation comes back under its old name when its process is written to', () => {
    const moved = [...exec('t1', 'q'), ...write('t2', 'p'), resolved('t2', 't1'), ...write('t3', 'p')];
    expect(sessions(...moved)).toEqual([
      ['1', '1 2'],
      ['2', '3'],
    ]);
  });

  it('T12: needs two known tool calls; one without an operation or a session is passed over', () => {
    expect(failure([...BASE, resolved('t2', 't1')])).toBe('tool_unknown');
    expect(failure([...BASE, toolStarted('t2'), resolved('t2', 't1')])).toBe('tool_unknown');
    expect(sessions(...exec('t1'), ...write('t2', 'p'), resolved('t2', 't1'))).toEqual([['2', '2']]);
    expect(sessions(toolStarted('t1'), ...write('t2', 'p'), resolved('t2', 't1'))).toEqual([['1', '1']]);
  });
});

describe('what the model saw of it', () => {
  it('T13: is absent before the first item, then one copy of both lists', () => {
    const start = [toolStarted('t', { model_visible_call_id: 'c' }), runtimeStarted('t', COMMAND, EXEC)];
    expect(operation(1, ...start)?.model_observations).toEqual([]);
    const seen = operation(
      1,
      ...start,
      inferenceStarted('I1', [call('c')]),
      inferenceStarted('I2', [call('c'), output('c', 'x')]),
    );
    expect(seen?.model_observations).toEqual([
      {
        call_item_ids: ['conversation_item:1'],
        output_item_ids: ['conversation_item:2'],
        source: 'direct_tool_call',
      },
    ]);
  });

  it('T13: is there at once where the items came before the operation', () => {
    const made = operation(
      1,
      inferenceStarted('I', [call('c')]),
      toolStarted('t', { model_visible_call_id: 'c' }),
      runtimeStarted('t', COMMAND),
    );
    expect(made?.model_observations[0]?.call_item_ids).toEqual(['conversation_item:1']);
  });
});
