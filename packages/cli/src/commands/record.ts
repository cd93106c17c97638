/**
 * `rollout-trace record`: runs a command that records, then reduces and sums up what it left. Owns what the command is
 * told and what the user is told about it; running it is `record/child.ts`.
 */

import { traceSource } from '@rollout-trace/core/node';
import type { Invocation } from '../args/parse.ts';
import { UsageError } from '../args/usage-error.ts';
import { errorJson, reportError } from '../failure.ts';
import type { Console } from '../io/console.ts';
import { type CommandEnd, runCommand } from '../record/child.ts';
import {
  newTraces,
  openTraceFolder,
  recordingEnvironment,
  removeIfEmpty,
  type TraceFolder,
} from '../record/trace-folder.ts';
import { traceLines } from '../record/trace-lines.ts';
import { troublesOf } from '../show/troubles.ts';
import { viewOf } from '../show/view.ts';
import { faint, type Line, line, span, title } from '../text/span.ts';
import { counted } from '../text/units.ts';
import { wrap } from '../text/width.ts';
import { type ReduceOptions, reduceAt, resultOf } from './reduce.ts';

/** As `reduce` reduces when nothing else is said. */
export const AS_USUAL: ReduceOptions = {
  output: null,
  isStrict: false,
  until: null,
  generation: null,
  isLatest: false,
  asJson: false,
  isQuiet: false,
};

const NOTHING_LEFT =
  'Codex records from version 0.124 on. An agent in TypeScript records with @rollout-trace/core/recorder/node. Both look ' +
  'for the folder in their environment, so a command that clears it, or runs in a container, is not reached.';

/** The exit code is the command's own, whatever it left. Throws before the command is started only. */
export async function record(asked: Invocation, console: Console): Promise<number> {
  const asJson = asked.has('json');
  const isQuiet = asked.has('quiet');
  const folder = openTraceFolder(asked.value('root'), console.environment, new Date());
  if (folder.before.has(folder.name)) {
    throw new UsageError(
      `${folder.name} is a bundle; traces are recorded below a folder`,
      'Name another one with --root.',
    );
  }
  if (!isQuiet) say(console, line('recording below ', title(folder.name)));
  const end = await runCommand(asked.operands, {
    environment: recordingEnvironment(folder, asked.value('format'), console.environment),
    // Stdout belongs to the answer where one is asked for.
    stdout: asJson ? 2 : 1,
  });
  const traces = newTraces(folder);
  tellEnd(end, traces.length, folder, isQuiet, console);
  const bundles = traces.map((path) => summarise(path, isQuiet, console));
  if (traces.length === 0) removeIfEmpty(folder);
  if (asJson) {
    const { exitCode: exit_code, signal, failure } = end;
    const error = failure === null ? {} : { error: failure };
    console.json({ command: asked.operands, root: folder.name, exit_code, signal, ...error, bundles }, 'compact');
  }
  return end.exitCode;
}

/** @returns what `--json` says about the trace */
function summarise(path: string, isQuiet: boolean, console: Console): object {
  try {
    const { reduced, written } = reduceAt(path, AS_USUAL, console);
    const view = viewOf(path, path, reduced, traceSource(path), console.remarks.columns);
    const troubles = troublesOf(view).length;
    if (!isQuiet) console.remark(...traceLines(path, reduced, troubles));
    return { ...resultOf(path, reduced, written), failed_or_unfinished: troubles };
  } catch (error) {
    reportError(console, error, path);
    return { bundle: path, output: null, error: errorJson(error) };
  }
}

function tellEnd(end: CommandEnd, traces: number, folder: TraceFolder, isQuiet: boolean, console: Console): void {
  const { failure, signal, exitCode } = end;
  if (failure !== null) {
    console.error(failure.message, failure.hint);
    return;
  }
  if (isQuiet) return;
  const how = signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
  if (traces > 0) {
    say(console, line(`the command ${how} and left ${counted(traces, 'trace')} below ${folder.name}`));
    return;
  }
  say(console, line(span('no trace was recorded', 'warning'), `: the command ${how}`));
  console.remark(...wrap(NOTHING_LEFT, console.remarks.columns - 2).map((text) => line('  ', faint(text))));
}

/** The command writes to the same terminal: what we say is told apart from what it says. */
export function say(console: Console, spans: Line): void {
  console.remark(line(faint('rollout-trace: '), spans));
}
