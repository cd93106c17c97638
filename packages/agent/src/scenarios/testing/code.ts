/** Scenarios of code cells. */

import assert from 'node:assert/strict';
import { byAgent, call, custom, lastOutput, type ModelRequest, say, think } from '@rollout-trace/agent/scripted-model';
import { inferenceStatuses, outputsOf, toolStatuses, turnStatuses } from './look.ts';
import { anotherWait, echo } from './own-tools.ts';
import type { Scenario, Seen } from './scenario.ts';

const js = (id: string, ...lines: string[]) => custom(id, 'exec', lines.join('\n'));
const wait = (id: string, cell_id: string, more: object = {}) => call(id, 'wait', { cell_id, ...more });

/** The cell that a call said goes on. */
function cellId(request: ModelRequest): string {
  const found = /cell ID (\S+)/.exec(lastOutput(request));
  if (found?.[1] === undefined) throw new Error(`no cell in: ${lastOutput(request)}`);
  return found[1];
}

/** An output as text, whatever it is made of. */
function outputText(seen: Seen, request: number, callId: string): string {
  return JSON.stringify(outputsOf(seen, request)[callId]);
}

function cellStatuses({ graph }: Seen): string[] {
  return [...graph.code_cells.values()].map(({ execution }) => execution.status);
}

export const CODE: readonly Scenario[] = [
  {
    name: 'code-sync',
    files: { 'in.txt': 'input text\n' },
    script: () =>
      byAgent({
        '/root': [
          { items: [say('Adding.', 'commentary'), js('call_1', 'text(1 + 2);', 'text({ a: [1, 2] });')] },
          { items: [js('call_2', 'text("before");', 'throw new Error("broken on purpose");')] },
          {
            items: [
              js(
                'call_3',
                'const r = await tools.exec_command({ cmd: "cat in.txt" });',
                'text(r);',
                'store("seen", r.output);',
              ),
            ],
          },
          {
            items: [
              js(
                'call_4',
                'const p = "*** Begin Patch\\n*** Add File: out.txt\\n+made by code\\n*** End Patch\\n";',
                'await tools.apply_patch(p);',
                'const both = await Promise.all([tools.exec_command({ cmd: "cat out.txt" }), tools.echo({ n: 1 })]);',
                'text(both);',
                'text(load("seen"));',
              ),
            ],
          },
          { items: [js('call_5', 'syntax error here (')] },
          {
            items: [
              js('call_6', 'try { await tools.exec_command({ nope: 1 }); } catch (e) { text("refused: " + e); }'),
            ],
          },
          { items: [say('Coded.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Use code.');
    },
    check: (seen) => {
      assert.deepEqual(cellStatuses(seen), ['completed', 'failed', 'completed', 'completed', 'failed', 'completed']);
      assert.match(outputText(seen, 6, 'call_1'), /3.*\[1,2\]/s);
      assert.match(outputText(seen, 6, 'call_2'), /before.*broken on purpose/s);
      assert.match(outputText(seen, 6, 'call_4'), /made by code.*input text/s);
      assert.match(outputText(seen, 6, 'call_6'), /refused: .*cmd/s);
      const nested = [...seen.graph.tool_calls.values()].filter(({ requester }) => requester?.type === 'code_cell');
      assert.equal(nested.length, 5);
    },
  },
  {
    name: 'code-yield',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              js(
                'call_1',
                'text("start");',
                'yield_control();',
                'await new Promise((r) => setTimeout(r, 300));',
                'text("end");',
              ),
            ],
          },
          (request) => ({ items: [wait('call_2', cellId(request), { yield_time_ms: 30_000 })] }),
          { items: [js('call_3', '// @exec: {"yield_time_ms": 100}', 'await new Promise(() => {});')] },
          (request) => ({ items: [wait('call_4', cellId(request), { terminate: true })] }),
          { items: [wait('call_5', 'no-such-cell')] },
          { items: [say('Waited.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Use slow code.');
    },
    check: (seen) => {
      assert.deepEqual(cellStatuses(seen), ['completed', 'cancelled']);
      assert.match(outputText(seen, 5, 'call_2'), /end/);
      const [first, second] = seen.graph.code_cells.values();
      assert.equal(first?.wait_tool_call_ids.length, 1);
      assert.equal(second?.runtime_status, 'terminated');
      assert.equal(toolStatuses(seen).at(-1), 'wait failed');
    },
  },
  {
    name: 'code-parallel',
    script: () => {
      const slow = (id: string, name: string) =>
        js(
          id,
          '// @exec: {"yield_time_ms": 50}',
          `text("start ${name}");`,
          'await new Promise((r) => setTimeout(r, 600));',
          `text("end ${name}");`,
        );
      return byAgent({
        '/root': [
          { items: [slow('call_1', 'A'), slow('call_2', 'B')] },
          { items: [wait('call_3', '1', { yield_time_ms: 30_000 }), wait('call_4', '2', { yield_time_ms: 30_000 })] },
          { items: [say('Both.')] },
        ],
      });
    },
    play: async ({ run }) => {
      await run('Two at once.');
    },
    check: (seen) => {
      assert.deepEqual(cellStatuses(seen), ['completed', 'completed']);
      assert.match(outputText(seen, 2, 'call_4'), /end B/);
    },
  },
  {
    name: 'code-terminal',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              js(
                'call_1',
                'const r = await tools.exec_command({ cmd: "cat", yield_time_ms: 250 });',
                'text(r);',
                'store("s", r.session_id);',
              ),
            ],
          },
          {
            items: [
              js(
                'call_2',
                'const s = load("s");',
                'text(await tools.write_stdin({ session_id: s, chars: "hi\\n", yield_time_ms: 300 }));',
                'text(await tools.write_stdin({ session_id: s, chars: "\\u0004", yield_time_ms: 30000 }));',
              ),
            ],
          },
          {
            items: [
              js(
                'call_3',
                'try { await tools.write_stdin({ session_id: 4242, chars: "x" }); } catch (e) { text("refused: " + e); }',
              ),
            ],
          },
          { items: [say('Typed.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Type from code.');
    },
    check: (seen) => {
      assert.match(outputText(seen, 3, 'call_2'), /hi/);
      assert.match(outputText(seen, 3, 'call_3'), /refused/);
      const [session] = seen.graph.terminal_sessions.values();
      assert.equal(session?.operation_ids.length, 3);
    },
  },
  {
    name: 'code-stdin-bad',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              js(
                'call_1',
                'try { text(await tools.write_stdin({ chars: "x" })); } catch (e) { text("refused: " + e); }',
              ),
            ],
          },
          { items: [say('Refused.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Type from code.');
    },
    check: (seen) => {
      assert.match(outputText(seen, 1, 'call_1'), /refused: .*session_id must be/);
      assert.deepEqual(toolStatuses(seen), ['exec completed', 'write_stdin failed']);
      assert.deepEqual(cellStatuses(seen), ['completed']);
      assert.equal(seen.graph.terminal_sessions.size, 0);
    },
  },
  {
    name: 'code-wait-bad',
    script: () =>
      byAgent({
        '/root': [
          { items: [js('call_1', 'text("x");')] },
          { items: [call('call_2', 'wait', {}), call('call_3', 'wait', '{"cell_id": ')] },
          { items: [say('Waited.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Wait for nothing.');
    },
    check: (seen) => {
      assert.equal(outputsOf(seen, 2).call_2, 'argument cell_id must be a string');
      assert.match(outputText(seen, 2, 'call_3'), /not valid JSON/);
      assert.deepEqual(toolStatuses(seen), ['exec completed', 'function.wait failed', 'function.wait failed']);
      assert.deepEqual(turnStatuses(seen), ['completed']);
    },
  },
  {
    name: 'a tool of the host that is called `wait`',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'wait', { x: 1 }), call('call_2', 'wait', {}, 'nowhere')] },
          { items: [say('Waited.')] },
        ],
      }),
    options: () => ({ code: false, tools: [anotherWait] }),
    play: async ({ run }) => {
      await run('Wait.');
    },
    check: (seen) => {
      assert.deepEqual(toolStatuses(seen), ['function.wait completed', 'nowhere.function.wait failed']);
      assert.deepEqual(
        [...seen.graph.tool_calls.values()].map(({ kind }) => kind),
        [
          { type: 'other', name: 'wait' },
          { type: 'other', name: 'wait' },
        ],
      );
    },
  },
  {
    name: 'code-only',
    files: { 'n.txt': '41\n' },
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              think('Read the number.', 'enc-a'),
              js('call_1', 'text((await tools.exec_command({ cmd: "cat n.txt" })).output);'),
            ],
          },
          { items: [call('call_2', 'exec_command', { cmd: 'cat n.txt' })] },
          { items: [say('41')] },
        ],
      }),
    options: () => ({ code: { only: true } }),
    play: async ({ run }) => {
      await run('What is the number?');
    },
    check: (seen) => {
      const tools = seen.requests[0]?.body.tools as { name: string }[];
      assert.deepEqual(
        tools.map(({ name }) => name),
        ['exec', 'wait'],
      );
      assert.match(outputText(seen, 2, 'call_1'), /41/);
      assert.deepEqual(outputsOf(seen, 2).call_2, 'there is no tool exec_command');
    },
  },
  {
    name: 'code-hang',
    script: () =>
      byAgent({
        '/root': [
          { items: [js('call_1', 'text(await tools.echo({ n: 1 }));')], end: 'hanging' },
          { items: [say('Later.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run, until }) => {
      const controller = new AbortController();
      const turn = run('Run.', controller.signal);
      await until((event) => event.type === 'tool_ended' && event.name === 'exec');
      controller.abort();
      await turn;
      await run('Go on.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed']);
      assert.deepEqual(inferenceStatuses(seen), ['cancelled', 'completed']);
      assert.deepEqual(cellStatuses(seen), ['completed']);
      assert.match(outputText(seen, 1, 'call_1'), /n.*1/);
    },
  },
  {
    name: 'code-drop',
    script: () =>
      byAgent({
        '/root': [
          { items: [js('call_1', 'text("ran");')], end: 'dropped' },
          { items: [say('Recovered.')] },
          { items: [js('call_2', 'text("ran again");')], end: 'failed' },
          { items: [say('Recovered again.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Run.');
      await run('Run again.');
    },
    check: (seen) => {
      assert.deepEqual(inferenceStatuses(seen), ['failed', 'completed', 'failed', 'completed']);
      assert.deepEqual(cellStatuses(seen), ['completed', 'completed']);
    },
  },
  {
    name: 'a cell that loops',
    script: () =>
      byAgent({ '/root': [{ items: [js('call_1', 'while (true) {}')] }, { items: [say('It never ended.')] }] }),
    options: () => ({ code: { limits: { slice_ms: 300 } } }),
    play: async ({ run }) => {
      await run('Spin.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed']);
      assert.deepEqual(cellStatuses(seen), ['failed']);
    },
  },
  {
    name: 'cancel-code',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              js('call_1', 'text("x");', 'await tools.exec_command({ cmd: "sleep 600", yield_time_ms: 60000 });'),
            ],
          },
          { items: [say('After.')] },
        ],
      }),
    options: () => ({ terminals: { grace_ms: 200 } }),
    play: async ({ run, until }) => {
      const controller = new AbortController();
      const turn = run('Run code.', controller.signal);
      await until(({ type }) => type === 'response');
      controller.abort();
      await turn;
      await run('Go on.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed']);
      assert.ok(cellStatuses(seen).every((status) => status === 'cancelled'));
      assert.ok(toolStatuses(seen).every((tool) => tool.endsWith(' cancelled')));
    },
  },
  {
    name: 'code-compact',
    script: () => {
      let cell = '';
      return byAgent({
        '/root': [
          {
            items: [
              js(
                'call_1',
                '// @exec: {"yield_time_ms": 50}',
                'text("start");',
                'await new Promise((r) => setTimeout(r, 500));',
                'text("end");',
              ),
            ],
          },
          (request) => {
            cell = cellId(request);
            return { items: [say('In the background.')] };
          },
          () => ({ items: [wait('call_2', cell, { yield_time_ms: 30_000 })] }),
          { items: [say('Over.')] },
        ],
      });
    },
    play: async ({ run, compact }) => {
      await run('Start.');
      await compact();
      await run('And?');
    },
    check: (seen) => {
      assert.equal(seen.graph.compactions.size, 1);
      assert.deepEqual(cellStatuses(seen), ['completed']);
      assert.match(outputText(seen, 4, 'call_2'), /end/);
    },
  },
];
