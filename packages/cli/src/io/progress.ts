/** How far a reduction is, told on a terminal only, and only of those that take long enough to wonder. */

import type { SourceFile, TraceSource } from '@rollout-trace/core/bundle';
import { EVENT_LOG_FILE } from '@rollout-trace/core/format';
import { bytes, percent } from '../text/units.ts';
import type { Screen } from './screen.ts';

const SILENT_MS = 700;
const EVERY_MS = 100;

/** Does some work on a trace, and tells on a terminal how far it is. */
export function withProgress<T>(
  source: TraceSource,
  screen: Screen,
  name: string,
  work: (source: TraceSource) => T,
): T {
  if (!screen.isTerminal) return work(source);
  const progress = new Progress(screen, name);
  try {
    return work(watchedBy(progress, source));
  } finally {
    progress.done();
  }
}

function watchedBy(progress: Progress, source: TraceSource): TraceSource {
  if ('layout' in source) return { ...source, open: () => progress.follow(source.open(), true) };
  return {
    ...source,
    open: (path) => progress.follow(source.open(path), path === EVENT_LOG_FILE),
    text: (path) => {
      const text = source.text(path);
      progress.read(text?.length ?? 0);
      return text;
    },
  };
}

class Progress {
  readonly #screen: Screen;
  readonly #name: string;
  readonly #start = Date.now();
  #next = this.#start + SILENT_MS;
  #bytes = 0;
  #log = { at: 0, size: 0 };
  #shown = false;

  constructor(screen: Screen, name: string) {
    this.#screen = screen;
    this.#name = name;
  }

  follow(file: SourceFile, isLog: boolean): SourceFile {
    if (isLog) this.#log = { at: 0, size: file.size };
    const { size } = file;
    return {
      size,
      read: (into, offset) => {
        const read = file.read(into, offset);
        if (isLog) this.#log.at = offset;
        this.read(read);
        return read;
      },
      close: () => file.close(),
    };
  }

  read(count: number): void {
    this.#bytes += count;
    const now = Date.now();
    if (now < this.#next) return;
    this.#next = now + EVERY_MS;
    this.#shown = true;
    const share = this.#log.at === 0 ? '' : `, ${percent(this.#log.at, this.#log.size)} of the log`;
    this.#screen.status(`${this.#name}: ${bytes(this.#bytes)} read${share}`);
  }

  done(): void {
    if (this.#shown) this.#screen.status('');
  }
}
