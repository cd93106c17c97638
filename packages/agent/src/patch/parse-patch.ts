/**
 * The text of a patch, as models write it.
 *
 *     *** Begin Patch
 *     *** Add File: path           every line of it behind a +
 *     *** Delete File: path
 *     *** Update File: path        then *** Move to: path where it gets another name, then hunks:
 *     @@ a line of the file        where the place is not clear without it; a second @@ looks on from the first
 *      a line that stays
 *     -a line that goes
 *     +a line that comes
 *     *** End of File              where the lines of the hunk are the last of the file
 *     *** End Patch
 *
 * Not here: what the files say (`plan-patch.ts`).
 */

import { ToolError } from '../tools/tool.ts';

/** What a patch wants of one file. `line` is where in the patch it says so, from 1. */
export type PatchOperation =
  | { type: 'add'; path: string; line: number; content: string }
  | { type: 'delete'; path: string; line: number }
  | { type: 'update'; path: string; line: number; moveTo: string | null; hunks: readonly Hunk[] };

/** One change in a file. */
export interface Hunk {
  line: number;
  /** Lines of the file to look for first, each behind the one before. */
  anchors: readonly string[];
  lines: readonly HunkLine[];
  /** Whether its lines are the last of the file. */
  atEnd: boolean;
}

/** A line that stays (` `), goes (`-`) or comes (`+`). */
export interface HunkLine {
  kind: ' ' | '-' | '+';
  text: string;
}

const BEGIN = '*** Begin Patch';
const END = '*** End Patch';
const ADD = '*** Add File:';
const DELETE = '*** Delete File:';
const UPDATE = '*** Update File:';
const MOVE = '*** Move to:';
const END_OF_FILE = '*** End of File';

/** @throws {ToolError} where it is no patch, with the line that is not */
export function parsePatch(text: string): PatchOperation[] {
  return new PatchReader(text).read();
}

class PatchReader {
  readonly #lines: readonly string[];
  /** The lines left out in front, so that lines are counted as they were written. */
  readonly #skipped: number;
  #next = 0;

  constructor(text: string) {
    const all = text.split('\n');
    this.#skipped = Math.max(
      0,
      all.findIndex((line) => line.trim() !== ''),
    );
    // Where the patch itself has lines of the other kind, their ends are not part of what it says.
    const ends = all[this.#skipped]?.endsWith('\r') === true;
    this.#lines = all.slice(this.#skipped).map((line) => (ends && line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  read(): PatchOperation[] {
    if (this.#peek()?.trimEnd() !== BEGIN) this.#fail(`a patch begins with "${BEGIN}"`);
    this.#next++;
    const operations: PatchOperation[] = [];
    while (!this.#atEnd()) operations.push(this.#operation());
    if (operations.length === 0) this.#fail('the patch changes no file');
    this.#next++;
    while (this.#peek()?.trim() === '') this.#next++;
    if (this.#peek() !== undefined) this.#fail(`nothing may follow "${END}"`);
    return operations;
  }

  /** Skips empty lines between files. */
  #atEnd(): boolean {
    while (this.#peek()?.trim() === '') this.#next++;
    if (this.#peek() === undefined) this.#fail(`the patch does not end with "${END}"`);
    return this.#peek()?.trimEnd() === END;
  }

  #operation(): PatchOperation {
    const line = this.#number;
    const added = this.#header(ADD);
    if (added !== null) return { type: 'add', path: added, line, content: this.#content() };
    const deleted = this.#header(DELETE);
    if (deleted !== null) return { type: 'delete', path: deleted, line };
    const updated = this.#header(UPDATE);
    if (updated === null) this.#fail(`expected "${ADD}", "${DELETE}", "${UPDATE}" or "${END}"`);
    const moveTo = this.#header(MOVE);
    const hunks: Hunk[] = [];
    while (!this.#atHeader()) hunks.push(this.#hunk(hunks.length === 0));
    if (hunks.length === 0 && moveTo === null) this.#fail(`"${UPDATE} ${updated}" is not followed by a hunk`);
    return { type: 'update', path: updated, line, moveTo, hunks };
  }

  /** The path behind a header, if this line is one. */
  #header(start: string): string | null {
    const line = this.#peek();
    if (line === undefined || !line.startsWith(start)) return null;
    const path = line.slice(start.length).trim();
    if (path === '') this.#fail(`"${start}" needs a path`);
    this.#next++;
    return path;
  }

  /** Whether no further hunk of this file follows. */
  #atHeader(): boolean {
    return this.#isHeader(this.#afterEmpty());
  }

  #isHeader(line: string | undefined): boolean {
    return line === undefined || (line.startsWith('*** ') && line.trimEnd() !== END_OF_FILE);
  }

  /** The next line that is not empty. An empty one stays, where it stands between lines of a hunk; elsewhere it parts. */
  #afterEmpty(): string | undefined {
    let at = this.#next;
    while (this.#lines[at] === '') at++;
    return this.#lines[at];
  }

  #content(): string {
    let content = '';
    for (let line = this.#peek(); line?.startsWith('+'); line = this.#peek()) {
      content += `${line.slice(1)}\n`;
      this.#next++;
    }
    const line = this.#peek();
    if (line !== undefined && line.trim() !== '' && !line.startsWith('*** '))
      this.#fail('every line of a new file begins with "+"');
    return content;
  }

  #hunk(first: boolean): Hunk {
    if (this.#afterEmpty()?.startsWith('@@')) while (this.#peek() === '') this.#next++;
    const line = this.#number;
    const anchors: string[] = [];
    let marked = false;
    for (let text = this.#peek(); text?.startsWith('@@'); text = this.#peek()) {
      const anchor = text.slice(2).trim();
      // Numbers as other tools write them are not to be trusted: models cannot count lines.
      if (anchor !== '' && !/^-\d+(,\d+)? \+\d+(,\d+)? @@/.test(anchor)) anchors.push(anchor);
      marked = true;
      this.#next++;
    }
    if (!marked && !first) this.#fail('expected a hunk that begins with "@@", or the next file');
    const lines: HunkLine[] = [];
    const isEndOfFile = (): boolean => this.#peek()?.trimEnd() === END_OF_FILE;
    while (!this.#atHeader() && !this.#afterEmpty()?.startsWith('@@') && !isEndOfFile()) lines.push(this.#hunkLine());
    const atEnd = isEndOfFile();
    if (!lines.some(({ kind }) => kind !== ' ')) this.#fail('a hunk needs a line that begins with "+" or "-"');
    if (atEnd) this.#next++;
    return { line, anchors, lines, atEnd };
  }

  #hunkLine(): HunkLine {
    const line = this.#peek() ?? '';
    const kind = line[0] ?? ' ';
    if (kind !== ' ' && kind !== '-' && kind !== '+')
      this.#fail('a line of a hunk begins with a space, "-" or "+", and the file with "*** " or "@@"');
    this.#next++;
    return { kind, text: line.slice(1) };
  }

  #peek(): string | undefined {
    return this.#lines[this.#next];
  }

  get #number(): number {
    return this.#skipped + this.#next + 1;
  }

  #fail(message: string): never {
    const line = this.#peek();
    const found = line === undefined ? 'the end of the patch' : JSON.stringify(line.slice(0, 120));
    throw new ToolError(`line ${this.#number} of the patch: ${message}, found ${found}`);
  }
}
