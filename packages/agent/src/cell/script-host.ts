/** What the prelude of scripts calls in the worker. Each acts for the cell that runs. */

import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten';
import type { OutputPart } from '../tools/tool.ts';
import type { CellLimits, FromWorker } from './messages.ts';
import type { OpenCell } from './open-cell.ts';
import type { PreludeHost } from './prelude.ts';
import type { StoredValues } from './stored-values.ts';

const MOST_TIMERS = 1000;
/** Parts cost something even where they are empty. */
const PART_CHARS = 100;
/** Node warns of longer ones. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What these functions need of the sandbox. */
export interface ScriptHostOptions {
  context: QuickJSContext;
  limits: CellLimits;
  stored: StoredValues;
  /** The cell that runs. @throws where it has ended, and what runs is only the rest of it */
  running(): OpenCell;
  /** Looks at a call, whose cell may have ended. */
  observe(call: string): void;
  exit(): void;
  timerIsDue(cell: OpenCell, id: number): void;
  post(message: FromWorker): void;
}

type HostFunction = (...args: QuickJSHandle[]) => QuickJSHandle | undefined;

export function scriptHost(options: ScriptHostOptions): Record<keyof PreludeHost, HostFunction> {
  const { context, limits, stored, running, post } = options;
  let timers = 0;
  /** What the model has not been shown: after it, there is a reason to yield again. */
  let yielded: { cell: OpenCell; output_chars: number } | null = null;

  const text = (handle: QuickJSHandle | undefined): string => (handle === undefined ? '' : context.getString(handle));
  const json = (handle: QuickJSHandle | undefined): string | null =>
    handle === undefined || context.typeof(handle) !== 'string' ? null : context.getString(handle);
  const number = (handle: QuickJSHandle | undefined): number => (handle === undefined ? 0 : context.getNumber(handle));

  function output(part: OutputPart): undefined {
    const cell = running();
    const chars = part.type === 'input_text' ? part.text.length : part.image_url.length;
    cell.output_chars += Math.max(chars, PART_CHARS);
    if (cell.output_chars > limits.output_chars) {
      throw new RangeError(`The output of a script is limited to ${limits.output_chars} characters.`);
    }
    post({ type: 'output', cell: cell.id, part });
  }

  return {
    text: (shown) => output({ type: 'input_text', text: text(shown) }),
    image: (url) => output({ type: 'input_image', image_url: text(url) }),
    call: (tool, input, resolve, reject) => {
      const cell = running();
      if (cell.waiting.calls >= limits.calls) {
        throw new RangeError(`A script may have ${limits.calls} tool calls at the same time.`);
      }
      if (resolve === undefined || reject === undefined) return undefined;
      const call = cell.addCall({ resolve: resolve.dup(), reject: reject.dup() });
      post({ type: 'call', cell: cell.id, call, tool: text(tool), input: text(input) });
      return context.newString(call);
    },
    observed: (call) => {
      options.observe(text(call));
      return undefined;
    },
    yieldControl: () => {
      const cell = running();
      if (yielded?.cell === cell && yielded.output_chars === cell.output_chars) return undefined;
      yielded = { cell, output_chars: cell.output_chars };
      post({ type: 'yielded', cell: cell.id });
      return undefined;
    },
    exit: () => {
      options.exit();
      throw new Error('The script has ended.');
    },
    store: (key, value) => {
      running();
      stored.set(text(key), json(value));
      return undefined;
    },
    load: (key) => {
      const value = stored.get(text(key));
      return value === null ? undefined : context.newString(value);
    },
    setTimer: (callback, delay_ms) => {
      const cell = running();
      if (cell.waiting.timers >= MOST_TIMERS) throw new RangeError(`A script may have ${MOST_TIMERS} timers.`);
      if (callback === undefined) return undefined;
      const id = ++timers;
      const time_ms = Math.min(Math.max(number(delay_ms), 0), LONGEST_TIMER_MS);
      const timeout = setTimeout(() => options.timerIsDue(cell, id), time_ms);
      cell.addTimer(id, { timeout, callback: callback.dup() });
      return context.newNumber(id);
    },
    clearTimer: (id) => {
      running().takeTimer(number(id))?.dispose();
      return undefined;
    },
  };
}
