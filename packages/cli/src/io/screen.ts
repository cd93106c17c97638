/**
 * Where lines become bytes: the only place that writes escape sequences, and behind the cleaning of all text. Decides
 * whether there is colour, and how wide a line may be.
 */

import { clean } from '../text/clean.ts';
import type { Line, Look } from '../text/span.ts';
import type { Io, OutputStream } from './stream.ts';

export type ColorWhen = 'auto' | 'always' | 'never';

const ESC = '\u001b[';
const LOOKS: Readonly<Record<Look, string>> = {
  plain: '',
  title: '1',
  ref: '36',
  faint: '2',
  good: '32',
  warning: '33',
  bad: '31',
};

/** `--color` decides; else NO_COLOR, FORCE_COLOR and TERM; else whether it is a terminal. */
function hasColor(when: ColorWhen | null, stream: OutputStream, environment: Io['environment']): boolean {
  if (when === 'always') return true;
  if (when === 'never') return false;
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return stream.isTerminal && TERM !== 'dumb';
}

const DEFAULT_COLUMNS = 120;
const LEAST_COLUMNS = 40;
const MOST_COLUMNS = 160;
/** Lines are written together up to about this many UTF-16 units. */
const BATCH = 1 << 16;

/** Lines of text on one stream. Looks at the stream only when something is printed: most commands print on one of two. */
export class Screen {
  readonly #stream: OutputStream;
  readonly #environment: Io['environment'];
  readonly #when: ColorWhen | null;
  #color: boolean | null = null;
  #pending = '';

  constructor(stream: OutputStream, environment: Io['environment'], when: ColorWhen | null) {
    this.#stream = stream;
    this.#environment = environment;
    this.#when = when;
  }

  get isTerminal(): boolean {
    return this.#stream.isTerminal;
  }

  /** So many columns a line may take. */
  get columns(): number {
    const columns = this.#stream.columns || Number(this.#environment.COLUMNS) || DEFAULT_COLUMNS;
    return Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, columns));
  }

  /** Writes lines; several may wait until the next {@link flush}. */
  print(...lines: readonly Line[]): void {
    this.#color ??= hasColor(this.#when, this.#stream, this.#environment);
    for (const spans of lines) this.#pending += `${spans.map(this.#render).join('')}\n`;
    if (this.#pending.length > BATCH) this.flush();
  }

  flush(): void {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') this.#stream.write(text);
  }

  /** Replaces the last line of a terminal; an empty text takes it away. Elsewhere nothing happens. */
  status(text: string): void {
    if (!this.isTerminal) return;
    this.flush();
    this.#stream.write(`\r${ESC}K${clean(text).slice(0, this.columns - 1)}`);
  }

  readonly #render = ({ text, look }: Line[number]): string => {
    const code = this.#color === true ? LOOKS[look] : '';
    const safe = clean(text);
    return code === '' ? safe : `${ESC}${code}m${safe}${ESC}0m`;
  };
}
