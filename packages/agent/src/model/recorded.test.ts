import { expect, it } from 'vitest';
import { type CallItem, callOutput, type Item } from './item.ts';
import { RecordedItems } from './recorded.ts';

const call = (call_id: string, text = '{}'): CallItem => ({
  type: 'function_call',
  call_id,
  name: 'echo',
  arguments: text,
});

it('a call whose id was used before has a number, its output as well, and both whenever they are sent again', () => {
  const recorded = new RecordedItems();
  const calls = [call('call_0'), call('call_0'), call('call_0')];
  expect(calls.map((item) => recorded.received(item).call_id)).toEqual(['call_0', 'call_0#2', 'call_0#3']);
  const outputs = calls.map((item) => {
    const output = callOutput(item, 'done');
    recorded.answered(output, item);
    return output;
  });
  const [, again] = recorded.items([...calls, ...outputs].slice(3));
  expect(again).toEqual({ ...outputs[1], call_id: 'call_0#2', derived_from: outputs[1] });
  expect(recorded.item(calls[2] as Item)).toEqual({ ...calls[2], call_id: 'call_0#3', derived_from: calls[2] });
  // What is sent keeps the id of the model.
  expect(outputs.every(({ call_id }) => call_id === 'call_0')).toBe(true);
});

it('no number makes an id of a call that has it already, whichever of the two came first', () => {
  const recorded = new RecordedItems();
  const ids = ['call_0', 'call_0#2', 'call_0', 'call_0#3'];
  expect(ids.map((id) => recorded.received(call(id)).call_id)).toEqual([
    'call_0',
    'call_0#2',
    'call_0#3',
    'call_0#3#2',
  ]);
});

it.each<[Item, string]>([
  [{ type: 'computer_call', id: 'cu_1', call_id: 'call_1', action: {} }, 'function_call'],
  [
    { type: 'computer_call_output', call_id: 'call_1', output: { type: 'computer_screenshot' } },
    'function_call_output',
  ],
  [{ type: 'of_next_year' }, 'function_call'],
])('an item the format has no type for is told in other words: %j', (item, type) => {
  const recorded = new RecordedItems().received(item);
  expect(recorded).toMatchObject({ type, derived_from: item });
  expect([recorded.id, recorded.call_id]).toEqual([item.id, item.call_id]);
});

it('everything else is recorded as it is', () => {
  const items: Item[] = [
    { type: 'message', role: 'user', content: [] },
    { type: 'reasoning', summary: [], encrypted_content: 'x' },
    call('call_1'),
    { type: 'function_call_output', call_id: 'call_1', output: '' },
  ];
  const recorded = new RecordedItems();
  for (const item of items) expect(recorded.received(item)).toBe(item);
});
