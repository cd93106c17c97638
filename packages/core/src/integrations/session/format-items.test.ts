import fc from 'fast-check';
import { expect, it } from 'vitest';
import { replayMemory } from '../testing/replay-memory.ts';
import { chatInput } from './chat-items.ts';
import { formatInput } from './format-items.ts';

const types = [
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'item_reference',
  'mcp_call',
  'shell_call',
  'shell_call_output',
  'compaction',
  'agent_message',
  'web_search_call',
  'local_shell_call',
  'tool_search_output',
  'additional_tools',
  'next_years_item',
  7,
  null,
];
const part = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom(
        'input_text',
        'output_text',
        'text',
        'summary_text',
        'reasoning_text',
        'input_image',
        'encrypted_content',
        3,
      ),
      text: fc.option(fc.string()),
      encrypted_content: fc.option(fc.string()),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const value = fc.oneof(fc.string(), fc.array(part, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }));
const item = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        type: fc.constantFrom(...types),
        id: fc.constantFrom('a', 'b', '', 5),
        role: fc.constantFrom('user', 'assistant', 'tool', 'critic', 1),
        call_id: fc.constantFrom('c1', 'c2', 3),
        name: fc.constantFrom('x', 'exec', 'wait'),
        arguments: fc.oneof(fc.constantFrom('{}', '{"a":1}', '{"a":1.0}', 'no json'), value),
        input: value,
        output: value,
        content: value,
        summary: value,
        encrypted_content: value,
        author: value,
        recipient: value,
        action: value,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
);

it('whatever a host sends and a service answers, readers take it, and find it again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(item, { maxLength: 4 }), fc.array(item, { maxLength: 3 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (calls) => {
        expect(
          replayMemory(calls.map(([input, output]) => ({ input: formatInput(input), output: formatInput(output) })))
            .inference_calls.size,
        ).toBe(calls.length);
      },
    ),
    { numRuns: 300 },
  );
});

it('the same holds for the messages of chats', () => {
  const message = fc.oneof(
    fc.record(
      {
        role: fc.constantFrom('system', 'user', 'assistant', 'tool', 'function', 'developer', 'x', 2),
        content: value,
        refusal: value,
        reasoning_content: value,
        tool_call_id: fc.constantFrom('c1', 4),
        tool_calls: fc.oneof(
          fc.array(
            fc.record(
              {
                id: fc.constantFrom('c1', 'c2', 1),
                function: fc.record({ name: fc.constantFrom('x', 2), arguments: value }),
                custom: fc.record({ name: fc.constant('y'), input: value }),
              },
              { requiredKeys: [] },
            ),
          ),
          fc.jsonValue(),
        ),
        function_call: fc.record({ name: fc.constant('z'), arguments: value }),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.array(fc.array(message, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), (calls) => {
      expect(
        replayMemory(calls.map((messages) => ({ input: chatInput(messages), output: [] }))).inference_calls.size,
      ).toBe(calls.length);
    }),
    { numRuns: 300 },
  );
});

it('what is put in other words says what was sent', () => {
  expect(formatInput('Hi.')).toEqual([
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi.' }], derived_from: 'Hi.' },
  ]);
  const sent = [
    { role: 'assistant', content: 'Ho.' },
    { type: 'item_reference', id: 'msg_1' },
  ];
  expect(formatInput(sent).map((one) => (one as { derived_from: unknown }).derived_from)).toEqual(sent);
  const whole = [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi.' }] },
    { type: 'function_call', call_id: 'c', name: 'x', arguments: '{}' },
  ];
  expect(formatInput(whole)).toEqual(whole);
});
