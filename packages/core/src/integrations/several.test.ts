import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAI } from '@ai-sdk/openai';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  Agent,
  tool as agentsTool,
  type MCPServer,
  OpenAIProvider,
  Runner,
  setTraceProcessors,
  setTracingDisabled,
} from '@openai/agents';
import { call, type Script, type ScriptedModel, say, startScriptedModel } from '@rollout-trace/agent/scripted-model';
import { generateText, isStepCount, registerTelemetry, streamText, tool } from 'ai';
import { generateText as generateText6, stepCountIs, streamText as streamText6, tool as tool6 } from 'ai-6';
import { createOpenAI as createOpenAI6 } from 'ai-sdk-openai-3';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { withTrace } from '../node/recorder/current-trace.ts';
import { startRollout } from '../node/recorder/start-rollout.ts';
import { rolloutTrace as rolloutTelemetry } from './ai-sdk/telemetry.ts';
import { traced as tracedTransport } from './mcp/traced-transport.ts';
import { observe } from './openai/observe.ts';
import { traced } from './openai/traced-fetch.ts';
import { observeRunner, rolloutTrace } from './openai-agents/rollout-trace.ts';
import { endRollouts } from './session/end-rollouts.ts';
import { accepted } from './testing/accepted.ts';
import { type ClockServer, startClock } from './testing/clock-server.ts';
import { readLog } from './testing/read-log.ts';

// One process in which every adapter is at work at once, each as its door says, and all of them in the session that they
// share. What was sent is counted where it came in: at the model and at the MCP server.

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-several-'));
const tracedFetch = traced(fetch);

let model: ScriptedModel;
let clock: ClockServer;
let mcp: Client;
let told: Set<string>;

beforeAll(async () => {
  vi.stubEnv('ROLLOUT_TRACE_ROOT', root);
  await import('./auto/index.ts');
  registerTelemetry(rolloutTelemetry());
  setTracingDisabled(false);
  setTraceProcessors([rolloutTrace()]);
});

beforeEach(async () => {
  told = new Set(readdirSync(root));
  clock = await startClock();
  mcp = new Client({ name: 'test', version: '1' });
  await mcp.connect(tracedTransport(new StreamableHTTPClientTransport(clock.url), { server: 'clock' }));
});

afterEach(async () => {
  endRollouts();
  await mcp.close();
  await clock.close();
  await model.close();
});

afterAll(() => {
  setTraceProcessors([]);
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

async function openai(script: Script): Promise<OpenAI> {
  model = await startScriptedModel(script);
  return new OpenAI({ apiKey: 'key', baseURL: model.url, maxRetries: 1, logLevel: 'off', fetch: tracedFetch });
}

/** The bundles of this test, which hold what was sent, each piece of it once. */
function heldOnce(callIds: readonly (string | null)[] = answeredCalls()) {
  endRollouts();
  expect(model.refusals).toEqual([]);
  const bundles = readdirSync(root)
    .filter((name) => !told.has(name))
    .map((name) => ({ graph: accepted(join(root, name)), log: readLog(join(root, name)) }));
  for (const { graph } of bundles) expect(graph).toMatchObject({ status: 'completed', recording_complete: true });
  const graphs = bundles.map(({ graph }) => graph);
  const inferences = graphs.flatMap((graph) => [...graph.inference_calls.values()]);
  const tools = graphs.flatMap((graph) => [...graph.tool_calls.values()]);
  const log = bundles.flatMap((bundle) => bundle.log);
  expect(inferences.map(({ upstream_request_id }) => upstream_request_id).toSorted()).toEqual(
    model.requests.map(({ number }) => `req_${number}`).toSorted(),
  );
  expect(tools.map(({ model_visible_call_id }) => model_visible_call_id).toSorted()).toEqual(callIds.toSorted());
  const requests = clock.metas.map((meta) => (meta as Record<string, unknown>).codex_bridge_mcp_call_id);
  expect(new Set(requests).size).toBe(requests.length);
  const correlated = tools.flatMap(({ mcp_call_id: id }) => (typeof id === 'string' ? [id] : []));
  expect(correlated.toSorted()).toEqual(requests.toSorted());
  // What runs behind a tool call is an MCP request or an agent.
  const observed = tools.filter(({ kind }) => kind.type === 'mcp' || kind.type === 'spawn_agent');
  for (const type of ['tool_call_runtime_started', 'tool_call_runtime_ended']) {
    const ids = log.filter((event) => event.type === type).map(({ event }) => event.tool_call_id);
    expect([type, ...ids.toSorted()]).toEqual([type, ...observed.map(({ tool_call_id }) => tool_call_id).toSorted()]);
  }
  return { graphs, inferences, tools, log };
}

/** The ids of the calls whose outputs the model was sent. */
function answeredCalls(): string[] {
  const items = model.requests.flatMap(({ body }) => body.input as { type?: string; call_id: string }[]);
  const outputs = items.filter(({ type }) => type === 'function_call_output');
  return [...new Set(outputs.map(({ call_id }) => call_id))];
}

/** The clock as the Agents SDK takes it. */
function clockServer(): MCPServer {
  return {
    name: 'clock',
    cacheToolsList: false,
    connect: async () => undefined,
    close: async () => undefined,
    invalidateToolsCache: async () => undefined,
    listTools: async () => (await mcp.listTools()).tools as never,
    callTool: async (name, args, meta) =>
      (await mcp.callTool({ name, arguments: args ?? {}, ...(meta ? { _meta: meta } : {}) })).content as never,
  };
}

/** Answers by what the conversation begins with, and how many outputs it has. */
function byConversation(steps: Readonly<Record<string, readonly ReturnType<typeof call>[][]>>): Script {
  return ({ body }) => {
    const input = body.input as { type?: string; role?: string; content?: unknown }[];
    const asked = JSON.stringify(input.findLast(({ role }) => role === 'user'));
    const done = input
      .slice(input.findLastIndex(({ role }) => role === 'user'))
      .filter(({ type }) => type === 'function_call').length;
    for (const [text, answers] of Object.entries(steps)) {
      if (!asked.includes(text)) continue;
      let calls = 0;
      for (const items of answers) {
        if (calls === done) return { items };
        calls += items.filter(({ type }) => type === 'function_call').length;
      }
    }
    return null;
  };
}

/** A tool of the AI SDK that asks the clock, in the shape of each major. */
const asksClock = {
  inputSchema: z.object({ zone: z.string() }),
  execute: async (args: { zone: string }) => (await mcp.callTool({ name: 'now', arguments: args })).content,
};
const now = tool(asksClock);
const now6 = tool6(asksClock);

/** What a run of the AI SDK is given. */
function given(prompt: string) {
  return {
    model: createOpenAI({ apiKey: 'key', baseURL: model.url, fetch: tracedFetch }).responses('m'),
    providerOptions: { openai: { store: false } },
    stopWhen: isStepCount(5),
    prompt,
  };
}

function agentsRunner(client: OpenAI, how: 'observed' | 'not observed' = 'observed'): Runner {
  const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), model: 'gpt-5' });
  return how === 'observed' ? observeRunner(runner) : runner;
}

/** An agent that asks the clock, and another agent that does. */
function mainAgent(): Agent {
  const researcher = new Agent({ name: 'Researcher', mcpServers: [clockServer()] });
  return new Agent({
    name: 'Main',
    mcpServers: [clockServer()],
    tools: [researcher.asTool({ toolName: 'research', toolDescription: '' })],
  });
}

const AGENTS = {
  'Agents, plan.': [
    [call('call_1', 'now', { zone: 'UTC' })],
    [call('call_2', 'now', { zone: 'CET' }), call('call_3', 'now', { zone: 'EST' })],
    [call('call_4', 'research', { input: 'Agent, find.' })],
    [say('Done.')],
  ],
  'Agent, find.': [[call('call_5', 'now', { zone: 'PST' })], [say('Found.')]],
};

const RUN = {
  'Run, plan.': [
    [call('call_11', 'now', { zone: 'UTC' })],
    [call('call_12', 'now', { zone: 'CET' }), call('call_13', 'now', { zone: 'CET' })],
    [say('Done.')],
  ],
};

const TURN = {
  'Turn, plan.': [
    [call('call_21', 'research', { prompt: 'Run, find.' })],
    [call('call_22', 'now', { zone: 'UTC' })],
    [say('Done.')],
  ],
  'Run, find.': [[call('call_23', 'now', { zone: 'CET' })], [say('Found.')]],
};

/** A turn of an agent that somebody wrote by hand. One of its tools runs the AI SDK. */
async function hostTurn(client: OpenAI): Promise<void> {
  const run: Record<string, (args: Record<string, string>) => Promise<string>> = {
    research: async ({ prompt }) => (await generateText({ ...given(String(prompt)), tools: { now } })).text,
    now: async (args) => JSON.stringify((await mcp.callTool({ name: 'now', arguments: args })).content),
  };
  const rollout = startRollout({ root });
  const turn = rollout.root.startTurn();
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Turn, plan.' }];
  await withTrace(turn, async () => {
    for (;;) {
      const { output } = await client.responses.create({ model: 'm', input, store: false });
      const calls = output.filter((item) => item.type === 'function_call');
      if (calls.length === 0) return;
      input.push(...(output as OpenAI.Responses.ResponseInputItem[]));
      for (const { name, call_id, arguments: text } of calls) {
        const made = turn.startToolCall({ name, callId: call_id, payload: { type: 'function', arguments: text } });
        const said = await withTrace(made, () => run[name]?.(JSON.parse(text)) ?? '');
        const item = { type: 'function_call_output', call_id, output: said } as const;
        made.respond(item);
        input.push(item);
      }
    }
  });
  turn.end();
  rollout.end();
}

describe.each(
  (['observed', 'not observed'] as const).flatMap((how) => [false, true].map((stream) => ({ how, stream }))),
)(
  'the Agents SDK with a runner that is $how, streamed: $stream, a traced fetch and a traced transport',
  ({ how, stream }) => {
    async function run(client: OpenAI, agent: Agent, prompt: string): Promise<void> {
      const runner = agentsRunner(client, how);
      if (stream) await (await runner.run(agent, prompt, { stream })).completed;
      else await runner.run(agent, prompt);
    }

    it('record an agent that asks an MCP server, and another agent that does, once', async () => {
      await run(await openai(byConversation(AGENTS)), mainAgent(), 'Agents, plan.');
      const { tools, graphs } = heldOnce();
      expect(graphs).toHaveLength(1);
      expect(Object.fromEntries(tools.map(({ tool_call_id, kind }) => [tool_call_id, kind.type]))).toEqual({
        call_1: 'mcp',
        call_2: 'mcp',
        call_3: 'mcp',
        call_4: 'spawn_agent',
        call_5: 'mcp',
      });
    });

    it('tell calls at once apart that are the same in all but their ids', async () => {
      const same = { zone: 'UTC' };
      const client = await openai(
        byConversation({ 'Twice.': [[call('call_1', 'now', same), call('call_2', 'now', same)], [say('Done.')]] }),
      );
      await run(client, new Agent({ name: 'Main', mcpServers: [clockServer()] }), 'Twice.');
      heldOnce();
    });
  },
);

it('calls of agents that nobody can tell apart are recorded once each, without an id', async () => {
  const calls = [call('call_1', 'now', { zone: 'UTC' }), call('call_2', 'now', { zone: 'CET' })];
  const client = await openai(byConversation({ 'Twice.': [calls, [say('Done.')]] }));
  const modelProvider = new OpenAIProvider({ openAIClient: client });
  const runner = new Runner({ modelProvider, model: 'gpt-5', traceIncludeSensitiveData: false });
  await runner.run(new Agent({ name: 'Main', mcpServers: [clockServer()] }), 'Twice.');
  heldOnce([null, null]);
});

describe('the AI SDK with telemetry, the channel, a traced fetch and a traced transport', () => {
  it.each([
    ['generated', 'registered'],
    ['streamed', 'registered'],
    // A call that brings integrations of its own is told to those, and on the channel.
    ['generated', 'of the call'],
    ['streamed', 'of the call'],
  ])('record a run once (%s, with the telemetry %s)', async (how, whose) => {
    model = await startScriptedModel(byConversation(RUN));
    const telemetry = whose === 'registered' ? {} : { telemetry: { integrations: [{}] } };
    const all = { ...given('Run, plan.'), tools: { now }, ...telemetry };
    if (how === 'generated') await generateText(all);
    else await streamText(all).consumeStream();
    const { tools, graphs } = heldOnce();
    expect(graphs).toHaveLength(1);
    expect(tools.map(({ kind }) => kind.type)).toEqual(['mcp', 'mcp', 'mcp']);
  });

  it.each(['generated', 'streamed'])('record a run of major 6 once (%s)', async (how) => {
    model = await startScriptedModel(byConversation(RUN));
    const provider = createOpenAI6({ apiKey: 'key', baseURL: model.url, fetch: tracedFetch });
    const model6 = { model: provider.responses('m'), stopWhen: stepCountIs(5), tools: { now: now6 } };
    const all = { ...given('Run, plan.'), ...model6 };
    if (how === 'generated') await generateText6(all);
    else await streamText6(all).consumeStream();
    const { tools, graphs } = heldOnce();
    expect(graphs).toHaveLength(1);
    expect(tools.map(({ kind }) => kind.type)).toEqual(['mcp', 'mcp', 'mcp']);
  });
});

it('a turn of the host that asks a model itself, and has a tool that runs the AI SDK, is recorded once', async () => {
  await hostTurn(await openai(byConversation(TURN)));
  const [graph, ...others] = heldOnce().graphs;
  expect(others).toEqual([]);
  expect(graph?.threads.size).toBe(2);
  expect([...(graph?.interaction_edges.values() ?? [])]).toMatchObject([
    { kind: 'spawn_agent', source: { tool_call_id: 'call_21' } },
  ]);
});

it.each(['generated', 'streamed'])(
  'an agent whose tool runs the AI SDK (%s), whose tool runs an agent, is recorded once',
  async (how) => {
    const client = await openai(
      byConversation({
        'Plan.': [[call('call_1', 'research', {})], [call('call_2', 'now', { zone: 'UTC' })], [say('Done.')]],
        'Find.': [[call('call_3', 'ask', {}), call('call_4', 'now', { zone: 'EST' })], [say('Found.')]],
        'Check.': [
          [call('call_5', 'now', { zone: 'CET' })],
          [call('call_6', 'transfer_to_Closer', {})],
          [say('Checked.')],
        ],
      }),
    );
    const runner = agentsRunner(client);
    const mcpServers = [clockServer()];
    const checker = new Agent({ name: 'Checker', mcpServers, handoffs: [new Agent({ name: 'Closer' })] });
    const ask = tool({
      inputSchema: z.object({}),
      execute: async () => (await runner.run(checker, 'Check.')).finalOutput,
    });
    const research = agentsTool({
      name: 'research',
      description: '',
      parameters: z.object({}),
      execute: async () => {
        const run = { ...given('Find.'), tools: { ask, now } };
        return how === 'generated' ? (await generateText(run)).text : streamText(run).text;
      },
    });
    await runner.run(new Agent({ name: 'Main', tools: [research], mcpServers }), 'Plan.');
    const [graph, ...others] = heldOnce().graphs;
    expect(others).toEqual([]);
    const threads = [...(graph?.threads.values() ?? [])];
    expect(threads.map(({ agent_path }) => agent_path)).toEqual(['/root', '/root/agent', '/root/agent/closer']);
    // The agent that the tool of the AI SDK asked works in the turn of that.
    expect([...(graph?.interaction_edges.values() ?? [])]).toMatchObject([
      { source: { tool_call_id: 'call_1' }, target: { thread_id: threads[1]?.thread_id } },
      { source: { tool_call_id: 'call_6' }, target: { thread_id: threads[2]?.thread_id } },
    ]);
    expect(graph?.tool_calls.get('call_5')).toMatchObject({ thread_id: threads[1]?.thread_id });
  },
);

it('two clients that share a traced fetch, observed on top, hold conversations at once and apart', async () => {
  let failed = false;
  const first = await openai(({ body, number }) => {
    if (!failed && JSON.stringify(body.input).includes('Two of A')) {
      failed = true;
      return { status: 503, error: 'Down.' };
    }
    return { items: [say(`Answer ${number}.`)] };
  });
  const second = new OpenAI({ apiKey: 'other', baseURL: model.url, logLevel: 'off', fetch: tracedFetch });
  const clients = { A: observe(first), B: observe(observe(second)), C: first, D: second };
  await Promise.all(Object.entries(clients).map(([name, client]) => talk(name, client)));
  const { graphs } = heldOnce([]);
  expect(graphs.map(({ codex_turns, conversation_items }) => [codex_turns.size, conversation_items.size])).toEqual(
    Object.keys(clients).map(() => [3, 6]),
  );
});

/** Three turns of a chat, which all begin with the same words. */
async function talk(name: string, client: OpenAI): Promise<void> {
  const input: OpenAI.Responses.ResponseInput = [];
  for (const text of ['Hi.', `Two of ${name}.`, `Three of ${name}.`]) {
    input.push({ role: 'user', content: text });
    const stream = await client.responses.create({ model: 'm', input: [...input], store: false, stream: true });
    for await (const event of stream) {
      if (event.type !== 'response.completed') continue;
      input.push(...(event.response.output as OpenAI.Responses.ResponseInputItem[]));
    }
  }
}

it('agents, runs, turns and chats at once are recorded apart, each once', async () => {
  const steps = byConversation({ ...AGENTS, ...RUN, ...TURN });
  const client = await openai(async (request) => (await steps(request)) ?? { items: [say(`${request.number}`)] });
  await Promise.all([
    agentsRunner(client).run(mainAgent(), 'Agents, plan.'),
    generateText({ ...given('Run, plan.'), tools: { now } }),
    hostTurn(client),
    talk('A', client),
    talk('B', observe(client)),
  ]);
  const { graphs } = heldOnce();
  expect(graphs.map(({ threads, tool_calls }) => [threads.size, [...tool_calls.keys()].toSorted()]).toSorted()).toEqual(
    [
      [1, []],
      [1, []],
      [1, ['call_11', 'call_12', 'call_13']],
      [2, ['call_1', 'call_2', 'call_3', 'call_4', 'call_5']],
      [2, ['call_21', 'call_22', 'call_23']],
    ],
  );
});
