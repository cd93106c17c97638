/** Scenarios of MCP servers. */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { byAgent, call, custom, say } from '@rollout-trace/agent/scripted-model';
import { eventTypes, outputsOf, toolStatuses, turnStatuses } from './look.ts';
import type { Scenario } from './scenario.ts';

const SERVER = fileURLToPath(new URL('../../../src/mcp/testing/server.mjs', import.meta.url));

/** A server that runs in the working folder, so that one which is left behind is found there. */
const server = (cwd: string, name: string, ...words: string[]) => {
  return { name, command: process.execPath, args: [SERVER, ...words], cwd };
};
const ask = (id: string, tool: string, args: object) => call(id, tool, args, 'mcp__clock');

export const MCP: readonly Scenario[] = [
  {
    name: 'mcp',
    script: () =>
      byAgent({
        '/root': [
          { items: [ask('call_1', 'add', { a: 1, b: 2 }), ask('call_2', 'picture', {})] },
          {
            items: [
              ask('call_3', 'fail', { why: 'testing' }),
              ask('call_4', 'refuse', {}),
              ask('call_5', 'no_such', {}),
            ],
          },
          { items: [custom('call_6', 'exec', 'text(await tools.mcp__clock__add({ a: 3, b: 4 }));')] },
          { items: [say('It is noon.')] },
        ],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock')] }),
    play: async ({ run }) => {
      await run('Ask the clock.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, 3);
      assert.match(JSON.stringify(outputs.call_1), /3/);
      assert.match(JSON.stringify(outputs.call_2), /input_image/);
      assert.match(JSON.stringify(outputs.call_3), /failed: testing/);
      assert.match(JSON.stringify(outputs.call_4), /not today/);
      assert.match(JSON.stringify(outputs.call_6), /7/);
      const kinds = [...seen.graph.tool_calls.values()].map(({ kind }) =>
        kind.type === 'mcp' ? kind.tool : kind.type,
      );
      assert.deepEqual(kinds, ['add', 'picture', 'fail', 'refuse', 'other', 'other', 'add']);
      const asked = [...seen.graph.tool_calls.values()].filter(({ kind }) => kind.type === 'mcp');
      assert.ok(asked.every(({ mcp_call_id }) => typeof mcp_call_id === 'string'));
    },
  },
  {
    name: 'an MCP server that dies',
    script: () =>
      byAgent({
        '/root': [
          { items: [ask('call_1', 'die', {})] },
          { items: [ask('call_2', 'add', { a: 1, b: 1 })] },
          { items: [say('It came back.')] },
        ],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock'), server(cwd, 'broken', 'broken')] }),
    play: async ({ run }) => {
      await run('Kill the clock.');
    },
    check: (seen) => {
      assert.deepEqual(toolStatuses(seen), ['mcp__clock.die failed', 'mcp__clock.add completed']);
      assert.match(String(outputsOf(seen, 2).call_1), /ended during the call/);
      // The server that did not start is told, and nothing else is lost by it.
      assert.deepEqual(
        eventTypes(seen).filter((type) => type === 'warning'),
        ['warning'],
      );
      assert.deepEqual(turnStatuses(seen), ['completed']);
    },
  },
];
