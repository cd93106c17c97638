/** A text file as lines that remember how they ended, so that what is not changed stays byte for byte. */

/** A line and its end: `\n`, `\r\n`, or nothing for the last line of a file without a final newline. */
export interface Line {
  readonly text: string;
  readonly end: string;
}

/** The lines of a file. */
export interface TextFile {
  /** A byte order mark in front, or nothing. */
  readonly mark: string;
  readonly lines: readonly Line[];
}

/** Null where the bytes are no UTF-8 text. */
export function readText(bytes: Uint8Array): TextFile | null {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
  if (text.includes('\0')) return null;
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const lines = (text.slice(mark.length).match(/[^\n]*\n|[^\n]+$/g) ?? []).map(asLine);
  return { mark, lines };
}

export function printText({ mark, lines }: TextFile): string {
  return mark + lines.map(({ text, end }) => text + end).join('');
}

/** How a file ends its lines: as the first does. */
export function usualEnd({ lines }: TextFile): string {
  return lines[0]?.end || '\n';
}

function asLine(whole: string): Line {
  const end = whole.endsWith('\r\n') ? '\r\n' : whole.endsWith('\n') ? '\n' : '';
  return { text: whole.slice(0, whole.length - end.length), end };
}
