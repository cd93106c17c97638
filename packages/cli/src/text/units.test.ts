import { expect, it } from 'vitest';
import { bytes, compact, count, counted, duration, percent } from './units.ts';

it.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1000, '1.0 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min'],
  [200_000, '3 min 20 s'],
  [3_599_600, '1 h'],
  [7_500_000, '2 h 5 min'],
  [366_000_000, '4 d 6 h'],
  [-1500, '-1.5 s'],
])('%d ms are %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [9949, '9.9 kB'],
  [9950, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [4_600_000_000, '4.6 GB'],
])('%d bytes are %s', (size, expected) => {
  expect(bytes(size)).toBe(expected);
});

it.each([
  [999_999, '999,999'],
  [1_234_567, '1.23M'],
  [164_300_000, '164.3M'],
  [2n ** 53n, '9007199.3G'],
])('%d in a table is %s', (value, expected) => {
  expect(compact(value)).toBe(expected);
});

it('a count keeps every digit', () => {
  expect(count(18_446_744_073_709_551_615n)).toBe('18,446,744,073,709,551,615');
  expect(counted(1, 'thread')).toBe('1 thread');
  expect(counted(2, 'inference', 'inferences')).toBe('2 inferences');
});

it('a share of nothing is 0 %', () => {
  expect(percent(0, 0)).toBe('0 %');
  expect(percent(1, 3)).toBe('33 %');
});
