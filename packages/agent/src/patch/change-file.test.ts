import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeFile } from './change-file.ts';
import { type HunkLine, parsePatch } from './parse-patch.ts';
import { placeHunks } from './place-hunks.ts';
import { readText, type TextFile } from './text-file.ts';

function fileOf(text: string): TextFile {
  const file = readText(Buffer.from(text));
  if (file === null) throw new Error('not a text');
  return file;
}

function change(before: string, ...hunkLines: string[]): { text: string; diff: string } {
  const [operation] = parsePatch(['*** Begin Patch', '*** Update File: f', ...hunkLines, '*** End Patch'].join('\n'));
  if (operation?.type !== 'update') throw new Error('not an update');
  const file = fileOf(before);
  const lines = file.lines.map(({ text }) => text);
  return changeFile(file, placeHunks('f', lines, operation.hunks));
}

/** Applies a unified diff by its line numbers. */
function applyDiff(before: string, diff: string): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let after = '';
  let next = 0;
  let kind = '';
  for (const each of diff.match(/[^\n]*\n/g) ?? []) {
    // A line without a newline is told behind it; one that goes is not in the text any more.
    if (each.startsWith('\\') && kind !== '-') after = after.slice(0, -1);
    kind = each.slice(0, 1);
    const header = /^@@ -(\d+)(?:,(\d+))? /.exec(each);
    if (header !== null) {
      const start = Number(header[1]) - (header[2] === '0' ? 0 : 1);
      after += lines.slice(next, start).join('');
      next = start;
    } else if (kind === '+') after += each.slice(1);
    else if (kind !== '\\') {
      expect(lines[next]?.replace('\n', '')).toBe(each.slice(1, -1));
      if (kind === ' ') after += each.slice(1);
      next++;
    }
  }
  return after + lines.slice(next).join('');
}

describe('a changed file', () => {
  it('has the new lines in their place', () => {
    expect(change('one\ntwo\nthree\n', '@@', ' one', '-two', '+TWO', ' three')).toEqual({
      text: 'one\nTWO\nthree\n',
      diff: '@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n',
    });
  });

  it('ends its lines as it did, also the new ones', () => {
    expect(change('one\r\ntwo\r\n', ' one', '+and', ' two').text).toBe('one\r\nand\r\ntwo\r\n');
    expect(change('one\r\ntwo\r\n', ' one\r', '+and\r', ' two\r').text).toBe('one\r\nand\r\ntwo\r\n');
    expect(change('one\ntwo\r\nthree', '-one', '+ONE').text).toBe('ONE\ntwo\r\nthree');
  });

  it('has a final newline if it had one', () => {
    const last = change('one\ntwo', '-two', '+TWO');
    expect(last.text).toBe('one\nTWO');
    expect(last.diff).toBe(
      '@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+TWO\n\\ No newline at end of file\n',
    );
    expect(change('one\ntwo', '+three').text).toBe('one\ntwo\nthree');
    expect(change('one\ntwo', '-two').text).toBe('one');
    expect(change('', '+one').text).toBe('one\n');
    expect(change('one', '-one').text).toBe('');
  });

  it('keeps its byte order mark, and lines that the patch wrote with other spaces', () => {
    expect(change('\ufeffone\n\ttwo  \nthree\n', ' one', '   two', '-three', '+3').text).toBe(
      '\ufeffone\n\ttwo  \n3\n',
    );
  });

  it('is shown with three lines around each change', () => {
    const before = Array.from({ length: 30 }, (_, index) => `${index + 1}\n`).join('');
    const { diff } = change(before, '@@', '-5', '@@', '-12', '+twelve', '@@', '-29');
    expect(diff.match(/^@@.*@@$/gm)).toEqual(['@@ -2,14 +2,13 @@', '@@ -26,5 +25,4 @@']);
    expect(applyDiff(before, diff)).toBe(before.replace('5\n', '').replace('12\n', 'twelve\n').replace('29\n', ''));
  });

  it('is what the patch says, and the diff leads to it, for whatever lines go and come', () => {
    const line = fc.constantFrom('', 'a', 'b', '  a', 'long line', '\t');
    const edit = fc.record({ kind: fc.constantFrom<HunkLine['kind'][]>(' ', ' ', '-', '+'), text: line });
    const ends = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 40 }), ends, fc.boolean(), (lines, end, hasNewline) => {
        const print = (sides: string): string => {
          const text = lines.filter(({ kind }) => sides.includes(kind)).map((each) => each.text + end);
          return hasNewline ? text.join('') : text.join('').slice(0, -end.length);
        };
        const [before, after] = [print(' -'), print(' +')];
        // Without a final newline the last line of a text cannot be empty, for then it is not there.
        fc.pre(hasNewline || ![before, after].some((text) => text === '' || text.endsWith('\n')));
        const file = fileOf(before);
        const hunk = { line: 1, anchors: [], lines, atEnd: true };
        const placed = placeHunks(
          'f',
          file.lines.map(({ text }) => text),
          [hunk],
        );
        const changed = changeFile(file, placed);
        expect(changed.text).toBe(before.includes(end) ? after : after.replaceAll(end, '\n'));
        expect(applyDiff(before, changed.diff)).toBe(changed.text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a hunk', () => {
  const file = ['class A', '  one()', '    x', 'class B', '  one()', '    x', ''].join('\n');

  it('is put behind the line that it names', () => {
    expect(change(file, '@@ class B', '-    x', '+    y').text).toBe(file.replace(/x\n$/, 'y\n'));
    expect(change(file, '@@ class B', ' class B', '-  one()').text).toContain('class B\n    x\n');
    expect(change(file, '@@ class B', '@@   one()', '+    first').text).toContain('one()\n    first\n    x\n');
    expect(change(file, '@@ class A', '-    x').text.startsWith('class A\n  one()\nclass B')).toBe(true);
  });

  it('is put where its lines end the file, if it says so', () => {
    expect(change(file, '@@', '   one()', '-    x', '*** End of File').text.endsWith('class B\n  one()\n')).toBe(true);
  });

  it.each([
    [
      ['-    x'],
      'hunk at line 3 of the patch: the lines of the hunk stand at more than one place (lines 3, 6 of the file)',
    ],
    [['@@ one()', '-x'], 'more than one line of the file is "one()" (lines 2, 5)'],
    [['@@ class C', '-x'], 'no line of the file behind the hunk before is "class C"'],
    [['-nothing like this'], '"nothing like this" and what follows it was not found in the file'],
    [[' class B', '   one()', '-    y'], 'line 6 of the file is "    x", where the hunk has "    y"'],
    [['   one()', ' class B', '-x'], 'line 3 of the file is "    x", where the hunk has "class B"'],
    [
      ['@@', '-class B', '@@', '-class A'],
      'hunk at line 5 of the patch: the lines of the hunk stand at line 1 of the file, before',
    ],
    [['-class A', '*** End of File'], 'the lines of the hunk are not the last of the file, but stand at line 1'],
    [['@@ class B', '   one()', '     x', '-more'], 'line 7 of the file does not exist, where the hunk has "more"'],
  ])('without one clear place is refused with what would help: %j', (lines, message) => {
    expect(() => change(file, ...lines)).toThrow(message);
  });
});
