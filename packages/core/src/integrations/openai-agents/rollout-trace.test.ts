import {
  Agent,
  type AgentInputItem,
  applyPatchTool,
  handoff,
  type MCPServer,
  MemorySession,
  OpenAIChatCompletionsModel,
  OpenAIProvider,
  OpenAIResponsesCompactionSession,
  Runner,
  setTraceProcessors,
  setTracingDisabled,
  shellTool,
  tool,
  withTrace as withAgentsTrace,
} from '@openai/agents';
import {
  call,
  compacted,
  inOrder,
  type ModelRequest,
  type Script,
  type ScriptedModel,
  say,
  startScriptedModel,
} from '@rollout-trace/agent/scripted-model';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentTrace, withTrace } from '../../node/recorder/current-trace.ts';
import { startRollout } from '../../node/recorder/start-rollout.ts';
import { traced } from '../openai/traced-fetch.ts';
import { TraceSession } from '../session/session.ts';
import { type TraceFolder, tickingClock, traceFolder } from '../testing/traces.ts';
import { observeRunner, rolloutTrace } from './rollout-trace.ts';
import { tracedSession } from './traced-session.ts';

let folder: TraceFolder;
let session: TraceSession;
let model: ScriptedModel | null = null;

beforeEach(() => {
  folder = traceFolder();
  session = new TraceSession({ root: folder.root, clock: tickingClock() });
  setTracingDisabled(false);
  setTraceProcessors([rolloutTrace({ session })]);
});

afterEach(async () => {
  setTraceProcessors([]);
  session.end();
  await model?.close();
  expect(model?.refusals ?? []).toEqual([]);
  model = null;
  folder.remove();
});

/** A runner whose client is traced, or is not. */
async function runner(script: Script, bytes: 'bytes seen' | 'bytes unseen' = 'bytes seen'): Promise<Runner> {
  model = await startScriptedModel(script);
  const given = bytes === 'bytes seen' ? { fetch: traced(fetch, { session }) } : {};
  client = new OpenAI({ apiKey: 'key', baseURL: model.url, maxRetries: 0, ...given });
  return new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), model: 'gpt-5' });
}
let client: OpenAI;

const clock = tool({
  name: 'clock',
  description: 'Tells the time.',
  parameters: z.object({ zone: z.string() }),
  execute: async ({ zone }) => `noon in ${zone}`,
});

const USAGE = { input_tokens: 100, cached_tokens: 40, output_tokens: 20, reasoning_tokens: 8 };
const BYTES = ['bytes seen', 'bytes unseen'] as const;

async function drained(asked: ReturnType<Runner['run']> | Promise<unknown>, stream: boolean): Promise<void> {
  const result = (await asked) as AsyncIterable<unknown> & { completed: Promise<void> };
  if (!stream) return;
  for await (const _ of result);
  await result.completed;
}

describe('a run', () => {
  it.each(BYTES.flatMap((bytes) => [false, true].map((stream) => ({ bytes, stream }))))(
    'is one turn with its model calls and tool calls ($bytes, streamed: $stream)',
    async ({ bytes, stream }) => {
      const calls = [call('call_1', 'clock', { zone: 'UTC' }), call('call_2', 'clock', { zone: 'CET' })];
      const run = await runner(inOrder([{ items: calls, usage: USAGE }, { items: [say('Noon.')] }]), bytes);
      const agent = new Agent({ name: 'Main', instructions: 'Be brief.', tools: [clock] });
      await drained(
        stream ? run.run(agent, 'What time is it?', { stream: true }) : run.run(agent, 'What time is it?'),
        stream,
      );
      session.end();
      const { graph, payload, breadcrumbs } = folder.trace();
      expect([...graph.codex_turns.values()].map(({ execution }) => execution.status)).toEqual(['completed']);
      expect([...graph.threads.values()]).toMatchObject([{ nickname: 'Main', origin: { type: 'root' } }]);
      const [first, second, ...more] = graph.inference_calls.values();
      expect(more).toEqual([]);
      expect(first).toMatchObject({
        model: 'gpt-5',
        response_id: 'resp_1',
        usage: { input_tokens: 100, cached_input_tokens: 40 },
      });
      expect(second?.request_item_ids).toHaveLength(5);
      const tools = [...graph.tool_calls.values()];
      expect(
        tools.map((t) => [t.model_visible_call_id, t.execution.status, t.model_visible_output_item_ids.length]),
      ).toEqual([
        ['call_1', 'completed', 1],
        ['call_2', 'completed', 1],
      ]);
      expect(first?.tool_call_ids_started_by_response).toEqual(['call_1', 'call_2']);
      expect(payload(tools[1]?.raw_result_payload_id)).toMatchObject({ response_item: { output: 'noon in CET' } });
      expect(payload(tools[1]?.raw_invocation_payload_id)).toMatchObject({ payload: { arguments: '{"zone":"CET"}' } });
      // The two calls, the two messages and the two outputs: nothing stands twice.
      expect(graph.conversation_items.size).toBe(6);
      expect(breadcrumbs('turn_derived')).toEqual([]);
      const derived = payload(first?.raw_request_payload_id).derived_from;
      expect(derived).toEqual(bytes === 'bytes seen' ? undefined : { told_by: 'openai-agents', span: 'response' });
    },
  );

  it.each(BYTES)('over chat completions is recorded as well (%s)', async (bytes) => {
    const run = await runner(
      inOrder([{ items: [call('call_1', 'clock', { zone: 'UTC' })] }, { items: [say('Noon.')], usage: USAGE }]),
      bytes,
    );
    const chat = new OpenAIChatCompletionsModel(client, 'gpt-5');
    await run.run(
      new Agent({ name: 'Main', instructions: 'Be brief.', tools: [clock], model: chat }),
      'What time is it?',
    );
    session.end();
    const { graph } = folder.trace();
    expect([...graph.inference_calls.values()].map((c) => [c.request_item_ids.length, c.execution.status])).toEqual([
      [2, 'completed'],
      [4, 'completed'],
    ]);
    expect([...graph.tool_calls.values()]).toMatchObject([{ model_visible_call_id: 'call_1' }]);
  });

  it.each(BYTES)('that fails ends its turn as failed (%s)', async (bytes) => {
    const run = await runner(inOrder([{ status: 400, error: 'No.' }]), bytes);
    await expect(run.run(new Agent({ name: 'Main' }), 'Hi.')).rejects.toThrow();
    session.end();
    const { graph, breadcrumbs } = folder.trace();
    expect([...graph.codex_turns.values()].map((t) => t.execution.status)).toEqual(['failed']);
    // Of a request that failed, the SDK tells that it did, and not what it was.
    const seen = bytes === 'bytes seen';
    expect([...graph.inference_calls.values()].map((c) => c.execution.status)).toEqual(seen ? ['failed'] : []);
    expect(breadcrumbs('error').map(({ message }) => message)).toEqual(
      seen ? [] : [expect.stringContaining('400 No.')],
    );
  });

  it.each([false, true])('that the host aborts is a cancelled turn (streamed: %s)', async (stream) => {
    const run = await runner(
      inOrder([{ items: [say('Hello.')], end: 'hanging', ...(stream ? {} : { after: new Promise(() => undefined) }) }]),
    );
    const abort = new AbortController();
    const agent = new Agent({ name: 'Main' });
    if (stream) {
      const result = await run.run(agent, 'Hi.', { stream: true, signal: abort.signal });
      for await (const event of result) if (event.type === 'raw_model_stream_event') abort.abort();
      await result.completed.catch(() => undefined);
    } else {
      const asked = run.run(agent, 'Hi.', { signal: abort.signal });
      await model?.until(1);
      abort.abort();
      await expect(asked).rejects.toThrow();
    }
    session.end();
    const { graph } = folder.trace();
    expect([...graph.inference_calls.values()].map((c) => c.execution.status)).toEqual(['cancelled']);
    expect([...graph.codex_turns.values()].map((t) => t.execution.status)).toEqual(['cancelled']);
  });

  const strict = tool({
    name: 'clock',
    description: '',
    parameters: z.object({}),
    execute: async () => {
      throw new Error('No clock.');
    },
    errorFunction: null,
  });
  it.each([
    ['has no more turns', { tools: [clock] }, 'clock', 'MaxTurnsExceededError: Max turns (1) exceeded'],
    [
      'is asked for a tool it has not',
      { tools: [] },
      'watch',
      'ModelBehaviorError: Tool watch not found in agent Main',
    ],
    ['has a tool that may not fail', { tools: [strict] }, 'clock', 'ToolCallError'],
  ])('whose agent %s says in the trace why it failed', async (_what, options, name, why) => {
    const run = await runner(inOrder([{ items: [call('call_1', name, { zone: 'UTC' })] }, { items: [say('Noon.')] }]));
    const agent = new Agent({ name: 'Main', ...options });
    await expect(run.run(agent, 'What time is it?', { maxTurns: 1 })).rejects.toThrow();
    session.end();
    const { graph, breadcrumbs } = folder.trace();
    expect([...graph.codex_turns.values()].map((t) => t.execution.status)).toEqual(['failed']);
    expect(breadcrumbs('error').map(({ message }) => message)).toEqual([expect.stringContaining(why)]);
  });

  it('that the host aborts while a tool runs is cancelled, and no failure', async () => {
    const abort = new AbortController();
    const patient = tool({
      name: 'clock',
      description: '',
      parameters: z.object({}),
      execute: async (_input, _context, details) => {
        abort.abort();
        details?.signal?.throwIfAborted();
      },
    });
    const run = await runner(inOrder([{ items: [call('call_1', 'clock', {})] }]));
    const asked = run.run(new Agent({ name: 'Main', tools: [patient] }), 'What time is it?', { signal: abort.signal });
    await expect(asked).rejects.toThrow();
    session.end();
    const { graph, breadcrumbs } = folder.trace();
    expect([...graph.codex_turns.values()].map((t) => t.execution.status)).toEqual(['cancelled']);
    expect([...graph.tool_calls.values()].map((t) => t.execution.status)).toEqual(['cancelled']);
    expect(breadcrumbs('error')).toEqual([]);
  });

  it('whose tool fails records what the model is told, as a failed call', async () => {
    const failing = tool({
      name: 'clock',
      description: '',
      parameters: z.object({}),
      execute: async () => {
        throw new Error('No clock.');
      },
    });
    const run = await runner(inOrder([{ items: [call('call_1', 'clock', {})] }, { items: [say('Sorry.')] }]));
    await run.run(new Agent({ name: 'Main', tools: [failing] }), 'What time is it?');
    session.end();
    const { graph, payload } = folder.trace();
    const [failed] = graph.tool_calls.values();
    expect(failed?.execution.status).toBe('failed');
    expect(JSON.stringify(payload(failed?.raw_result_payload_id))).toContain(
      'An error occurred while running the tool',
    );
  });

  it('goes on with the run before, by its history, its group or its session', async () => {
    const run = await runner(({ number }) => ({ items: [say(`Answer ${number}.`)] }));
    const agent = new Agent({ name: 'Main' });
    const first = await run.run(agent, 'One.');
    await run.run(agent, [...first.history, { role: 'user', content: 'Two.' }]);
    const memory = tracedSession(new MemorySession(), { session });
    for (const text of ['Uno.', 'Due.']) await run.run(agent, text, { session: memory });
    for (const text of ['Eins.', 'Zwei.']) await withAgentsTrace('chat', () => run.run(agent, text), { groupId: 'g' });
    const before = await run.run(agent, 'Ein.');
    await run.run(agent, 'To.', {
      ...(before.lastResponseId === undefined ? {} : { previousResponseId: before.lastResponseId }),
    });
    session.end();
    const sizes = folder
      .traces()
      .map(({ graph }) => [graph.threads.size, graph.codex_turns.size, graph.conversation_items.size]);
    expect(sizes).toEqual([
      [1, 2, 4],
      [1, 2, 4],
      [1, 2, 4],
      [1, 2, 4],
    ]);
  });

  it('in a turn of the host belongs to that turn', async () => {
    const run = await runner(
      inOrder([{ items: [call('call_1', 'clock', { zone: 'UTC' })] }, { items: [say('Noon.')] }]),
    );
    const rollout = startRollout({ root: folder.root });
    const turn = rollout.root.startTurn();
    await withTrace(turn, () => run.run(new Agent({ name: 'Main', tools: [clock] }), 'What time is it?'));
    turn.end();
    rollout.end();
    session.end();
    const { graph } = folder.trace();
    expect([...graph.codex_turns.keys()]).toEqual([turn.id]);
    expect(graph.tool_calls.size).toBe(1);
    expect([...graph.inference_calls.values()].map((c) => c.codex_turn_id)).toEqual([turn.id, turn.id]);
  });

  it('that waits for an approval goes on where it was', async () => {
    const guarded = tool({
      name: 'clock',
      description: '',
      parameters: z.object({}),
      needsApproval: true,
      execute: async () => 'noon',
    });
    const run = observeRunner(
      await runner(inOrder([{ items: [call('call_1', 'clock', {})] }, { items: [say('Noon.')] }])),
      { session },
    );
    const agent = new Agent({ name: 'Main', tools: [guarded] });
    const waiting = await run.run(agent, 'What time is it?');
    for (const interruption of waiting.interruptions) waiting.state.approve(interruption);
    await run.run(agent, waiting.state);
    session.end();
    const { graph } = folder.trace();
    expect([...graph.tool_calls.values()]).toMatchObject([
      { model_visible_call_id: 'call_1', execution: { status: 'completed' } },
    ]);
    expect(graph.inference_calls.size).toBe(2);
  });
});

describe('a tool call', () => {
  it('is the current one while it runs, so that an MCP request finds it', async () => {
    const seen: string[] = [];
    const peek = tool({
      name: 'peek',
      description: '',
      parameters: z.object({}),
      execute: async () => {
        await null;
        seen.push(currentTrace().toolCall.id);
        return '';
      },
    });
    const run = await runner(inOrder([{ items: [call('call_1', 'peek', {})] }, { items: [say('Done.')] }]));
    await run.run(new Agent({ name: 'Main', tools: [peek] }), 'Look.');
    expect(seen).toEqual(['call_1']);
    expect(currentTrace().toolCall.recording).toBe(false);
  });

  it('is told from others of its tool by what it is given, while it runs', async () => {
    const seen: string[] = [];
    const peek = tool({
      name: 'peek',
      description: '',
      parameters: z.object({ n: z.number() }),
      execute: async () => {
        await null;
        seen.push(currentTrace().toolCall.id);
        return '';
      },
    });
    const twice = [call('call_2', 'peek', { n: 2 }), call('call_3', 'peek', { n: 3 })];
    const run = await runner(
      inOrder([{ items: [call('call_1', 'peek', { n: 1 })] }, { items: twice }, { items: [say('Done.')] }]),
    );
    await run.run(new Agent({ name: 'Main', tools: [peek] }), 'Look.');
    session.end();
    expect(seen).toEqual(['call_1', 'call_2', 'call_3']);
    const { graph, payload } = folder.trace();
    const given = [...graph.tool_calls.values()].map((t) => [
      t.model_visible_call_id,
      (payload(t.raw_invocation_payload_id).payload as { arguments: string }).arguments,
    ]);
    expect(given).toEqual([
      ['call_1', '{"n":1}'],
      ['call_2', '{"n":2}'],
      ['call_3', '{"n":3}'],
    ]);
  });

  it.each(['runner', 'agent'])(
    'has the id a hook of the %s says, where two calls are the same in all but that',
    async (who) => {
      const names: string[] = [];
      const same = tool({
        name: 'same',
        description: '',
        parameters: z.object({}),
        execute: async () => {
          names.push(currentTrace().toolCall.id);
          return `${names.length}`;
        },
      });
      const calls = [call('call_a', 'same', {}), call('call_b', 'same', {})];
      const run = await runner(inOrder([{ items: calls }, { items: [say('Done.')] }]));
      const agent = new Agent({ name: 'Main', tools: [same] });
      if (who === 'runner') observeRunner(run, { session });
      else observeRunner(agent, { session });
      await run.run(agent, 'Twice.');
      session.end();
      expect(names).toEqual(['call_a', 'call_b']);
      expect([...folder.trace().graph.tool_calls.keys()]).toEqual(['call_a', 'call_b']);
    },
  );

  it('that the host did not approve is the call it names, and what was approved the other', async () => {
    const guarded = tool({
      name: 'remove',
      description: '',
      parameters: z.object({ n: z.number() }),
      needsApproval: true,
      execute: async ({ n }) => `removed ${n}`,
    });
    const calls = [call('call_1', 'remove', { n: 1 }), call('call_2', 'remove', { n: 2 })];
    const run = observeRunner(await runner(inOrder([{ items: calls }, { items: [say('Removed.')] }])), { session });
    const agent = new Agent({ name: 'Main', tools: [guarded] });
    const waiting = await run.run(agent, 'Remove both.');
    const [first, second] = waiting.interruptions;
    if (first === undefined || second === undefined) throw new Error('two calls wait');
    waiting.state.reject(first);
    waiting.state.approve(second);
    await run.run(agent, waiting.state);
    session.end();
    const { graph } = folder.trace();
    const ends = [...graph.tool_calls.values()].map((t) => [
      t.model_visible_call_id,
      t.execution.status,
      t.model_visible_output_item_ids.length,
    ]);
    expect(ends.toSorted()).toEqual([
      ['call_1', 'failed', 1],
      ['call_2', 'completed', 1],
    ]);
  });

  it.each([true, false])('whose arguments cannot be read is the one that is left (hooked: %s)', async (hooked) => {
    const calls = [call('call_1', 'clock', 'no json'), call('call_2', 'clock', { zone: 'CET' })];
    const run = await runner(inOrder([{ items: calls }, { items: [say('Noon.')] }]));
    if (hooked) observeRunner(run, { session });
    await run.run(new Agent({ name: 'Main', tools: [clock] }), 'What time is it?');
    session.end();
    const { graph, payload } = folder.trace();
    const ends = [...graph.tool_calls.values()].map((t) => [
      t.model_visible_call_id,
      t.execution.status,
      payload(t.raw_invocation_payload_id).payload,
    ]);
    expect(ends.toSorted()).toEqual([
      ['call_1', 'failed', { type: 'function', arguments: 'no json' }],
      ['call_2', 'completed', { type: 'function', arguments: '{"zone":"CET"}' }],
    ]);
  });

  it('whose id was used before in the rollout is recorded without', async () => {
    const run = await runner(({ number }) =>
      number % 2 === 1 ? { items: [call('call_1', 'clock', { zone: 'UTC' })] } : { items: [say('Noon.')] },
    );
    const agent = new Agent({ name: 'Main', tools: [clock] });
    for (const text of ['One.', 'Two.']) await withAgentsTrace('chat', () => run.run(agent, text), { groupId: 'g' });
    session.end();
    const { graph, breadcrumbs } = folder.trace();
    expect([...graph.tool_calls.values()].map((t) => t.model_visible_call_id)).toEqual(['call_1', null]);
    expect(breadcrumbs('warning')).toHaveLength(1);
  });

  const NAMES = [
    'wait',
    'exec',
    'exec_command',
    'write_stdin',
    'apply_patch',
    'spawn_agent',
    'send_message',
    'wait_agent',
    'close_agent',
    'web_search',
  ];
  it.each(NAMES)('of a tool that is called `%s` does not make the trace unreadable', async (name) => {
    const named = tool({ name, description: '', parameters: z.object({}), execute: async () => 'done' });
    const run = await runner(inOrder([{ items: [call('call_1', name, {})] }, { items: [say('Done.')] }]));
    await run.run(new Agent({ name: 'Main', tools: [named] }), 'Go.');
    session.end();
    expect([...folder.trace().graph.tool_calls.keys()]).toEqual(['call_1']);
  });

  it('that hands over may be called `wait` as well', async () => {
    const run = await runner(inOrder([{ items: [call('call_1', 'wait', {})] }, { items: [say('I am Bob.')] }]));
    const bob = handoff(new Agent({ name: 'Bob' }), { toolNameOverride: 'wait' });
    await run.run(new Agent({ name: 'Main', handoffs: [bob] }), 'Bob, please.');
    session.end();
    const { graph } = folder.trace();
    expect([...graph.tool_calls.keys()]).toEqual(['call_1']);
    expect(graph.threads.size).toBe(2);
  });

  it('of a shell and of a patch is recorded with what was done', async () => {
    const items = [
      {
        type: 'shell_call',
        call_id: 'call_1',
        status: 'completed',
        action: { commands: ['ls'], timeout_ms: null, max_output_length: null },
      },
      {
        type: 'apply_patch_call',
        call_id: 'call_2',
        status: 'completed',
        operation: { type: 'create_file', path: 'a', diff: '+x' },
      },
    ];
    const run = await runner(inOrder([{ items }, { items: [say('Done.')] }]));
    const shell = shellTool({
      shell: { run: async () => ({ output: [{ stdout: 'a\n', stderr: '', outcome: { type: 'exit', exitCode: 0 } }] }) },
    });
    const done = async () => ({ status: 'completed' as const });
    const patch = applyPatchTool({ editor: { createFile: done, updateFile: done, deleteFile: done } });
    await run.run(new Agent({ name: 'Main', tools: [shell, patch] }), 'List, then write.');
    session.end();
    const { graph, payload } = folder.trace();
    const [ran, patched] = graph.tool_calls.values();
    expect(ran).toMatchObject({ model_visible_call_id: 'call_1', kind: { type: 'exec_command' } });
    expect(payload(ran?.raw_result_payload_id)).toMatchObject({
      response_item: { output: expect.stringContaining('a\\n') },
    });
    expect(patched).toMatchObject({ model_visible_call_id: 'call_2', kind: { type: 'apply_patch' } });
    expect(payload(patched?.raw_invocation_payload_id)).toMatchObject({
      payload: { arguments: expect.stringContaining('create_file') },
    });
    expect(ran?.model_visible_output_item_ids).toHaveLength(1);
    expect(graph.conversation_items.size).toBe(6);
  });

  it('of an MCP server has the kind of one', async () => {
    const server: MCPServer = {
      name: 'clocks',
      cacheToolsList: false,
      connect: async () => undefined,
      close: async () => undefined,
      listTools: async () => [
        {
          name: 'now',
          description: '',
          inputSchema: { type: 'object', properties: {}, required: [], additionalProperties: false },
        },
      ],
      callTool: async () => [{ type: 'text', text: 'noon' }],
      invalidateToolsCache: async () => undefined,
    };
    const run = await runner(inOrder([{ items: [call('call_1', 'now', {})] }, { items: [say('Noon.')] }]));
    await run.run(new Agent({ name: 'Main', mcpServers: [server] }), 'What time is it?');
    session.end();
    expect([...folder.trace().graph.tool_calls.values()]).toMatchObject([
      { model_visible_call_id: 'call_1', kind: { type: 'mcp', server: 'clocks', tool: 'now' } },
    ]);
  });
});

describe('several agents', () => {
  it.each(BYTES)('as tools are children with threads of their own, and edges to them (%s)', async (bytes) => {
    const script = ({ body }: ModelRequest) => {
      const text = JSON.stringify(body.input);
      if (!text.includes('Plan.')) return { items: [say(`Found ${text.includes('one') ? 'one' : 'two'}.`)] };
      if (text.includes('function_call_output')) return { items: [say('Done.')] };
      return {
        items: [call('call_1', 'research', { input: 'Find one.' }), call('call_2', 'research', { input: 'Find two.' })],
      };
    };
    const run = await runner(script, bytes);
    const researcher = new Agent({ name: 'Researcher', instructions: 'Find.' });
    const main = new Agent({ name: 'Main', tools: [researcher.asTool({ toolName: 'research', toolDescription: '' })] });
    await run.run(main, 'Plan.');
    session.end();
    const { graph } = folder.trace();
    const [root, ...children] = graph.threads.values();
    expect(children.map((t) => [t.agent_path, t.execution.status])).toEqual([
      ['/root/researcher', 'completed'],
      ['/root/researcher_2', 'completed'],
    ]);
    const edges = [...graph.interaction_edges.values()].filter(({ kind }) => kind === 'spawn_agent');
    expect(edges.map(({ source, target }) => [source, target])).toEqual(
      expect.arrayContaining(
        children.map(({ thread_id }, n) => [
          { type: 'tool_call', tool_call_id: `call_${n + 1}` },
          { type: 'thread', thread_id },
        ]),
      ),
    );
    const threads = [...graph.inference_calls.values()].map((c) => c.thread_id);
    expect(threads.filter((id) => id === root?.thread_id)).toHaveLength(2);
    expect(new Set(threads).size).toBe(3);
  });

  it.each(BYTES)('that hand over are children, and a later run goes on with the successor (%s)', async (bytes) => {
    const run = await runner(
      inOrder([
        { items: [call('call_1', 'transfer_to_Bob', {})] },
        { items: [say('I am Bob.')] },
        { items: [say('Still Bob.')] },
      ]),
      bytes,
    );
    const bob = new Agent({ name: 'Bob', instructions: 'Be Bob.' });
    const main = new Agent({ name: 'Main', handoffs: [bob] });
    const first = await run.run(main, 'Bob, please.');
    await run.run(bob, [...first.history, { role: 'user', content: 'Who?' }]);
    session.end();
    const { graph } = folder.trace();
    const [root, child, ...more] = graph.threads.values();
    expect(more).toEqual([]);
    expect(child).toMatchObject({
      agent_path: '/root/bob',
      origin: { type: 'spawned', parent_thread_id: root?.thread_id },
    });
    expect([...graph.interaction_edges.values()]).toMatchObject([
      { kind: 'spawn_agent', source: { tool_call_id: 'call_1' }, target: { thread_id: child?.thread_id } },
    ]);
    expect([...graph.inference_calls.values()].map((c) => c.thread_id)).toEqual([
      root?.thread_id,
      child?.thread_id,
      child?.thread_id,
    ]);
    expect([...graph.codex_turns.values()].every(({ execution }) => execution.status === 'completed')).toBe(true);
  });
});

it('of several handoffs in one response the first is made, and its call is that of the child', async () => {
  const transfers = ['call_1', 'call_2'].map((id) => call(id, 'transfer_to_Bob', {}));
  const run = await runner(
    inOrder([{ items: [...transfers, call('call_3', 'clock', { zone: 'UTC' })] }, { items: [say('I am Bob.')] }]),
  );
  const main = new Agent({ name: 'Main', handoffs: [new Agent({ name: 'Bob' })], tools: [clock] });
  await run.run(main, 'Bob, please.');
  session.end();
  const { graph } = folder.trace();
  expect([...graph.tool_calls.keys()].toSorted()).toEqual(['call_1', 'call_3']);
  expect([...graph.interaction_edges.values()]).toMatchObject([
    { kind: 'spawn_agent', source: { tool_call_id: 'call_1' } },
  ]);
});

it('an agent that works for a tool may hand over, and a tool may ask the model itself', async () => {
  const script = ({ body }: ModelRequest) => {
    const text = JSON.stringify(body.input);
    if (text.includes('On the side.')) return { items: [say('Aside.')] };
    if (text.includes('transfer_to_Helper')) return { items: [say('Helped.')] };
    if (text.includes('Help.') && !text.includes('Plan.')) return { items: [call('call_2', 'transfer_to_Helper', {})] };
    if (text.includes('aside')) return { items: [say('Done.')] };
    if (text.includes('function_call_output')) return { items: [call('call_3', 'aside', {})] };
    return { items: [call('call_1', 'research', { input: 'Help.' })] };
  };
  const run = await runner(script);
  const aside = tool({
    name: 'aside',
    description: '',
    parameters: z.object({}),
    execute: async () => (await client.responses.create({ model: 'gpt-5', input: 'On the side.' })).output_text,
  });
  const helper = new Agent({ name: 'Helper' });
  const researcher = new Agent({ name: 'Researcher', handoffs: [helper] });
  const research = researcher.asTool({ toolName: 'research', toolDescription: '' });
  await run.run(new Agent({ name: 'Main', tools: [research, aside] }), 'Plan.');
  session.end();
  const { graph } = folder.trace();
  expect([...graph.threads.values()].map((t) => t.agent_path)).toEqual([
    '/root',
    '/root/researcher',
    '/root/researcher/helper',
  ]);
  expect([...graph.interaction_edges.values()].map(({ source }) => source)).toEqual([
    { type: 'tool_call', tool_call_id: 'call_1' },
    { type: 'tool_call', tool_call_id: 'call_2' },
  ]);
  expect([...graph.tool_calls.values()].map((t) => t.execution.status)).toEqual([
    'completed',
    'completed',
    'completed',
  ]);
  expect(graph.inference_calls.size).toBe(6);
});

describe('a session that compacts', () => {
  it.each([false, true])('installs what the compaction left, in the same rollout (streamed: %s)', async (stream) => {
    const run = await runner((request) =>
      request.endpoint === 'compact' ? compacted(request) : { items: [say(`Answer ${request.number}.`)] },
    );
    const memory = tracedSession(
      new OpenAIResponsesCompactionSession({
        client,
        model: 'gpt-5',
        compactionMode: 'input',
        shouldTriggerCompaction: () => true,
        underlyingSession: new MemorySession(),
      }),
      { session },
    );
    const agent = new Agent({ name: 'Main' });
    for (const text of ['One.', 'Two.']) {
      await drained(
        stream ? run.run(agent, text, { session: memory, stream: true }) : run.run(agent, text, { session: memory }),
        stream,
      );
    }
    session.end();
    const { graph } = folder.trace();
    expect(graph.codex_turns.size).toBe(2);
    expect(graph.inference_calls.size).toBe(2);
    expect([...graph.compaction_requests.values()].map((r) => r.execution.status)).toEqual(['completed', 'completed']);
    const [first] = graph.compactions.values();
    expect(graph.compactions.size).toBe(2);
    expect(first?.input_item_ids).toHaveLength(2);
    expect(first?.replacement_item_ids).toHaveLength(1);
    const [, second] = graph.inference_calls.values();
    expect([...(second?.request_item_ids ?? [])].slice(0, 1)).toEqual(first?.replacement_item_ids);
  });
});

it('the SDK hears nothing of it where nothing is recorded', async () => {
  const off = new TraceSession({ root: null });
  setTraceProcessors([rolloutTrace({ session: off })]);
  const run = observeRunner(await runner(inOrder([{ items: [say('Hello.')] }]), 'bytes unseen'), { session: off });
  const { finalOutput } = await run.run(new Agent({ name: 'Main' }), 'Hi.');
  expect(finalOutput).toBe('Hello.');
  expect(folder.traces()).toEqual([]);
});

it('a call is recorded once, though the spans cannot be told apart while it runs', async () => {
  const run = await runner(inOrder([{ items: [say('Hello.')] }]));
  const key = Symbol.for('openai.agents.core.asyncLocalStorage');
  const storage = Reflect.get(globalThis, key) as object;
  // The same storage, as if a later version of the SDK kept something else in it.
  Object.defineProperty(globalThis, key, {
    configurable: true,
    writable: true,
    value: new Proxy(storage, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== 'getStore') return value.bind(target);
        return () => (new Error().stack?.includes('current-span') ? undefined : value.call(target));
      },
    }),
  });
  try {
    await run.run(new Agent({ name: 'Main' }), [{ role: 'user', content: 'Hi.' }] satisfies AgentInputItem[]);
  } finally {
    Object.defineProperty(globalThis, key, { configurable: true, writable: true, value: storage });
  }
  session.end();
  expect(folder.traces().map(({ graph }) => graph.inference_calls.size)).toEqual([1]);
});
