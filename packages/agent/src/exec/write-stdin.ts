/** The tool `write_stdin`: types into a terminal that `exec_command` opened, or looks what it printed. */

import { Arguments } from '../tools/arguments.ts';
import type { Tool, ToolOutcome, ToolRun } from '../tools/tool.ts';
import { cancelledOutcome, terminalOutcome } from './terminal-outcome.ts';
import type { Terminals } from './terminals.ts';
import { DEFAULT_OUTPUT_TOKENS, MOST_YIELD_MS, OUTPUT_TOKENS_PARAMETER, yieldParameter } from './yield.ts';

const DEFAULT_YIELD_MS = 250;
/** Who only looks has nothing else to do, and looks again if it comes back too soon. */
const DEFAULT_POLL_MS = 5_000;

/** One call at a time: two that type into the same terminal would share its answer at random. */
export function writeStdinTool(terminals: Terminals): Tool {
  return {
    spec: {
      type: 'function',
      name: 'write_stdin',
      description:
        'Types into a running exec_command session and returns what it printed since the last call. ' +
        'Without chars it only waits for output. Control characters are keys: \\u0003 interrupts, \\u0004 ends the input.',
      parameters: {
        type: 'object',
        properties: {
          session_id: { type: 'integer', description: 'The session_id that exec_command returned.' },
          chars: { type: 'string', description: 'What to type; end a line with \\n.' },
          yield_time_ms: yieldParameter(`Default ${DEFAULT_YIELD_MS}, without chars ${DEFAULT_POLL_MS}.`),
          max_output_tokens: OUTPUT_TOKENS_PARAMETER,
        },
        required: ['session_id'],
        additionalProperties: false,
      },
      strict: false,
    },
    namespace: null,
    nested: true,
    parallel: false,
    run: (run) => writeStdin(terminals, run),
  };
}

async function writeStdin(terminals: Terminals, run: ToolRun): Promise<ToolOutcome> {
  const given = new Arguments(run.input);
  const sessionId = given.count('session_id');
  const chars = given.optionalText('chars') ?? '';
  const default_yield_ms = chars === '' ? DEFAULT_POLL_MS : DEFAULT_YIELD_MS;
  const yield_time_ms = Math.min(given.optionalCount('yield_time_ms') ?? default_yield_ms, MOST_YIELD_MS);
  const max_output_tokens = given.optionalCount('max_output_tokens') ?? DEFAULT_OUTPUT_TOKENS;
  const terminal = terminals.get(sessionId);
  if (run.signal.aborted) return cancelledOutcome();

  const start_ms = performance.now();
  run.trace.stdinTarget(terminal.trace);
  const note = terminal.write(chars) || chars === '' ? null : 'The command had ended before chars could be typed.';
  await terminal.wait(yield_time_ms, run.signal);
  const cancelled = run.signal.aborted && terminal.exitCode === null;
  terminals.settle(terminal);
  const wall_time_ms = performance.now() - start_ms;
  return terminalOutcome(terminal, { wall_time_ms, max_output_tokens, cancelled, note });
}
