/** Scenarios in which much goes on when something ends it, and of texts that are hard to carry. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byAgent, call, custom, say } from '@rollout-trace/agent/scripted-model';
import { inputOf, outputsOf, threadStatuses, turnStatuses } from './look.ts';
import { endless, picture, sayAgain } from './own-tools.ts';
import type { Scenario } from './scenario.ts';

const spawn = (id: string, task_name: string) =>
  call(id, 'spawn_agent', { task_name, message: `Work on ${task_name}.` }, 'collaboration');

/** Text that breaks what takes characters for bytes, or bytes for characters. */
const HARD = 'Grüße, 你好, 😀 \u0000 \u001b[31m \u2028 "quoted" \\ \ud83d';

export const FAULTS: readonly Scenario[] = [
  {
    name: 'a child that outlives its parent',
    script: () =>
      byAgent({
        '/root': [{ items: [spawn('call_1', 'alpha')] }, { items: [say('It may take a while.')] }],
        '/root/alpha': [
          { items: [call('call_2', 'exec_command', { cmd: 'echo begun; sleep 600', yield_time_ms: 250 })] },
          { items: [say('I am at it.', 'commentary')], end: 'hanging' },
        ],
      }),
    play: async ({ run, until }) => {
      const turn = run('Delegate it.');
      await until((event) => event.type === 'message' && event.agentPath === '/root/alpha');
      await turn;
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'cancelled']);
      assert.deepEqual(threadStatuses(seen), { '/root': 'completed', '/root/alpha': 'aborted' });
      assert.equal(seen.graph.status, 'completed');
      const [, child] = seen.graph.threads.values();
      const [root] = seen.graph.threads.values();
      assert.ok(Number(child?.execution.ended_seq) < Number(root?.execution.ended_seq), 'children end first');
    },
  },
  {
    name: 'everything at once, and then the end',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              spawn('call_1', 'alpha'),
              call('call_2', 'exec_command', { cmd: 'sleep 600 & sleep 600', yield_time_ms: 250 }),
              custom(
                'call_3',
                'exec',
                '// @exec: {"yield_time_ms": 100}\nawait tools.exec_command({ cmd: "sleep 600", yield_time_ms: 60000 });',
              ),
              call('call_4', 'endless', {}),
            ],
          },
        ],
        '/root/alpha': [
          {
            items: [
              custom(
                'call_5',
                'exec',
                '// @exec: {"yield_time_ms": 100}\nwhile (true) await new Promise((r) => setTimeout(r, 10));',
              ),
            ],
          },
          { items: [call('call_6', 'endless', {})], end: 'hanging' },
        ],
      }),
    options: () => ({ tools: [endless], terminals: { grace_ms: 200 } }),
    play: async ({ run, until, session }) => {
      const turn = run('Do everything.');
      await until((event) => event.type === 'tool_started' && event.callId === 'call_4');
      await until((event) => event.type === 'tool_started' && event.callId === 'call_6');
      await session.close();
      await turn;
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'cancelled']);
      assert.equal(seen.graph.status, 'aborted');
      for (const { execution, tool_call_id } of seen.graph.tool_calls.values()) {
        assert.notEqual(execution.status, 'running', tool_call_id);
      }
      for (const { execution } of seen.graph.code_cells.values()) assert.equal(execution.status, 'cancelled');
      for (const { execution } of seen.graph.terminal_operations.values()) assert.notEqual(execution.status, 'running');
    },
  },
  {
    name: 'unicode',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              say(HARD, 'commentary'),
              call('call_1', 'say_again', { text: HARD }),
              custom('call_2', 'apply_patch', `*** Begin Patch\n*** Add File: ü/😀.txt\n+你好 😀\n*** End Patch\n`),
            ],
          },
          { items: [say('Gesehen. 👀')] },
        ],
      }),
    options: () => ({ tools: [sayAgain] }),
    play: async ({ run }) => {
      await run(HARD);
    },
    check: (seen) => {
      assert.equal(seen.results[0]?.text, 'Gesehen. 👀');
      assert.equal(readFileSync(join(seen.cwd, 'ü/😀.txt'), 'utf8'), '你好 😀\n');
      // What JSON cannot carry whole does not stop the rest.
      assert.ok(String(outputsOf(seen, 1).call_1).includes('你好, 😀'));
    },
  },
  {
    name: 'long arguments, and an answer of nothing',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'say_again', { text: 'é'.repeat(60_000) })] },
          { items: [] },
          { items: [say('')] },
          { items: [say('Done.')] },
        ],
      }),
    options: () => ({ tools: [sayAgain] }),
    play: async ({ run }) => {
      for (const prompt of ['Repeat.', '', 'And?']) await run(prompt);
    },
    check: (seen) => {
      assert.deepEqual(
        seen.results.map(({ text }) => text),
        ['', '', 'Done.'],
      );
      assert.equal(String(outputsOf(seen, 3).call_1).length, 60_000);
      assert.equal(inputOf(seen, 3).length, 6);
    },
  },
  {
    name: 'view-image',
    script: () => byAgent({ '/root': [{ items: [call('call_1', 'picture', {})] }, { items: [say('A dot.')] }] }),
    options: () => ({ tools: [picture] }),
    play: async ({ run }) => {
      await run('What is there?');
    },
    check: (seen) => {
      assert.deepEqual(
        (outputsOf(seen, 1).call_1 as { type: string }[]).map(({ type }) => type),
        ['input_text', 'input_image'],
      );
    },
  },
];
