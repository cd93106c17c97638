import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memorySource, reduceBundle } from '@rollout-trace/core';
import { BundleSink, MCP_CALL_META_KEY, MemoryBundle, startRollout } from '@rollout-trace/core/recorder';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { Tool, ToolOutcome } from '../tools/tool.ts';
import { type McpServers, startMcpServers } from './mcp-tools.ts';
import type { McpServerOptions } from './server.ts';

const SERVER = fileURLToPath(new URL('./testing/server.mjs', import.meta.url));

// Every test starts processes, and a loaded machine takes its time for that.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let open: McpServers[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollout-trace-mcp-'));
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((servers) => servers.close()));
  rmSync(folder, { recursive: true });
});

async function started(words: string[] = [], more: Partial<McpServerOptions> = {}): Promise<McpServers> {
  const servers = await startMcpServers([server(words, more)]);
  open.push(servers);
  return servers;
}

function server(words: string[] = [], more: Partial<McpServerOptions> = {}): McpServerOptions {
  return { name: 'test', command: process.execPath, args: [SERVER, ...words], ...more };
}

function named({ tools }: McpServers, name: string): Tool {
  const tool = tools.find(({ spec }) => spec.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return tool;
}

/** Calls a tool in a turn that is recorded, and reduces what was recorded. */
async function call(servers: McpServers, name: string, args: unknown = {}, signal = new AbortController().signal) {
  const memory = new MemoryBundle();
  let id = 0;
  const rollout = startRollout({
    openSink: () => ({ sink: new BundleSink(memory), location: 'memory' }),
    clock: () => 1,
    newId: () => `00000000-0000-4000-8000-${String(++id).padStart(12, '0')}`,
  });
  const turn = rollout.root.startTurn();
  const tool = named(servers, name);
  const input = typeof args === 'string' ? args : JSON.stringify(args);
  const payload = { type: 'function' as const, arguments: input };
  const trace = turn.startToolCall({ name, namespace: tool.namespace, callId: 'call_1', payload });
  let outcome: ToolOutcome | Error;
  try {
    outcome = await tool.run({ callId: 'call_1', input, trace, turnId: turn.id, cwd: folder, signal });
    trace.respond({ type: 'function_call_output', call_id: 'call_1', output: outcome.output }, outcome.status);
  } catch (error) {
    outcome = error as Error;
    trace.fail(error);
  }
  turn.end();
  rollout.end();
  const files = memory.files();
  const read = (path: string) => JSON.parse(Buffer.from(files.get(path) ?? []).toString());
  const events = Buffer.from(files.get('trace.jsonl') ?? [])
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).payload);
  const { graph, findings } = reduceBundle(memorySource(files), { mode: 'strict' });
  expect(findings).toEqual([]);
  return {
    outcome,
    /** The payload of an event of the call. */
    payload: (type: string) => read(events.find((event) => event.type === type).runtime_payload.path),
    types: events.map(({ type }) => type as string),
    reduced: graph.tool_calls.get('call_1'),
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the tools of a server', () => {
  test('all pages are listed, in a namespace of the server, under names the API takes', async () => {
    const { tools, failures } = await started();
    expect(failures).toEqual([]);
    expect(tools.every(({ namespace }) => namespace === 'mcp__test')).toBe(true);
    expect(tools.map(({ spec }) => spec.name)).toEqual([
      ...[
        'add',
        'meta',
        'client',
        'environment',
        'fail',
        'picture',
        'now',
        'refuse',
        'hang',
        'work',
        'die',
        'flood',
        'gallery',
        'pids',
        'wait',
      ],
      expect.stringMatching(/^read_file_[0-9a-f]{8}$/),
      expect.stringMatching(/^read_file_[0-9a-f]{8}$/),
      'read_file',
    ]);
    expect(tools[0]).toMatchObject({
      spec: { type: 'function', description: 'Adds two numbers.', parameters: { type: 'object', properties: {} } },
      parallel: true,
    });
    expect(tools[1]?.parallel).toBe(false);
  });

  test('a tool whose name was changed is called by its own name', async () => {
    const servers = await started();
    const [space, slash] = servers.tools.slice(-3).map(({ spec }) => spec.name);
    expect((await call(servers, space ?? '')).outcome).toMatchObject({ output: 'with a space' });
    expect((await call(servers, slash ?? '')).outcome).toMatchObject({ output: 'with a slash' });
  });

  test('a server that does not start is told of, and the others work', async () => {
    const servers = await startMcpServers([
      server(['broken'], { name: 'broken' }),
      server([], { name: 'fine' }),
      server(['mute'], { name: 'mute', start_timeout_ms: 1500 }),
      { name: 'nobody', command: join(folder, 'no-such-program') },
      server([], { name: 'fine' }),
      server(['endless'], { name: 'endless' }),
    ]);
    open.push(servers);
    expect(servers.servers.map(({ name }) => name)).toEqual(['fine']);
    const [broken, mute, nobody, twice, endless] = servers.failures;
    expect(broken).toMatch(
      /^MCP server broken .* it exited with code 4; its last words were: no configuration found\.$/,
    );
    expect(mute).toMatch(/^MCP server mute .* did not start: it could not be used: Request timed out/);
    expect(endless).toMatch(/^MCP server endless .* it could not be used: .* did not terminate/);
    expect(nobody).toMatch(/^MCP server nobody .* could not be started \(.*ENOENT\)/);
    expect(twice).toBe('MCP server fine is configured twice.');
    expect((await call(servers, 'add', { a: 1, b: 2 })).outcome).toMatchObject({ output: '3' });
  });

  test('names of servers that become the same are told apart', async () => {
    const servers = await startMcpServers([server([], { name: 'a b' }), server([], { name: 'a.b' })]);
    open.push(servers);
    expect(new Set(servers.tools.map(({ namespace }) => namespace)).size).toBe(2);
  });

  test('a server gets no more of the environment than it needs, and what it is given', async () => {
    process.env.SECRET_OF_THE_TEST = 'secret';
    try {
      const servers = await started([], { env: { GIVEN: 'yes' } });
      const { outcome } = await call(servers, 'environment');
      const names = JSON.parse(String((outcome as ToolOutcome).output));
      expect(names).toContain('GIVEN');
      expect(names).not.toContain('SECRET_OF_THE_TEST');
    } finally {
      delete process.env.SECRET_OF_THE_TEST;
    }
  });

  test('it is told who calls', async () => {
    const { outcome } = await call(await started(), 'client');
    expect(JSON.parse(String((outcome as ToolOutcome).output))).toMatchObject({ version: packageJson.version });
  });
});

describe('a call', () => {
  test('is recorded as what it becomes, and its correlation id reaches the server', async () => {
    const { outcome, reduced, payload, types } = await call(await started(), 'meta', { zone: 'UTC' });
    expect(types).toEqual([
      ...['rollout_started', 'thread_started', 'codex_turn_started', 'tool_call_started', 'tool_call_runtime_started'],
      ...['mcp_tool_call_correlation_assigned', 'tool_call_runtime_ended', 'tool_call_ended'],
      ...['codex_turn_ended', 'thread_ended', 'rollout_ended', 'recording_completed'],
    ]);
    expect(reduced?.kind).toEqual({ type: 'mcp', server: 'test', tool: 'meta' });
    expect(payload('tool_call_runtime_started')).toEqual({
      call_id: 'call_1',
      turn_id: expect.any(String),
      invocation: { server: 'test', tool: 'meta', arguments: { zone: 'UTC' } },
    });
    const meta = JSON.parse(String((outcome as ToolOutcome).output));
    expect(meta[MCP_CALL_META_KEY]).toBe(reduced?.mcp_call_id);
    expect(meta[MCP_CALL_META_KEY]).toEqual(expect.any(String));
  });

  test('that the server calls an error has failed, with the text as output', async () => {
    const { outcome, reduced, payload } = await call(await started(), 'fail', { why: 'testing' });
    expect(outcome).toMatchObject({ output: 'failed: testing', status: 'failed', value: { isError: true } });
    expect(payload('tool_call_runtime_ended')).toMatchObject({ result: { Ok: { isError: true } } });
    expect(reduced?.execution.status).toBe('failed');
  });

  test('gives images as parts and structures as JSON', async () => {
    const servers = await started();
    const { outcome } = await call(servers, 'picture');
    expect(outcome).toMatchObject({ output: [{ text: 'a dot' }, { type: 'input_image' }], status: 'completed' });
    expect((await call(servers, 'now')).outcome).toMatchObject({ output: '{"hour":12}' });
  });

  test('may give as many images as the model is given, and more', async () => {
    const { outcome } = await call(await started(), 'gallery');
    const kinds = ['input_image', 'input_image', 'input_image', 'input_text', 'input_text'];
    expect(outcome).toMatchObject({ output: kinds.map((type) => ({ type })), status: 'completed' });
  });

  test('whose structure is not the one that was promised has failed', async () => {
    const { outcome } = await call(await started(), 'now', { wrong: true });
    expect(outcome).toMatchObject({ status: 'failed', output: expect.stringMatching(/^MCP server test: .*schema/) });
  });

  test('that the server refuses has failed, with the reason as output', async () => {
    const { outcome, payload } = await call(await started(), 'refuse');
    expect(outcome).toMatchObject({ output: 'MCP server test: not today', status: 'failed' });
    expect(payload('tool_call_runtime_ended')).toEqual({ result: { Err: 'MCP server test: not today' } });
  });

  test('with arguments that are no JSON object never reaches the server', async () => {
    const { outcome, types } = await call(await started(), 'add', '[1]');
    expect(outcome).toMatchObject({ name: 'ToolError', message: 'arguments must be a JSON object' });
    expect(types).not.toContain('tool_call_runtime_started');
  });

  test('is cancelled at the server when the turn is', async () => {
    const servers = await started();
    const file = join(folder, 'hang');
    const turn = new AbortController();
    const hanging = call(servers, 'hang', { file }, turn.signal);
    await until(() => existsSync(file) && readFileSync(file, 'utf8') === 'begun');
    turn.abort();
    const { outcome, reduced } = await hanging;
    expect(outcome).toMatchObject({ status: 'cancelled', output: 'The call to MCP server test was cancelled.' });
    expect(reduced?.execution.status).toBe('cancelled');
    await until(() => readFileSync(file, 'utf8') === 'cancelled');
  });

  test('of a turn that is already cancelled is not sent', async () => {
    const { outcome, types } = await call(await started(), 'meta', {}, AbortSignal.abort());
    expect(outcome).toMatchObject({ status: 'cancelled' });
    expect(types).not.toContain('mcp_tool_call_correlation_assigned');
  });

  test('without an answer fails when its time is up, and the server goes on', async () => {
    const servers = await started([], { call_timeout_ms: 2000 });
    const { outcome } = await call(servers, 'hang', { file: join(folder, 'hang') });
    expect(outcome).toMatchObject({ status: 'failed', output: 'MCP server test did not answer within 2000 ms.' });
    expect((await call(servers, 'add', { a: 2, b: 2 })).outcome).toMatchObject({ output: '4' });
  });

  test('that reports progress may take longer', async () => {
    const servers = await started([], { call_timeout_ms: 3000 });
    const { outcome } = await call(servers, 'work', { steps: 4, step_ms: 900 });
    expect(outcome).toMatchObject({ output: 'worked', status: 'completed' });
  });
});

describe('a server that dies', () => {
  test('fails the call, and is started once more by the next', async () => {
    const servers = await started();
    const died = await call(servers, 'die');
    const message = 'MCP server test ended during the call: it exited with code 3; its last words were: it hurts.';
    expect(died.outcome).toMatchObject({ output: message, status: 'failed' });
    expect(died.payload('tool_call_runtime_ended')).toEqual({ result: { Err: message } });
    const after = await Promise.all([1, 2, 3].map((b) => call(servers, 'add', { a: 1, b })));
    expect(after.map(({ outcome }) => (outcome as ToolOutcome).output)).toEqual(['2', '3', '4']);
    await call(servers, 'die');
    expect((await call(servers, 'add', { a: 1, b: 1 })).outcome).toMatchObject({
      output: 'MCP server test is gone: it exited with code 3; its last words were: it hurts.',
      status: 'failed',
    });
  });

  test('of a message longer than can be read is told so', async () => {
    const servers = await started();
    const { outcome } = await call(servers, 'flood');
    expect(outcome).toMatchObject({
      status: 'failed',
      output: expect.stringMatching(/wrote a message that is too long/),
    });
    expect((await call(servers, 'add', { a: 1, b: 1 })).outcome).toMatchObject({ output: '2' });
  });

  test('and cannot be started again says so at every call', async () => {
    const servers = await started(['once', join(folder, 'once')]);
    await call(servers, 'die');
    for (const _ of [1, 2]) {
      const { outcome } = await call(servers, 'add', { a: 1, b: 1 });
      expect(outcome).toMatchObject({ status: 'failed', output: expect.stringMatching(/did not start.* code 5/) });
    }
  });
});

describe('the end of a server', () => {
  test('is that of its process and of what it started, even where it does not listen', async () => {
    const servers = await started(['stubborn', 'litter']);
    const { outcome } = await call(servers, 'pids');
    const pids: number[] = JSON.parse(String((outcome as ToolOutcome).output));
    expect(pids.map(isAlive)).toEqual([true, true]);
    await servers.close();
    await until(() => !pids.some(isAlive));
  });

  test.runIf(existsSync('/proc/self/environ'))('is that of what it started and that left its session', async () => {
    const servers = await started(['litter', 'detached']);
    const { outcome } = await call(servers, 'pids');
    const pids: number[] = JSON.parse(String((outcome as ToolOutcome).output));
    expect(pids.map(isAlive)).toEqual([true, true]);
    await servers.close();
    await until(() => !pids.some(isAlive));
  });

  test('cancels calls that still run, and later ones', async () => {
    const servers = await started();
    const file = join(folder, 'hang');
    const hanging = call(servers, 'hang', { file });
    await until(() => existsSync(file));
    await servers.close();
    expect((await hanging).outcome).toMatchObject({ status: 'cancelled', output: 'MCP server test was closed.' });
    expect((await call(servers, 'add')).outcome).toMatchObject({ output: 'MCP server test was closed.' });
  });

  test('of one that writes much to stderr keeps only its last words', async () => {
    const servers = await started(['chatty']);
    const { outcome } = await call(servers, 'die');
    expect(String((outcome as ToolOutcome).output).length).toBeLessThan(200);
  });
});
