/**
 * Rows in aligned columns, fitted to the width at hand: texts are shortened first, then columns are left out, the least
 * important first. Not here: colours.
 */

import { clipLine, faint, type Line, line, lineColumns, type Span } from './span.ts';

export interface Column {
  head: string;
  align?: 'left' | 'right';
  /** The column may be cut down to so many columns. None: it is never cut. */
  least?: number;
  /** Columns with the highest number are left out first where there is no room; none: never. */
  spare?: number;
}

export interface TableOptions {
  columns: number;
  indent?: number;
  /** Leaves out columns that are empty in every row. */
  dropEmpty?: boolean;
}

const GAP = '  ';
/** So much is left of a column that may be cut, where there is no room at all. */
const BARELY = 4;

/** The lines of a table. A cell is a line of spans; a missing one is empty. */
export function table(columns: readonly Column[], rows: readonly (readonly Line[])[], options: TableOptions): Line[] {
  const indent = ' '.repeat(options.indent ?? 2);
  let shown = columns.map((column, at) => ({ column, at, width: naturalWidth(column, at, rows) }));
  if (options.dropEmpty === true) {
    shown = shown.filter(({ at }) => rows.some((row) => lineColumns(row[at] ?? []) > 0));
  }
  const room = options.columns - indent.length;
  for (;;) {
    const total = shown.reduce((sum, { width }) => sum + width, 0) + GAP.length * (shown.length - 1);
    if (total <= room) break;
    if (shrink(shown, total - room)) break;
    const least = shown.reduce((max, { column }) => Math.max(max, column.spare ?? 0), 0);
    if (least === 0) {
      // There is no room at all. Then what may be cut is, and where that does not help either, not more than it has to be.
      if (shrink(shown, total - room, BARELY)) break;
      for (const place of shown) place.width = Math.min(place.width, place.column.least ?? place.width);
      break;
    }
    shown = shown.filter(({ column }) => column.spare !== least);
  }
  const hasHead = shown.some(({ column }) => column.head !== '');
  const head = hasHead ? [shown.map(({ column }) => line(faint(column.head)))] : [];
  const body = rows.map((row) => shown.map(({ at }) => row[at] ?? []));
  return [...head, ...body].map((cells) => {
    const spans: Span[] = [];
    for (const [i, cell] of cells.entries()) {
      const place = shown[i];
      if (place === undefined) continue;
      const isLast = i === cells.length - 1;
      spans.push(...aligned(cell, place.width, place.column.align ?? 'left', isLast));
      if (!isLast) spans.push(...line(GAP));
    }
    return line(indent, trimmed(spans));
  });
}

interface Shown {
  column: Column;
  at: number;
  width: number;
}

function naturalWidth({ head }: Column, at: number, rows: readonly (readonly Line[])[]): number {
  return rows.reduce((width, row) => Math.max(width, lineColumns(row[at] ?? [])), head.length);
}

/**
 * Takes columns away from what may be cut, the widest first; false where that is not enough, and nothing is changed.
 *
 * @param most the most that a column may insist on
 */
function shrink(shown: Shown[], excess: number, most: number = Number.POSITIVE_INFINITY): boolean {
  const slackOf = ({ column: { least }, width }: Shown): number =>
    least === undefined ? 0 : Math.max(0, width - Math.min(least, most));
  if (shown.reduce((sum, place) => sum + slackOf(place), 0) < excess) return false;
  for (let left = excess; left > 0; left--) {
    let widest: Shown | null = null;
    for (const place of shown) {
      if (slackOf(place) > 0 && (widest === null || place.width > widest.width)) widest = place;
    }
    if (widest !== null) widest.width--;
  }
  return true;
}

function aligned(cell: Line, width: number, align: 'left' | 'right', isLast: boolean): Line {
  const cut = clipLine(cell, width);
  const blank = ' '.repeat(Math.max(0, width - lineColumns(cut)));
  if (align === 'right') return line(blank, cut);
  return isLast ? cut : line(cut, blank);
}

function trimmed(spans: readonly Span[]): Line {
  let end = spans.length;
  while (end > 0 && spans[end - 1]?.text.trim() === '') end--;
  return spans.slice(0, end);
}
