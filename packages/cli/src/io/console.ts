/** The two sides of a command: data for whoever asked, on stdout; everything else for a person, on stderr. */

import { type JsonStyle, printJson } from '../json/print-json.ts';
import { bad, faint, type Line, line, span } from '../text/span.ts';
import { wrap } from '../text/width.ts';
import { type ColorWhen, Screen } from './screen.ts';
import type { Io, OutputStream } from './stream.ts';

export class Console {
  /** Text of the answer. */
  readonly out: Screen;
  /** Remarks, progress and errors. */
  readonly remarks: Screen;
  readonly environment: Io['environment'];
  readonly #stdout: OutputStream;

  constructor(io: Io, color: ColorWhen | null) {
    this.out = new Screen(io.stdout, io.environment, color);
    this.remarks = new Screen(io.stderr, io.environment, color);
    this.environment = io.environment;
    this.#stdout = io.stdout;
  }

  /** Prints a JSON text on stdout. */
  json(value: unknown, style: JsonStyle): void {
    this.out.flush();
    this.#stdout.write(`${printJson(value, style)}\n`);
  }

  /** Where bytes of the answer go. */
  get bytes(): OutputStream {
    this.out.flush();
    return this.#stdout;
  }

  /** Tells what went wrong, and what to do about it. */
  error(message: string, hint: string | null = null): void {
    const lines: Line[] = [line(bad('error'), ': ', span(message))];
    if (hint !== null) lines.push(...wrap(hint, this.remarks.columns - 2).map((text) => line('  ', faint(text))));
    this.remark(...lines);
  }

  /** Writes what still waits. */
  flush(): void {
    this.out.flush();
    this.remarks.flush();
  }

  remark(...lines: readonly Line[]): void {
    this.out.flush();
    this.remarks.print(...lines);
    this.remarks.flush();
  }
}
