/** `rollout-trace story`: a rollout told step by step, and what failed in it. */

import type { Invocation } from '../args/parse.ts';
import type { ExitCode } from '../exit-code.ts';
import { exitWith } from '../findings-text.ts';
import type { Console } from '../io/console.ts';
import { storyJson } from '../story/story-json.ts';
import { storyLines } from '../story/story-text.ts';
import { viewAt } from './show.ts';

export function story(asked: Invocation, console: Console): ExitCode {
  const [name = ''] = asked.operands;
  const view = viewAt(name, console);
  if (asked.has('json')) console.json(storyJson(view), 'pretty');
  else console.out.print(...storyLines(view));
  return exitWith(view.reduced.findings);
}
