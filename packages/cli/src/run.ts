/** From the words of the command line to an exit code. Owns what becomes of every error; no stack reaches a user. */

import manifest from '../package.json' with { type: 'json' };
import { commandSpec } from './args/command-table.ts';
import { commandHelp, globalHelp } from './args/help.ts';
import { type Invocation, parseArguments } from './args/parse.ts';
import { completion } from './commands/completion.ts';
import { demo } from './commands/demo.ts';
import { ls } from './commands/ls.ts';
import { materialize } from './commands/materialize.ts';
import { record } from './commands/record.ts';
import { reduce } from './commands/reduce.ts';
import { schema } from './commands/schema.ts';
import { show } from './commands/show.ts';
import { story } from './commands/story.ts';
import { verify } from './commands/verify.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { errorJson, reportError } from './failure.ts';
import { Console } from './io/console.ts';
import type { ColorWhen } from './io/screen.ts';
import type { Io } from './io/stream.ts';

/**
 * Does what the arguments say. Never throws. Only a command that waits for another process gives a promise, which never
 * rejects: everything else is done when this returns.
 */
export function run(argv: readonly string[], io: Io): number | Promise<number> {
  let console = new Console(io, null);
  let asked: Invocation | null = null;
  try {
    asked = parseArguments(argv);
    console = new Console(io, colorOf(asked.value('color')));
    const code = dispatch(asked, console);
    if (typeof code !== 'number') return settled(code, asked, console);
    console.flush();
    return code;
  } catch (error) {
    return told(error, asked, console);
  }
}

async function settled(code: Promise<number>, asked: Invocation, console: Console): Promise<number> {
  try {
    const settledCode = await code;
    console.flush();
    return settledCode;
  } catch (error) {
    return told(error, asked, console);
  }
}

/** Tells of an error, as far as it can be told: the disk that stdout goes to may be full, and stderr may go there too. */
function told(error: unknown, asked: Invocation | null, console: Console): ExitCode {
  try {
    const code = reportError(console, error);
    console.flush();
    // With `-o -` stdout was asked for as something else.
    const wantsJson = asked?.has('json') === true && asked.value('output') !== '-';
    if (wantsJson) console.json(failureJson(error, asked), 'compact');
    return code;
  } catch {
    return EXIT.failed;
  }
}

/** What stands on stdout instead of an answer: the bundle that was asked about, where it is one, and why there is none. */
function failureJson(error: unknown, { command, operands: [name] }: Invocation): object {
  const operand = command === null ? undefined : commandSpec(command).operands[0];
  const isAboutOne = operand?.kind === 'bundle' && operand.many !== true && name !== undefined;
  return { ...(isAboutOne ? { [operand.label]: name } : {}), error: errorJson(error) };
}

function colorOf(value: string | null): ColorWhen | null {
  return value === 'always' || value === 'never' ? value : null;
}

function dispatch(asked: Invocation, console: Console): ExitCode | Promise<number> {
  const { command } = asked;
  if (asked.has('version')) {
    console.out.print([{ text: manifest.version, look: 'plain' }]);
    return EXIT.done;
  }
  if (asked.has('help')) {
    const { columns } = console.out;
    console.out.print(...(command === null ? globalHelp(manifest.version, columns) : commandHelp(command, columns)));
    return EXIT.done;
  }
  switch (command) {
    case 'reduce':
      return reduce(asked, console);
    case 'verify':
      return verify(asked, console);
    case 'show':
      return show(asked, console);
    case 'story':
      return story(asked, console);
    case 'ls':
      return ls(asked, console);
    case 'record':
      return record(asked, console);
    case 'demo':
      return demo(asked, console);
    case 'materialize':
      return materialize(asked, console);
    case 'schema':
      return schema(asked, console);
    case 'completion':
      return completion(asked, console);
    case null:
      console.remark(...globalHelp(manifest.version, console.remarks.columns));
      return EXIT.failed;
  }
}
