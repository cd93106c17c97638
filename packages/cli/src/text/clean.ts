/**
 * What may reach a terminal. Trace text is hostile input: it may hold sequences that repaint the screen, set the title,
 * write to the clipboard, or reorder what is read. Every text for people passes through `clean`; nothing here knows
 * about colours, which are added behind it (`screen.ts`).
 */

import { RETURN } from './glyphs.ts';

/**
 * The text without escape sequences and control characters, except TAB and LF; characters that change the direction of
 * text are spelled out, `<U+202E>`.
 */
export function clean(text: string): string {
  // Most texts are plain. The expressions stand in functions because making them costs at every start.
  if (/^[\t\n -~]*$/.test(text)) return text;
  return withoutControls(text).replace(
    // Marks of direction, separators of lines and paragraphs that are not LF, and the invisible tag characters.
    /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu,
    spelledOut,
  );
}

function withoutControls(text: string): string {
  if (!/(?![\t\n])\p{Cc}/u.test(text)) return text;
  return text.replace(sequences(), '').replace(/(?![\t\n])\p{Cc}/gu, '');
}

/**
 * Control sequences end at their final byte, strings (OSC, DCS, APC, PM, SOS) at BEL or ST. What is not closed is not
 * taken away, only disarmed: its text is evidence, too.
 */
function sequences(): RegExp {
  const control = '(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]';
  const begin = '(?:\\u001b[\\]P_^X]|[\\u0090\\u0098\\u009d-\\u009f])';
  const end = '(?:\\u0007|\\u001b\\\\|\\u009c)';
  const other = '\\u001b[ -/]*[0-~]';
  return new RegExp(`${control}|${begin}[^\\u0007\\u001b\\u0080-\\u009f]*${end}|${other}`, 'g');
}

/** The same on one line: ends of lines are shown as a sign, tabs as blanks. */
export function cleanLine(text: string): string {
  return clean(text).replace(/\n/g, RETURN).replace(/\t/g, ' ');
}

/** JSON with nothing in it that a terminal would obey. Only strings can hold such characters, and there this is an escape. */
export function cleanJson(json: string): string {
  return json.replace(/(?![\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, escaped);
}

function spelledOut(character: string): string {
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
