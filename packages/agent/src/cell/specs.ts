/** What the model is told of `exec` and `wait`, and under which names scripts find tools. */

import type { Tool, ToolSpec } from '../tools/tool.ts';

/** A tool that scripts may call. */
export interface ScriptTool {
  /** Its name in `tools`. */
  readonly name: string;
  readonly tool: Tool;
}

/** The nested ones of some tools. Of several with the same name the first is offered. */
export function scriptTools(tools: readonly Tool[]): ScriptTool[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    if (!tool.nested) continue;
    const name = scriptName(tool);
    if (!byName.has(name)) byName.set(name, tool);
  }
  return [...byName].map(([name, tool]) => ({ name, tool }));
}

/** An identifier: the name, with the namespace before it, as in `mcp__clock__now`. */
function scriptName({ namespace, spec }: Tool): string {
  const name = namespace === null ? spec.name : `${namespace}__${spec.name}`;
  return name.replaceAll(/[^A-Za-z0-9_$]/g, '_').replace(/^(?=[0-9])/, '_');
}

export function execSpec(tools: readonly ScriptTool[]): ToolSpec {
  const description = [
    'Runs JavaScript that calls tools. The input is the source, as plain text: no JSON, no quotes and no Markdown around ' +
      'it. It runs as the body of an async function in strict mode, so await works everywhere in it; there are no modules ' +
      'to import, no Node, no files, no network, no console.',
    'A script that still runs after some time (10 seconds, or what a first line such as ' +
      '`// @exec: {"yield_time_ms": 1000, "max_output_tokens": 500}` says) goes on, and its output so far is returned ' +
      'with its cell ID for the tool wait. When the script ends, calls and timers it did not wait for are dropped.',
    [
      'Globals:',
      '- tools.<name>(argument): calls a tool and returns a promise of its result; rejects with the error of the tool. ' +
        'Calls may run at the same time: await Promise.all([…]).',
      '- ALL_TOOLS: a list of { name, description } of these tools.',
      '- text(value): adds text to the output; other values than strings as JSON.',
      '- image(url): adds an image to the output: a data: URL, { image_url }, or an image of an MCP result.',
      '- store(key, value), load(key): keep a JSON value for later scripts. globalThis is kept as well, but is lost where ' +
        'the runtime has to be restarted.',
      '- setTimeout(callback, milliseconds), clearTimeout(id).',
      '- yield_control(): returns the output so far at once, while the script goes on.',
      '- exit(): ends the script.',
    ].join('\n'),
    ['Tools:', ...tools.map(toolLine)].join('\n'),
  ].join('\n\n');
  return { type: 'custom', name: 'exec', description };
}

function toolLine({ name, tool: { spec } }: ScriptTool): string {
  if (spec.type === 'custom') return `- tools.${name}(text): ${spec.description}`;
  return `- tools.${name}(object): ${spec.description} Object: ${JSON.stringify(spec.parameters)}`;
}

/** One object: the tool that waits for cells is told from others of its name by it. */
export const WAIT_SPEC: ToolSpec = {
  type: 'function',
  name: 'wait',
  description:
    'Waits for a script that exec left running. Returns what it has put out since, and how it stands; a script that ' +
    'has ended is then forgotten.',
  parameters: {
    type: 'object',
    properties: {
      cell_id: { type: 'string', description: 'The cell ID that exec returned.' },
      yield_time_ms: {
        type: 'integer',
        minimum: 0,
        description: 'How long to wait before returning while the script goes on, in milliseconds. Default 10000.',
      },
      max_tokens: {
        type: 'integer',
        minimum: 0,
        description: 'Most output to return, in tokens; the middle of longer output is left out. Default 10000.',
      },
      terminate: { type: 'boolean', description: 'Ends the script instead of waiting for it. Default false.' },
    },
    required: ['cell_id'],
    additionalProperties: false,
  },
  strict: false,
};
