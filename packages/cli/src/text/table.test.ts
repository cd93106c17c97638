import { describe, expect, it } from 'vitest';
import { line, lineColumns } from './span.ts';
import { type Column, table } from './table.ts';
import { clip, columnsOf, wrap } from './width.ts';

const text = (lines: ReturnType<typeof table>): string[] =>
  lines.map((spans) => spans.map((span) => span.text).join(''));
const rows = (...cells: string[][]) => cells.map((row) => row.map((cell) => line(cell)));

describe('a table', () => {
  const columns: Column[] = [
    { head: 'name' },
    { head: 'calls', align: 'right', spare: 2 },
    { head: 'about', least: 6, spare: 1 },
  ];

  it('aligns names to the left and numbers to the right', () => {
    const lines = table(columns, rows(['one', '7', 'x'], ['three', '1,024', 'y']), { columns: 80 });
    expect(text(lines)).toEqual(['  name   calls  about', '  one        7  x', '  three  1,024  y']);
  });

  it('shortens texts first, then leaves out the least important column, and never a ref', () => {
    const long = rows(['terminal_operation:1', '7', 'a text that is rather long']);
    const at = (width: number): string | undefined => text(table(columns, long, { columns: width }))[1];
    expect(at(80)).toBe('  terminal_operation:1      7  a text that is rather long');
    expect(at(42)).toBe('  terminal_operation:1      7  a text tha\u2026');
    expect(at(30)).toBe('  terminal_operation:1  a tex\u2026');
    expect(at(24)).toBe('  terminal_operation:1');
    expect(at(10)).toBe('  terminal_operation:1');
  });

  it('shortens what may be shortened even where that is not enough', () => {
    const kept: Column[] = [{ head: '' }, { head: '', least: 6 }];
    const lines = table(kept, rows(['terminal_operation:1', 'a text that is rather long']), { columns: 20 });
    expect(text(lines)).toEqual(['  terminal_operation:1  a tex\u2026']);
  });

  it('shortens it further where that is enough', () => {
    const kept: Column[] = [{ head: '' }, { head: '', least: 12 }];
    const lines = table(kept, rows(['inference:1', 'a text that is rather long']), { columns: 20 });
    expect(text(lines)).toEqual(['  inference:1  a te\u2026']);
  });

  it('shows that something was cut, wherever the cut falls', () => {
    const said = [[line('abc', ' > ', 'defgh')]];
    const cuts = [11, 8, 7, 6, 5, 4, 3, 2, 1].map((width) =>
      text(table([{ head: '', least: 1 }], said, { columns: width, indent: 0 })).join(),
    );
    const whole = 'abc > defgh';
    expect(cuts).toEqual([whole, ...[8, 7, 6, 5, 4, 3, 2, 1].map((width) => `${whole.slice(0, width - 1)}\u2026`)]);
  });

  it('leaves out columns that say nothing', () => {
    const lines = table(columns, rows(['one', '', 'x']), { columns: 80, dropEmpty: true });
    expect(text(lines)).toEqual(['  name  about', '  one   x']);
  });

  it('counts the columns a text takes, not its characters', () => {
    const lines = table([{ head: 'a' }, { head: 'b' }], rows(['\u6f22\u5b57', 'x'], ['e\u0301', 'y']), { columns: 80 });
    expect(text(lines).map((row) => columnsOf(row))).toEqual([9, 9, 9]);
  });
});

describe('the width of a text', () => {
  it('is never more than was asked for once the text is cut', () => {
    for (const columns of [0, 1, 2, 5, 9]) {
      for (const sample of ['plain text', '\u6f22\u5b57\u6f22\u5b57\u6f22', 'e\u0301'.repeat(12)]) {
        expect(columnsOf(clip(sample, columns))).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('breaks lines at blanks, and keeps words whole', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('incomprehensible word', 8)).toEqual(['incomprehensible', 'word']);
    expect(wrap('a\nb', 8)).toEqual(['a', 'b']);
    expect(wrap('  "key": "one two"', 12)).toEqual(['  "key":', '  "one two"']);
  });

  it('of a line is that of its spans', () => {
    expect(lineColumns(line('ab', ' ', '\u6f22'))).toBe(5);
  });
});
