import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import {
  call,
  inOrder,
  type Script,
  type ScriptedModel,
  say,
  startScriptedModel,
  think,
} from '@rollout-trace/agent/scripted-model';
import { generateText, isStepCount, streamText, ToolLoopAgent, tool } from 'ai';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentTrace, withTrace } from '../../node/recorder/current-trace.ts';
import { startRollout } from '../../node/recorder/start-rollout.ts';
import { traced as traceMcp } from '../mcp/traced-transport.ts';
import { traced } from '../openai/traced-fetch.ts';
import { TraceSession } from '../session/session.ts';
import { accepted } from '../testing/accepted.ts';
import { readLog } from '../testing/read-log.ts';
import { rolloutTrace } from './telemetry.ts';

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-ai-sdk-'));
afterAll(() => rmSync(root, { recursive: true }));

let server: ScriptedModel | null = null;
afterEach(async () => {
  expect(server?.refusals ?? []).toEqual([]);
  await server?.close();
  server = null;
});

interface Setup {
  session: TraceSession;
  telemetry: { integrations: ReturnType<typeof rolloutTrace> };
  model: ReturnType<ReturnType<typeof createOpenAI>['responses']>;
  chat: ReturnType<ReturnType<typeof createOpenAI>['chat']>;
  /** The bundles that were recorded, in order, whole. */
  bundles(): string[];
}

async function setup(script: Script, bytes: boolean): Promise<Setup> {
  server = await startScriptedModel(script);
  const own = mkdtempSync(join(root, 'run-'));
  const session = new TraceSession({ root: own });
  const fetch = bytes ? { fetch: traced(globalThis.fetch, { session }) } : {};
  const openai = createOpenAI({ apiKey: 'none', baseURL: server.url, ...fetch });
  return {
    session,
    telemetry: { integrations: rolloutTrace({ session }) },
    model: openai.responses('m'),
    chat: openai.chat('m'),
    bundles: () => {
      session.end();
      return readdirSync(own).map((name) => join(own, name));
    },
  };
}

const providerOptions = { openai: { store: false } };
const ls = tool({
  inputSchema: z.object({ dir: z.string() }),
  execute: async ({ dir }) => ({ files: [`${dir}/a`] }),
});

const tools = {
  ls,
  fail: tool({
    inputSchema: z.object({}),
    execute: async (): Promise<string> => {
      throw new Error('no disk');
    },
  }),
};
const prompt = 'Look.';
const stopWhen = isStepCount(4);

/** The inferences of a graph: what they cost, how they ended, and what the requests held. */
function inferencesOf(graph: ReturnType<typeof accepted>) {
  return [...graph.inference_calls.values()].map(({ execution, response_id, request_item_ids }) => ({
    status: execution.status,
    response: response_id,
    items: request_item_ids.length,
  }));
}

describe.each([
  ['from what the SDK tells', false],
  ['from the bytes of a traced fetch', true],
])('%s', (_, bytes) => {
  it('a run is one turn, each step an inference, each tool a call of the response that asked for it', async () => {
    const { model, telemetry, bundles } = await setup(
      inOrder([
        { items: [think('Hm.', 'x'), call('c1', 'ls', { dir: '.' })], usage: { input_tokens: 7, cached_tokens: 3 } },
        { items: [say('Done.')] },
      ]),
      bytes,
    );
    const { text } = await generateText({ model, telemetry, providerOptions, prompt, tools, stopWhen });
    expect(text).toBe('Done.');
    const bundle = only(bundles());
    const graph = accepted(bundle);
    const [thread] = graph.threads.values();
    expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'completed' } }]);
    expect(thread?.execution.status).toBe('completed');
    expect(inferencesOf(graph)).toEqual([
      { status: 'completed', response: 'resp_1', items: 1 },
      { status: 'completed', response: 'resp_2', items: 4 },
    ]);
    const [first] = graph.inference_calls.values();
    expect(first).toMatchObject({
      usage: { input_tokens: 7, cached_input_tokens: 3 },
      tool_call_ids_started_by_response: ['c1'],
      upstream_request_id: bytes ? 'req_1' : null,
    });
    const [tool] = graph.tool_calls.values();
    expect(tool?.model_visible_output_item_ids).toHaveLength(1);
    const results = readLog(bundle).filter(({ type }) => type === 'tool_call_ended');
    expect(results.map(({ body }) => body)).toEqual([{ type: 'code_mode_response', value: { files: ['./a'] } }]);
    const [asked] = readLog(bundle).filter(({ type }) => type === 'inference_started');
    if (!bytes) expect(asked?.body).toMatchObject({ derived_from: { told_by: 'ai-sdk' } });
  });

  it('a streamed run with tools at once, of which one fails', async () => {
    const { model, telemetry, bundles } = await setup(
      inOrder([
        { items: [call('c1', 'ls', { dir: '.' }), call('c2', 'fail', {}), call('c3', 'ls', { dir: '/' })] },
        { items: [say('A text that comes in more than one piece.')], event_delay_ms: 1 },
      ]),
      bytes,
    );
    const result = streamText({ model, telemetry, providerOptions, prompt, tools, stopWhen });
    let text = '';
    for await (const piece of result.textStream) text += piece;
    expect(text).toBe('A text that comes in more than one piece.');
    const graph = accepted(only(bundles()));
    expect(inferencesOf(graph)).toEqual([
      { status: 'completed', response: 'resp_1', items: 1 },
      { status: 'completed', response: 'resp_2', items: 7 },
    ]);
    const statuses = [...graph.tool_calls.values()].map(({ tool_call_id, execution }) => [
      tool_call_id,
      execution.status,
    ]);
    expect(Object.fromEntries(statuses)).toEqual({ c1: 'completed', c2: 'failed', c3: 'completed' });
    expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'completed' } }]);
  });

  it('an agent that a tool runs is a child of its own, joined to the call that made it', async () => {
    const { model, telemetry, bundles } = await setup(
      inOrder([
        { items: [call('c1', 'research', { question: 'Why?' }), call('c2', 'research', { question: 'How?' })] },
        { items: [say('Because.')] },
        { items: [say('So.')] },
        { items: [say('Done.')] },
      ]),
      bytes,
    );
    const researcher = new ToolLoopAgent({
      model,
      providerOptions,
      telemetry: { ...telemetry, functionId: 'Web Researcher' },
    });
    const research = tool({
      inputSchema: z.object({ question: z.string() }),
      execute: async ({ question }) => (await researcher.generate({ prompt: question })).text,
    });
    const agent = new ToolLoopAgent({ model, telemetry, providerOptions, tools: { research } });
    const { text } = await agent.generate({ prompt });
    expect(text).toBe('Done.');
    const graph = accepted(only(bundles()));
    const [parent, ...children] = graph.threads.values();
    expect(children.map(({ agent_path, execution }) => [agent_path, execution.status])).toEqual([
      ['/root/web_researcher', 'completed'],
      ['/root/web_researcher_2', 'completed'],
    ]);
    const edges = [...graph.interaction_edges.values()];
    expect(edges.map(({ kind, source, target }) => ({ kind, source, target }))).toEqual(
      expect.arrayContaining(
        children.map(({ thread_id }) => ({
          kind: 'spawn_agent',
          source: { type: 'tool_call', tool_call_id: expect.stringMatching(/^c[12]$/) },
          target: { type: 'thread', thread_id },
        })),
      ),
    );
    expect(edges).toHaveLength(2);
    const asked = [...graph.inference_calls.values()].map(({ thread_id }) => thread_id);
    expect(asked.toSorted()).toEqual([parent, parent, ...children].map((thread) => thread?.thread_id ?? '').toSorted());
  });

  it('a run that is given up is cancelled, with the call that was under way', async () => {
    const { model, telemetry, bundles } = await setup(inOrder([{ items: [say('Partly.')], end: 'hanging' }]), bytes);
    const abort = new AbortController();
    const result = streamText({
      model,
      telemetry,
      providerOptions,
      prompt,
      abortSignal: abort.signal,
      onError: () => undefined,
    });
    for await (const part of result.stream) if (part.type === 'text-delta') abort.abort();
    const graph = accepted(only(bundles()));
    expect(inferencesOf(graph)).toEqual([{ status: 'cancelled', response: null, items: 1 }]);
    expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'cancelled' } }]);
  });

  it('each retry is an attempt, and a run that fails is a turn that failed', async () => {
    const down = { status: 503, error: 'down' };
    const { model, telemetry, bundles } = await setup(inOrder([down, down]), bytes);
    const run = generateText({ model, telemetry, providerOptions, prompt, maxRetries: 1 });
    await expect(run).rejects.toThrow('down');
    const graph = accepted(only(bundles()));
    expect(inferencesOf(graph)).toEqual([1, 2].map(() => ({ status: 'failed', response: null, items: 1 })));
    expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'failed' } }]);
  });

  it('a stream that breaks off fails its call and its run', async () => {
    const { model, telemetry, bundles } = await setup(inOrder([{ items: [say('Partly.')], end: 'dropped' }]), bytes);
    const result = streamText({ model, telemetry, providerOptions, prompt, maxRetries: 0, onError: () => undefined });
    await result.consumeStream({ onError: () => undefined });
    const graph = accepted(only(bundles()));
    expect(inferencesOf(graph)).toMatchObject([{ status: 'failed', items: 1 }]);
    expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'failed' } }]);
  });

  it('chat completions are recorded as well', async () => {
    const { chat, telemetry, bundles } = await setup(
      inOrder([{ items: [call('c1', 'ls', { dir: '.' })] }, { items: [say('Done.')] }]),
      bytes,
    );
    await generateText({ model: chat, telemetry, prompt, tools, stopWhen });
    const graph = accepted(only(bundles()));
    expect(inferencesOf(graph)).toEqual([
      { status: 'completed', response: 'chatcmpl_1', items: 1 },
      { status: 'completed', response: 'chatcmpl_2', items: 3 },
    ]);
  });

  it('a run that repeats the messages of another goes on with it; one that does not is a rollout of its own', async () => {
    const { model, telemetry, bundles } = await setup(
      inOrder([{ items: [say('One.')] }, { items: [say('Two.')] }, { items: [say('Three.')] }]),
      bytes,
    );
    const ask = { model, telemetry, providerOptions };
    const user = { role: 'user', content: 'First?' } as const;
    const first = await generateText({ ...ask, messages: [user] });
    await generateText({ ...ask, messages: [{ role: 'user', content: 'Something else?' }] });
    await generateText({ ...ask, messages: [user, ...first.responseMessages, { role: 'user', content: 'And then?' }] });
    const turns = bundles().map((bundle) => accepted(bundle).codex_turns.size);
    expect(turns.toSorted()).toEqual([1, 2]);
  });

  it('a tool that waits for an approval runs in the turn that brings it', async () => {
    const { model, telemetry, bundles } = await setup(
      inOrder([{ items: [call('c1', 'remove', {})] }, { items: [say('Gone.')] }]),
      bytes,
    );
    const remove = tool({ inputSchema: z.object({}), needsApproval: true, execute: async () => 'removed' });
    const ask = { model, telemetry, providerOptions, tools: { remove }, stopWhen };
    const user = { role: 'user', content: 'Remove it.' } as const;
    const first = await generateText({ ...ask, messages: [user] });
    const approvals = first.content.flatMap((part) =>
      part.type === 'tool-approval-request'
        ? [{ type: 'tool-approval-response' as const, approvalId: part.approvalId, approved: true }]
        : [],
    );
    expect(approvals).toHaveLength(1);
    await generateText({
      ...ask,
      messages: [user, ...first.responseMessages, { role: 'tool', content: approvals }],
    });
    const graph = accepted(only(bundles()));
    expect(graph.codex_turns.size).toBe(2);
    const [, second] = graph.codex_turns.keys();
    expect([...graph.tool_calls.values()]).toMatchObject([
      { tool_call_id: 'c1', started_by_codex_turn_id: second, execution: { status: 'completed' } },
    ]);
  });

  it('a tool finds its call, and what it asks of a model itself stays in the turn', async () => {
    const { model, telemetry, bundles } = await setup(
      inOrder([{ items: [call('c1', 'look', {})] }, { items: [say('Done.')] }]),
      bytes,
    );
    let found = '';
    const look = tool({ inputSchema: z.object({}), execute: async () => (found = currentTrace().toolCall.id) });
    await generateText({ model, telemetry, providerOptions, prompt, tools: { look }, stopWhen });
    expect(found).toBe('c1');
    only(bundles());
  });
});

it('a tool that asks an MCP server, with every adapter at work, is recorded once, request included', async () => {
  const { model, telemetry, bundles, session } = await setup(
    inOrder([{ items: [call('c1', 'time', { zone: 'UTC' })] }, { items: [say('Done.')] }]),
    true,
  );
  const mcp = new McpServer({ name: 'clock', version: '1' });
  const inputSchema = z.object({ zone: z.string() });
  mcp.registerTool('now', { inputSchema }, async ({ zone }) => ({
    content: [{ type: 'text', text: `12:00 ${zone}` }],
  }));
  const [near, far] = InMemoryTransport.createLinkedPair();
  await mcp.connect(far);
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(traceMcp(near, { server: 'clock' }));
  const time = tool({
    inputSchema,
    execute: async (given) => (await client.callTool({ name: 'now', arguments: given })).content,
  });
  const one = telemetry.integrations;
  const twice = { integrations: [one, one, rolloutTrace({ session })] };
  await generateText({ model, telemetry: twice, providerOptions, prompt, tools: { time }, stopWhen });
  await client.close();
  const graph = accepted(only(bundles()));
  expect(graph.inference_calls.size).toBe(2);
  expect([...graph.tool_calls.values()]).toMatchObject([
    {
      tool_call_id: 'c1',
      kind: { type: 'mcp', server: 'clock', tool: 'now' },
      mcp_call_id: expect.any(String),
      execution: { status: 'completed' },
    },
  ]);
});

it('what the SDK tells of a call lasts as long as the call', async () => {
  const { model, telemetry, bundles } = await setup(inOrder([{ items: [say('Done.')], delay_ms: 80 }]), false);
  await generateText({ model, telemetry, providerOptions, prompt });
  const [asked] = accepted(only(bundles())).inference_calls.values();
  const { started_at_unix_ms: from, ended_at_unix_ms: to } = asked?.execution ?? {};
  expect(Number(to) - Number(from)).toBeGreaterThanOrEqual(70);
});

it('a provider without the traced fetch is recorded from what the SDK tells, beside one that has it', async () => {
  const { model, telemetry, bundles, session } = await setup(inOrder([{ items: [say('Done.')] }]), false);
  traced(globalThis.fetch, { session });
  await generateText({ model, telemetry, providerOptions, prompt });
  expect(inferencesOf(accepted(only(bundles())))).toEqual([{ status: 'completed', response: 'resp_1', items: 1 }]);
});

it('what a schema adds to the arguments of a tool is no contradiction', async () => {
  for (const bytes of [true, false]) {
    const { model, telemetry, bundles } = await setup(
      inOrder([{ items: [call('c1', 'ls', {})] }, { items: [say('Done.')] }]),
      bytes,
    );
    const inputSchema = z.object({ dir: z.string().default('/') });
    const ls = tool({ inputSchema, execute: async ({ dir }) => dir });
    await generateText({ model, telemetry, providerOptions, prompt, tools: { ls }, stopWhen });
    const graph = accepted(only(bundles()));
    expect(graph.tool_calls.size).toBe(1);
    await server?.close();
  }
});

it('within a turn of the host a run belongs to that turn', async () => {
  const { model, telemetry, bundles } = await setup(inOrder([{ items: [say('Done.')] }]), false);
  const rollout = startRollout({ root: mkdtempSync(join(root, 'host-')) });
  const turn = rollout.root.startTurn();
  await withTrace(turn, () => generateText({ model, telemetry, providerOptions, prompt }));
  turn.end();
  rollout.end();
  expect(bundles()).toEqual([]);
  const graph = accepted(rollout.location);
  expect([...graph.codex_turns.keys()]).toEqual([turn.id]);
  expect(inferencesOf(graph)).toEqual([{ status: 'completed', response: 'resp_1', items: 1 }]);
});

it('an agent below a thread whose id is no UUID is recorded without an edge, and says so', async () => {
  const { model, telemetry } = await setup(inOrder([{ items: [say('Done.')] }]), false);
  const rollout = startRollout({ root: mkdtempSync(join(root, 'host-')), threadId: 'mine' });
  const turn = rollout.root.startTurn();
  const payload = { type: 'function', arguments: '{}' } as const;
  const host = turn.startToolCall({ name: 'research', callId: 'c1', payload });
  await withTrace(host, () => generateText({ model, telemetry, providerOptions, prompt }));
  host.respondToCode(null);
  turn.end();
  rollout.end();
  const graph = accepted(rollout.location);
  expect(graph.threads.size).toBe(2);
  expect(graph.interaction_edges.size).toBe(0);
  expect(JSON.stringify(readLog(rollout.location))).toContain('edges are drawn between threads');
});

it('images and files are recorded as texts', async () => {
  const { model, telemetry, bundles } = await setup(inOrder([{ items: [say('A dot.')] }]), false);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  const image = { type: 'file', mediaType: 'image/png', data: Uint8Array.from(Buffer.from(png, 'base64')) } as const;
  const content = [{ type: 'text', text: 'What is this?' } as const, image];
  await generateText({ model, telemetry, providerOptions, messages: [{ role: 'user', content }] });
  const bundle = only(bundles());
  accepted(bundle);
  const [asked] = readLog(bundle).filter(({ type }) => type === 'inference_started');
  expect(JSON.stringify(asked?.body)).toContain(png);
});

it('a tool that is called `wait` does not make the trace unreadable', async () => {
  const { model, telemetry, bundles } = await setup(
    inOrder([{ items: [call('c1', 'wait', {})] }, { items: [say('Done.')] }]),
    false,
  );
  const wait = tool({ inputSchema: z.object({}), execute: async () => 'waited' });
  await generateText({ model, telemetry, providerOptions, prompt, tools: { wait }, stopWhen });
  expect(accepted(only(bundles())).tool_calls.size).toBe(1);
});

it('what the host hides from telemetry is not recorded, and the trace says so', async () => {
  const { model, telemetry, bundles } = await setup(inOrder([{ items: [say('Done.')] }]), false);
  await generateText({
    model,
    telemetry: { ...telemetry, recordInputs: false, recordOutputs: false },
    providerOptions,
    prompt: 'A secret.',
  });
  const bundle = only(bundles());
  accepted(bundle);
  const log = JSON.stringify(readLog(bundle));
  expect(log).not.toMatch(/A secret|Done/);
  expect(log).toMatch(/recordInputs/);
  expect(log).toMatch(/recordOutputs/);
});

it('where no root is set a run is untouched', async () => {
  server = await startScriptedModel(inOrder([{ items: [say('Done.')] }]));
  const session = new TraceSession({ root: null });
  const openai = createOpenAI({ apiKey: 'none', baseURL: server.url });
  const telemetry = { integrations: rolloutTrace({ session }) };
  const { text } = await generateText({ model: openai.responses('m'), telemetry, providerOptions, prompt });
  expect(text).toBe('Done.');
});

function only(bundles: string[]): string {
  expect(bundles).toHaveLength(1);
  return bundles[0] ?? '';
}

it('a conversation that goes on after the rollouts were ended begins a new one', async () => {
  const { model, telemetry, bundles } = await setup(
    inOrder([{ items: [say('One.')] }, { items: [say('Two.')] }]),
    false,
  );
  const user = { role: 'user', content: 'First?' } as const;
  const first = await generateText({ model, telemetry, providerOptions, messages: [user] });
  bundles();
  const messages = [user, ...first.responseMessages, { role: 'user', content: 'And then?' } as const];
  await generateText({ model, telemetry, providerOptions, messages });
  expect(bundles().map((bundle) => accepted(bundle).inference_calls.size)).toEqual([1, 1]);
});

it('a tool whose beginning nobody told works for the turn of its run', async () => {
  const { model, session, bundles } = await setup(
    inOrder([{ items: [call('c1', 'look', {})] }, { items: [say('Done.')] }]),
    false,
  );
  const { onToolExecutionStart: _untold, ...integrations } = rolloutTrace({ session });
  let found = '';
  const look = tool({ inputSchema: z.object({}), execute: async () => (found = currentTrace().turn.id) });
  await generateText({ model, telemetry: { integrations }, providerOptions, prompt, tools: { look }, stopWhen });
  expect([...accepted(only(bundles())).codex_turns.keys()]).toEqual([found]);
});

describe.each([true, false])('a service that counts its calls anew in each response (a traced fetch: %s)', (bytes) => {
  /** Asks for `ls` with each of these folders, one after the other and always as call c0, and says that it is done. */
  const service = (dirs: readonly string[]): typeof globalThis.fetch => {
    let asked = 0;
    return async (_, init) => {
      const dir = dirs[asked++];
      const called = { name: 'ls', arguments: JSON.stringify({ dir }) };
      const calls = [{ index: 0, id: 'c0', type: 'function', function: called }];
      const said = dir === undefined ? { content: 'Done.' } : { content: null, tool_calls: calls };
      const finish_reason = dir === undefined ? 'stop' : 'tool_calls';
      const common = { id: `cmpl_${asked}`, created: 1, model: 'm' };
      const isStream = JSON.parse(String(init?.body)).stream === true;
      if (!isStream) {
        const message = { role: 'assistant', ...said };
        return Response.json({ ...common, choices: [{ index: 0, message, finish_reason }] });
      }
      const chunk = { ...common, choices: [{ index: 0, delta: { role: 'assistant', ...said }, finish_reason }] };
      const headers = { 'content-type': 'text/event-stream' };
      return new Response(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`, { headers });
    };
  };

  it.each([false, true])('has each of them recorded, with its output (streamed: %s)', async (stream) => {
    const { session, telemetry, bundles } = await setup(inOrder([]), false);
    const fetch = service(['.', '/', '/']);
    const chat = createOpenAI({ apiKey: 'none', fetch: bytes ? traced(fetch, { session }) : fetch }).chat('m');
    const options = { model: chat, telemetry, prompt, tools, stopWhen };
    if (stream) await streamText(options).consumeStream();
    else await generateText(options);
    const graph = accepted(only(bundles()));
    const calls = [...graph.tool_calls.values()];
    // What a call repeats to the letter, readers take for the same call.
    expect(calls.map((c) => c.model_visible_call_id)).toEqual(['c0', 'c0#2', null]);
    expect(calls.map((c) => c.model_visible_output_item_ids.length)).toEqual([1, 2, 0]);
    expect(calls.every(({ execution }) => execution.status === 'completed')).toBe(true);
  });
});

it('a run in a turn of the host goes on when the rollouts of adapters end', async () => {
  const { model, telemetry, session } = await setup(inOrder([{ items: [say('Done.')], delay_ms: 50 }]), false);
  const rollout = startRollout({ root: mkdtempSync(join(root, 'host-')) });
  const turn = rollout.root.startTurn();
  const running = withTrace(turn, () => generateText({ model, telemetry, providerOptions, prompt }));
  await server?.until(1);
  session.end();
  await running;
  turn.end();
  rollout.end();
  expect(inferencesOf(accepted(rollout.location))).toMatchObject([{ status: 'completed', response: 'resp_1' }]);
});

it.each([
  ['from what the SDK tells', false],
  ['from the bytes of a traced fetch', true],
])('a stream nobody reads to its end ends with the recording (%s)', async (_, bytes) => {
  const { model, telemetry, bundles } = await setup(
    inOrder([{ items: [say('A text that comes in more than one piece.')], end: 'hanging' }]),
    bytes,
  );
  const abort = new AbortController();
  const result = streamText({ model, telemetry, providerOptions, prompt, abortSignal: abort.signal });
  const reader = result.textStream.getReader();
  await reader.read();
  const graph = accepted(only(bundles()));
  abort.abort();
  expect(inferencesOf(graph).map(({ status }) => status)).toEqual([bytes ? 'aborted' : 'cancelled']);
  expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'aborted' } }]);
  expect(graph).toMatchObject({ status: 'completed', recording_complete: true });
});
