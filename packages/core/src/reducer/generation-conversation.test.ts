// What the rules of items and the conversation in docs/generations.md change.

import { describe, expect, it } from 'vitest';
import { type GenerationCase, outcome, reduces, type State, stepsCovered, stepsOf } from './testing/generation-case.ts';
import {
  assistant,
  BASE,
  call,
  inferenceCompleted,
  inferenceStarted,
  mail,
  output,
  reasoning,
  user,
} from './testing/scenario.ts';

const USAGE = { input_tokens: 1, cached_input_tokens: 1, output_tokens: 1, reasoning_output_tokens: 1 };
const request = (id: string) => (state: State) =>
  state.inference_calls[id].request_item_ids.map((item: string) => Number(item.split(':')[1]));
const parts = (n: number) => (state: State) => state.conversation_items[`conversation_item:${n}`].body.parts;
const one = (item: object) => [...BASE, inferenceStarted('I', [item])];
const two = (first: object[], second: object[]) => [
  ...BASE,
  inferenceStarted('I1', first),
  inferenceStarted('I2', second),
];

const CASES: GenerationCase[] = [
  {
    rule: 'G8: numbers of a summary',
    key: 'numbers',
    step: ['0.128', '0.140'],
    log: one(call('c', '[1e2,2.50,1e-7,123456789012345680000,12345678901234567890]')),
    see: (s) => parts(1)(s)[0].summary,
    was: '[100.0,2.5,1e-7,1.2345678901234567e+20,12345678901234567890]',
    is: '[1e+2,2.50,1e-7,123456789012345680000,12345678901234567890]',
  },
  {
    rule: 'G8: arguments with a number beyond a double',
    key: 'numbers',
    step: ['0.128', '0.140'],
    log: one(call('c', '[1e400]')),
    see: (s) => parts(1)(s)[0].type,
    was: 'text',
    is: 'json',
  },
  {
    rule: 'G9: agent_message items',
    key: 'agentMessageItems',
    step: ['0.128', '0.140'],
    log: one(mail('/root', '/root/c', 'hi')),
    see: reduces,
    was: 'item_type_unknown',
    is: true,
  },
  {
    rule: 'G9: context_compaction items',
    key: 'contextCompactionItems',
    step: ['0.128', '0.140'],
    log: one({ type: 'context_compaction', encrypted_content: 'x' }),
    see: reduces,
    was: 'item_type_unknown',
    is: true,
  },
  {
    rule: 'G9: additional_tools items',
    key: 'additionalToolsSkipped',
    step: ['0.140', '0.150'],
    log: one({ type: 'additional_tools' }),
    see: (s) => Object.keys(s.conversation_items),
    was: 'item_type_unknown',
    is: [],
  },
  {
    rule: 'G10: the metadata passthrough',
    key: 'passthroughDropped',
    step: ['0.140', '0.150'],
    log: one({ type: 'web_search_call', internal_chat_message_metadata_passthrough: 1 }),
    see: (s) => parts(1)(s)[0].summary,
    was: '{"type":"web_search_call","internal_chat_message_metadata_passthrough":1}',
    is: '{"type":"web_search_call"}',
  },
  {
    rule: 'G11: empty content',
    key: 'contentHashes',
    step: ['0.164', '0.165'],
    log: one({ type: 'message', role: 'user', content: [] }),
    see: parts(1),
    was: [{ type: 'payload_ref', label: 'empty_content', raw_payload_id: 'raw_payload:1' }],
    is: [],
  },
  {
    rule: 'G11: a picture in two requests',
    key: 'contentHashes',
    step: ['0.164', '0.165'],
    log: two(
      [{ ...user(''), content: [{ type: 'input_image' }] }],
      [{ ...user(''), content: [{ type: 'input_image' }] }],
    ),
    see: request('I2'),
    was: [2],
    is: [1],
  },
  {
    rule: 'G12: a summary cut inside a character',
    key: 'wholeCharacterSummaries',
    step: ['0.165', '0.166'],
    log: one(call('c', `"${'a'.repeat(238)}é"`)),
    see: (s) => parts(1)(s)[0].summary.slice(-4),
    was: 'summary_cut',
    is: 'a...',
  },
  {
    rule: 'G13: tokens written to the cache',
    key: 'cacheWriteTokens',
    step: ['0.140', '0.150'],
    log: [
      ...BASE,
      inferenceStarted('I', []),
      inferenceCompleted('I', [], { token_usage: { ...USAGE, cache_write_input_tokens: 7 } }),
    ],
    see: (s) => s.inference_calls.I.usage.cache_write_input_tokens,
    was: undefined,
    is: 7,
  },
  {
    rule: 'G17: one encrypted reasoning with two texts',
    key: 'reasoningMerges',
    step: ['0.125', '0.128'],
    log: two([reasoning({ encrypted: 'X', text: 'a' })], [reasoning({ encrypted: 'X', text: 'b' })]),
    see: request('I2'),
    was: 'reasoning_reused',
    is: [1],
  },
  {
    rule: 'G17: one encrypted reasoning with two summaries',
    key: 'reasoningMerges',
    step: ['0.125', '0.128'],
    log: two([reasoning({ encrypted: 'X', summary: 'a' })], [reasoning({ encrypted: 'X', summary: 'b' })]),
    see: request('I2'),
    was: 'reasoning_reused',
    is: [1],
  },
  {
    rule: 'G18: two outputs of one call',
    key: 'callIdCheckOutputs',
    step: ['0.165', '0.166'],
    log: one(output('c', 'a')).concat(inferenceStarted('I2', [output('c', 'b')])),
    see: request('I2'),
    was: 'call_id_reused',
    is: [2],
  },
  {
    rule: 'G19: one text with two ids',
    key: 'itemIds',
    step: ['0.164', '0.165'],
    log: two([user('a', '1')], [user('a', '2')]),
    see: request('I2'),
    was: [1],
    is: [2],
  },
  {
    rule: 'G20: an item at its place that the request has taken already',
    key: 'positionMayRepeat',
    step: ['0.165', '0.166'],
    log: two([user('x'), user('a')], [user('a'), user('a')]),
    see: request('I2'),
    was: [2, 2],
    is: [2, 3],
  },
  {
    rule: 'G21: a response item with the id of a known one',
    key: 'responseItemsReused',
    step: ['0.164', '0.165'],
    log: [...BASE, inferenceStarted('I', [assistant('a', 'id')]), inferenceCompleted('I', [assistant('a', 'id')])],
    see: (s) => s.inference_calls.I.response_item_ids,
    was: ['conversation_item:2'],
    is: ['conversation_item:1'],
  },
  {
    rule: 'G22: the response of an earlier inference',
    key: 'snapshotFollowsLatest',
    step: ['0.164', '0.165'],
    log: [
      ...BASE,
      inferenceStarted('I1', []),
      inferenceStarted('I2', []),
      inferenceCompleted('I1', [assistant('a')]),
      inferenceStarted('I3', [assistant('a')]),
    ],
    see: request('I3'),
    was: [1],
    is: [2],
  },
  {
    rule: 'G23: a response that nothing follows',
    key: 'transcriptDerived',
    step: ['0.164', '0.165'],
    log: [...BASE, inferenceStarted('I', [user('a')]), inferenceCompleted('I', [assistant('b')])],
    see: (s) => s.threads.T.conversation_item_ids.length,
    was: 2,
    is: 1,
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
