// What the rules of tools, terminals and code cells in docs/generations.md change.

import { describe, expect, it } from 'vitest';
import { type GenerationCase, outcome, reduces, type State, stepsCovered, stepsOf } from './testing/generation-case.ts';
import {
  BASE,
  Body,
  call,
  cellEnded,
  cellStarted,
  event,
  inferenceStarted,
  invocation,
  program,
  runtimeEnded,
  runtimeStarted,
  threadStarted,
  toolStarted,
  user,
} from './testing/scenario.ts';

const OTHER = { type: 'other', name: 'f' };
const STDIN = { type: 'write_stdin' };
const COMMAND = { command: ['ls'], cwd: '/', process_id: 'p' };
const tool = (state: State) => state.tool_calls.t;
const one = (item: object) => [...BASE, inferenceStarted('I', [item])];

const CASES: GenerationCase[] = [
  {
    rule: 'G26: the items of a call at the start of its tool',
    key: 'itemsInCreationOrder',
    step: ['0.165', '0.166'],
    log: [
      ...BASE,
      inferenceStarted('I', [
        ...Array.from({ length: 8 }, (_, n) => user(`${n}`)),
        { ...call('c'), type: 'web_search_call' },
        { ...call('c'), type: 'custom_tool_call', input: '' },
      ]),
      toolStarted('t', { model_visible_call_id: 'c' }),
    ],
    see: (s) => tool(s).model_visible_call_item_ids,
    was: ['conversation_item:10', 'conversation_item:9'],
    is: ['conversation_item:9', 'conversation_item:10'],
  },
  {
    rule: 'G28: the kind of an MCP call',
    key: 'runtimeKind',
    step: ['0.163', '0.164'],
    log: [
      ...BASE,
      toolStarted('t', { kind: OTHER }),
      runtimeStarted('t', { invocation: { server: 's', tool: 'x' } }, OTHER),
    ],
    see: (s) => tool(s).kind,
    was: OTHER,
    is: { type: 'mcp', server: 's', tool: 'x' },
  },
  {
    rule: 'G28: an MCP invocation without a tool',
    key: 'runtimeKind',
    step: ['0.163', '0.164'],
    log: [...BASE, toolStarted('t', { kind: OTHER }), runtimeStarted('t', { invocation: { server: 's' } }, OTHER)],
    see: (s) => tool(s).kind,
    was: OTHER,
    is: 'mcp_invocation_invalid',
  },
  {
    rule: 'G28: an MCP invocation as a list of three',
    key: 'runtimeKind',
    step: ['0.163', '0.164'],
    log: [...BASE, toolStarted('t', { kind: OTHER }), runtimeStarted('t', { invocation: ['s', 'x', {}] }, OTHER)],
    see: (s) => tool(s).kind,
    was: OTHER,
    is: { type: 'mcp', server: 's', tool: 'x' },
  },
  {
    rule: 'G28: the kind a runtime start names',
    key: 'runtimeKind',
    step: ['0.165', '0.166'],
    log: [...BASE, toolStarted('t', { kind: OTHER }), runtimeStarted('t', {}, { type: 'web' })],
    see: (s) => tool(s).kind,
    was: OTHER,
    is: { type: 'web' },
  },
  {
    rule: 'G29: a broken runtime start that tells nothing',
    key: 'runtimeStartAlwaysParsed',
    step: ['0.163', '0.164'],
    log: [...BASE, toolStarted('t', { kind: OTHER }), runtimeStarted('t', new Body('{'), OTHER)],
    see: reduces,
    was: true,
    is: 'payload_invalid',
  },
  {
    rule: 'G29: a broken runtime start of a kind that is not read',
    key: 'runtimeStartAlwaysParsed',
    step: ['0.165', '0.166'],
    log: [...BASE, toolStarted('t', { kind: OTHER }), runtimeStarted('t', new Body('{'), OTHER)],
    see: reduces,
    was: 'payload_invalid',
    is: true,
  },
  {
    rule: 'G30: the MCP call id of a tool call',
    key: 'mcpCorrelation',
    step: ['0.128', '0.140'],
    log: [...BASE, toolStarted('t')],
    see: (s) => tool(s).mcp_call_id,
    was: undefined,
    is: null,
  },
  {
    rule: 'G31: the cell an exec started',
    key: 'startedCodeCell',
    step: ['0.166', '0.169'],
    log: [
      ...one(program('c')),
      cellStarted('1', 'c'),
      toolStarted('t', { kind: { type: 'other', name: 'exec' }, model_visible_call_id: 'c' }),
    ],
    see: (s) => tool(s).started_code_cell_id,
    was: undefined,
    is: 'code_cell:c',
  },
  {
    rule: 'G32: the payload of the end of a cell',
    key: 'codeCellResponses',
    step: ['0.163', '0.164'],
    log: [...one(program('c')), cellStarted('1', 'c'), cellEnded('1', 'completed', {})],
    see: (s) => s.code_cells['code_cell:c'].raw_result_payload_id,
    was: undefined,
    is: 'raw_payload:2',
  },
  {
    rule: 'G33: the name of a terminal session',
    key: 'ownTerminalSessions',
    step: ['0.163', '0.164'],
    log: [...BASE, toolStarted('t'), runtimeStarted('t', COMMAND), toolStarted('u'), runtimeStarted('u', COMMAND)],
    see: (s) => Object.keys(s.terminal_sessions),
    was: ['p'],
    is: ['terminal_session:terminal_operation:1', 'terminal_session:terminal_operation:2'],
  },
  {
    rule: 'G33: a process that two threads use',
    key: 'ownTerminalSessions',
    step: ['0.163', '0.164'],
    log: [
      ...BASE,
      threadStarted('T2', '/root/a'),
      toolStarted('t'),
      runtimeStarted('t', COMMAND),
      toolStarted('u', {}, { thread_id: 'T2', codex_turn_id: null }),
      runtimeStarted('u', COMMAND),
    ],
    see: reduces,
    was: 'terminal_thread_mismatch',
    is: true,
  },
  {
    rule: 'G34: a write whose target is resolved',
    key: 'stdinTargets',
    step: ['0.163', '0.164'],
    log: [
      ...BASE,
      toolStarted('t'),
      runtimeStarted('t', COMMAND),
      toolStarted('u', { kind: STDIN, invocation_payload: invocation('write_stdin', { session_id: 's' }) }),
      event('stdin_target_resolved', { tool_call_id: 'u', exec_tool_call_id: 't' }),
    ],
    see: (s) => s.terminal_operations['terminal_operation:2'].terminal_id,
    was: 'event_unknown',
    is: 'terminal_session:terminal_operation:1',
  },
  {
    rule: 'G35: the end of a command',
    key: 'aggregatedOutput',
    step: ['0.150', '0.163'],
    log: [
      ...BASE,
      toolStarted('t'),
      runtimeStarted('t', COMMAND),
      runtimeEnded('t', { exit_code: 0, aggregated_output: 'x' }),
    ],
    see: (s) => s.terminal_operations['terminal_operation:1'].result.stdout,
    was: 'terminal_payload_invalid',
    is: 'x',
  },
  {
    rule: 'G35: the three strings of a command',
    key: 'aggregatedOutput',
    step: ['0.150', '0.163'],
    log: [
      ...BASE,
      toolStarted('t'),
      runtimeStarted('t', COMMAND),
      runtimeEnded('t', { exit_code: 0, stdout: 'o', stderr: 'e', formatted_output: 'f' }),
    ],
    see: (s) => {
      const { stdout, stderr, formatted_output } = s.terminal_operations['terminal_operation:1'].result;
      return [stdout, stderr, formatted_output];
    },
    was: ['o', 'e', 'f'],
    is: ['', '', null],
  },
  {
    rule: 'G36: a write with bad arguments',
    key: 'badStdinTolerated',
    step: ['0.165', '0.166'],
    log: [...BASE, toolStarted('t', { kind: STDIN, invocation_payload: invocation('write_stdin', {}) })],
    see: (s) => tool(s).terminal_operation_id,
    was: 'terminal_payload_invalid',
    is: null,
  },
  {
    rule: 'G37: a write in a namespace',
    key: 'namespacedStdinIgnored',
    step: ['0.163', '0.164'],
    log: [
      ...BASE,
      toolStarted('t', {
        kind: STDIN,
        invocation_payload: invocation('write_stdin', { session_id: 's' }, { tool_namespace: 'n' }),
      }),
    ],
    see: (s) => tool(s).terminal_operation_id,
    was: 'terminal_operation:1',
    is: null,
  },
];

describe.each(CASES)('$rule', (rule) => {
  const [before, after] = rule.step;
  it(`differs between ${before} and ${after}`, () => {
    expect(outcome(rule, before)).toEqual(rule.was);
    expect(outcome(rule, after)).toEqual(rule.is);
  });
});

it('every step of these rules has a case', () => {
  const keys = new Set(CASES.map(({ key }) => key));
  expect([...keys].flatMap(stepsOf).filter((step) => !stepsCovered(CASES).has(step))).toEqual([]);
});
