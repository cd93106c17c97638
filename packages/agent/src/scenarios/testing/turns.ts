/** Scenarios of turns and tool calls that need nothing but the model. */

import assert from 'node:assert/strict';
import { byAgent, call, custom, say, think } from '@rollout-trace/agent/scripted-model';
import { eventTypes, inferenceStatuses, inputOf, outputsOf, toolStatuses, turnStatuses } from './look.ts';
import { broken, echo, endless, failing, meeting, picky, stubborn } from './own-tools.ts';
import type { Scenario } from './scenario.ts';

export const TURNS: readonly Scenario[] = [
  {
    name: 'plain',
    script: () =>
      byAgent({ '/root': [{ items: [say('Hello there.')], usage: { input_tokens: 7, cached_tokens: 3 } }] }),
    play: async ({ run }) => {
      await run('Say hello.');
    },
    check: (seen) => {
      assert.equal(seen.results[0]?.text, 'Hello there.');
      assert.deepEqual(eventTypes(seen), [
        'rollout_started',
        'thread_started',
        'session_configured',
        'codex_turn_started',
        'turn_started',
        'history_item_accepted',
        'inference_started',
        'history_item_accepted',
        'inference_completed',
        'codex_turn_ended',
        'turn_complete',
        'shutdown_complete',
        'thread_ended',
        'rollout_ended',
        'recording_completed',
      ]);
      const [inference] = seen.graph.inference_calls.values();
      assert.equal(inference?.upstream_request_id, 'req_1');
      assert.equal(inference?.usage?.input_tokens, 7);
      assert.equal(inference?.usage?.cached_input_tokens, 3);
      assert.equal(seen.requests[0]?.headers['x-codex-inference-call-id'], inference?.inference_call_id);
      assert.equal(seen.graph.status, 'completed');
    },
  },
  {
    name: 'turns',
    script: () =>
      byAgent({
        '/root': [
          { items: [say('Looking.', 'commentary'), say('First answer.')] },
          { items: [say('Second answer.')] },
          { items: [say('Third answer.')] },
        ],
      }),
    play: async ({ run }) => {
      for (const prompt of ['First question?', 'Second question?', 'Third question?']) await run(prompt);
    },
    check: (seen) => {
      assert.deepEqual(
        seen.results.map(({ text }) => text),
        ['First answer.', 'Second answer.', 'Third answer.'],
      );
      assert.equal(inputOf(seen, 2).length, 6);
      assert.equal(seen.graph.conversation_items.size, 7);
    },
  },
  {
    name: 'reasoning',
    script: () =>
      byAgent({
        '/root': [
          { items: [think('Plan first', 'enc-1'), call('call_1', 'echo', { a: 1 })] },
          { items: [think('Short', 'enc-2'), think('Another', 'enc-3'), say('Turn one.')] },
          { items: [think('Again', 'enc-4'), say('Turn two.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Think.');
      await run('Think again.');
    },
    check: (seen) => {
      const encrypted = inputOf(seen, 2).flatMap((item) => (item.type === 'reasoning' ? [item.encrypted_content] : []));
      assert.deepEqual(encrypted, ['enc-1', 'enc-2', 'enc-3']);
      assert.deepEqual(seen.requests[2]?.body.include, ['reasoning.encrypted_content']);
      assert.equal(seen.requests[2]?.body.store, false);
    },
  },
  {
    name: 'idle',
    script: () => byAgent({ '/root': [] }),
    play: async () => {},
    check: (seen) => {
      assert.deepEqual(eventTypes(seen), [
        'rollout_started',
        'thread_started',
        'session_configured',
        'shutdown_complete',
        'thread_ended',
        'rollout_ended',
        'recording_completed',
      ]);
      assert.deepEqual(seen.requests, []);
      assert.equal(seen.graph.status, 'completed');
    },
  },
  {
    name: 'two-threads',
    script: () => {
      const a = [{ items: [call('call_1', 'meet', {})] }, { items: [say('A done.')] }];
      const b = [{ items: [call('call_1', 'meet', {})] }, { items: [say('B done.')] }, { items: [say('B more.')] }];
      return ({ body }) => (JSON.stringify(body.input).includes('Do B.') ? b : a).shift() ?? null;
    },
    // Neither call ends before the other has begun, so the two sessions are at work at the same time.
    options: () => ({ tools: [meeting()] }),
    play: async ({ run, another }) => {
      const other = another();
      await Promise.all([run('Do A.'), other.run('Do B.')]);
      await other.run('More B.');
    },
    check: (seen) => {
      const [other] = seen.others;
      assert.deepEqual(toolStatuses(seen), ['meet completed']);
      assert.deepEqual(turnStatuses(seen), ['completed']);
      assert.equal(seen.graph.conversation_items.size, 4);
      assert.deepEqual(
        [...(other?.codex_turns.values() ?? [])].map(({ execution }) => execution.status),
        ['completed', 'completed'],
      );
      assert.equal(other?.tool_calls.get('call_1')?.execution.status, 'completed');
      assert.equal(other?.conversation_items.size, 6);
      assert.notEqual(other?.rollout_id, seen.graph.rollout_id);
    },
  },
  {
    name: 'parallel',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'meet', {}), call('call_2', 'meet', {}), call('call_3', 'echo', { n: 3 })] },
          { items: [say('Done.')] },
        ],
      }),
    options: () => ({ tools: [meeting(), echo] }),
    play: async ({ run }) => {
      await run('Meet.');
    },
    check: (seen) => {
      assert.deepEqual(toolStatuses(seen), ['meet completed', 'meet completed', 'echo completed']);
      const [first, second, third] = [...seen.graph.tool_calls.values()].map(({ execution }) => execution);
      assert.ok(Number(second?.started_seq) < Number(first?.ended_seq), 'calls that may run together do');
      assert.ok(Number(third?.started_seq) > Number(second?.ended_seq), 'a call that must be alone waits');
      assert.deepEqual(outputsOf(seen, 1), { call_1: 'met', call_2: 'met', call_3: '{"n":3}' });
    },
  },
  {
    name: 'tool errors',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_1', 'picky', {}), call('call_2', 'broken', {}), call('call_3', 'failing', {})] },
          {
            items: [
              call('call_4', 'mystery', { deep: [1, 2.5, null] }),
              custom('call_5', 'mystery_custom', 'free text'),
            ],
          },
          { items: [call('call_6', 'echo', 'not json'), custom('call_7', 'echo', 'a function is no custom tool')] },
          { items: [say('I see.')] },
        ],
      }),
    options: () => ({ tools: [picky, broken, failing, echo] }),
    play: async ({ run }) => {
      await run('Try everything.');
    },
    check: (seen) => {
      assert.deepEqual(toolStatuses(seen), [
        'picky failed',
        'broken failed',
        'failing failed',
        'mystery failed',
        'mystery_custom failed',
        'echo completed',
        'echo failed',
      ]);
      assert.deepEqual(outputsOf(seen, 3), {
        call_1: 'argument when must be a string',
        call_2: 'the disk is on fire',
        call_3: 'exit code 3',
        call_4: 'there is no tool mystery',
        call_5: 'there is no tool mystery_custom',
        call_6: 'not json',
        call_7: 'there is no tool echo',
      });
      assert.deepEqual(turnStatuses(seen), ['completed']);
    },
  },
  {
    name: 'cancel-turn',
    script: () =>
      byAgent({
        '/root': [
          { items: [think('Hm', 'enc-1'), say('Kept.', 'commentary'), think('Lost', 'enc-2')], end: 'hanging' },
          { items: [say('Running.', 'commentary'), call('call_1', 'endless', {}), call('call_2', 'echo', {})] },
          { items: [say('Completed.')] },
        ],
      }),
    options: () => ({ tools: [endless, echo] }),
    play: async ({ run, until }) => {
      const first = new AbortController();
      const talking = run('Talk.', first.signal);
      await until(({ type }) => type === 'message');
      first.abort();
      await talking;
      const second = new AbortController();
      const working = run('Run.', second.signal);
      await until(({ type }) => type === 'response');
      second.abort();
      await working;
      await run('Finish.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'cancelled', 'completed']);
      assert.deepEqual(inferenceStatuses(seen), ['cancelled', 'completed', 'completed']);
      // The call behind the one that was cancelled never began, and has an output all the same.
      assert.deepEqual(toolStatuses(seen), ['endless cancelled']);
      assert.deepEqual(Object.keys(outputsOf(seen, 2)), ['call_1', 'call_2']);
      const [first] = seen.graph.inference_calls.values();
      assert.ok((first?.response_item_ids.length ?? 0) >= 2, 'what had arrived is kept');
      assert.ok(!JSON.stringify(seen.requests[2]?.body).includes('enc-2'), 'reasoning that led to nothing is not sent');
      assert.equal(eventTypes(seen).filter((type) => type === 'turn_aborted').length, 2);
    },
  },
  {
    name: 'cancel a tool that does not listen',
    script: () => byAgent({ '/root': [{ items: [call('call_1', 'stubborn', {})] }, { items: [say('Free again.')] }] }),
    options: () => ({ tools: [stubborn], toolGrace_ms: 20 }),
    play: async ({ run, until }) => {
      const controller = new AbortController();
      const turn = run('Begin.', controller.signal);
      await until(({ type }) => type === 'tool_started');
      controller.abort();
      await turn;
      await run('And now?');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed']);
      assert.deepEqual(toolStatuses(seen), ['stubborn cancelled']);
    },
  },
  {
    name: 'cancelled before it began',
    script: () => byAgent({ '/root': [{ items: [say('Now.')] }] }),
    play: async ({ run }) => {
      await run('Too late.', AbortSignal.abort());
      await run('Once more.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled', 'completed']);
      assert.equal(seen.requests.length, 1);
    },
  },
  {
    name: 'closed in the middle of a turn',
    script: () => byAgent({ '/root': [{ items: [call('call_1', 'endless', {})] }] }),
    options: () => ({ tools: [endless] }),
    play: async ({ run, until, session }) => {
      const turn = run('Begin.');
      await until(({ type }) => type === 'tool_started');
      await Promise.all([session.close(), session.close()]);
      await turn;
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['cancelled']);
      assert.deepEqual(toolStatuses(seen), ['endless cancelled']);
      assert.equal(seen.graph.status, 'aborted');
      assert.equal(eventTypes(seen).at(-1), 'recording_completed');
    },
  },
];
