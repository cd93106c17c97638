import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  call,
  inOrder,
  type Script,
  type ScriptedModel,
  say,
  startScriptedModel,
} from '@rollout-trace/agent/scripted-model';
import { generateText, stepCountIs, streamText, ToolLoopAgent, tool } from 'ai-6';
import { createOpenAI } from 'ai-sdk-openai-3';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentTrace } from '../../node/recorder/current-trace.ts';
import { traced } from '../openai/traced-fetch.ts';
import { TraceSession } from '../session/session.ts';
import { accepted } from '../testing/accepted.ts';
import { rolloutTrace } from './telemetry.ts';

// Major 6 of the SDK, which tells less than 7. What both tell is tested with 7 (`telemetry.test.ts`).

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-ai-sdk-6-'));
afterAll(() => rmSync(root, { recursive: true }));

let server: ScriptedModel | null = null;
afterEach(async () => {
  expect(server?.refusals ?? []).toEqual([]);
  await server?.close();
  server = null;
});

async function setup(script: Script, bytes: boolean) {
  server = await startScriptedModel(script);
  const own = mkdtempSync(join(root, 'run-'));
  const session = new TraceSession({ root: own });
  const fetch = bytes ? { fetch: traced(globalThis.fetch, { session }) } : {};
  const openai = createOpenAI({ apiKey: 'none', baseURL: server.url, ...fetch });
  const registered = rolloutTrace({ session });
  // Twice, and another one, as by modules that do not know of each other.
  const telemetry = { isEnabled: true, integrations: [registered, registered, rolloutTrace({ session })] };
  const graphs = () => {
    session.end();
    return readdirSync(own).map((name) => accepted(join(own, name)));
  };
  return { model: openai.responses('m'), experimental_telemetry: telemetry, graphs };
}

const providerOptions = { openai: { store: false } };
const prompt = 'Look.';
const stopWhen = stepCountIs(4);
const tools = {
  ls: tool({ inputSchema: z.object({ dir: z.string() }), execute: async ({ dir }) => ({ files: [`${dir}/a`] }) }),
  fail: tool({
    inputSchema: z.object({}),
    execute: async (): Promise<string> => {
      throw new Error('no disk');
    },
  }),
};

describe.each([
  ['from what the SDK tells', false],
  ['from the bytes of a traced fetch', true],
])('%s', (_, bytes) => {
  const script = () =>
    inOrder([
      { items: [call('c1', 'ls', { dir: '.' }), call('c2', 'fail', {})], usage: { input_tokens: 7, cached_tokens: 3 } },
      { items: [say('Done.')] },
    ]);

  it.each(['generateText', 'streamText'])('%s is one turn with its steps and tools', async (how) => {
    const { graphs, ...given } = await setup(script(), bytes);
    const run = { ...given, providerOptions, prompt, tools, stopWhen };
    const { text } = how === 'generateText' ? await generateText(run) : streamText(run);
    expect(await text).toBe('Done.');
    const [graph, ...others] = graphs();
    expect(others).toEqual([]);
    expect([...(graph?.codex_turns.values() ?? [])]).toMatchObject([{ execution: { status: 'completed' } }]);
    const inferences = [...(graph?.inference_calls.values() ?? [])];
    expect(
      inferences.map(({ execution, response_id, request_item_ids }) => [
        execution.status,
        response_id,
        request_item_ids.length,
      ]),
    ).toEqual([
      ['completed', 'resp_1', 1],
      ['completed', 'resp_2', 5],
    ]);
    expect(inferences[0]).toMatchObject({
      usage: { input_tokens: 7, cached_input_tokens: 3 },
      tool_call_ids_started_by_response: ['c1', 'c2'],
      upstream_request_id: bytes ? 'req_1' : null,
    });
    const statuses = [...(graph?.tool_calls.values() ?? [])].map(({ tool_call_id, execution }) => [
      tool_call_id,
      execution.status,
    ]);
    expect(statuses).toEqual([
      ['c1', 'completed'],
      ['c2', 'failed'],
    ]);
  });

  it('an agent that a tool runs is a child, and runs at once do not mix', async () => {
    const { graphs, ...given } = await setup(({ body }) => {
      const text = JSON.stringify(body.input);
      if (text.includes('Done with')) return { items: [say('All done.')] };
      if (text.includes('Why')) return { items: [say('Done with it.')] };
      return { items: [call(text.includes('One') ? 'c1' : 'c2', 'research', { question: 'Why?' })] };
    }, bytes);
    const researcher = new ToolLoopAgent({ ...given, providerOptions });
    let found = '';
    const research = tool({
      inputSchema: z.object({ question: z.string() }),
      execute: async ({ question }) => {
        found += currentTrace().toolCall.id;
        return (await researcher.generate({ prompt: question })).text;
      },
    });
    const ask = (text: string) =>
      generateText({ ...given, providerOptions, prompt: text, tools: { research }, stopWhen });
    await Promise.all([ask('One'), ask('Two')]);
    expect(found).toMatch(/^(c1c2|c2c1)$/);
    const both = graphs();
    expect(both).toHaveLength(2);
    for (const graph of both) {
      expect([...graph.threads.values()].map(({ agent_path }) => agent_path)).toEqual(['/root', '/root/agent']);
      expect([...graph.interaction_edges.values()]).toMatchObject([{ kind: 'spawn_agent' }]);
      expect(graph.inference_calls.size).toBe(3);
      expect(graph.tool_calls.size).toBe(1);
    }
  });
});
