/** `rollout-trace completion`: the script that lets a shell complete commands, options and bundles. */

import { SHELLS } from '../args/command-table.ts';
import type { Invocation } from '../args/parse.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Console } from '../io/console.ts';

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export function completion(asked: Invocation, console: Console): ExitCode {
  const shell = SHELLS.find((known) => known === asked.operands[0]);
  if (shell !== undefined) console.bytes.write(SCRIPTS[shell]());
  return EXIT.done;
}
