/**
 * `rollout-trace demo`: an agent at work, recorded, reduced, and told. The agent is a package of its own, which brings
 * terminals and a sandbox; it is run as a process where it is installed.
 */

import { createRequire } from 'node:module';
import { traceSource } from '@rollout-trace/core/node';
import type { Invocation } from '../args/parse.ts';
import { UsageError } from '../args/usage-error.ts';
import { EXIT } from '../exit-code.ts';
import { exitWith, findingLines } from '../findings-text.ts';
import type { Console } from '../io/console.ts';
import { runCommand } from '../record/child.ts';
import { newTraces, openTraceFolder, recordingEnvironment, removeIfEmpty } from '../record/trace-folder.ts';
import { viewOf } from '../show/view.ts';
import { storyJson } from '../story/story-json.ts';
import { storyLines } from '../story/story-text.ts';
import { line } from '../text/span.ts';
import { AS_USUAL, say } from './record.ts';
import { reduceAt } from './reduce.ts';

const MOST_FINDINGS = 6;
/** Whose export is the program. */
const PROGRAM = '@rollout-trace/agent/demo';

/** Ends with the exit code of the agent; 2 where nothing could be run or nothing was recorded. */
export async function demo(asked: Invocation, console: Console): Promise<number> {
  const program = programPath();
  const asJson = asked.has('json');
  const isQuiet = asked.has('quiet');
  const folder = openTraceFolder(asked.value('root'), console.environment, new Date());
  const tell = (text: string): void => {
    if (!isQuiet) say(console, line(text));
  };
  tell(`an agent works in a temporary project; recording below ${folder.name}`);
  const environment = recordingEnvironment(folder, asked.value('format'), console.environment);
  const words = [process.execPath, program, ...(isQuiet ? ['--quiet'] : [])];
  const { exitCode, signal, failure } = await runCommand(words, { environment, stdout: 2 });
  const [path] = newTraces(folder);
  if (failure !== null || path === undefined) {
    removeIfEmpty(folder);
    throw new UsageError('the demonstration recorded nothing', failure?.hint ?? `It ended with exit code ${exitCode}.`);
  }
  if (signal !== null) tell(`the agent was ended by ${signal}`);
  const { reduced, written } = reduceAt(path, AS_USUAL, console);
  tell(`reduced to ${written.output}`);
  const view = viewOf(path, path, reduced, traceSource(path), console.out.columns);
  if (asJson) console.json(storyJson(view), 'pretty');
  else if (!isQuiet)
    console.out.print(...storyLines(view), ...findingLines(reduced.findings, view.columns, MOST_FINDINGS));
  return exitCode === EXIT.done ? exitWith(reduced.findings) : exitCode;
}

/** @throws UsageError where the agent is not installed */
function programPath(): string {
  try {
    return createRequire(import.meta.url).resolve(PROGRAM);
  } catch {
    throw new UsageError(
      'the demonstration needs the package @rollout-trace/agent',
      'Run `npx -p rollout-trace -p @rollout-trace/agent rollout-trace demo`.',
    );
  }
}
