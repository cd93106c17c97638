import { expect, it } from 'vitest';
import { ToldCalls } from './told-calls.ts';

const call = (id: string, args: string) => ({ type: 'function_call', call_id: id, name: 'ls', arguments: args });
const output = (id: string, text: string) => ({ type: 'function_call_output', call_id: id, output: text });

it('a call that comes back with other arguments stands as it was told first, and says what was sent', () => {
  const calls = new ToldCalls();
  const told = [call('c1', '{}'), { type: 'custom_tool_call', call_id: 'c1', name: 'exec', input: 'a' }];
  expect(calls.received(told)).toBe(told);
  const sent = call('c1', '{"dir":"/"}');
  expect(calls.sent([sent, told[1]])).toEqual([{ ...sent, arguments: '{}', derived_from: sent }, told[1]]);
});

it('a second call of an id that differs has a number, and its output with it, now and whenever they are sent again', () => {
  const calls = new ToldCalls();
  const [first, second] = [call('c1', '{"n":1}'), call('c1', '{"n":2}')];
  calls.received([first]);
  calls.sent([first, output('c1', 'one')]);
  const apart = { ...second, call_id: 'c1#2', derived_from: second };
  expect(calls.received([second])).toEqual([apart]);
  const two = output('c1', 'two');
  const history = [first, output('c1', 'one'), second, two];
  expect(calls.sent(history)).toEqual([...history.slice(0, 2), apart, { ...two, call_id: 'c1#2', derived_from: two }]);
  // Behind `previous_response_id` the output comes alone: it is that of the newest call.
  expect(calls.sent([two])).toMatchObject([{ call_id: 'c1#2' }]);
});

it('no number makes an id of a call that has it already, whichever of the two came first', () => {
  const [first, second, real] = [call('c1', '{"n":1}'), call('c1', '{"n":2}'), call('c1#2', '{}')];
  const numbered = (items: readonly unknown[]) => items.map((item) => (item as { call_id: string }).call_id);
  const before = new ToldCalls();
  expect(numbered(before.received([first, real, second]))).toEqual(['c1', 'c1#2', 'c1#3']);
  expect(numbered(before.sent([output('c1', 'two'), output('c1#2', 'real')]))).toEqual(['c1#3', 'c1#2']);
  const behind = new ToldCalls();
  expect(numbered(behind.received([first, second, real]))).toEqual(['c1', 'c1#2', 'c1#2#2']);
  const history = [first, output('c1', 'one'), second, output('c1', 'two'), real, output('c1#2', 'real')];
  const ids = ['c1', 'c1', 'c1#2', 'c1#2', 'c1#2#2', 'c1#2#2'];
  expect(numbered(behind.sent(history))).toEqual(ids);
});

it('a call that runs before its response is told has the id it will have', () => {
  const calls = new ToldCalls();
  expect(calls.idToCome('c1', 'ls', { n: 1 })).toBe('c1');
  calls.received([call('c1', '{"n": 1}')]);
  expect(calls.idToCome('c1', 'ls', { n: 2 })).toBe('c1#2');
  expect(calls.received([call('c1', '{"n":2}')])).toMatchObject([{ call_id: 'c1#2' }]);
  expect(calls.idOf('c1')).toBe('c1#2');
  // Repeated, it is the call that it repeats.
  expect(calls.idToCome('c1', 'ls', { n: 1 })).toBe('c1');
});

it('each of several calls of an id that come back changed stands as that one was told', () => {
  const calls = new ToldCalls();
  calls.received([call('c1', '{"n":1}')]);
  calls.received([call('c1', '{"n":2}')]);
  expect(calls.sent([call('c1', '{"n":1,"d":0}'), call('c1', '{"n":2,"d":0}')])).toMatchObject([
    { call_id: 'c1', arguments: '{"n":1}' },
    { call_id: 'c1#2', arguments: '{"n":2}' },
  ]);
});

it('what comes back as it was is the very same list', () => {
  const calls = new ToldCalls();
  calls.received([call('c1', '{}')]);
  const again = [call('c1', '{}'), call('c2', '{}'), 'no item', { type: 'function_call', call_id: null }];
  expect(calls.sent(again)).toBe(again);
});
