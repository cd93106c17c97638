import { expect, it } from 'vitest';
import { ObservedCalls } from './observed-calls.ts';

it('the first owner that claims a call keeps it', () => {
  const calls = new ObservedCalls();
  expect(calls.claim('response', 'r1', 'openai')).toBe(true);
  expect(calls.claim('response', 'r1', 'agents')).toBe(false);
  expect(calls.claim('response', 'r1', 'openai')).toBe(true);
  expect(calls.claim('tool_call', 'r1', 'agents')).toBe(true);
});

it('claims do not pile up', () => {
  const calls = new ObservedCalls();
  for (let n = 0; n <= 10_000; n++) calls.claim('response', `r${n}`, 'openai');
  expect(calls.claim('response', 'r10000', 'agents')).toBe(false);
  expect(calls.claim('response', 'r0', 'agents')).toBe(true);
});
