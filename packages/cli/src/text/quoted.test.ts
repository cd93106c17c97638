import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { clean } from './clean.ts';
import { quoted } from './quoted.ts';

const ESC = String.fromCodePoint(0x1b);
const OVERRIDE = String.fromCodePoint(0x202e);

it.each([
  ['traces/trace-1', 'traces/trace-1'],
  ['@last~1', '@last~1'],
  ['a b', "'a b'"],
  ["it's", "'it'\\''s'"],
  ['~', "'~'"],
  ['-dash', './-dash'],
  ['-a b', "'./-a b'"],
  ['a\nb', "$'a\\nb'"],
  [`${ESC}[31m`, "$'\\x1b[31m'"],
  [`a${OVERRIDE}b'\\`, "$'a\\xe2\\x80\\xaeb\\'\\\\'"],
  ['', "''"],
])('%j is typed as %s', (name, typed) => {
  expect(quoted(name)).toBe(typed);
});

it.skipIf(process.platform === 'win32')('bash reads every name as it is, and none of them reaches the terminal', () => {
  const names = [
    'x',
    '',
    '~',
    '~root',
    '$HOME',
    '`id`',
    'a\n\tb',
    `${ESC}]0;t\u0007`,
    OVERRIDE,
    '\u00fc \\ " \'',
    '*',
    '\u001b1',
  ];
  const words = names.map(quoted);
  for (const word of words) expect(clean(word)).toBe(word);
  const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${words.join(' ')}`], { encoding: 'utf8' });
  expect(stdout.split('\0').slice(0, -1)).toEqual(names);
});
