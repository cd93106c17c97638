/** Scenarios of requests that fail, are made again, or send only what is new. */

import assert from 'node:assert/strict';
import {
  byAgent,
  call,
  compacted,
  custom,
  inOrder,
  type Script,
  say,
  think,
} from '@rollout-trace/agent/scripted-model';
import { eventTypes, inferenceStatuses, inputOf, inputTypes, outputsOf, toolStatuses, turnStatuses } from './look.ts';
import { echo, picture } from './own-tools.ts';
import type { Scenario, Seen } from './scenario.ts';

function compactions(seen: Seen): number {
  return seen.graph.compactions.size;
}

export const REQUESTS: readonly Scenario[] = [
  {
    name: 'retry-http',
    script: () => inOrder([{ status: 503, error: 'busy' }, { status: 429 }, { items: [say('Third time lucky.')] }]),
    play: async ({ run }) => {
      await run('Try hard.');
    },
    check: (seen) => {
      assert.deepEqual(inferenceStatuses(seen), ['failed', 'failed', 'completed']);
      assert.deepEqual(turnStatuses(seen), ['completed']);
      assert.equal(new Set(seen.requests.map(({ headers }) => headers['x-codex-inference-call-id'])).size, 3);
      assert.equal(seen.events.filter(({ type }) => type === 'retry').length, 2);
      const [first] = seen.graph.inference_calls.values();
      assert.equal(first?.upstream_request_id, 'req_1');
    },
  },
  {
    name: 'fail-http',
    script: () =>
      inOrder([{ status: 500 }, { status: 500 }, { status: 500 }, { items: [say('Back again.')] }, { status: 400 }]),
    play: async ({ run }) => {
      for (const prompt of ['First.', 'Second.', 'Third.']) await run(prompt);
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['failed', 'completed', 'failed']);
      // A mistake of the request is not repeated.
      assert.deepEqual(inferenceStatuses(seen), ['failed', 'failed', 'failed', 'completed', 'failed']);
      assert.match(seen.results[0]?.error ?? '', /500/);
      assert.equal(eventTypes(seen).filter((type) => type === 'error').length, 2);
    },
  },
  {
    name: 'fail-stream',
    script: () =>
      byAgent({
        '/root': [
          { items: [say('Partial.', 'commentary'), call('call_1', 'echo', { n: 1 })], end: 'dropped' },
          { items: [say('Recovered.')] },
          { items: [say('Half a', 'commentary')], end: 'failed', error: 'The server had an error' },
          { items: [say('Recovered again.')] },
          { items: [], end: 'dropped' },
          { items: [], end: 'dropped' },
          { items: [], end: 'dropped' },
          { items: [say('Last.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      for (const prompt of ['One.', 'Two.', 'Three.', 'Four.']) await run(prompt);
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'failed', 'completed']);
      assert.deepEqual(inferenceStatuses(seen).slice(0, 4), ['failed', 'completed', 'failed', 'completed']);
      // What was complete before the connection broke is kept, and its call has run.
      assert.deepEqual(inputTypes(seen, 1), ['message', 'message', 'function_call', 'function_call_output']);
      assert.deepEqual(toolStatuses(seen), ['echo completed']);
    },
  },
  {
    name: 'malformed',
    script: () => inOrder([{ items: [say('Half', 'commentary')], end: 'malformed' }, { items: [say('Whole.')] }]),
    play: async ({ run }) => {
      await run('Speak clearly.');
    },
    check: (seen) => {
      assert.deepEqual(inferenceStatuses(seen), ['failed', 'completed']);
      assert.equal(seen.results[0]?.text, 'Whole.');
    },
  },
  {
    name: 'silent stream',
    script: () => inOrder([{ items: [say('Well…', 'commentary')], end: 'hanging' }, { items: [say('Sorry.')] }]),
    options: () => ({ streamIdle_ms: 300 }),
    play: async ({ run }) => {
      await run('Are you there?');
    },
    check: (seen) => {
      assert.deepEqual(inferenceStatuses(seen), ['failed', 'completed']);
      assert.equal(seen.results[0]?.text, 'Sorry.');
    },
  },
  {
    name: 'incomplete',
    script: () =>
      inOrder([
        {
          items: [
            say('Cut for', 'commentary'),
            call('call_1', 'echo', {}),
            { ...call('call_2', 'echo', '{"n": 1'), status: 'incomplete' },
          ],
          end: 'incomplete',
        },
        { items: [say('Shorter.')] },
      ]),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Talk.');
      await run('Be brief.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['failed', 'completed']);
      assert.match(seen.results[0]?.error ?? '', /max_output_tokens/);
      assert.deepEqual(Object.keys(outputsOf(seen, 1)), ['call_1']);
      // The call that was cut off is evidence, and no more than that.
      assert.deepEqual(toolStatuses(seen), ['echo completed']);
      assert.equal([...seen.graph.inference_calls.values()][0]?.response_item_ids.length, 3);
    },
  },
  {
    name: 'incremental',
    script: () =>
      byAgent({
        '/root': [
          { items: [think('First', 'enc-1'), say('Checking.', 'commentary'), call('call_1', 'echo', { n: 1 })] },
          { items: [call('call_2', 'echo', { n: 2 }), call('call_3', 'echo', { n: 3 })] },
          { items: [say('Counted.')] },
          { items: [say('Counted on.')] },
        ],
      }),
    options: () => ({ tools: [echo], incremental: true }),
    play: async ({ run }) => {
      await run('Count.');
      await run('Go on.');
    },
    check: (seen) => {
      assert.deepEqual(
        [0, 1, 2, 3].map((request) => inputTypes(seen, request)),
        [['message'], ['function_call_output'], ['function_call_output', 'function_call_output'], ['message']],
      );
      assert.deepEqual(
        seen.requests.map(({ body }) => body.previous_response_id),
        [undefined, 'resp_1', 'resp_2', 'resp_3'],
      );
      assert.ok(seen.requests.every(({ body }) => body.store === true));
      assert.equal([...seen.graph.inference_calls.values()].at(-1)?.request_item_ids.length, 11);
    },
  },
  {
    name: 'incremental, interrupted',
    script: () =>
      byAgent({
        '/root': [
          { items: [say('One.')] },
          { items: [think('Hm', 'enc-1'), say('Part', 'commentary'), think('Lost', 'enc-2')], end: 'dropped' },
          { items: [say('Two.')] },
          { status: 503 },
          { items: [say('Three.')] },
        ],
      }),
    options: () => ({ incremental: true }),
    play: async ({ run }) => {
      for (const prompt of ['First.', 'Second.', 'Third.']) await run(prompt);
    },
    check: (seen) => {
      assert.deepEqual(
        seen.requests.map(({ body }) => body.previous_response_id),
        [undefined, 'resp_1', undefined, 'resp_3', 'resp_3'],
      );
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'completed']);
    },
  },
  {
    name: 'incremental, forgotten by the service',
    script: () =>
      byAgent({
        '/root': [
          { items: [say('One.')] },
          { status: 400, error: "Previous response with id 'resp_1' not found." },
          { items: [say('Two.')] },
        ],
      }),
    options: () => ({ incremental: true }),
    play: async ({ run }) => {
      await run('First.');
      await run('Second.');
    },
    check: (seen) => {
      assert.deepEqual(inferenceStatuses(seen), ['completed', 'failed', 'completed']);
      assert.deepEqual(
        seen.requests.map(({ body }) => body.previous_response_id),
        [undefined, 'resp_1', undefined],
      );
      assert.equal(inputOf(seen, 2).length, 3);
    },
  },
  {
    name: 'compact-auto',
    script: () =>
      byAgent({
        '/root': [
          { items: [say('Big answer.')], usage: { input_tokens: 30_000, output_tokens: 500 } },
          { items: [call('call_1', 'echo', { n: 1 })] },
          { items: [call('call_2', 'echo', { n: 2 })], usage: { input_tokens: 40_000, output_tokens: 100 } },
          { items: [say('After the compaction inside.')] },
          { items: [say('Later.')] },
        ],
      }),
    options: () => ({ tools: [echo], compactAtTokens: 20_000 }),
    play: async ({ run }) => {
      for (const prompt of ['Grow.', 'Grow more.', 'And now?']) await run(prompt);
    },
    check: (seen) => {
      assert.equal(compactions(seen), 2);
      assert.deepEqual(
        seen.requests.map(({ endpoint }) => endpoint),
        ['responses', 'compact', 'responses', 'responses', 'compact', 'responses', 'responses'],
      );
      assert.deepEqual(inputTypes(seen, 5), ['message', 'message', 'compaction']);
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'completed']);
    },
  },
  {
    name: 'compact-manual',
    script: () =>
      byAgent({
        '/root': [
          { items: [think('t', 'enc-1'), call('call_1', 'echo', {})] },
          { items: [say('Before.')] },
          { items: [say('After.')] },
          { items: [say('After the second.')] },
        ],
      }),
    options: () => ({ tools: [echo], incremental: true }),
    play: async ({ run, compact }) => {
      await run('First.');
      await compact();
      await run('Second.');
      await compact();
      await run('Third.');
    },
    check: (seen) => {
      assert.equal(compactions(seen), 2);
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'completed', 'completed', 'completed']);
      // What the service has stored ends where the history was replaced.
      assert.deepEqual(
        seen.requests.map(({ body }) => body.previous_response_id),
        [undefined, 'resp_1', undefined, undefined, undefined, undefined],
      );
    },
  },
  {
    name: 'compact-patch',
    script: () =>
      byAgent({
        '/root': [
          { items: [custom('call_1', 'apply_patch', '*** Begin Patch\n*** Add File: a.txt\n+a\n*** End Patch\n')] },
          { items: [say('Added.')] },
          { items: [say('Still there.')] },
        ],
      }),
    play: async ({ run, compact }) => {
      await run('Add a file.');
      await compact();
      await run('Is it there?');
    },
    check: (seen) => {
      assert.deepEqual(toolStatuses(seen), ['apply_patch completed']);
      const [compaction] = seen.graph.compactions.values();
      const kinds = compaction?.input_item_ids.map((id) => seen.graph.conversation_items.get(id)?.kind);
      assert.deepEqual(kinds, ['message', 'custom_tool_call', 'custom_tool_call_output', 'message']);
      // What the compaction took away are the items that were sent before, and no others that look like them.
      const [, second] = seen.graph.inference_calls.values();
      assert.deepEqual(compaction?.input_item_ids.slice(0, 3), [...(second?.request_item_ids ?? [])]);
      assert.deepEqual(inputTypes(seen, 3), ['message', 'compaction', 'message']);
    },
  },
  {
    name: 'compact-image',
    script: () =>
      byAgent({
        '/root': [{ items: [call('call_1', 'picture', {})] }, { items: [say('A dot.')] }, { items: [say('No more.')] }],
      }),
    options: () => ({ tools: [picture] }),
    play: async ({ run, compact }) => {
      await run('What is there?');
      await compact();
      await run('Do you still see it?');
    },
    check: (seen) => {
      const asked = seen.requests.find(({ endpoint }) => endpoint === 'compact');
      assert.match(JSON.stringify(asked?.body.input), /data:image\/gif;base64/);
      const [compaction] = seen.graph.compactions.values();
      const [, second] = seen.graph.inference_calls.values();
      assert.deepEqual(compaction?.input_item_ids.slice(0, 3), [...(second?.request_item_ids ?? [])]);
      assert.equal(compactions(seen), 1);
      assert.deepEqual(inputTypes(seen, 3), ['message', 'compaction', 'message']);
    },
  },
  {
    name: 'compact-fail',
    script: (): Script => {
      const compact = [{ status: 400, error: 'cannot compact' }, { status: 503 }];
      const answers = inOrder([{ items: [say('One.')] }, { items: [say('Two.')] }, { items: [say('Three.')] }]);
      return (request) => (request.endpoint === 'compact' ? (compact.shift() ?? compacted(request)) : answers(request));
    },
    play: async ({ run, compact }) => {
      await run('First.');
      await compact();
      await run('Second.');
      await compact();
      await run('Third.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'failed', 'completed', 'completed', 'completed']);
      assert.equal(compactions(seen), 1);
      assert.deepEqual(
        [...seen.graph.compaction_requests.values()].map(({ execution }) => execution.status),
        ['failed', 'failed', 'completed'],
      );
      assert.equal(inputOf(seen, 2).length, 3);
    },
  },
];
