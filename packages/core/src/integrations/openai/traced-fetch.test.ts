import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import {
  call,
  compacted,
  inOrder,
  type Script,
  type ScriptedModel,
  say,
  startScriptedModel,
  think,
} from '@rollout-trace/agent/scripted-model';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withTrace } from '../../node/recorder/current-trace.ts';
import { startRollout } from '../../node/recorder/start-rollout.ts';
import { TraceSession } from '../session/session.ts';
import { type TraceFolder, tickingClock, traceFolder } from '../testing/traces.ts';
import { observe } from './observe.ts';
import { type TracedOptions, traced } from './traced-fetch.ts';

let folder: TraceFolder;
let session: TraceSession;
let model: ScriptedModel | null = null;

beforeEach(() => {
  folder = traceFolder();
  session = new TraceSession({ root: folder.root, clock: tickingClock() });
});

afterEach(async () => {
  session.end();
  await model?.close();
  model = null;
  folder.remove();
});

async function client(script: Script, options: Partial<TracedOptions> = {}, maxRetries = 0): Promise<OpenAI> {
  model = await startScriptedModel(script);
  return new OpenAI({
    apiKey: 'key',
    baseURL: model.url,
    maxRetries,
    logLevel: 'off',
    fetch: traced(fetch, { session, ...options }),
  });
}

function boom(): never {
  throw new Error('not here');
}

const USAGE = { input_tokens: 100, cached_tokens: 40, output_tokens: 20, reasoning_tokens: 8 };
const TOOLS: OpenAI.Responses.Tool[] = [
  { type: 'function', name: 'clock', parameters: { type: 'object', properties: {} }, strict: false },
];

describe('a response', () => {
  it('is recorded as it was asked for and received', async () => {
    const openai = await client(inOrder([{ items: [think('Hm.', 'secret'), say('Hello.')], usage: USAGE }]));
    const { data, request_id } = await openai.responses.create({ model: 'm', input: 'Hi.' }).withResponse();
    expect([data.output_text, request_id]).toEqual(['Hello.', 'req_1']);
    session.end();
    const { graph, payload, breadcrumbs } = folder.trace();
    const [inference, ...more] = graph.inference_calls.values();
    expect(more).toEqual([]);
    expect(inference).toMatchObject({
      model: 'm',
      provider_name: new URL(model?.url ?? '').host,
      response_id: 'resp_1',
      upstream_request_id: 'req_1',
      execution: { status: 'completed' },
      usage: {
        input_tokens: 100,
        cached_input_tokens: 40,
        cache_write_input_tokens: 0,
        output_tokens: 20,
        reasoning_output_tokens: 8,
      },
    });
    const content = [{ type: 'input_text', text: 'Hi.' }];
    expect(payload(inference?.raw_request_payload_id)).toEqual({
      model: 'm',
      input: [{ type: 'message', role: 'user', content, derived_from: 'Hi.' }],
    });
    expect(payload(inference?.raw_response_payload_id).output_items).toEqual(data.output);
    expect(graph).toMatchObject({ status: 'completed', recording_complete: true });
    expect([...graph.codex_turns.values()].map(({ execution }) => execution.status)).toEqual(['completed']);
    expect(breadcrumbs('turn_derived')).toHaveLength(1);
    expect(breadcrumbs('not_observable').map(({ adapter }) => adapter)).toEqual(['openai', 'openai']);
  });

  it.each([
    ['by create', (openai: OpenAI) => openai.responses.create({ model: 'm', input: 'Hi.', stream: true })],
    ['by stream', async (openai: OpenAI) => openai.responses.stream({ model: 'm', input: 'Hi.' })],
  ])('that is streamed %s gives the same record', async (_how, ask) => {
    const openai = await client(
      inOrder([{ items: [think('Hm.', 'secret'), say('Hello, all of you.')], usage: USAGE }]),
    );
    const types: string[] = [];
    for await (const event of await ask(openai)) types.push(event.type);
    expect(types.at(-1)).toBe('response.completed');
    session.end();
    const { graph, payload } = folder.trace();
    const [inference] = graph.inference_calls.values();
    expect(inference).toMatchObject({ response_id: 'resp_1', usage: { input_tokens: 100 } });
    expect(payload(inference?.raw_response_payload_id).output_items).toMatchObject([
      { type: 'reasoning', encrypted_content: 'secret' },
      { type: 'message', content: [{ text: 'Hello, all of you.' }] },
    ]);
  });

  it.each([
    ['with a name that says nothing', (text: string) => text.replaceAll(/^event: .*$/gm, 'event: message')],
    ['without names', (text: string) => text.replaceAll(/^event: .*\n/gm, '')],
    ['in lines that end with CR', (text: string) => text.replaceAll('\n', '\r')],
    ['in lines that end with CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
  ])('whose events are sent %s gives the same record', async (_how, rewrite) => {
    model = await startScriptedModel(inOrder([{ items: [say('Hello.')], usage: USAGE }]));
    const rewritten: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      return new Response(rewrite(await response.text()), { headers: response.headers });
    };
    const options = { apiKey: 'key', baseURL: model.url, fetch: traced(rewritten, { session }) };
    const stream = await new OpenAI(options).responses.create({ model: 'm', input: 'Hi.', stream: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types.at(-1)).toBe('response.completed');
    session.end();
    const { graph, payload } = folder.trace();
    const [inference] = graph.inference_calls.values();
    expect(inference).toMatchObject({ response_id: 'resp_1', execution: { status: 'completed' } });
    expect(payload(inference?.raw_response_payload_id).output_items).toMatchObject([
      { type: 'message', content: [{ text: 'Hello.' }] },
    ]);
  });

  it('that failed, was refused, cut off or told in broken words is no complete attempt, and keeps the items that had arrived', async () => {
    const items = [think('Hm.', 'secret'), say('Hello.')];
    const steps = [
      { items, end: 'failed', error: 'Overloaded.' },
      { status: 400, error: 'No such model.' },
      { items, end: 'dropped' },
      { items, end: 'malformed' },
    ] as const;
    const openai = await client(inOrder(steps));
    for (const n of steps.keys()) {
      const run = async () => {
        for await (const _ of await openai.responses.create({ model: 'm', input: `Try ${n}.`, stream: true }));
      };
      if (n === 0) await run();
      else await expect(run()).rejects.toThrow();
    }
    session.end();
    const failed = folder.traces().flatMap(({ events, payload }) =>
      events.flatMap(({ payload: { type, error, partial_response_payload: partial } }) => {
        if (type !== 'inference_failed' && type !== 'inference_cancelled') return [];
        const id = (partial as { raw_payload_id: string } | null)?.raw_payload_id;
        return [[error, id === undefined ? 0 : (payload(id).output_items as unknown[]).length]];
      }),
    );
    expect(failed).toEqual([
      ['Overloaded.', 2],
      ['HTTP 400: No such model.', 0],
      ['terminated', 2],
      // The words broke at the host, which gave up reading.
      [undefined, 2],
    ]);
    const turns = folder.traces().flatMap(({ graph }) => [...graph.codex_turns.values()]);
    expect(turns.map(({ execution }) => execution.status)).toEqual(['failed', 'failed', 'failed', 'cancelled']);
  });

  it('that the host aborts is cancelled, before its headers and between two pieces', async () => {
    const openai = await client(
      inOrder([{ after: new Promise(() => undefined) }, { items: [say('Hello.')], end: 'hanging' }]),
    );
    const early = new AbortController();
    const asked = openai.responses.create({ model: 'm', input: 'One.' }, { signal: early.signal });
    await model?.until(1);
    early.abort();
    await expect(asked).rejects.toThrow();
    const stream = await openai.responses.create({ model: 'm', input: 'Two.', stream: true });
    for await (const event of stream) if (event.type === 'response.output_item.done') stream.controller.abort();
    session.end();
    const ends = folder
      .traces()
      .map(({ graph }) =>
        [...graph.inference_calls.values()].map((c) => [c.execution.status, c.response_item_ids.length]),
      );
    expect(ends).toEqual([[['cancelled', 0]], [['cancelled', 1]]]);
  });

  it('that the host stops reading is cancelled, and the connection is given up', async () => {
    model = await startScriptedModel(inOrder([{ items: [say('Hello.')], end: 'hanging' }]));
    const response = await traced(fetch, { session })(`${model.url}/responses`, {
      method: 'POST',
      headers: { authorization: 'Bearer key' },
      body: JSON.stringify({ model: 'm', input: 'Hi.', stream: true }),
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel('enough');
    session.end();
    const { events } = folder.trace();
    expect(events.filter(({ payload }) => payload.type === 'inference_cancelled')).toMatchObject([
      { payload: { reason: 'enough' } },
    ]);
  });

  it('that a client asks for again is another attempt in the same turn', async () => {
    const openai = await client(inOrder([{ status: 500, error: 'Down.' }, { items: [say('Hello.')] }]), {}, 2);
    await openai.responses.create({ model: 'm', input: 'Hi.' });
    session.end();
    const { graph } = folder.trace();
    expect([...graph.inference_calls.values()].map((c) => c.execution.status)).toEqual(['failed', 'completed']);
    expect(graph.codex_turns.size).toBe(1);
  });

  it('that a client asks for again because it took too long is another attempt in the same turn', async () => {
    model = await startScriptedModel(inOrder([{ items: [say('Hello.')] }]));
    let asked = 0;
    // The third attempt has all the time it needs.
    const slow: typeof fetch = (input, init) =>
      ++asked > 2
        ? fetch(input, { ...init, signal: null })
        : new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
    const options = { apiKey: 'key', baseURL: model.url, timeout: 50, maxRetries: 2, logLevel: 'off' } as const;
    const openai = observe(new OpenAI({ ...options, fetch: slow }), { session });
    expect((await openai.responses.create({ model: 'm', input: 'Hi.' })).output_text).toBe('Hello.');
    session.end();
    const { graph } = folder.trace();
    expect([...graph.inference_calls.values()].map((c) => c.execution.status)).toEqual([
      'cancelled',
      'cancelled',
      'completed',
    ]);
    expect([...graph.codex_turns.values()].map((t) => t.execution.status)).toEqual(['completed']);
  });

  it('that the host stops and asks for again is another attempt; what it asks next is another turn', async () => {
    const openai = await client(
      inOrder([{ items: [say('Hel')], end: 'hanging' }, { items: [say('Hello.')] }, { items: [say('Bye.')] }]),
    );
    for await (const event of await openai.responses.create({ model: 'm', input: 'Hi.', stream: true })) {
      if (event.type === 'response.output_item.done') break;
    }
    const { id } = await openai.responses.create({ model: 'm', input: 'Hi.' });
    await openai.responses.create({ model: 'm', input: 'Bye.', previous_response_id: id });
    session.end();
    const { graph } = folder.trace();
    expect([...graph.inference_calls.values()].map((c) => c.execution.status)).toEqual([
      'cancelled',
      'completed',
      'completed',
    ]);
    expect(graph.codex_turns.size).toBe(2);
  });

  it('that goes on in the background is continued by its id, in the same rollout', async () => {
    const answers = [
      { id: 'resp_bg', status: 'queued', output: [] },
      { id: 'resp_2', status: 'completed', output: [{ ...say('More.'), id: 'msg_2' }] },
    ];
    const ask = traced(async () => Response.json(answers.shift()), { session });
    for (const body of [{ background: true }, { previous_response_id: 'resp_bg' }]) {
      const sent = JSON.stringify({ model: 'm', input: 'Hi.', ...body });
      await (await ask('http://localhost/v1/responses', { method: 'POST', body: sent })).json();
    }
    session.end();
    const { graph } = folder.trace();
    expect([...graph.inference_calls.values()].map((c) => c.execution.status)).toEqual(['cancelled', 'completed']);
    expect([...graph.codex_turns.values()].map((t) => t.execution.status)).toEqual(['cancelled', 'completed']);
  });

  it('that is incomplete is complete as far as it goes, and a breadcrumb says so', async () => {
    const openai = await client(inOrder([{ items: [say('Hel')], end: 'incomplete' }]));
    await openai.responses.create({ model: 'm', input: 'Hi.' });
    session.end();
    const { graph, breadcrumbs } = folder.trace();
    expect([...graph.inference_calls.values()]).toMatchObject([
      { response_id: 'resp_1', response_item_ids: ['conversation_item:2'] },
    ]);
    expect(breadcrumbs('warning')).toMatchObject([{ message: 'response resp_1 is incomplete: max_output_tokens' }]);
  });
});

describe('a conversation', () => {
  it('by its history is one rollout: a message of the user begins a turn, an output of a tool goes on', async () => {
    const openai = await client(
      inOrder([{ items: [call('call_1', 'clock', {})] }, { items: [say('Noon.')] }, { items: [say('Bye.')] }]),
    );
    const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'What time is it?' }];
    for (const next of [
      { type: 'function_call_output', call_id: 'call_1', output: '12:00' },
      { role: 'user', content: 'Thanks.' },
      null,
    ] as const) {
      const { output } = await openai.responses.create({ model: 'm', input, tools: TOOLS });
      input.push(...(output as OpenAI.Responses.ResponseInputItem[]));
      if (next !== null) input.push(next);
    }
    session.end();
    const { graph } = folder.trace();
    const turns = [...graph.inference_calls.values()].map(({ codex_turn_id }) => codex_turn_id);
    expect(new Set(turns).size).toBe(2);
    expect(turns[0]).toBe(turns[1]);
    expect(graph.tool_calls.size).toBe(0);
    // Nothing stands twice: two messages, a call, its output, a message and its answer.
    expect(graph.conversation_items.size).toBe(6);
  });

  it('by previous_response_id is one rollout, though it is continued from an earlier response', async () => {
    const openai = await client(inOrder(['One', 'Two', 'Three', 'Four'].map((text) => ({ items: [say(text)] }))));
    const ask = (input: string, previous_response_id: string | null) =>
      openai.responses.create({ model: 'm', input, previous_response_id });
    const first = await ask('First.', null);
    await ask('Second.', first.id);
    const other = await ask('Another second.', first.id);
    await ask('Third.', other.id);
    session.end();
    const { graph, payload } = folder.trace();
    const calls = [...graph.inference_calls.values()];
    expect(calls.map(({ request_item_ids: ids }) => ids.length)).toEqual([1, 3, 3, 5]);
    const [, second, fork] = calls.map(({ raw_request_payload_id: id }) => payload(id));
    expect(second).toMatchObject({ previous_response_id: 'resp_1' });
    expect(fork).toMatchObject({ derived_from: { previous_response_id: 'resp_1', input: 'Another second.' } });
    expect(fork).not.toHaveProperty('previous_response_id');
  });

  it('whose beginning was not seen says so instead of naming a response that is not there', async () => {
    const openai = await client(inOrder([{ items: [say('One')] }, { items: [say('Two')] }]));
    const unseen = new OpenAI({ apiKey: 'key', baseURL: model?.url ?? '' });
    const { id } = await unseen.responses.create({ model: 'm', input: 'First.' });
    await openai.responses.create({ model: 'm', input: 'Second.', previous_response_id: id });
    session.end();
    const { graph, payload } = folder.trace();
    const [inference] = graph.inference_calls.values();
    expect(payload(inference?.raw_request_payload_id)).toMatchObject({
      derived_from: { previous_response_id: id, input: 'Second.' },
    });
  });

  it('is kept apart from another with the same words', async () => {
    const openai = await client(inOrder(Array.from({ length: 4 }, () => ({ items: [say('Same.')] }))));
    for (let n = 0; n < 2; n++) {
      const { output } = await openai.responses.create({ model: 'm', input: 'Hi.' });
      await openai.responses.create({
        model: 'm',
        input: [
          { role: 'user', content: 'Hi.' },
          ...(output as OpenAI.Responses.ResponseInputItem[]),
          { role: 'user', content: 'Again.' },
        ],
      });
    }
    session.end();
    expect(folder.traces().map(({ graph }) => graph.inference_calls.size)).toEqual([2, 2]);
  });

  it('that is compacted goes on in the same rollout, and the checkpoint is installed when the request begins with it', async () => {
    const openai = await client((request) =>
      request.endpoint === 'compact' ? compacted(request) : { items: [say(`Answer ${request.number}.`)] },
    );
    const first = await openai.responses.create({ model: 'm', input: [{ role: 'user', content: 'One.' }] });
    const history = [
      { type: 'message' as const, role: 'user' as const, content: [{ type: 'input_text' as const, text: 'One.' }] },
      ...first.output,
    ];
    const short = await openai.responses.compact({
      model: 'm',
      input: history as OpenAI.Responses.ResponseInputItem[],
    });
    await openai.responses.create({
      model: 'm',
      input: [...(short.output as OpenAI.Responses.ResponseInputItem[]), { role: 'user', content: 'Two.' }],
    });
    session.end();
    const { graph } = folder.trace();
    expect([...graph.compactions.values()]).toMatchObject([{ request_ids: [expect.any(String)] }]);
    expect([...graph.compaction_requests.values()]).toMatchObject([{ execution: { status: 'completed' } }]);
    expect([...graph.compactions.values()][0]?.input_item_ids).toHaveLength(2);
    expect([...graph.inference_calls.values()].map(({ request_item_ids: ids }) => ids.length)).toEqual([1, 3]);
  });
});

it('a history with a call id that was used twice is compacted under the ids its calls are known by', async () => {
  const tell = (n: number) => [call('call_1', 'clock', { n }), say(`Answer ${n}.`)];
  const answers = [...tell(1), ...tell(2), say('Bye.')];
  // No model of the test gives one id twice.
  const service = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const { input } = JSON.parse(String(init?.body)) as { input: object[] };
    const left = [input[0], { type: 'compaction', encrypted_content: 'the rest' }];
    const output = String(url).endsWith('compact') ? left : [answers.shift()];
    return Response.json({ id: `resp_${answers.length}`, object: 'response', status: 'completed', output });
  };
  const fetch = traced(service, { session });
  const post = async (path: string, input: readonly unknown[]): Promise<object[]> => {
    const body = JSON.stringify({ model: 'm', input });
    const response = await fetch(`http://localhost/v1/${path}`, { method: 'POST', body });
    return ((await response.json()) as { output: object[] }).output;
  };
  const ask = (text: string): object => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
  let history: object[] = [];
  for (const n of [1, 2]) {
    const answered = { type: 'function_call_output', call_id: 'call_1', output: `${n}` };
    for (const added of [ask(`Question ${n}.`), answered]) {
      history.push(added);
      history.push(...(await post('responses', history)));
    }
  }
  history = [...(await post('responses/compact', history)), ask('Bye.')];
  await post('responses', history);
  session.end();
  const { graph } = folder.trace();
  const calls = [...graph.conversation_items.values()].filter(({ kind }) => kind === 'function_call');
  expect(calls.map(({ call_id }) => call_id)).toEqual(['call_1', 'call_1#2']);
  expect([...graph.compactions.values()].map((one) => one.input_item_ids.length)).toEqual([8]);
});

describe('chat completions', () => {
  const tools: OpenAI.Chat.ChatCompletionTool[] = [{ type: 'function', function: { name: 'clock', parameters: {} } }];

  it.each([false, true])(
    'are recorded as items, each with the message it comes from (streamed: %s)',
    async (stream) => {
      const openai = await client(
        inOrder([
          { items: [say('One moment.'), call('call_1', 'clock', { zone: 'UTC' })], usage: USAGE },
          { items: [say('Noon.')] },
        ]),
      );
      const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What time is it?' },
      ];
      const ask = async () => {
        const common = { model: 'm', messages, tools };
        if (!stream) return (await openai.chat.completions.create(common)).choices[0]?.message;
        return openai.chat.completions.stream({ ...common, stream_options: { include_usage: true } }).finalMessage();
      };
      const said = await ask();
      if (said !== undefined) messages.push(said);
      messages.push({ role: 'tool', tool_call_id: 'call_1', content: '12:00' });
      await ask();
      session.end();
      const { graph, payload } = folder.trace();
      const [first, second] = graph.inference_calls.values();
      expect(first).toMatchObject({
        response_id: 'chatcmpl_1',
        usage: { input_tokens: 100, cached_input_tokens: 40, reasoning_output_tokens: 8 },
      });
      expect(payload(second?.raw_request_payload_id)).toMatchObject({
        derived_from: 'messages',
        input: [
          { type: 'message', role: 'system', derived_from: { role: 'system', content: 'Be brief.' } },
          { type: 'message', role: 'user' },
          { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'One moment.' }] },
          { type: 'function_call', call_id: 'call_1', name: 'clock', arguments: '{"zone":"UTC"}' },
          { type: 'function_call_output', call_id: 'call_1', output: '12:00' },
        ],
      });
      expect(graph.codex_turns.size).toBe(1);
      expect(graph.conversation_items.size).toBe(6);
    },
  );
});

it('a stream of chat that says only that it is done is complete, one that says nothing is not', async () => {
  const chunk = { id: 'c1', choices: [{ index: 0, delta: { content: 'Hi.' } }] };
  const bodies = [`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`, `data: ${JSON.stringify(chunk)}\n\n`];
  for (const text of bodies) {
    const ask = traced(async () => new Response(text), { session });
    const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: text }] });
    expect(await (await ask('http://localhost/v1/chat/completions', { method: 'POST', body })).text()).toBe(text);
  }
  session.end();
  const ends = folder.traces().flatMap(({ graph }) => [...graph.inference_calls.values()]);
  expect(ends.map((c) => [c.execution.status, c.response_item_ids.length])).toEqual([
    ['completed', 1],
    ['failed', 1],
  ]);
});

describe('items the format has no type for', () => {
  it('stand in other words, with what was received', async () => {
    const shell = {
      type: 'shell_call',
      call_id: 'call_1',
      status: 'completed',
      action: { commands: ['ls'], timeout_ms: null },
    };
    const search = { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['x'], results: null };
    const openai = await client(
      inOrder([{ items: [search, { type: 'reasoning', summary: [] }, shell] }, { items: [say('Done.')] }]),
    );
    const { output } = await openai.responses.create({ model: 'm', input: 'List.' });
    await openai.responses.create({
      model: 'm',
      input: [
        { role: 'user', content: 'List.' },
        ...(output.slice(1) as OpenAI.Responses.ResponseInputItem[]),
        {
          type: 'shell_call_output',
          call_id: 'call_1',
          output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
        },
      ],
    });
    session.end();
    const { graph, payload } = folder.trace();
    const [first] = graph.inference_calls.values();
    expect(payload(first?.raw_response_payload_id).output_items).toEqual([
      {
        type: 'function_call',
        id: 'fs_1',
        name: 'file_search_call',
        arguments: expect.any(String),
        derived_from: output[0],
      },
      { ...output[1], content: [{ type: 'reasoning_text', text: '' }], derived_from: output[1] },
      {
        type: 'function_call',
        id: output[2]?.id,
        call_id: 'call_1',
        name: 'shell_call',
        arguments: '{"action":{"commands":["ls"]}}',
        derived_from: output[2],
      },
    ]);
    expect(graph.codex_turns.size).toBe(1);
  });
});

describe('where a call belongs', () => {
  it('is the turn the host works for', async () => {
    const openai = await client(inOrder([{ items: [say('Hello.')] }]));
    const rollout = startRollout({ root: folder.root });
    const turn = rollout.root.startTurn();
    await withTrace(turn, () => openai.responses.create({ model: 'm', input: 'Hi.' }));
    turn.end();
    rollout.end();
    const { graph, breadcrumbs } = folder.trace();
    expect([...graph.inference_calls.values()].map(({ codex_turn_id }) => codex_turn_id)).toEqual([turn.id]);
    expect(breadcrumbs('turn_derived')).toEqual([]);
  });

  it('is recorded once, however often the fetch is wrapped', async () => {
    const openai = await client(inOrder([{ items: [say('Hello.')] }]));
    const twice = observe(openai, { session });
    const innerFetch = Reflect.get(twice, 'fetch') as typeof fetch;
    const thrice = observe(twice.withOptions({ fetch: (url, init) => innerFetch(url, init) }), { session });
    await thrice.responses.create({ model: 'm', input: 'Hi.' });
    session.end();
    expect(folder.trace().graph.inference_calls.size).toBe(1);
  });

  it('ends with the process, where nobody ends it before', async () => {
    const before = process.listenerCount('exit');
    const openai = await client(inOrder([{ items: [say('Hello.')] }]));
    await openai.responses.create({ model: 'm', input: 'Hi.' });
    expect(process.listenerCount('exit')).toBe(before + 1);
    expect(folder.trace().graph.status).toBe('running');
    session.end();
    expect(process.listenerCount('exit')).toBe(before);
    expect(folder.trace().graph.status).toBe('completed');
  });
});

describe('the host', () => {
  it('sends and receives the same bytes, and no header more, unless it asks for one', async () => {
    const step = { items: [think('Hm.', 'secret'), say('Grüße, 你好, 😀.'.repeat(40))] };
    const headers = { authorization: 'Bearer key', 'x-own': '1' };
    const body = JSON.stringify({ model: 'm', input: 'Hi.', stream: true });
    const texts: string[] = [];
    const sent: unknown[] = [];
    for (const ask of [fetch, traced(fetch, { session }), traced(fetch, { session, sendCallId: true })]) {
      const server = await startScriptedModel(inOrder([step]));
      const response = await ask(`${server.url}/responses`, { method: 'POST', headers, body });
      expect(response.url).toBe(`${server.url}/responses`);
      texts.push(await response.text());
      const { host: _host, ...got } = server.requests[0]?.headers ?? {};
      sent.push({ ...got, body: JSON.stringify(server.requests[0]?.body) });
      await server.close();
    }
    session.end();
    expect(new Set(texts).size).toBe(1);
    expect(sent[1]).toEqual(sent[0]);
    const ids = folder.traces().flatMap(({ graph }) => [...graph.inference_calls.keys()]);
    const { 'x-codex-inference-call-id': id, ...rest } = sent[2] as Record<string, string>;
    expect(ids).toContain(id);
    expect(rest).toEqual(sent[0]);
  });

  it('is read from only when it reads', async () => {
    let pulls = 0;
    const slow = async () =>
      new Response(
        new ReadableStream(
          {
            type: 'bytes',
            pull(controller) {
              if (++pulls > 3) {
                controller.close();
                controller.byobRequest?.respond(0);
              } else controller.enqueue(new TextEncoder().encode(': nothing\n\n'));
            },
          },
          { highWaterMark: 0 },
        ),
        { headers: { 'content-type': 'text/event-stream' } },
      );
    const response = await traced(slow, { session })('http://localhost/v1/responses', { method: 'POST', body: '{}' });
    const reader = response.body?.getReader({ mode: 'byob' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBe(0);
    expect(new TextDecoder().decode((await reader?.read(new Uint8Array(100)))?.value)).toBe(': nothing\n\n');
    expect(pulls).toBe(1);
    while (!(await reader?.read(new Uint8Array(100)))?.done);
    session.end();
    expect([...folder.trace().graph.inference_calls.values()]).toMatchObject([{ execution: { status: 'failed' } }]);
  });

  it('may ask with a Request', async () => {
    model = await startScriptedModel(inOrder([{ items: [say('Hello.')] }]));
    const headers = { authorization: 'Bearer key', 'x-own': '1' };
    const body = JSON.stringify({ model: 'm', input: 'Hi.' });
    const request = new Request(`${model.url}/responses`, { method: 'POST', headers, body });
    const response = await traced(fetch, { session, sendCallId: true })(request);
    expect(await response.json()).toMatchObject({ id: 'resp_1' });
    session.end();
    const [id] = folder.trace().graph.inference_calls.keys();
    expect(model.requests[0]).toMatchObject({
      body: { input: 'Hi.' },
      headers: { 'x-own': '1', 'x-codex-inference-call-id': id },
    });
  });

  it('may ask with a body that it makes while it hears the answer: nobody waits for it, and the trace says so', async () => {
    const bytes = new TextEncoder();
    let rest: () => void = () => undefined;
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.encode('{"model":"m",'));
        rest = () => {
          controller.enqueue(bytes.encode('"input":"Hi."}'));
          controller.close();
        };
      },
    });
    let sent = '';
    const server = createServer((request, response) => {
      request.once('data', () => response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":'));
      request.on('data', (chunk) => {
        sent += chunk;
      });
      request.on('end', () => response.end('"resp_1","output":[]}'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    const rollout = startRollout({ root: folder.root });
    const turn = rollout.root.startTurn();
    const ask = traced(fetch, { session });
    try {
      const response = await withTrace(turn, () => ask(new Request(`http://127.0.0.1:${port}/responses`, init)));
      rest();
      expect(await response.json()).toEqual({ id: 'resp_1', output: [] });
      expect(sent).toBe('{"model":"m","input":"Hi."}');
    } finally {
      server.close();
      server.closeAllConnections();
    }
    turn.end();
    rollout.end();
    const { graph, breadcrumbs } = folder.trace();
    expect(graph.inference_calls.size).toBe(0);
    expect(breadcrumbs('not_observable')).toMatchObject([{ message: expect.stringContaining('still being made') }]);
  });

  it('is told of no body that was not read where there is none', async () => {
    const rollout = startRollout({ root: folder.root });
    const ask = traced(async () => new Response(), { session });
    const url = 'http://localhost/v1/responses';
    for (const input of [url, new Request(url, { method: 'POST' })]) {
      await withTrace(rollout.root, () => ask(input, { method: 'POST' }));
    }
    rollout.end();
    expect(folder.trace().breadcrumbs('not_observable')).toEqual([]);
  });

  it('may abort a request whose body has no end', async () => {
    const abort = new AbortController();
    const body = new ReadableStream({ pull: () => new Promise(() => undefined) });
    const init = { method: 'POST', body, duplex: 'half', signal: abort.signal } as RequestInit;
    const asked = traced(fetch, { session })(new Request('http://127.0.0.1:1/responses', init));
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it.each([
    ['says that a response goes on in the background', { id: 'resp_1', status: 'queued', output: [] }, 'cancelled'],
    ['says no more than that there is a response', { id: 'resp_1', output: [] }, 'completed'],
  ])('that %s gets a record of it', async (_what, answer, status) => {
    const ask = traced(async () => Response.json(answer), { session });
    const response = await ask('http://localhost/v1/responses', {
      method: 'POST',
      body: '{"model":"m","input":"Hi."}',
    });
    expect(await response.json()).toEqual(answer);
    session.end();
    expect([...folder.trace().graph.inference_calls.values()].map((c) => c.execution.status)).toEqual([status]);
  });

  it('may hold as many conversations as it likes: the one heard of least lately ends', async () => {
    let count = 0;
    const ask = traced(async () => Response.json({ id: `resp_${++count}`, output: [] }), { session });
    for (let n = 0; n <= 100; n++) {
      const body = JSON.stringify({ model: 'm', input: `Conversation ${n}.` });
      await (await ask('http://localhost/v1/responses', { method: 'POST', body })).text();
    }
    const open = folder.traces().map(({ graph }) => graph.status);
    expect(open).toEqual(['completed', ...Array.from({ length: 100 }, () => 'running')]);
  });

  it('hears its own errors and no others', async () => {
    const boom = new TypeError('fetch failed');
    const failing = traced(async () => Promise.reject(boom), { session });
    await expect(
      failing('http://localhost/v1/responses', { method: 'POST', body: '{"input":[1,null,{"type":7}]}' }),
    ).rejects.toBe(boom);
    const odd = traced(async () => new Response('<html>'), { session });
    for (const body of ['not json', '[]', '{"input":{}}', undefined]) {
      expect(await (await odd('http://localhost/v1/responses', { method: 'POST', body: body ?? null })).text()).toBe(
        '<html>',
      );
    }
    session.end();
    expect(folder.traces()).toHaveLength(2);
  });

  it('gets a response that cannot be observed as it was', async () => {
    const denied = Object.defineProperty(new Response('no'), 'status', { value: 999 });
    const odd = { ok: true, headers: new Headers(), text: async () => 'text' };
    const answers = [denied, Object.defineProperty(odd, 'body', { get: () => boom() }) as unknown as Response];
    for (const answer of answers) {
      const ask = traced(async () => answer, { session });
      const response = await ask('http://localhost/v1/responses', { method: 'POST', body: '{"input":"Hi."}' });
      expect(response).toBe(answer);
      expect(await response.text()).toMatch(/^(no|text)$/);
    }
    session.end();
    const calls = folder.traces().flatMap(({ graph }) => [...graph.inference_calls.values()]);
    expect(calls.map(({ execution }) => execution.status)).toEqual(['cancelled', 'cancelled']);
  });

  /** Answers as clients do that are older than the platform's own. */
  const nodeFetch = async (bodies: Readable[], ...args: Parameters<typeof fetch>): Promise<Response> => {
    const { status, headers, body } = await fetch(...args);
    const readable = Readable.fromWeb(body as never);
    bodies.push(readable);
    const text = async () => Buffer.concat(await readable.toArray()).toString();
    const json = async () => JSON.parse(await text());
    return { ok: status < 400, status, headers, body: readable, text, json } as unknown as Response;
  };

  it('may have a fetch whose bodies are streams of Node', async () => {
    const steps = [
      { items: [say('One.')] },
      { items: [say('Two.')] },
      { status: 400, error: 'No.' },
      { items: [say('Three.')], end: 'hanging' },
    ] as const;
    model = await startScriptedModel(inOrder(steps));
    const options = { apiKey: 'key', baseURL: model.url, maxRetries: 0, logLevel: 'off' } as const;
    const bodies: Readable[] = [];
    const openai = new OpenAI({ ...options, fetch: traced((...args) => nodeFetch(bodies, ...args), { session }) });
    const first = await openai.responses.create({ model: 'm', input: 'One?' });
    const more = { model: 'm', previous_response_id: first.id };
    const types: string[] = [];
    for await (const { type } of await openai.responses.create({ ...more, input: 'Two?', stream: true }))
      types.push(type);
    expect(types.at(-1)).toBe('response.completed');
    await expect(openai.responses.create({ ...more, input: 'And?' })).rejects.toThrow('400 No.');
    for await (const { type } of await openai.responses.create({ ...more, input: 'Three?', stream: true })) {
      if (type === 'response.output_item.done') break;
    }
    const last = bodies.at(-1);
    if (last?.closed === false) await once(last, 'close');
    // Closed, it says so with the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    session.end();
    const { graph, payload } = folder.trace();
    const calls = [...graph.inference_calls.values()];
    expect(calls.map((c) => c.execution.status)).toEqual(['completed', 'completed', 'failed', 'cancelled']);
    expect(calls.map((c) => c.response_item_ids.length)).toEqual([1, 1, 0, 1]);
    expect(payload(calls[0]?.raw_response_payload_id).output_items).toEqual(first.output);
  });

  it('reads a body that is a stream of Node alone, and breaks it off as it likes', async () => {
    const body = new Readable({ read: () => undefined });
    const answer = { ok: true, status: 200, headers: new Headers(), body } as unknown as Response;
    const ask = traced(async () => answer, { session });
    const sent = { method: 'POST', body: '{"model":"m","input":"Hi.","stream":true}' };
    expect(await ask('http://localhost/v1/responses', sent)).toBe(answer);
    expect(body.readableFlowing).toBe(null);
    body.push(': nothing\n\n');
    const [piece] = await once(body, 'data');
    expect(String(piece)).toBe(': nothing\n\n');
    body.destroy(new Error('lost'));
    await once(body, 'close').catch(() => undefined);
    session.end();
    const ends = folder.trace().events.filter(({ payload }) => payload.type === 'inference_failed');
    expect(ends).toMatchObject([{ payload: { error: 'lost' } }]);
  });

  it('claims to know nothing of a body of Node that the host reads in another encoding', async () => {
    const body = Readable.from([Buffer.from('{"id":"r","output":[]}')]).setEncoding('base64');
    const answer = { ok: true, status: 200, headers: new Headers(), body } as unknown as Response;
    const ask = traced(async () => answer, { session });
    await ask('http://localhost/v1/responses', { method: 'POST', body: '{"model":"m","input":"Hi."}' });
    let read = '';
    for await (const piece of body) read += String(piece);
    expect(Buffer.from(read, 'base64').toString()).toBe('{"id":"r","output":[]}');
    session.end();
    const ends = folder.trace().events.filter(({ payload }) => payload.type === 'inference_cancelled');
    expect(ends).toMatchObject([{ payload: { reason: expect.stringContaining('as base64') } }]);
  });

  it('may be answered without end: what is too long to be recorded is told and let go of', async () => {
    const megabyte = new TextEncoder().encode(`: ${'x'.repeat((1 << 20) - 3)}\n`);
    let pulls = 0;
    const endless = async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => (++pulls > 300 ? controller.close() : controller.enqueue(megabyte)),
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      );
    const ask = traced(endless, { session });
    const response = await ask('http://localhost/v1/responses', { method: 'POST', body: '{"input":"Hi."}' });
    let bytes = 0;
    for await (const chunk of response.body ?? []) bytes += chunk.byteLength;
    expect(bytes).toBe(300 * megabyte.byteLength);
    session.end();
    expect(JSON.stringify(folder.trace().events)).toContain('is longer than the 268435456 bytes that are recorded');
  }, 60_000);

  it('is left alone where nothing is recorded', async () => {
    const off = new TraceSession({ root: null });
    const given = new Response('{}');
    const passed: unknown[][] = [];
    const init = { method: 'POST', body: '{}' };
    const ask = traced(
      async (...args) => {
        passed.push(args);
        return given;
      },
      { session: off },
    );
    expect(await ask('http://localhost/v1/responses', init)).toBe(given);
    expect(passed[0]?.[1]).toBe(init);
  });
});
