/** Tools that scenarios bring along: each does one thing a tool may do. */

import type { Tool, ToolOutcome, ToolRun } from '@rollout-trace/agent';
import { ToolError } from '@rollout-trace/agent';

function tool(name: string, run: (run: ToolRun) => Promise<ToolOutcome>, parallel = false): Tool {
  const parameters = { type: 'object', properties: {} };
  return {
    spec: { type: 'function', name, description: `The tool ${name}.`, parameters, strict: false },
    namespace: null,
    nested: true,
    parallel,
    run,
  };
}

/** Gives back its input. */
export const echo: Tool = tool('echo', async ({ input }) => ({ output: input, value: input, status: 'completed' }));

/** Gives back its input, under the name of the tool that waits for code cells. */
export const anotherWait: Tool = { ...echo, spec: { ...echo.spec, name: 'wait' } };

/** Ends when two of it run, so that two calls must run at the same time. */
export function meeting(): Tool {
  let arrived = 0;
  let open: () => void = () => undefined;
  const met = new Promise<void>((resolve) => {
    open = resolve;
  });
  return tool(
    'meet',
    async () => {
      if (++arrived === 2) open();
      await met;
      return { output: 'met', value: null, status: 'completed' };
    },
    true,
  );
}

/** Gives back the text it was given. */
export const sayAgain: Tool = tool('say_again', async ({ input }) => {
  const { text } = JSON.parse(input) as { text: string };
  return { output: text, value: text, status: 'completed' };
});

/** Shows a picture. */
export const picture: Tool = tool('picture', async () => ({
  output: [
    { type: 'input_text', text: 'a dot' },
    { type: 'input_image', image_url: 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=' },
  ],
  value: null,
  status: 'completed',
}));

/** Runs until it is cancelled. */
export const endless: Tool = tool(
  'endless',
  ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('cancelled')), { once: true });
    }),
);

/** Does not care about being cancelled. */
export const stubborn: Tool = tool('stubborn', () => new Promise(() => undefined));

/** Breaks. */
export const broken: Tool = tool('broken', async () => {
  throw new Error('the disk is on fire');
});

/** Says what the model did wrong. */
export const picky: Tool = tool('picky', async () => {
  throw new ToolError('argument when must be a string');
});

/** Has an output, and failed all the same. */
export const failing: Tool = tool('failing', async () => ({ output: 'exit code 3', value: null, status: 'failed' }));
