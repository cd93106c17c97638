import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clean, cleanJson, cleanLine } from './clean.ts';

const HARMFUL = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Texts in which control characters and the pieces of sequences are as frequent as letters. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u001b',
        '\u009b',
        '\u009d',
        '\u0090',
        '\u009c',
        '\u0007',
        '\u001b\\',
        '[',
        ']',
        'P',
        '_',
        '0;',
        'm',
      ),
      fc.constantFrom('\u202e', '\u2066', '\u2028', '\u{e0041}', '\r', '\0', '\u007f', '\t', '\n'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
  )
  .map((parts) => parts.join(''));

describe('text for a terminal', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['a cleared screen', 'a\u001b[2Jb\u001b[Hc', 'abc'],
    ['a title ended by BEL', '\u001b]0;title\u0007text', 'text'],
    ['a link ended by ST', '\u001b]8;;http://x\u001b\\name\u001b]8;;\u001b\\', 'name'],
    ['a clipboard write', '\u001b]52;c;cm0gLXJm\u0007x', 'x'],
    ['DCS and APC strings', '\u001bPq#0\u001b\\a\u001b_G\u001b\\b', 'ab'],
    ['8-bit CSI and OSC', '\u009b31mred\u009d0;t\u009c!', 'red!'],
    ['two-character escapes', 'a\u001bcb\u001b(0c', 'abc'],
    ['carriage returns, bells and backspaces', '10%\r20%\u0007\b!', '10%20%!'],
    ['DEL and C1', 'a\u007fb\u0085c', 'abc'],
  ])('loses %s', (_, text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it('keeps tabs, line feeds and every other character', () => {
    const text = 'a\tb\nc \u00e4 \u6f22 \u{1f600} "quoted" \\u001b[31m';
    expect(clean(text)).toBe(text);
  });

  it('spells out marks that reorder or hide text', () => {
    expect(clean('user\u202eexe.txt\u2066')).toBe('user<U+202E>exe.txt<U+2066>');
    expect(clean('\u{e0041}')).toBe('<U+E0041>');
  });

  it('keeps the text of a sequence that is not closed: it is evidence', () => {
    expect(clean('\u001b]0;never closed')).toBe('0;never closed');
    expect(clean('a\u001b')).toBe('a');
  });

  it('has nothing in it that a terminal obeys, whatever came in', () => {
    fc.assert(fc.property(hostile, (text) => !HARMFUL.test(clean(text))));
  });

  it('is not changed by being cleaned again', () => {
    fc.assert(fc.property(hostile, (text) => clean(clean(text)) === clean(text)));
  });

  it('takes time in proportion to its length, however many sequences are begun', () => {
    const begun = '\u009d\u001b]\u001b['.repeat(100_000);
    const start = performance.now();
    expect(clean(begun)).not.toMatch(HARMFUL);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('stays on one line where it must', () => {
    expect(cleanLine('a\nb\tc')).toBe('a\u23ceb c');
  });
});

describe('JSON for a terminal', () => {
  it('escapes what a terminal obeys, and means the same', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const json = cleanJson(JSON.stringify([text]));
        return !HARMFUL.test(json) && JSON.parse(json)[0] === text;
      }),
    );
  });
});
