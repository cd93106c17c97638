/** Scenarios of MCP servers. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { byAgent, call, custom, lastOutput, say } from '@rollout-trace/agent/scripted-model';
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
    name: 'an MCP tool that is called `wait`',
    script: () =>
      byAgent({
        '/root': [
          { items: [ask('call_1', 'wait', { cell_id: '1' })] },
          { items: [custom('call_2', 'exec', 'text(await tools.mcp__clock__wait({ x: 1 }));')] },
          { items: [say('Waited.')] },
        ],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock')] }),
    play: async ({ run }) => {
      await run('Wait.');
    },
    check: (seen) => {
      assert.deepEqual(toolStatuses(seen), [
        'mcp__clock.function.wait completed',
        'exec completed',
        'mcp__clock.function.wait completed',
      ]);
      assert.deepEqual(
        [...seen.graph.tool_calls.values()].flatMap(({ kind }) => (kind.type === 'mcp' ? [kind.tool] : [])),
        ['wait', 'wait'],
      );
      assert.match(JSON.stringify(outputsOf(seen, 2)), /waited.*waited/);
      // It waits for no code cell, whatever it is given.
      assert.deepEqual(
        [...seen.graph.code_cells.values()].map(({ wait_tool_call_ids: ids }) => ids.length),
        [0],
      );
    },
  },
  {
    name: 'mcp-image',
    script: () =>
      byAgent({
        '/root': [
          { items: [ask('call_1', 'picture', {})] },
          { items: [call('call_2', 'exec_command', { cmd: 'true' })] },
          { items: [say('Drawn.')] },
        ],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock')] }),
    play: async ({ run }) => {
      await run('Draw it.');
    },
    check: (seen) => {
      assert.deepEqual(outputsOf(seen, 2).call_1, outputsOf(seen, 1).call_1);
      assert.match(JSON.stringify(outputsOf(seen, 2).call_1), /data:image\/png;base64/);
      // Seen in two requests, it is one item all the same.
      const drawn = [...seen.graph.conversation_items.values()].filter(({ call_id }) => call_id === 'call_1');
      assert.equal(drawn.length, 2);
      const [, second, third] = seen.graph.inference_calls.values();
      assert.deepEqual([...(third?.request_item_ids ?? [])].slice(0, 3), [...(second?.request_item_ids ?? [])]);
    },
  },
  {
    name: 'code-image',
    script: () =>
      byAgent({
        '/root': [
          { items: [custom('call_1', 'exec', 'text(await tools.mcp__clock__now({ zone: "CET" }));')] },
          {
            items: [
              custom(
                'call_2',
                'exec',
                'const { content } = await tools.mcp__clock__picture({});\n' +
                  'for (const part of content) if (part.type === "image") image(part);\n' +
                  'text("shown");',
              ),
            ],
          },
          { items: [call('call_3', 'exec_command', { cmd: 'true' })] },
          { items: [say('Shown.')] },
        ],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock')] }),
    play: async ({ run }) => {
      await run('Show me.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, 3);
      assert.match(JSON.stringify(outputs.call_1), /12:00/);
      const parts = outputs.call_2 as { type: string; image_url?: string }[];
      assert.match(parts.find(({ type }) => type === 'input_image')?.image_url ?? '', /^data:image\/png;base64,iVBOR/);
      const nested = [...seen.graph.tool_calls.values()].filter(({ requester }) => requester?.type === 'code_cell');
      assert.deepEqual(
        nested.map(({ kind }) => (kind.type === 'mcp' ? kind.tool : kind.type)),
        ['now', 'picture'],
      );
      const [, cell] = seen.graph.code_cells.values();
      // One output, although two requests show it.
      assert.equal(cell?.output_item_ids.length, 1);
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
  {
    name: 'a call of an MCP server that is cancelled',
    script: ({ cwd }) =>
      byAgent({
        '/root': [{ items: [ask('call_1', 'hang', { file: join(cwd, 'hang') })] }, { items: [say('It hung.')] }],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock', 'stubborn', 'litter')] }),
    play: async ({ run, cwd }) => {
      const user = new AbortController();
      const turn = run('Wait for it.', user.signal);
      while (!existsSync(join(cwd, 'hang'))) await sleep(10);
      user.abort();
      await turn;
      await run('And?');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed']);
      assert.deepEqual(toolStatuses(seen), ['mcp__clock.hang cancelled']);
      const [hung] = seen.graph.tool_calls.values();
      assert.equal(typeof hung?.mcp_call_id, 'string');
    },
  },
  {
    name: 'one MCP server for all agents',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Add.' }, 'collaboration'),
              ask('call_2', 'add', { a: 1, b: 1 }),
            ],
          },
          { items: [call('call_3', 'wait_agent', {}, 'collaboration')] },
          { items: [say('Both added.')] },
        ],
        '/root/alpha': [{ items: [ask('call_4', 'pids', {})] }, (request) => ({ items: [say(lastOutput(request))] })],
      }),
    options: ({ cwd }) => ({ mcpServers: [server(cwd, 'clock')] }),
    play: async ({ run }) => {
      await run('Add.');
    },
    check: (seen) => {
      assert.deepEqual(
        [...seen.graph.tool_calls.values()].flatMap(({ kind }) => (kind.type === 'mcp' ? [kind.tool] : [])).sort(),
        ['add', 'pids'],
      );
      assert.match(JSON.stringify(seen.requests.at(-1)?.body.input), /Result of agent \/root\/alpha:\\n\[\d+,null\]/);
    },
  },
];
