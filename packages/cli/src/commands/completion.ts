import type { Invocation } from '../args/parse.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Console } from '../io/console.ts';
export function completion(_asked: Invocation, _console: Console): ExitCode {
  return EXIT.done;
}
