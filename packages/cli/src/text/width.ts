/** How many columns of a terminal a text takes. Not here: which texts may reach one (`clean.ts`). */

import { ELLIPSIS } from './glyphs.ts';

function widthOf(character: string): number {
  if (/[\p{Mn}\p{Me}\u200b-\u200d\u2060\ufeff]/u.test(character)) return 0;
  return isWide(character) ? 2 : 1;
}

/** East Asian wide and fullwidth forms, and pictographs that are drawn as such without being asked to. */
function isWide(character: string): boolean {
  return /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u.test(
    character,
  );
}

/** Columns of a text that holds no control characters. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

/** The text, cut so that it takes at most so many columns; an ellipsis where something was cut. */
export function clip(text: string, columns: number): string {
  if (text.length * 2 <= columns || columnsOf(text) <= columns) return text;
  if (columns <= 0) return '';
  let used = 1;
  let out = '';
  for (const character of text) {
    used += widthOf(character);
    if (used > columns) break;
    out += character;
  }
  return out + ELLIPSIS;
}

/** The text in lines of at most so many columns, broken at blanks where there are any; what is indented stays so. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    const words = paragraph.trimStart();
    const indent = paragraph.slice(0, paragraph.length - words.length);
    let line = '';
    for (const word of words.split(' ')) {
      const longer = line === '' ? indent + word : `${line} ${word}`;
      if (line !== '' && columnsOf(longer) > columns) {
        lines.push(line);
        line = indent + word;
      } else line = longer;
    }
    lines.push(line);
  }
  return lines;
}
