import { expect, it } from 'vitest';
import { ToldCalls } from './told-calls.ts';

const call = (id: string, args: string) => ({ type: 'function_call', call_id: id, name: 'ls', arguments: args });

it('a call that comes back with other arguments stands as it was told first, and says what was sent', () => {
  const calls = new ToldCalls();
  const told = [call('c1', '{}'), { type: 'custom_tool_call', call_id: 'c1', name: 'exec', input: 'a' }];
  expect(calls.settled(told)).toBe(told);
  const sent = call('c1', '{"dir":"/"}');
  expect(calls.settled([sent, ...told])).toEqual([{ ...sent, arguments: '{}', derived_from: sent }, ...told]);
});

it('what comes back as it was is the very same list', () => {
  const calls = new ToldCalls();
  calls.settled([call('c1', '{}')]);
  const again = [call('c1', '{}'), call('c2', '{}'), 'no item', { type: 'function_call', call_id: null }];
  expect(calls.settled(again)).toBe(again);
});
