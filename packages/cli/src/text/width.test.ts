import { expect, it } from 'vitest';
import { clip, columnsOf } from './width.ts';

it.each([
  ['plain', 5],
  ['\u00fcml\u00e4ut', 6],
  ['\u6f22\u5b57', 4],
  ['\u2705\u274c\u2b50\u26a1\u23f0\u2753\u2795\u2b1b\u231b\u2614\u267f', 22],
  ['\u{1f7e2}\u{1f7e1}\u{1f600}\u{1f680}', 8],
  ['\u2713 \u2022 \u2192', 5],
  ['e\u0301', 1],
])('%s takes %i columns', (text, columns) => {
  expect(columnsOf(text)).toBe(columns);
  expect(columnsOf(clip(text, 4))).toBeLessThanOrEqual(4);
});
