/** Text for people, as data: what it says and what it is. How it looks is decided where it is written (`screen.ts`). */

import { cleanLine } from './clean.ts';
import { ELLIPSIS } from './glyphs.ts';
import { clip, columnsOf } from './width.ts';

/** What a piece of text is. */
export type Look = 'plain' | 'title' | 'ref' | 'faint' | 'good' | 'warning' | 'bad';

/** A piece of one line. Its text is clean. */
export interface Span {
  readonly text: string;
  readonly look: Look;
}

export type Line = readonly Span[];

/** The only way to make a span: the text is cleaned. */
export function span(text: string, look: Look = 'plain'): Span {
  return { text: cleanLine(text), look };
}

/** A line of spans and plain texts; empty ones are left out. */
export function line(...parts: (Span | string | Line)[]): Line {
  const spans = parts.flatMap((part) => (typeof part === 'string' ? [span(part)] : 'text' in part ? [part] : part));
  return spans.filter(({ text }) => text !== '');
}

export const title = (text: string): Span => span(text, 'title');
export const ref = (text: string): Span => span(text, 'ref');
export const faint = (text: string): Span => span(text, 'faint');
export const bad = (text: string): Span => span(text, 'bad');

/** Columns the line takes. */
export function lineColumns(spans: Line): number {
  return spans.reduce((sum, { text }) => sum + columnsOf(text), 0);
}

/** The line, cut so that it takes at most so many columns. */
export function clipLine(spans: Line, columns: number): Line {
  if (lineColumns(spans) <= columns) return spans;
  const out: Span[] = [];
  let left = columns;
  for (const [i, { text, look }] of spans.entries()) {
    // The cut belongs into the span that no longer fits, or into the last one that does: it is always seen.
    const isLast = i === spans.length - 1;
    const width = columnsOf(text);
    if (width < left || (isLast && width === left)) {
      out.push({ text, look });
      left -= width;
    } else {
      out.push({ text: clip(`${text}${ELLIPSIS}`, left), look });
      break;
    }
  }
  return out;
}

/** The line in rows of at most so many columns, broken at blanks; a word that is longer has a row for itself. */
export function wrapLine(spans: Line, columns: number): Line[] {
  if (lineColumns(spans) <= columns) return [spans];
  const rows: Line[] = [];
  let row: Line = [];
  for (const word of wordsOf(spans)) {
    const longer = row.length === 0 ? word : [...row, { text: ' ', look: 'plain' as const }, ...word];
    if (row.length > 0 && lineColumns(longer) > columns) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  return [...rows, row];
}

/** What stands between blanks; it may have several looks. */
function wordsOf(spans: Line): Line[] {
  const words: Span[][] = [[]];
  for (const { text, look } of spans) {
    for (const [at, part] of text.split(' ').entries()) {
      if (at > 0) words.push([]);
      if (part !== '') words.at(-1)?.push({ text: part, look });
    }
  }
  return words.filter((word) => word.length > 0);
}

/** Lines joined by a separator between them. */
export function join(lines: readonly Line[], separator: Span | string): Line {
  return lines.flatMap((spans, i) => (i === 0 ? spans : line(separator, spans)));
}
