import { describe, expect, it } from 'vitest';
import { parsePatch } from './parse-patch.ts';

const patch = (...lines: string[]): string => ['*** Begin Patch', ...lines, '*** End Patch', ''].join('\n');

describe('a patch', () => {
  it('adds, deletes, updates and moves files', () => {
    const text = patch(
      '*** Add File: new/hello.txt',
      '+hello',
      '+',
      '*** Delete File: gone.txt',
      '*** Update File: old.txt',
      '*** Move to: moved.txt',
      '@@ class A',
      '@@ one()',
      ' stays',
      '-goes',
      '+comes',
      '*** End of File',
    );
    expect(parsePatch(text)).toEqual([
      { type: 'add', path: 'new/hello.txt', line: 2, content: 'hello\n\n' },
      { type: 'delete', path: 'gone.txt', line: 5 },
      {
        type: 'update',
        path: 'old.txt',
        line: 6,
        moveTo: 'moved.txt',
        hunks: [
          {
            line: 8,
            anchors: ['class A', 'one()'],
            lines: [
              { kind: ' ', text: 'stays' },
              { kind: '-', text: 'goes' },
              { kind: '+', text: 'comes' },
            ],
            atEnd: true,
          },
        ],
      },
    ]);
  });

  it('may leave out the first @@, the space of an empty line, and have empty lines between its parts', () => {
    const text = patch('', '*** Update File: a', ' one', '', '-two', '', '@@', '-three', '', '*** Delete File: b');
    expect(parsePatch(`\n${text}`)).toMatchObject([
      {
        line: 4,
        hunks: [
          { lines: [{ text: 'one' }, { kind: ' ', text: '' }, { kind: '-', text: 'two' }] },
          { line: 9, anchors: [], lines: [{ kind: '-', text: 'three' }] },
        ],
      },
      { type: 'delete', path: 'b' },
    ]);
  });

  it('does not go by the line numbers of other tools', () => {
    const [operation] = parsePatch(patch('*** Update File: a', '@@ -12,3 +12,4 @@ function f() {', '+x'));
    expect(operation).toMatchObject({ hunks: [{ anchors: [] }] });
  });

  it('may end its lines in CRLF as a whole, which then is not part of any line', () => {
    const text = patch('*** Add File: a', '+one', '*** Update File: b', '+two').replaceAll('\n', '\r\n');
    expect(parsePatch(text)).toMatchObject([
      { path: 'a', content: 'one\n' },
      { path: 'b', hunks: [{ lines: [{ text: 'two' }] }] },
    ]);
    expect(parsePatch(patch('*** Add File: a', '+one\r'))).toMatchObject([{ content: 'one\r\n' }]);
  });

  it.each([
    ['', 'line 1 of the patch: a patch begins with "*** Begin Patch", found ""'],
    ['```\n*** Begin Patch', 'line 1 of the patch: a patch begins with "*** Begin Patch", found "```"'],
    ['*** Begin Patch\n*** End Patch', 'line 2 of the patch: the patch changes no file'],
    ['*** Begin Patch\n*** Delete File: a', 'line 3 of the patch: the patch does not end with "*** End Patch"'],
    [`${patch('*** Delete File: a')}more`, 'line 4 of the patch: nothing may follow "*** End Patch", found "more"'],
    [patch('*** Delete File:  '), 'line 2 of the patch: "*** Delete File:" needs a path'],
    [patch('*** Rename File: a'), 'line 2 of the patch: expected "*** Add File:"'],
    [
      patch('*** Add File: a', '+one', 'two'),
      'line 4 of the patch: every line of a new file begins with "+", found "two"',
    ],
    [patch('*** Update File: a'), 'line 3 of the patch: "*** Update File: a" is not followed by a hunk'],
    [
      patch('*** Update File: a', '@@', ' same'),
      'line 5 of the patch: a hunk needs a line that begins with "+" or "-"',
    ],
    [patch('*** Update File: a', '-one', 'two'), 'line 4 of the patch: a line of a hunk begins with a space'],
    [
      patch('*** Update File: a', '-one', '*** End of File', '+two'),
      'line 5 of the patch: expected a hunk that begins',
    ],
  ])('that is none is refused with its line: %j', (text, message) => {
    expect(() => parsePatch(text)).toThrow(message);
  });
});
