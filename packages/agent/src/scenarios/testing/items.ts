/** Scenarios of what a model may say: items of every kind, and texts that are easily changed on their way. */

import assert from 'node:assert/strict';
import { byAgent, call, type OutputItem, say } from '@rollout-trace/agent/scripted-model';
import { inputOf, inputTypes, itemKinds, outputsOf, toolStatuses, turnStatuses } from './look.ts';
import { echo } from './own-tools.ts';
import type { Scenario, Seen } from './scenario.ts';

/** Reasoning that is not encrypted. */
function readable({ summary, content }: { summary?: string; content?: string }): OutputItem {
  return {
    type: 'reasoning',
    summary: summary === undefined ? [] : [{ type: 'summary_text', text: summary }],
    ...(content === undefined ? {} : { content: [{ type: 'reasoning_text', text: content }] }),
    encrypted_content: null,
  };
}

/** A search of the service's own. */
function searched(action: object): OutputItem {
  return { type: 'web_search_call', status: 'completed', action };
}

/** The beginning of what each call was given, as the recorder shows it. */
function previews({ graph }: Seen): (string | null)[] {
  return [...graph.tool_calls.values()].map(({ summary }) =>
    summary.type === 'generic' ? summary.input_preview : null,
  );
}

/** What the reducer shows of what each call was given. */
function summaries({ graph }: Seen): string[] {
  return [...graph.conversation_items.values()]
    .filter(({ kind }) => kind === 'function_call')
    .flatMap(({ body: { parts } }) => parts.map((part) => (part.type === 'json' ? part.summary : part.type)));
}

/** Arguments whose JSON is easily changed on the way. */
const ODD = [
  '{"a": 1.0, "b": -0.0, "c": 1e3, "d": 1E-7, "e": 12345678901234567890, "f": 0.1}',
  '{"10": 1, "9": 2, "z": 3, "a": 4}',
  '{"a": 1, "a": 2, "b": 3, "a": 4}',
  '  { "s" : "\\u00e9\\/\\ud83d\\ude00 \\u007f\\u2028 \\b" , "n" : 9007199254740993 , "x": 18446744073709551616 }  ',
  '{"lone": "\\ud800"}',
  '[1, 2.50, {"__proto__": 1, "constructor": 2}]',
  '"just text"',
  '1e400',
  '12.000',
  'null',
  '',
];

export const ITEMS: readonly Scenario[] = [
  {
    name: 'reasoning-plain',
    script: () =>
      byAgent({
        '/root': [
          { items: [readable({ summary: 'Readable summary only' }), call('call_1', 'echo', {})] },
          { items: [readable({ content: 'only raw text' }), say('One.')] },
          { items: [say('Two.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Think.');
      await run('And again.');
    },
    check: (seen) => {
      const thoughts = [...seen.graph.conversation_items.values()].filter(({ kind }) => kind === 'reasoning');
      assert.deepEqual(
        thoughts.map(({ body }) => body.parts),
        [[{ type: 'summary', text: 'Readable summary only' }], [{ type: 'text', text: 'only raw text' }]],
      );
      assert.equal(inputOf(seen, 2).filter(({ type }) => type === 'reasoning').length, 2);
    },
  },
  {
    name: 'reasoning-empty',
    script: () => byAgent({ '/root': [{ items: [readable({}), say('One.')] }, { items: [say('Two.')] }] }),
    play: async ({ run }) => {
      await run('Think.');
      await run('And again.');
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed']);
      // It is sent again as it came: a service may want it back.
      assert.deepEqual(inputTypes(seen, 1), ['message', 'reasoning', 'message', 'message']);
      assert.deepEqual(itemKinds(seen), ['message', 'reasoning', 'message', 'message', 'message']);
    },
  },
  {
    name: 'hosted-items',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              { type: 'image_generation_call', status: 'completed', revised_prompt: 'a dot', result: 'R0lGODlh' },
              say('There.'),
            ],
          },
          {
            items: [
              {
                type: 'local_shell_call',
                call_id: 'call_1',
                status: 'completed',
                action: { type: 'exec', command: ['echo', 'hi'], timeout_ms: 1000, env: {}, working_directory: null },
              },
            ],
          },
          { items: [say('End.')] },
        ],
      }),
    play: async ({ run }) => {
      for (const prompt of ['Draw a dot.', 'Now the shell.', 'And?']) await run(prompt);
    },
    check: (seen) => {
      // They are the service's own: recorded and repeated, and nothing is run here.
      assert.deepEqual(toolStatuses(seen), []);
      const hosted = [...seen.graph.conversation_items.values()].filter(({ kind }) => kind === 'function_call');
      assert.deepEqual(
        hosted.map(({ call_id, body: { parts } }) => [call_id, parts.map(({ type }) => type)]),
        [
          [null, ['json']],
          ['call_1', ['json']],
        ],
      );
      assert.deepEqual(inputTypes(seen, 2), [
        'message',
        'image_generation_call',
        'message',
        'message',
        'local_shell_call',
        'message',
      ]);
    },
  },
  {
    name: 'web-search',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              searched({ type: 'search', query: 'weather in Zürich', queries: ['weather in Zürich', 'forecast'] }),
              searched({ type: 'open_page', url: 'https://example.org/weather' }),
              searched({ type: 'find_in_page', url: 'https://example.org/weather', pattern: 'rain' }),
              say('It rains.', 'commentary'),
              say('Rain.'),
            ],
          },
          { items: [searched({ type: 'search', query: 'tomorrow' }), say('Sun.')] },
        ],
      }),
    play: async ({ run }) => {
      await run('Weather?');
      await run('And tomorrow?');
    },
    check: (seen) => {
      assert.deepEqual(
        seen.results.map(({ text }) => text),
        ['Rain.', 'Sun.'],
      );
      const [first, second] = seen.graph.inference_calls.values();
      assert.equal(first?.response_item_ids.length, 5);
      // Seen again, a search is the same item, and no other.
      assert.equal(second?.request_item_ids.length, 7);
      assert.equal(itemKinds(seen).filter((kind) => kind === 'function_call').length, 4);
    },
  },
  {
    name: 'unknown-item',
    script: () =>
      byAgent({
        '/root': [
          {
            items: [
              { type: 'code_interpreter_call', status: 'completed', code: '1+1', outputs: [], container_id: 'c' },
              { type: 'computer_call', call_id: 'call_c', status: 'completed', action: { type: 'screenshot' } },
              { type: 'computer_call_output', call_id: 'call_c', output: { type: 'computer_screenshot' } },
              say('2'),
            ],
          },
          { items: [{ type: 'mcp_list_tools', server_label: 's', tools: [] }, call('call_1', 'echo', { n: 1 })] },
          { items: [say('Done.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Compute.');
      await run('List.');
    },
    check: (seen) => {
      assert.deepEqual(
        seen.results.map(({ status, text }) => [status, text]),
        [
          ['completed', '2'],
          ['completed', 'Done.'],
        ],
      );
      assert.deepEqual(toolStatuses(seen), ['echo completed']);
      assert.deepEqual(
        inputTypes(seen, 2).filter((type) => type !== 'message'),
        [
          'code_interpreter_call',
          'computer_call',
          'computer_call_output',
          'mcp_list_tools',
          'function_call',
          'function_call_output',
        ],
      );
      // Those nobody knows are told as calls of their name, and are the same items in the next request.
      assert.deepEqual(itemKinds(seen), [
        'message',
        'function_call',
        'function_call',
        'function_call_output',
        'message',
        'message',
        'function_call',
        'function_call',
        'function_call_output',
        'message',
      ]);
    },
  },
  {
    name: 'reused-ids',
    script: () =>
      byAgent({
        '/root': [
          { items: [call('call_0', 'echo', { n: 1 })] },
          { items: [call('call_0', 'echo', { n: 2 })] },
          { items: [call('call_0', 'echo', { n: 2 })] },
          { items: [say('Done.')] },
        ],
      }),
    // A service takes an id twice where it is not told both at once.
    options: () => ({ tools: [echo], incremental: true }),
    play: async ({ run }) => {
      await run('Three steps.');
    },
    check: (seen) => {
      // The model is answered under the id it gave; the trace keeps the calls apart.
      assert.deepEqual(
        [1, 2, 3].map((request) => outputsOf(seen, request)),
        [{ call_0: '{"n":1}' }, { call_0: '{"n":2}' }, { call_0: '{"n":2}' }],
      );
      assert.deepEqual(
        [...seen.graph.tool_calls.values()].map((tool) => [
          tool.model_visible_call_id,
          tool.model_visible_call_item_ids.length,
          tool.model_visible_output_item_ids.length,
        ]),
        [
          ['call_0', 1, 1],
          ['call_0#2', 1, 1],
          ['call_0#3', 1, 1],
        ],
      );
      assert.deepEqual(toolStatuses(seen), ['echo completed', 'echo completed', 'echo completed']);
    },
  },
  {
    name: 'json-odd',
    script: () =>
      byAgent({
        '/root': [
          { items: ODD.map((text, index) => call(`call_${index}`, 'echo', text)) },
          { items: [say('Odd indeed.')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Odd JSON.');
    },
    check: (seen) => {
      // To the letter, for the tool, for the next request and in the trace.
      assert.deepEqual(Object.values(outputsOf(seen, 1)), ODD);
      assert.deepEqual(
        inputOf(seen, 1).flatMap((item) => (item.type === 'function_call' ? [item.arguments] : [])),
        ODD,
      );
      assert.deepEqual(previews(seen), ODD);
    },
  },
  {
    name: 'empty-message',
    script: () =>
      byAgent({
        '/root': [
          { items: [say('')] },
          { items: [{ type: 'message', role: 'assistant', status: 'completed', content: [] }] },
          { items: [] },
          { items: [call('call_1', 'echo', {}), say('')] },
          { items: [say(' \n')] },
        ],
      }),
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      for (const prompt of ['a', '', 'c', 'd']) await run(prompt);
    },
    check: (seen) => {
      assert.deepEqual(turnStatuses(seen), ['completed', 'completed', 'completed', 'completed']);
      assert.deepEqual(
        seen.results.map(({ text }) => text),
        ['', '', '', ' \n'],
      );
      // A message is an item however little it says; a response may have none at all.
      assert.deepEqual(
        [...seen.graph.inference_calls.values()].map(({ response_item_ids }) => response_item_ids.length),
        [1, 1, 0, 2, 1],
      );
      assert.equal(inputOf(seen, 4).length, 9);
    },
  },
  {
    name: 'long-arguments-ascii',
    script: () => {
      const text = 'abcdefghij'.repeat(40);
      return byAgent({
        '/root': [
          { items: [call('call_1', 'echo', { text, note: 'long "quoted" text' })] },
          { items: [call('call_2', 'echo', { text, note: 'differs after the cut' })] },
          { items: [say('Echoed.')] },
        ],
      });
    },
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Echo a lot.');
    },
    check: (seen) => {
      const [first, second] = summaries(seen);
      assert.equal(first, second);
      assert.ok(Buffer.byteLength(first ?? '') < 300, first);
      assert.deepEqual(
        previews(seen).map((preview) => preview?.length),
        [163, 163],
      );
      assert.match(String(outputsOf(seen, 2).call_2), /differs after the cut/);
      // Two calls that look the same are two.
      assert.equal(seen.graph.conversation_items.size, 6);
    },
  },
  {
    name: 'long-arguments-utf8',
    script: () => {
      // One of the lengths puts a character of three bytes across the place where a summary is cut.
      const texts = ['', 'a', 'aa'].map((before) => before + '日本語テキスト'.repeat(40));
      return byAgent({
        '/root': [
          { items: texts.map((text, index) => call(`call_${index}`, 'echo', { text })) },
          { items: [say('Echoed.')] },
        ],
      });
    },
    options: () => ({ tools: [echo] }),
    play: async ({ run }) => {
      await run('Echo wide text.');
    },
    check: (seen) => {
      for (const shown of [...previews(seen), ...summaries(seen)]) {
        assert.match(shown ?? '', /^\{"text": ?"a{0,2}[日本語テキスト]+(\.\.\.|…)?$/);
      }
      assert.equal(previews(seen).length + summaries(seen).length, 6);
      assert.ok(String(outputsOf(seen, 1).call_2).endsWith('テキスト"}'));
    },
  },
];
