import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ReplayedCall, replayMemory } from '../testing/replay-memory.ts';
import { formatInput } from './format-items.ts';

const user = (text: string) => formatInput(text);
const said = (id: string, text: string) => [
  { type: 'message', id, role: 'assistant', content: [{ type: 'output_text', text }] },
];
const sizes = (calls: readonly ReplayedCall[]) =>
  [...replayMemory(calls).inference_calls.values()].map(({ request_item_ids }) => request_item_ids.length);

it('a request behind the latest response stands as it was sent, and so does its repetition', () => {
  expect(
    sizes([
      { input: user('One.'), output: said('a', 'Uno.') },
      { input: user('Two.'), previous: 0, output: null },
      { input: user('Two.'), previous: 0, output: said('b', 'Due.') },
      { input: user('Three.'), previous: 2, output: said('c', 'Tre.') },
    ]),
  ).toEqual([1, 3, 3, 5]);
});

it('a request behind an earlier response is recorded with its history', () => {
  expect(
    sizes([
      { input: user('One.'), output: said('a', 'Uno.') },
      { input: user('Two.'), previous: 0, output: said('b', 'Due.') },
      { input: user('Other.'), previous: 0, output: said('c', 'Altro.') },
      { input: user('On.'), previous: 1, output: said('d', 'Avanti.') },
    ]),
  ).toEqual([1, 3, 3, 5]);
});

it('a request behind a response that is not there, or that failed, stands alone', () => {
  expect(
    sizes([
      { input: user('One.'), output: null },
      { input: user('Two.'), previous: 0, output: said('b', 'Due.') },
      { input: user('Three.'), previous: 77, output: said('c', 'Tre.') },
    ]),
  ).toEqual([1, 1, 1]);
});

it('readers take whatever is continued from wherever, failed, repeated or at the same time', () => {
  const text = fc.constantFrom('a', 'b', 'c');
  const item = fc.oneof(
    text.map((t) => user(t)[0]),
    text.map((t) => said(`msg_${t}`, t)[0]),
    fc.tuple(fc.constantFrom('c1', 'c2'), text).map(([id, t]) => ({
      type: 'function_call',
      call_id: id,
      name: 'x',
      arguments: `{"t":"${t}"}`,
    })),
    fc.tuple(fc.constantFrom('c1', 'c2'), text).map(([id, t]) => ({
      type: 'function_call_output',
      call_id: id,
      output: t,
    })),
    fc.constant({ type: 'reasoning', summary: [], encrypted_content: 'x' }),
  );
  const call = fc.record({
    input: fc.array(item, { maxLength: 3 }),
    previous: fc.option(fc.nat(9)),
    output: fc.option(fc.array(item, { maxLength: 3 })),
    late: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 10 }), (calls) => {
      expect(replayMemory(calls).inference_calls.size).toBe(calls.length);
    }),
    { numRuns: 300 },
  );
});
