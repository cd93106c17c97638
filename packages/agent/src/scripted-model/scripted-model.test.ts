import OpenAI, { APIError } from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { type ScriptedModel, startScriptedModel } from './server.ts';
import { byAgent, call, inOrder, type Script, say, think } from './step.ts';

let model: ScriptedModel | null = null;
afterEach(() => model?.close());

async function client(script: Script): Promise<OpenAI> {
  model = await startScriptedModel(script);
  return new OpenAI({ apiKey: 'none', baseURL: model.url, maxRetries: 0 });
}

const user: OpenAI.Responses.ResponseInputItem.Message = {
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: 'Hi' }],
};
const text = 'A text that is long enough to go out in more than one piece.';

describe('the official client', () => {
  it('puts a stream together, with text in pieces, reasoning and calls', async () => {
    const openai = await client(
      inOrder([
        {
          items: [think('Hm.', 'x'), say(text), call('c1', 'ls', { dir: '.' })],
          usage: { input_tokens: 7, cached_tokens: 3 },
        },
      ]),
    );
    let deltas = 0;
    const stream = openai.responses.stream({ model: 'm', input: [user] });
    stream.on('response.output_text.delta', () => {
      deltas++;
    });
    const response = await stream.finalResponse();
    expect(deltas).toBeGreaterThan(1);
    expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call']);
    expect(response.output_text).toBe(text);
    expect(response.usage?.input_tokens_details.cached_tokens).toBe(3);
    expect(model?.refusals).toEqual([]);
  });

  it('gets responses, compactions and chat completions in one piece', async () => {
    const openai = await client(byAgent({ '/root': [{ items: [say('one')] }, { items: [say('two')] }] }));
    const { data, request_id } = await openai.responses.create({ model: 'm', input: [user] }).withResponse();
    expect([data.output_text, request_id]).toEqual(['one', 'req_1']);
    const { output } = await openai.responses.compact({ model: 'm', input: [user] });
    expect(output.map(({ type }) => String(type))).toEqual(['message', 'compaction']);
    const chat = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    expect(chat.choices[0]?.message.content).toBe('two');
  });

  it('streams chat completions, calls included', async () => {
    const openai = await client(inOrder([{ items: [say(text), call('c1', 'ls', { dir: '.' })] }]));
    const stream = openai.chat.completions.stream({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] });
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.message.content).toBe(text);
    expect(choices[0]?.message.tool_calls?.[0]).toMatchObject({ id: 'c1', function: { arguments: '{"dir":"."}' } });
  });

  it.each(['dropped', 'malformed', 'failed'] as const)(
    'sees a response that ends %s fail, after its items',
    async (end) => {
      const openai = await client(inOrder([{ items: [say('partly')], end }]));
      const seen: string[] = [];
      const read = async () => {
        for await (const event of await openai.responses.create({ model: 'm', input: [user], stream: true })) {
          seen.push(event.type);
          if (event.type === 'response.failed') throw new Error(event.response.error?.message);
        }
      };
      await expect(read()).rejects.toThrow();
      expect(seen).toContain('response.output_item.done');
    },
  );

  it('may give up on a stream that hangs', async () => {
    const openai = await client(inOrder([{ items: [say('partly')], end: 'hanging' }]));
    const stream = await openai.responses.create({ model: 'm', input: [user], stream: true });
    for await (const { type } of stream) if (type === 'response.output_item.done') stream.controller.abort();
    expect(model?.requests).toHaveLength(1);
  });
});

describe('what the service refuses', () => {
  const output = { type: 'function_call_output', call_id: 'c1', output: 'x' } as const;
  const called = { type: 'function_call', call_id: 'c1', name: 'ls', arguments: '{}' } as const;
  it.each([
    ['an output without its call', [user, output], 'No tool call found'],
    ['a call without its output', [user, called], 'No tool output found'],
    [
      'two items with one id',
      [
        { ...user, id: 'msg_1' },
        { ...user, id: 'msg_1' },
      ],
      'Duplicate item',
    ],
    ['an assistant message with input text', [{ ...user, role: 'assistant' }], 'Invalid value'],
  ])('%s is refused', async (_, input, message) => {
    const openai = await client(inOrder([{}]));
    const failure = await openai.responses.create({ model: 'm', input: input as never }).catch((error) => error);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure.status).toBe(400);
    expect(failure.message).toContain(message);
    expect(model?.refusals).toHaveLength(1);
    expect(model?.requests).toHaveLength(0);
  });

  it('an output that answers a call of the previous response is taken', async () => {
    const openai = await client(inOrder([{ items: [call('c1', 'ls', {})] }, { items: [say('done')] }]));
    const first = await openai.responses.create({ model: 'm', input: [user] });
    const next = { model: 'm', previous_response_id: first.id };
    await expect(openai.responses.create({ ...next, input: [user] })).rejects.toThrow('No tool output found');
    const second = await openai.responses.create({ ...next, input: [output] });
    expect(second.output_text).toBe('done');
    await expect(openai.responses.create({ ...next, previous_response_id: 'r', input: [] })).rejects.toThrow(
      'not found',
    );
  });

  it('what hosted tools did is taken back as it was given', async () => {
    const hosted = ['web_search_call', 'file_search_call', 'code_interpreter_call', 'computer_call', 'mcp_list_tools'];
    const openai = await client(inOrder([{ items: hosted.map((type) => ({ type })) }, { items: [say('done')] }]));
    const { output: items } = await openai.responses.create({ model: 'm', input: [user] });
    const second = await openai.responses.create({ model: 'm', input: [user, ...items] as never });
    expect(second.output_text).toBe('done');
    expect(model?.refusals).toEqual([]);
  });

  it('a request beyond the script is an error of the server', async () => {
    const openai = await client(inOrder([]));
    const failure = await openai.responses.create({ model: 'm', input: [user] }).catch((error) => error);
    expect(failure.status).toBe(500);
  });
});
