import { describe, expect, test } from 'vitest';
import { apiNames } from './tool-names.ts';

describe('names for the API', () => {
  test('names the API takes stay as they are', () => {
    expect(apiNames(['read_file', 'a-b', 'X9'])).toEqual(['read_file', 'a-b', 'X9']);
  });

  test('what the API does not take becomes an underline', () => {
    expect(apiNames(['files.read', 'größe'])).toEqual(['files_read', 'gr__e']);
  });

  test('names that become the same are told apart, and one that was fine keeps its name', () => {
    const names = apiNames(['read file', 'read/file', 'read_file', 'read/only']);
    expect(names).toEqual([
      expect.stringMatching(/^read_file_[0-9a-f]{8}$/),
      expect.stringMatching(/^read_file_[0-9a-f]{8}$/),
      'read_file',
      'read_only',
    ]);
    expect(new Set(names).size).toBe(4);
  });

  test('what a collision is called does not depend on the order of the list', () => {
    const [a, b] = apiNames(['read file', 'read/file']);
    expect(apiNames(['read/file', 'read file'])).toEqual([b, a]);
  });

  test('a long name is cut, and two that begin alike are still two', () => {
    const names = apiNames([`${'long_'.repeat(20)}one`, `${'long_'.repeat(20)}two`]);
    expect(names.every((name) => (name ?? '').length === 64)).toBe(true);
    expect(names[0]).not.toBe(names[1]);
  });

  test('a name of nothing gets one, and the second of two equal names gets none', () => {
    expect(apiNames(['', 'a', 'a'])).toEqual([expect.stringMatching(/^_[0-9a-f]{8}$/), 'a', null]);
  });
});
