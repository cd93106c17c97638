// What the rules of rollouts, threads and inferences in docs/generations.md change.

import { describe, expect, it } from 'vitest';
import { type GenerationCase, outcome, reduces, type State, stepsCovered, stepsOf } from './testing/generation-case.ts';
import {
  accepted,
  assistant,
  BASE,
  event,
  inferenceCancelled,
  inferenceCompleted,
  inferenceFailed,
  inferenceStarted,
  mail,
  threadEnded,
  toolStarted,
  turnEnded,
  user,
} from './testing/scenario.ts';

const tool = (state: State) => state.tool_calls.t;

const CASES: GenerationCase[] = [
  {
    rule: 'G1: the schema version of the state',
    key: 'stateSchemaVersion',
    step: ['0.164', '0.165'],
    log: [],
    see: (s) => s.schema_version,
    was: 1,
    is: 2,
  },
  {
    rule: 'G7: inference_cancelled',
    key: 'eventTypes',
    step: ['0.125', '0.128'],
    log: [...BASE, inferenceStarted('I', []), inferenceCancelled('I')],
    see: reduces,
    was: 'event_unknown',
    is: true,
  },
  {
    rule: 'G7: mcp_tool_call_correlation_assigned',
    key: 'eventTypes',
    step: ['0.128', '0.140'],
    log: [
      ...BASE,
      toolStarted('t'),
      event('mcp_tool_call_correlation_assigned', { tool_call_id: 't', mcp_call_id: 'm' }),
    ],
    see: (s) => tool(s).mcp_call_id,
    was: 'event_unknown',
    is: 'm',
  },
  {
    rule: 'G7: stdin_target_resolved',
    key: 'eventTypes',
    step: ['0.163', '0.164'],
    log: [...BASE, toolStarted('t'), event('stdin_target_resolved', { tool_call_id: 't', exec_tool_call_id: 't' })],
    see: reduces,
    was: 'event_unknown',
    is: true,
  },
  {
    rule: 'G7: history_item_accepted',
    key: 'eventTypes',
    step: ['0.164', '0.165'],
    log: [...BASE, accepted('id')],
    see: reduces,
    was: 'event_unknown',
    is: true,
  },
  {
    rule: 'G7: thread_resumed',
    key: 'eventTypes',
    step: ['0.165', '0.166'],
    log: [...BASE, threadEnded(), event('thread_resumed', { thread_id: 'T' })],
    see: reduces,
    was: 'event_unknown',
    is: true,
  },
  {
    rule: 'G7: recording_completed',
    key: 'eventTypes',
    step: ['0.166', '0.169'],
    log: [event('recording_completed')],
    see: (s) => s.recording_complete,
    was: 'event_unknown',
    is: true,
  },
  {
    rule: 'G14: the response id',
    key: 'responseIdField',
    step: ['0.125', '0.128'],
    log: [
      ...BASE,
      inferenceStarted('I', []),
      inferenceCompleted('I', [], { response_id: 'R', upstream_request_id: 'up' }),
    ],
    see: ({ inference_calls: { I } }) => [I.response_id, I.upstream_request_id],
    was: [undefined, 'R'],
    is: ['R', 'up'],
  },
  {
    rule: 'G15: the window of an inference that ends twice',
    key: 'inferenceEndsOnce',
    step: ['0.125', '0.128'],
    log: [...BASE, inferenceStarted('I', []), inferenceCompleted('I', []), inferenceFailed('I')],
    see: ({ inference_calls: { I } }) => [I.execution.status, I.raw_response_payload_id],
    was: ['failed', null],
    is: ['completed', 'raw_payload:2'],
  },
  {
    rule: 'G16: a running inference at the end of its turn',
    key: 'turnEndClosesInferences',
    step: ['0.125', '0.128'],
    log: [...BASE, inferenceStarted('I', []), turnEnded()],
    see: (s) => s.inference_calls.I.execution.status,
    was: 'running',
    is: 'cancelled',
  },
  {
    rule: 'G24: a receipt',
    key: 'acceptances',
    step: ['0.164', '0.165'],
    log: [...BASE, accepted('id'), inferenceStarted('I', []), inferenceCompleted('I', [assistant('a', 'id')])],
    see: (s) => s.threads.T.conversation_item_ids,
    was: 'event_unknown',
    is: ['conversation_item:1'],
  },
  {
    rule: 'G24: an accepted agent message',
    key: 'acceptances',
    step: ['0.166', '0.169'],
    log: [...BASE, accepted('id', {}, mail('/root/c', '/root', 'hi', 'id'))],
    see: (s) => [Object.keys(s.conversation_items), Object.keys(s.raw_payloads)],
    was: [[], []],
    is: [['conversation_item:1'], ['raw_payload:1']],
  },
  {
    rule: 'G25: the time of an acceptance',
    key: 'acceptanceFields',
    step: ['0.166', '0.169'],
    log: [...BASE, accepted('id'), inferenceStarted('I', [user('a', 'id')])],
    see: (s) => s.conversation_items['conversation_item:1'].accepted_seq,
    was: undefined,
    is: 3,
  },
  {
    rule: 'G46: a thread that is resumed',
    key: 'threadResumed',
    step: ['0.165', '0.166'],
    log: [...BASE, threadEnded(), event('thread_resumed', { thread_id: 'T' })],
    see: (s) => s.threads.T.execution.status,
    was: 'event_unknown',
    is: 'running',
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
