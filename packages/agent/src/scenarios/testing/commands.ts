/** Scenarios of commands on terminals, and of patches. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byAgent, call, custom, lastOutput, type ModelRequest, say } from '@rollout-trace/agent/scripted-model';
import { eventTypes, outputsOf, toolStatuses, turnStatuses } from './look.ts';
import type { Scenario } from './scenario.ts';

/** The session a terminal said it runs in. */
function sessionId(request: ModelRequest): number {
  const found = /session_id (\d+)/.exec(lastOutput(request));
  if (found === null) throw new Error(`no session in: ${lastOutput(request)}`);
  return Number(found[1]);
}

const run = (id: string, args: object) => call(id, 'exec_command', args);
const patch = (id: string, ...lines: string[]) =>
  custom(id, 'apply_patch', ['*** Begin Patch', ...lines, '*** End Patch', ''].join('\n'));

export const COMMANDS: readonly Scenario[] = [
  {
    name: 'exec-steps',
    files: { 'a.txt': 'alpha\n', 'sub/b.txt': 'beta\n' },
    script: () =>
      byAgent({
        '/root': [
          { items: [say('Listing.', 'commentary'), run('call_1', { cmd: 'ls; cat a.txt' })] },
          {
            items: [run('call_2', { cmd: 'echo oops >&2; exit 3' }), run('call_3', { cmd: 'no-such-program --flag' })],
          },
          { items: [run('call_4', { cmd: 'pwd; cat b.txt', workdir: 'sub' })] },
          { items: [run('call_5', { cmd: 'seq 1 400', max_output_tokens: 50 })] },
          {
            items: [
              run('call_6', { cmd: 'printf %s "$0"', shell: '/bin/sh' }),
              run('call_7', { cmd: 'true', workdir: '/nowhere' }),
            ],
          },
          { items: [say('All seen.')] },
        ],
      }),
    play: async ({ run: turn }) => {
      await turn('Look around.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, 5);
      assert.match(String(outputs.call_1), /Exit code: 0.*a\.txt.*alpha/s);
      assert.match(String(outputs.call_2), /Exit code: 3.*oops/s);
      assert.match(String(outputs.call_3), /Exit code: 127/);
      assert.match(String(outputs.call_4), /sub.*beta/s);
      assert.match(String(outputs.call_5), /omitted/);
      assert.match(String(outputs.call_7), /is not a folder/);
      assert.equal(seen.graph.terminal_operations.size, 6);
      assert.equal(toolStatuses(seen).at(-1), 'exec_command failed');
    },
  },
  {
    name: 'terminal',
    script: () => {
      let first = 0;
      let second = 0;
      return byAgent({
        '/root': [
          {
            items: [
              run('call_1', {
                cmd: 'while read -r l; do echo "got:$l"; [ "$l" = end ] && exit 4; done',
                yield_time_ms: 250,
              }),
            ],
          },
          (request) => {
            first = sessionId(request);
            return {
              items: [call('call_2', 'write_stdin', { session_id: first, chars: 'one\n', yield_time_ms: 500 })],
            };
          },
          { items: [run('call_3', { cmd: 'echo begin; sleep 1; echo done', yield_time_ms: 250 })] },
          (request) => {
            second = sessionId(request);
            return { items: [call('call_4', 'write_stdin', { session_id: second, yield_time_ms: 30_000 })] };
          },
          () => ({
            items: [call('call_5', 'write_stdin', { session_id: first, chars: 'end\n', yield_time_ms: 30_000 })],
          }),
          () => ({ items: [call('call_6', 'write_stdin', { session_id: first, chars: 'again\n' })] }),
          { items: [say('Both ended.')] },
        ],
      });
    },
    play: async ({ run: turn }) => {
      await turn('Run the interactive loop.');
    },
    check: (seen) => {
      assert.equal(seen.graph.terminal_sessions.size, 2);
      const [loop] = seen.graph.terminal_sessions.values();
      // Opening it, two writes, and one that came too late.
      assert.equal(loop?.operation_ids.length, 4);
      const outputs = outputsOf(seen, 6);
      assert.match(String(outputs.call_4), /done/);
      assert.match(String(outputs.call_5), /Exit code: 4/);
      assert.match(String(outputs.call_6), /is unknown or has ended/);
    },
  },
  {
    name: 'terminal-orphan',
    script: () =>
      byAgent({
        '/root': [
          { items: [run('call_1', { cmd: 'echo up; sleep 600', yield_time_ms: 250 })] },
          { items: [say('It runs in the background.')] },
        ],
      }),
    play: async ({ run: turn }) => {
      await turn('Start the server.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed']);
      const types = eventTypes(seen);
      // The process outlives its call and its turn, and ends with the session.
      assert.ok(types.indexOf('tool_call_runtime_ended') > types.indexOf('codex_turn_ended'));
      assert.ok(types.indexOf('tool_call_runtime_ended') < types.indexOf('thread_ended'));
    },
  },
  {
    name: 'exec-types',
    script: () =>
      byAgent({
        '/root': [
          { items: [run('call_1', { cmd: ['ls'] }), run('call_2', {}), run('call_3', { cmd: ' ' })] },
          {
            items: [
              run('call_4', { cmd: 'echo f', yield_time_ms: 1000.5 }),
              run('call_5', { cmd: 'echo g', max_output_tokens: -1 }),
              run('call_6', { cmd: 'echo h', workdir: '' }),
              run('call_7', { cmd: 'echo i', workdir: null, login: null, unheard_of: [1] }),
            ],
          },
          { items: [say('Ran.')] },
        ],
      }),
    play: async ({ run: turn }) => {
      await turn('Run oddly.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, 2);
      assert.equal(outputs.call_1, 'argument cmd must be a string');
      assert.equal(outputs.call_2, 'argument cmd must be a string');
      assert.equal(outputs.call_3, 'argument cmd must not be empty');
      assert.equal(outputs.call_4, 'argument yield_time_ms must be a whole number from 0 on');
      assert.equal(outputs.call_5, 'argument max_output_tokens must be a whole number from 0 on');
      assert.match(String(outputs.call_6), /Exit code: 0.*h/s);
      assert.match(String(outputs.call_7), /Exit code: 0.*i/s);
      // What was refused never ran: it has no terminal.
      assert.deepEqual(
        [...seen.graph.terminal_operations.values()].map(({ tool_call_id }) => tool_call_id),
        ['call_6', 'call_7'],
      );
    },
  },
  {
    name: 'stdin-types',
    script: () => {
      const type = (id: string, args: object) => call(id, 'write_stdin', args);
      return byAgent({
        '/root': [
          { items: [run('call_1', { cmd: 'cat', yield_time_ms: 250 })] },
          (request) => ({
            items: [
              type('call_2', { session_id: String(sessionId(request)), chars: 'x\n' }),
              type('call_3', { session_id: -1, chars: null }),
              type('call_4', { session_id: sessionId(request), chars: ['x'] }),
              type('call_5', { session_id: sessionId(request), chars: '\u0004', yield_time_ms: 30_000 }),
            ],
          }),
          { items: [say('Refused.')] },
        ],
      });
    },
    play: async ({ run: turn }) => {
      await turn('Type oddly.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, 2);
      assert.equal(outputs.call_2, 'argument session_id must be a whole number from 0 on');
      assert.equal(outputs.call_3, 'argument session_id must be a whole number from 0 on');
      assert.equal(outputs.call_4, 'argument chars must be a string');
      assert.match(String(outputs.call_5), /Exit code: 0/);
      assert.deepEqual(toolStatuses(seen), [
        'exec_command completed',
        'write_stdin failed',
        'write_stdin failed',
        'write_stdin failed',
        'write_stdin completed',
      ]);
      // What names the session belongs to it, although the number was text and the call refused.
      const [session] = seen.graph.terminal_sessions.values();
      const calls = session?.operation_ids.map((id) => seen.graph.terminal_operations.get(id)?.tool_call_id);
      assert.deepEqual(calls, ['call_1', 'call_2', 'call_5']);
    },
  },
  {
    name: 'stdin-bad',
    script: () =>
      byAgent({
        '/root': [{ items: [call('call_1', 'write_stdin', { chars: 'lost\n' })] }, { items: [say('Nowhere.')] }],
      }),
    play: async ({ run: turn }) => {
      await turn('Type into nothing.');
    },
    check: (seen) => {
      assert.equal(outputsOf(seen, 1).call_1, 'argument session_id must be a whole number from 0 on');
      assert.deepEqual(toolStatuses(seen), ['write_stdin failed']);
      assert.equal(seen.graph.terminal_sessions.size, 0);
    },
  },
  {
    name: 'tools-misc',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'exec_command', '{"cmd": "echo unterminated')] },
          { items: [call('call_2', 'exec_command', 'not json'), call('call_3', 'write_stdin', 'not json')] },
          { items: [call('call_4', 'exec_command', '["echo"]'), call('call_5', 'exec_command', '')] },
          { items: [call('call_6', 'write_stdin', { session_id: 99_999, chars: 'x' })] },
          { items: [say('Planned.')] },
        ],
      }),
    play: async ({ run: turn }) => {
      await turn('Plan it.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, 4);
      for (const id of ['call_1', 'call_2', 'call_3']) {
        assert.match(String(outputs[id]), /^arguments are not valid JSON: /);
      }
      assert.equal(outputs.call_4, 'arguments must be a JSON object');
      assert.equal(outputs.call_5, 'argument cmd must be a string');
      assert.equal(outputs.call_6, 'session 99999 is unknown or has ended: no session is open');
      assert.ok(toolStatuses(seen).every((tool) => tool.endsWith(' failed')));
      assert.deepEqual(turnStatuses(seen), ['completed']);
    },
  },
  {
    name: 'a command that ignores SIGTERM',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              run('call_1', {
                cmd: "trap '' TERM INT HUP; echo deaf; while true; do sleep 0.1; done",
                yield_time_ms: 60_000,
              }),
            ],
          },
          { items: [say('Gone.')] },
        ],
      }),
    options: () => ({ terminals: { grace_ms: 200 } }),
    play: async ({ run: turn, until }) => {
      const controller = new AbortController();
      const running = turn('Run.', controller.signal);
      await until(({ type }) => type === 'response');
      controller.abort();
      await running;
      await turn('And now?');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed']);
      assert.deepEqual(
        [...seen.graph.tool_calls.values()].map(({ execution }) => execution.status),
        ['cancelled'],
      );
    },
  },
  {
    name: 'patch',
    files: { 'old.txt': 'one\ntwo\nthree\n', 'gone.txt': 'bye\n' },
    script: () =>
      byAgent({
        '/root': [
          { items: [patch('call_1', '*** Add File: new/hello.txt', '+hello', '+world')] },
          {
            items: [
              patch(
                'call_2',
                '*** Update File: old.txt',
                '@@',
                ' one',
                '-two',
                '+TWO',
                ' three',
                '*** Delete File: gone.txt',
              ),
            ],
          },
          { items: [patch('call_3', '*** Update File: old.txt', '@@', '-nothing like this', '+x')] },
          {
            items: [
              patch('call_4', '*** Update File: old.txt', '*** Move to: moved.txt', '@@', '-one', '+uno', ' TWO'),
            ],
          },
          { items: [custom('call_5', 'apply_patch', 'no patch at all'), run('call_6', { cmd: 'cat moved.txt; ls' })] },
          { items: [say('Edited.')] },
        ],
      }),
    play: async ({ run: turn }) => {
      await turn('Edit the files.');
    },
    check: (seen) => {
      assert.deepEqual(
        [...seen.graph.tool_calls.values()].map(({ execution }) => execution.status),
        ['completed', 'completed', 'failed', 'completed', 'failed', 'completed'],
      );
      assert.equal(readFileSync(join(seen.cwd, 'moved.txt'), 'utf8'), 'uno\nTWO\nthree\n');
      assert.match(String(outputsOf(seen, 5).call_6), /uno.*moved\.txt.*new/s);
    },
  },
];
