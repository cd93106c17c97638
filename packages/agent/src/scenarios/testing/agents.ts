/** Scenarios of agents that work for one another. */

import assert from 'node:assert/strict';
import {
  byAgent,
  custom,
  call as functionCall,
  type ModelRequest,
  type OutputItem,
  say,
} from '@rollout-trace/agent/scripted-model';
import type { EdgeAnchor } from '@rollout-trace/core/format';
import { inferenceStatuses, inputOf, outputsOf, threadStatuses, toolStatuses, turnStatuses } from './look.ts';
import { echo, endless } from './own-tools.ts';
import type { Scenario, Seen } from './scenario.ts';

/** A call of a tool about agents. */
function call(callId: string, name: string, args: unknown): OutputItem {
  return functionCall(callId, name, args, 'collaboration');
}

/** Something that one side of a scenario waits for and another brings about. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** `<kind>: <from> > <to>` of all edges, sorted: a call by its id, an item by its thread and text, a thread by its path. */
function edges({ graph }: Seen): string[] {
  const end = (anchor: EdgeAnchor): string => {
    if (anchor.type === 'tool_call') return anchor.tool_call_id;
    if (anchor.type === 'thread') return graph.threads.get(anchor.thread_id)?.agent_path ?? '';
    const item = graph.conversation_items.get(anchor.item_id);
    const text = item?.body.parts.map((part) => (part.type === 'text' ? part.text : part.type)).join('');
    return `${graph.threads.get(item?.thread_id ?? '')?.agent_path} "${text}"`;
  };
  return [...graph.interaction_edges.values()]
    .map(({ kind, source, target }) => `${kind}: ${end(source)} > ${end(target)}`)
    .sort();
}

const result = (path: string, text: string): string => `Result of agent ${path}:\n${text}`;

export const AGENTS: readonly Scenario[] = [
  {
    name: 'agents-basic',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              say('Delegating.', 'commentary'),
              call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Read the clock.', nickname: 'Al' }),
            ],
          },
          { items: [call('call_2', 'wait_agent', { timeout_ms: 60_000 })] },
          { items: [say('The child answered.')] },
        ],
        '/root/alpha': [{ items: [functionCall('call_3', 'echo', { tick: 1 })] }, { items: [say('It ticks.')] }],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Delegate it.');
    },
    check: (seen) => {
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "It ticks." > /root "${result('/root/alpha', 'It ticks.')}"`,
        'spawn_agent: call_1 > /root/alpha "Read the clock."',
      ]);
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed']);
      assert.deepEqual(threadStatuses(seen), { '/root': 'completed', '/root/alpha': 'completed' });
      assert.equal(outputsOf(seen, seen.requests.length - 1).call_1, '{"task_name":"/root/alpha"}');
      const [, child] = seen.graph.threads.values();
      assert.equal(child?.nickname, 'Al');
      const first = seen.requests.find(({ agentPath }) => agentPath === '/root/alpha');
      assert.match(String(first?.body.instructions), /You are the agent \/root\/alpha\. .*given to \/root as/s);
    },
  },
  {
    name: 'agents-messages',
    script: () => {
      const told = gate();
      return byAgent({
        '/root': [
          {
            items: [
              call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Count files.', agent_role: 'clerk' }),
            ],
          },
          { items: [call('call_2', 'send_message', { target: 'alpha', message: 'Count folders as well.' })] },
          () => {
            told.open();
            return { items: [call('call_3', 'wait_agent', {})] };
          },
          { items: [call('call_4', 'list_agents', {})] },
          { items: [call('call_5', 'followup_task', { target: '/root/alpha', message: 'Now count links.' })] },
          { items: [call('call_6', 'wait_agent', {})] },
          { items: [call('call_7', 'interrupt_agent', { target: 'alpha' })] },
          { items: [say('All counted.')] },
        ],
        '/root/alpha': [
          { after: told.opened, items: [functionCall('call_8', 'echo', {})] },
          { items: [say('2 files, 1 folder.')] },
          { items: [say('0 links.')] },
        ],
      });
    },
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Count.');
    },
    check: (seen) => {
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "0 links." > /root "${result('/root/alpha', '0 links.')}"`,
        `agent_result: /root/alpha "2 files, 1 folder." > /root "${result('/root/alpha', '2 files, 1 folder.')}"`,
        'assign_agent_task: call_5 > /root/alpha "Now count links."',
        'close_agent: call_7 > /root/alpha',
        'send_message: call_2 > /root/alpha "Count folders as well."',
        'spawn_agent: call_1 > /root/alpha "Count files."',
      ]);
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'completed']);
      const outputs = outputsOf(seen, seen.requests.length - 1);
      assert.equal(outputs.call_3, '{"message":"A message has arrived.","timed_out":false}');
      assert.deepEqual(JSON.parse(String(outputs.call_4)), {
        agents: [
          { agent_name: '/root', agent_status: 'running' },
          { agent_name: '/root/alpha', agent_status: { completed: '2 files, 1 folder.' } },
        ],
      });
      assert.equal(outputs.call_7, '{"previous_status":{"completed":"0 links."}}');
      // The child remembers its first task in the second.
      assert.equal(inputOf(seen, lastBy(seen, '/root/alpha')).filter(({ type }) => type === 'agent_message').length, 3);
    },
  },
  {
    name: 'agents-siblings',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Greet beta.' }),
              call('call_2', 'spawn_agent', { task_name: 'beta', message: 'Wait for alpha.' }),
            ],
          },
          ...['call_3', 'call_4', 'call_8'].map(
            (callId) => (request: ModelRequest) =>
              mailIn(request) === 3
                ? { items: [say('They know each other.')] }
                : { items: [call(callId, 'wait_agent', {})] },
          ),
          { items: [say('They know each other.')] },
        ],
        '/root/alpha': [
          { items: [call('call_5', 'send_message', { target: '/root/beta', message: 'Hello, beta.' })] },
          { items: [say('Greeted.')] },
        ],
        '/root/beta': [
          { items: [call('call_6', 'wait_agent', {})] },
          { items: [call('call_7', 'send_message', { target: '/root', message: 'Alpha is kind.' })] },
          { items: [say('I was greeted.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Make friends.');
    },
    check: (seen) => {
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "Greeted." > /root "${result('/root/alpha', 'Greeted.')}"`,
        `agent_result: /root/beta "I was greeted." > /root "${result('/root/beta', 'I was greeted.')}"`,
        'send_message: call_5 > /root/beta "Hello, beta."',
        'send_message: call_7 > /root "Alpha is kind."',
        'spawn_agent: call_1 > /root/alpha "Greet beta."',
        'spawn_agent: call_2 > /root/beta "Wait for alpha."',
      ]);
    },
  },
  {
    name: 'agents-nested',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Split the work.' })] },
          { items: [call('call_2', 'wait_agent', {})] },
          { items: [say('All of it is done.')] },
        ],
        '/root/alpha': [
          { items: [call('call_3', 'spawn_agent', { task_name: 'gamma', message: 'Do the small part.' })] },
          { items: [call('call_4', 'wait_agent', {})] },
          { items: [say('Both parts are done.')] },
        ],
        '/root/alpha/gamma': [
          { items: [call('call_5', 'spawn_agent', { task_name: 'delta', message: 'Do it for me.' })] },
          { items: [say('The small part is done.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Delegate.');
    },
    check: (seen) => {
      const [small, both] = ['The small part is done.', 'Both parts are done.'];
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "${both}" > /root "${result('/root/alpha', both)}"`,
        `agent_result: /root/alpha/gamma "${small}" > /root/alpha "${result('/root/alpha/gamma', small)}"`,
        'spawn_agent: call_1 > /root/alpha "Split the work."',
        'spawn_agent: call_3 > /root/alpha/gamma "Do the small part."',
      ]);
      // An agent that may have no children is not told how to have any.
      assert.deepEqual(outputsOf(seen, lastBy(seen, '/root/alpha/gamma')), {
        call_5: 'there is no tool collaboration.spawn_agent',
      });
    },
  },
  late(),
  {
    name: 'agents-fail',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Fail at once.' })] },
          { items: [call('call_2', 'wait_agent', {})] },
          { items: [call('call_3', 'followup_task', { target: 'alpha', message: 'Fail later.' })] },
          { items: [call('call_4', 'wait_agent', {})] },
          { items: [say('It failed twice.')] },
        ],
        '/root/alpha': [
          { status: 400, error: 'bad luck' },
          { items: [functionCall('call_5', 'echo', {})] },
          { items: [say('Half', 'commentary')], end: 'incomplete' },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Try.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'failed', 'failed']);
      const results = edges(seen).filter((edge) => edge.startsWith('agent_result'));
      // Of a turn in which the child said nothing, the result comes from the thread.
      assert.match(results[1] ?? '', /^agent_result: \/root\/alpha > \/root "Agent \/root\/alpha failed: .*bad luck/s);
      assert.match(results[0] ?? '', /^agent_result: \/root\/alpha "Half" > \/root "Agent .* failed: .*tokens/s);
      assert.equal(threadStatuses(seen)['/root/alpha'], 'completed');
    },
  },
  {
    name: 'agents-stop',
    script: () => {
      const asked = [gate(), gate()];
      return byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Talk.' })] },
          {
            after: asked[0]?.opened ?? Promise.resolve(),
            items: [call('call_2', 'interrupt_agent', { target: 'alpha' })],
          },
          { items: [call('call_3', 'followup_task', { target: 'alpha', message: 'Go on.' })] },
          { after: asked[1]?.opened ?? Promise.resolve(), items: [say('I do not wait for it.')] },
        ],
        '/root/alpha': asked.map(({ open }) => () => {
          open();
          return { items: [say('Well', 'commentary')], end: 'hanging' as const };
        }),
      });
    },
    play: async ({ run }) => {
      await run('Begin.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'cancelled', 'cancelled']);
      assert.deepEqual(inferenceStatuses(seen).filter((status) => status === 'cancelled').length, 2);
      // The session is closed while the child works; the root was done.
      assert.deepEqual(threadStatuses(seen), { '/root': 'completed', '/root/alpha': 'aborted' });
      assert.equal(seen.graph.status, 'completed');
      assert.deepEqual(edges(seen), [
        'assign_agent_task: call_3 > /root/alpha "Go on."',
        'close_agent: call_2 > /root/alpha',
        'spawn_agent: call_1 > /root/alpha "Talk."',
      ]);
      assert.equal(outputsOf(seen, lastBy(seen, '/root')).call_2, '{"previous_status":"running"}');
    },
  },
  {
    name: 'agents-close',
    script: () => {
      const deep = gate();
      return byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Dig.' })] },
          { after: deep.opened, items: [call('call_2', 'close_agent', { target: 'alpha' })] },
          {
            items: [
              call('call_3', 'send_message', { target: 'alpha', message: 'Are you there?' }),
              call('call_4', 'spawn_agent', { task_name: 'alpha', message: 'Dig again.' }),
              call('call_5', 'list_agents', {}),
            ],
          },
          { items: [say('Closed.')] },
        ],
        '/root/alpha': [
          { items: [call('call_6', 'spawn_agent', { task_name: 'gamma', message: 'Dig deeper.' })] },
          { items: [functionCall('call_8', 'exec_command', { cmd: 'sleep 600', yield_time_ms: 250 })] },
          () => {
            deep.open();
            return { items: [functionCall('call_7', 'endless', {})] };
          },
        ],
        '/root/alpha/gamma': [{ items: [], end: 'hanging' }],
      });
    },
    options: () => ({ tools: [endless] }),
    play: async ({ run }) => {
      await run('Begin.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'cancelled', 'cancelled']);
      assert.deepEqual(threadStatuses(seen), {
        '/root': 'completed',
        '/root/alpha': 'aborted',
        '/root/alpha/gamma': 'aborted',
      });
      const outputs = outputsOf(seen, lastBy(seen, '/root'));
      assert.equal(outputs.call_2, '{"previous_status":"running"}');
      assert.equal(outputs.call_3, 'agent /root/alpha was closed; resume_agent opens it again');
      assert.match(String(outputs.call_4), /^there is or was an agent \/root\/alpha/);
      assert.equal(outputs.call_5, '{"agents":[{"agent_name":"/root","agent_status":"running"}]}');
      assert.ok(edges(seen).includes('close_agent: call_2 > /root/alpha'));
      // The terminal of the child is over when the call that closed the child is.
      const ends = seen.log.filter(({ payload }) => /^tool_call_(runtime_)?ended$/.test(payload.type));
      const order = ends.map(({ payload }) => `${payload.tool_call_id} ${payload.type}`);
      assert.ok(order.includes('call_8 tool_call_runtime_ended'));
      assert.ok(order.indexOf('call_8 tool_call_runtime_ended') < order.indexOf('call_2 tool_call_ended'));
    },
  },
  {
    name: 'agents-reopened',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Count.' })] },
          { items: [call('call_2', 'wait_agent', {})] },
          { items: [call('call_3', 'close_agent', { target: 'alpha' })] },
          { items: [call('call_4', 'followup_task', { target: 'alpha', message: 'Count again.' })] },
          {
            items: [
              call('call_5', 'resume_agent', { target: 'alpha' }),
              call('call_6', 'resume_agent', { target: 'b' }),
            ],
          },
          { items: [call('call_7', 'followup_task', { target: 'alpha', message: 'Count on.' })] },
          { items: [call('call_8', 'wait_agent', {})] },
          { items: [say('It counted twice.')] },
        ],
        '/root/alpha': [
          { items: [custom('call_9', 'exec', "text('1'); store('n', 1);")] },
          { items: [say('One.')] },
          { items: [custom('call_10', 'exec', "text(String(load('n') + 1));")] },
          { items: [say('Two.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Begin.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, lastBy(seen, '/root'));
      assert.match(String(outputs.call_4), /agent \/root\/alpha was closed; resume_agent opens it again/);
      assert.equal(outputs.call_5, '{"resumed":"/root/alpha"}');
      assert.match(String(outputs.call_6), /no agent of yours is \/root\/b/);
      // What it stored is there, and its second cell is not taken for its first.
      assert.match(JSON.stringify(outputsOf(seen, lastBy(seen, '/root/alpha')).call_10), /"2"/);
      assert.equal(seen.graph.code_cells.size, 2);
      assert.deepEqual(threadStatuses(seen), { '/root': 'completed', '/root/alpha': 'completed' });
      const ofAlpha = seen.log.filter(({ payload }) => /^thread_(started|ended|resumed)$/.test(payload.type));
      assert.deepEqual(
        ofAlpha.map(({ payload }) => payload.type),
        ['thread_started', 'thread_started', 'thread_ended', 'thread_resumed', 'thread_ended', 'thread_ended'],
      );
      assert.equal(edges(seen).filter((edge) => edge.startsWith('agent_result')).length, 2);
    },
  },
  {
    name: 'agents-cancelled-wait',
    script: () => {
      const asked = gate();
      return byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Take your time.' })] },
          { items: [call('call_2', 'wait_agent', { timeout_ms: 600_000 })] },
          () => {
            asked.open();
            return { items: [call('call_3', 'wait_agent', {})] };
          },
          { items: [say('There it is.')] },
        ],
        '/root/alpha': [{ after: asked.opened, items: [say('Slow result.')] }],
      });
    },
    play: async ({ run, until }) => {
      const user = new AbortController();
      const turn = run('Begin.', user.signal);
      await until((event) => event.type === 'tool_started' && event.callId === 'call_2');
      user.abort();
      await turn;
      await run('Where is it?');
    },
    check: (seen) => {
      // The child goes on when the turn of its parent is cancelled.
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed', 'completed']);
      assert.ok(toolStatuses(seen).includes('collaboration.wait_agent cancelled'));
      assert.equal(edges(seen).length, 2);
    },
  },
  {
    name: 'agents-timeout',
    script: () => {
      const waited = gate();
      return byAgent({
        '/root': [
          { items: [call('call_1', 'wait_agent', {})] },
          { items: [call('call_2', 'spawn_agent', { task_name: 'alpha', message: 'Take your time.' })] },
          { items: [call('call_3', 'wait_agent', { timeout_ms: 50 })] },
          () => {
            waited.open();
            return { items: [call('call_4', 'wait_agent', {})] };
          },
          { items: [say('Now.')] },
        ],
        '/root/alpha': [{ after: waited.opened, items: [say('')] }],
      });
    },
    play: async ({ run }) => {
      await run('Be impatient.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, lastBy(seen, '/root'));
      assert.equal(outputs.call_1, '{"message":"No other agent is working.","timed_out":false}');
      assert.equal(outputs.call_3, '{"message":"Nothing happened in this time.","timed_out":true}');
      assert.equal(outputs.call_4, '{"message":"A message has arrived.","timed_out":false}');
      assert.match(edges(seen)[0] ?? '', /> \/root "Agent \/root\/alpha is done, and said nothing\."$/);
    },
  },
  {
    name: 'agents-bad-calls',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              call('call_1', 'spawn_agent', { task_name: 'Bad Name!', message: 'refused' }),
              call('call_2', 'spawn_agent', { task_name: 'root', message: 'refused' }),
              call('call_3', 'spawn_agent', { task_name: 'alpha', message: '' }),
              call('call_4', 'spawn_agent', '{"task_name":'),
              call('call_5', 'send_message', { target: 'nobody', message: 'lost' }),
              call('call_6', 'followup_task', { target: '/root', message: 'to myself' }),
              call('call_7', 'wait_agent', { timeout_ms: -1 }),
              call('call_8', 'interrupt_agent', {}),
            ],
          },
          { items: [call('call_9', 'spawn_agent', { task_name: 'alpha', message: 'Misbehave.' })] },
          { items: [call('call_10', 'spawn_agent', { task_name: 'beta', message: 'One too many.' })] },
          { items: [call('call_11', 'wait_agent', {})] },
          { items: [say('Refused.')] },
        ],
        '/root/alpha': [
          {
            items: [
              call('call_12', 'followup_task', { target: '/root', message: 'Work for me.' }),
              call('call_13', 'close_agent', { target: '/root' }),
            ],
          },
          { items: [say('I tried.')] },
        ],
      }),
    options: () => ({ agents: { agents: 1 } }),
    play: async ({ run }) => {
      await run('Try everything.');
    },
    check: (seen) => {
      const outputs = outputsOf(seen, lastBy(seen, '/root'));
      const name = 'task_name must be 1 to 64 lower-case letters, digits or underscores, and not root';
      assert.equal(outputs.call_1, name);
      assert.equal(outputs.call_2, name);
      assert.equal(outputs.call_3, 'argument message must not be empty');
      assert.match(String(outputs.call_4), /^arguments are not valid JSON/);
      assert.equal(outputs.call_5, 'there is no agent /root/nobody; there are /root');
      assert.equal(outputs.call_6, 'target must be another agent');
      assert.equal(outputs.call_7, 'argument timeout_ms must be a whole number from 0 on');
      assert.equal(outputs.call_8, 'argument target must be a string');
      assert.equal(outputs.call_10, 'the limit of agents at a time is 1; close one that is done');
      assert.deepEqual(outputsOf(seen, lastBy(seen, '/root/alpha')), {
        call_12: 'the root agent takes its tasks from the user; send it a message',
        call_13: 'agent /root was not spawned by you or an agent of yours',
      });
      assert.equal(edges(seen).length, 2);
    },
  },
  {
    name: 'agents-code',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              custom(
                'call_1',
                'exec',
                [
                  'const { task_name } = await tools.collaboration__spawn_agent({ task_name: "alpha", message: "Run it." });',
                  'const waited = await tools.collaboration__wait_agent({ timeout_ms: 600000 });',
                  'text([task_name, waited.timed_out]);',
                  'try { await tools.collaboration__send_message({ target: "nobody", message: "Hi." }); }',
                  'catch (error) { text(String(error)); }',
                ].join('\n'),
              ),
            ],
          },
          { items: [say('Delegated by code.')] },
        ],
        '/root/alpha': [
          { items: [custom('call_2', 'exec', 'text(await tools.echo({ from: "the child" }));')] },
          { items: [say('Child done.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Delegate by code.');
    },
    check: (seen) => {
      const [cell] = seen.graph.code_cells.values();
      const [spawn] = cell?.nested_tool_call_ids ?? [];
      // The edge begins at the call of the script.
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "Child done." > /root "${result('/root/alpha', 'Child done.')}"`,
        `spawn_agent: ${spawn} > /root/alpha "Run it."`,
      ]);
      const output = JSON.stringify(outputsOf(seen, lastBy(seen, '/root')).call_1);
      assert.match(output, /\/root\/alpha.*false.*there is no agent \/root\/nobody/);
    },
  },
  {
    name: 'compact-agents',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Grow and report.' })] },
          { items: [call('call_2', 'wait_agent', {})] },
          { items: [say('Result seen.')], usage: { input_tokens: 45_000, output_tokens: 10 } },
          { items: [call('call_3', 'followup_task', { target: 'alpha', message: 'Once more.' })] },
          { items: [call('call_4', 'wait_agent', {})] },
          { items: [say('Second result seen.')] },
        ],
        '/root/alpha': [
          {
            items: [say('Growing.', 'commentary'), functionCall('call_5', 'echo', { n: 1 })],
            usage: { input_tokens: 50_000, output_tokens: 10 },
          },
          { items: [functionCall('call_6', 'echo', { n: 2 })] },
          { items: [say('Grown.')] },
          { items: [say('Once more grown.')] },
        ],
      }),
    options: () => ({ tools: [echo], compactAtTokens: 20_000 }),
    play: async ({ run }) => {
      await run('Delegate growth.');
      await run('Again.');
    },
    check: (seen) => {
      // Each history is compacted by itself, the child's in the middle of its turn.
      const paths = [...seen.graph.compactions.values()].map(
        ({ thread_id }) => seen.graph.threads.get(thread_id)?.agent_path,
      );
      assert.deepEqual(paths, ['/root/alpha', '/root']);
      // Edges are drawn to what was said, whether or not it still stands in the history.
      const [grown, again] = ['Grown.', 'Once more grown.'];
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "${grown}" > /root "${result('/root/alpha', grown)}"`,
        `agent_result: /root/alpha "${again}" > /root "${result('/root/alpha', again)}"`,
        'assign_agent_task: call_3 > /root/alpha "Once more."',
        'spawn_agent: call_1 > /root/alpha "Grow and report."',
      ]);
    },
  },
  {
    name: 'agents-same-text',
    script: () => {
      const told = gate();
      return byAgent({
        '/root': [
          {
            items: [
              call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'the same' }),
              call('call_2', 'spawn_agent', { task_name: 'beta', message: 'the same' }),
              call('call_3', 'send_message', { target: 'alpha', message: 'again' }),
              call('call_4', 'send_message', { target: 'alpha', message: 'again' }),
              call('call_5', 'send_message', { target: 'beta', message: 'again' }),
            ],
          },
          () => {
            told.open();
            return { items: [call('call_6', 'wait_agent', {})] };
          },
          { items: [call('call_7', 'wait_agent', {})] },
          { items: [say('The same.')] },
        ],
        '/root/alpha': [{ after: told.opened, items: [functionCall('call_8', 'echo', {})] }, { items: [say('same')] }],
        '/root/beta': [{ after: told.opened, items: [functionCall('call_9', 'echo', {})] }, { items: [say('same')] }],
      });
    },
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Say the same to all.');
    },
    check: (seen) => {
      assert.deepEqual(
        edges(seen).filter((edge) => !edge.startsWith('agent_result')),
        [
          'send_message: call_3 > /root/alpha "again"',
          'send_message: call_4 > /root/alpha "again"',
          'send_message: call_5 > /root/beta "again"',
          'spawn_agent: call_1 > /root/alpha "the same"',
          'spawn_agent: call_2 > /root/beta "the same"',
        ],
      );
      const targets = [...seen.graph.interaction_edges.values()].map(({ target }) => JSON.stringify(target));
      assert.equal(new Set(targets).size, targets.length, 'every message is the end of one edge');
    },
  },
];

/** A child that outlives the turn in which it was spawned: its first result is read later, its second by nobody. */
function late(): Scenario {
  let go = gate();
  let goOn = gate();
  return {
    name: 'agents-late',
    script: () => {
      go = gate();
      goOn = gate();
      return byAgent({
        '/root': [
          { items: [call('call_1', 'spawn_agent', { task_name: 'alpha', message: 'Take your time.' })] },
          { items: [say('I do not wait for it.')] },
          { items: [call('call_2', 'followup_task', { target: 'alpha', message: 'Once more.' })] },
          { items: [say('I saw the result.')] },
        ],
        '/root/alpha': [
          { after: go.opened, items: [say('Slow result.')] },
          { after: goOn.opened, items: [say('Too late.')] },
        ],
      });
    },
    play: async ({ run, session }) => {
      await run('Delegate it.');
      go.open();
      await session.root.mailbox.arrival(new AbortController().signal);
      await run('And now?');
      goOn.open();
      await session.root.mailbox.arrival(new AbortController().signal);
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'completed', 'completed']);
      assert.deepEqual(edges(seen), [
        `agent_result: /root/alpha "Slow result." > /root "${result('/root/alpha', 'Slow result.')}"`,
        'assign_agent_task: call_2 > /root/alpha "Once more."',
        'spawn_agent: call_1 > /root/alpha "Take your time."',
      ]);
      const observed = seen.log.filter(({ payload }) => payload.type === 'agent_result_observed');
      assert.equal(observed.length, 2, 'a result that nobody read is recorded all the same');
    },
  };
}

/** How many messages of agents stand in a request. */
function mailIn({ body }: ModelRequest): number {
  const items: unknown = body.input;
  return Array.isArray(items) ? items.filter(({ type }) => type === 'agent_message').length : 0;
}

/** The index of the last request of an agent. */
function lastBy(seen: Seen, path: string): number {
  return seen.requests.findLastIndex(({ agentPath }) => agentPath === path);
}
