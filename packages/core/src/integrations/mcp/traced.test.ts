import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as Client2, StreamableHTTPClientTransport as HttpTransport2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpTransport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { withTrace } from '../../node/recorder/current-trace.ts';
import { startRollout } from '../../node/recorder/start-rollout.ts';
import type { Rollout } from '../../recorder/rollout.ts';
import type { ToolCall } from '../../recorder/tool.ts';
import type { Turn } from '../../recorder/turn.ts';
import { accepted } from '../testing/accepted.ts';
import { type ClockServer, startClock as startClockServer } from '../testing/clock-server.ts';
import { readLog } from '../testing/read-log.ts';
import { type McpTransport, traced } from './traced-transport.ts';

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-mcp-'));
afterAll(() => rmSync(root, { recursive: true }));

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startClock(): Promise<ClockServer> {
  const clock = await startClockServer();
  closers.push(() => clock.close());
  return clock;
}

interface Caller {
  callTool(params: object, options?: object): Promise<unknown>;
}

/** A client of each SDK, connected through a traced transport. */
const SDKS: [name: string, connect: (url: URL) => Promise<Caller>][] = [
  [
    'SDK 1',
    async (url) => {
      const client = new Client1({ name: 'test', version: '1' });
      await client.connect(traced(new HttpTransport1(url), { server: 'clock' }));
      closers.push(() => client.close());
      return { callTool: (params, options) => client.callTool(params as never, undefined, options) };
    },
  ],
  [
    'SDK 2',
    async (url) => {
      const client = new Client2({ name: 'test', version: '1' });
      await client.connect(traced(new HttpTransport2(url), { server: 'clock' }));
      closers.push(() => client.close());
      return { callTool: (params, options) => client.callTool(params as never, options) };
    },
  ],
];

function begin(): { rollout: Rollout; turn: Turn; call: ToolCall } {
  const rollout = startRollout({ root });
  const turn = rollout.root.startTurn();
  const call = turn.startToolCall({ name: 'now', callId: 'call_1', payload: { type: 'function', arguments: '{}' } });
  return { rollout, turn, call };
}

/** The state of a trace that has ended; strict, so that a contradiction throws. */
function ended(rollout: Rollout) {
  rollout.end();
  const graph = accepted(rollout.location);
  expect(graph.recording_complete).toBe(true);
  return { tools: [...graph.tool_calls.values()] };
}

/** What the runtime of the tool calls was observed to do, in order. */
function runtime({ location }: Rollout): unknown[] {
  return readLog(location).flatMap(({ type, event, body }) => {
    if (type === 'tool_call_runtime_started') return [body];
    return type === 'tool_call_runtime_ended' ? [{ status: event.status, ...(body as object) }] : [];
  });
}

describe.each(SDKS)('%s', (_, connect) => {
  it('a request of the current tool call is its runtime, and carries its id beside other metadata', async () => {
    const { url, metas } = await startClock();
    const client = await connect(url);
    const { rollout, turn, call } = begin();
    const result = await withTrace(call, () =>
      client.callTool({ name: 'now', arguments: { zone: 'UTC' }, _meta: { 'my/key': 'mine' } }),
    );
    call.respond({ type: 'function_call_output', call_id: 'call_1', output: '12:00' });
    const [tool, ...others] = ended(rollout).tools;
    expect(others).toEqual([]);
    expect(tool?.kind).toEqual({ type: 'mcp', server: 'clock', tool: 'now' });
    expect(metas).toMatchObject([{ 'my/key': 'mine', codex_bridge_mcp_call_id: tool?.mcp_call_id }]);
    expect(runtime(rollout)).toEqual([
      { call_id: 'call_1', turn_id: turn.id, invocation: { server: 'clock', tool: 'now', arguments: { zone: 'UTC' } } },
      {
        status: 'completed',
        result: { Ok: expect.objectContaining({ content: [{ type: 'text', text: '12:00 UTC' }] }) },
      },
    ]);
    expect(result).toMatchObject({ content: [{ type: 'text', text: '12:00 UTC' }] });
  });

  it('without a tool call a request is one of its own in the current turn, failed where the tool says so', async () => {
    const { url, metas } = await startClock();
    const client = await connect(url);
    const rollout = startRollout({ root });
    const turn = rollout.root.startTurn();
    await withTrace(turn, async () => {
      await client.callTool({ name: 'now', arguments: {} });
      await client.callTool({ name: 'fail', arguments: {} });
    });
    const { tools } = ended(rollout);
    expect(tools.map(({ summary, execution }) => [summary, execution.status])).toMatchObject([
      [{ label: 'mcp__clock.now' }, 'completed'],
      [{ label: 'mcp__clock.fail' }, 'failed'],
    ]);
    expect(metas).toMatchObject([{ codex_bridge_mcp_call_id: tools[0]?.mcp_call_id }]);
    expect(runtime(rollout)).toMatchObject([{}, { status: 'completed' }, {}, { status: 'completed' }]);
  });

  it('an error of the server fails the runtime, and reaches the host as it is', async () => {
    const { url } = await startClock();
    const client = await connect(url);
    const { rollout, call } = begin();
    const failed = withTrace(call, () => client.callTool({ name: 'now', arguments: { zone: 7 } })).catch(String);
    // The first server of SDK 2 answers bad arguments with a result or an error, whichever the revision says.
    const answer = await failed;
    call.fail('bad arguments');
    ended(rollout);
    const [, end] = runtime(rollout) as { status: string; result: { Ok?: object; Err?: string } }[];
    if (typeof answer === 'string')
      expect(end).toMatchObject({ status: 'failed', result: { Err: expect.any(String) } });
    else expect(end).toMatchObject({ status: 'completed', result: { Ok: { isError: true } } });
  });

  it('a request that is taken back is cancelled', async () => {
    const { url, asked } = await startClock();
    const client = await connect(url);
    const { rollout, call } = begin();
    const abort = new AbortController();
    const answer = withTrace(call, () =>
      client.callTool({ name: 'hang', arguments: {} }, { signal: abort.signal }),
    ).catch(String);
    await asked;
    abort.abort(new Error('no patience'));
    expect(await answer).toMatch(/no patience|abort/i);
    call.fail('no patience', 'cancelled');
    ended(rollout);
    expect(runtime(rollout)).toMatchObject([{}, { status: 'cancelled', result: { Err: expect.any(String) } }]);
  });

  it('a connection that closes in the middle of a call fails it', async () => {
    const { url, asked } = await startClock();
    const client = await connect(url);
    const rollout = startRollout({ root });
    const turn = rollout.root.startTurn();
    const answer = withTrace(turn, () => client.callTool({ name: 'hang', arguments: {} })).catch(String);
    await asked;
    await closers.pop()?.();
    await answer;
    const [tool] = ended(rollout).tools;
    expect(tool?.execution.status).toBe('failed');
    expect(runtime(rollout)).toMatchObject([
      {},
      { status: 'failed', result: { Err: expect.stringMatching(/closed/) } },
    ]);
  });

  it('requests at once find their own calls', async () => {
    const { url, metas } = await startClock();
    const client = await connect(url);
    const { rollout, turn } = begin();
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const call = turn.startToolCall({
          name: 'now',
          callId: `at_once_${n}`,
          payload: { type: 'function', arguments: '{}' },
        });
        await withTrace(call, () => client.callTool({ name: 'now', arguments: { zone: `${n}` }, _meta: { n } }));
        call.respondToCode(n);
      }),
    );
    const { tools } = ended(rollout);
    for (let n = 0; n < 8; n++) {
      const tool = tools.find(({ tool_call_id }) => tool_call_id === `at_once_${n}`);
      expect(metas).toContainEqual(expect.objectContaining({ n, codex_bridge_mcp_call_id: tool?.mcp_call_id }));
    }
  });

  it('where nothing is recorded, nothing is added', async () => {
    const { url, metas } = await startClock();
    const client = await connect(url);
    await client.callTool({ name: 'now', arguments: {}, _meta: { 'my/key': 'mine' } });
    expect(metas).toHaveLength(1);
    expect(metas[0]).not.toHaveProperty('codex_bridge_mcp_call_id');
  });
});

/** A transport with private fields, accessors and handlers that were there before. */
class Line implements McpTransport {
  readonly sent: unknown[] = [];
  readonly heard: unknown[] = [];
  onclose?: () => void = () => this.heard.push('closed');
  onerror?: (error: Error) => void;
  onmessage?: (message: unknown) => void = (message) => this.heard.push(message);
  sessionId = 'session-1';
  #version = 'none';
  broken = false;

  get protocolVersion(): string {
    return this.#version;
  }

  setProtocolVersion(version: string): void {
    this.#version = version;
  }

  async start(): Promise<void> {}

  async send(message: unknown): Promise<void> {
    if (this.broken) throw new Error('the line is broken');
    this.sent.push(message);
  }

  async close(): Promise<void> {
    this.onclose?.();
  }
}

const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'now', arguments: {} } };

describe('a traced transport', () => {
  it('is the transport below in every property', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    expect(transport).toBeInstanceOf(Line);
    expect(Object.keys(transport)).toEqual(Object.keys(line));
    transport.setProtocolVersion('2025-06-18');
    expect(transport.protocolVersion).toBe('2025-06-18');
    expect(transport.setProtocolVersion).toBe(transport.setProtocolVersion);
    transport.sessionId = 'session-2';
    expect(line.sessionId).toBe('session-2');
    const onerror = () => {};
    transport.onerror = onerror;
    expect([line.onerror, transport.onerror]).toEqual([onerror, onerror]);
    expect('sessionId' in transport && delete (transport as { sessionId?: string }).sessionId).toBe(true);
    expect('sessionId' in line).toBe(false);
    expect(traced(transport, { server: 'again' })).toBe(transport);
  });

  it('calls the handlers that were there before, and those that took their place', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    line.onmessage?.('first');
    const before = transport.onmessage;
    transport.onmessage = (message: unknown) => before?.([message]);
    line.onmessage?.('second');
    await transport.close();
    expect(line.heard).toEqual(['first', ['second'], 'closed']);
  });

  it('hands on the very messages it does not record', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    const rollout = startRollout({ root });
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    await transport.send(list);
    await transport.send(request);
    await withTrace(rollout.root, () => transport.send(request));
    await withTrace(rollout.root, () => transport.send({ ...request, id: 2 }));
    expect(line.sent[0]).toBe(list);
    expect(line.sent[1]).toBe(request);
    expect(ended(rollout).tools).toEqual([]);
    const warnings = readLog(rollout.location).filter(({ type }) => type === 'protocol_event_observed');
    expect(warnings).toHaveLength(1);
  });

  it('hands on what cannot be looked at', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    const { rollout, call } = begin();
    const fails = (): never => {
      throw new Error('nobody looks at this');
    };
    const odd = Object.defineProperty({ jsonrpc: '2.0', id: 1 }, 'result', { get: fails, enumerable: true });
    const closed = new Proxy({}, { get: fails, has: fails, getOwnPropertyDescriptor: fails });
    await withTrace(call, () => transport.send(request));
    await withTrace(call, () => transport.send(closed));
    line.onmessage?.(odd);
    line.onmessage?.(closed);
    // Compared by identity alone: to compare them otherwise is to look at them.
    expect(line.sent[1] === closed).toBe(true);
    expect(line.heard.map((message) => message === odd || message === closed)).toEqual([true, true]);
    call.fail('x');
    ended(rollout);
  });

  it('fails the call where the message cannot be sent, with the error of the transport', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    const { rollout, call } = begin();
    line.broken = true;
    await expect(withTrace(call, () => transport.send(request))).rejects.toThrow('the line is broken');
    call.fail('x');
    ended(rollout);
    expect(runtime(rollout)).toMatchObject([{}, { status: 'failed', result: { Err: 'the line is broken' } }]);
  });

  it('ends as a request, whatever else the tool did meanwhile', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    const { rollout, turn, call } = begin();
    await withTrace(call, () => transport.send(request));
    const child = rollout.root.startChild({ taskName: 'child' });
    const spawn = {
      call_id: call.id,
      sender_thread_id: rollout.root.id,
      prompt: 'Go.',
      model: 'm',
      reasoning_effort: 'low',
    };
    call.runtimeStarted(spawn, { type: 'spawn_agent' });
    call.runtimeEnded('completed', { ...spawn, new_thread_id: child.id, status: 'running' });
    line.onmessage?.({ jsonrpc: '2.0', id: 1, result: { content: [] } });
    call.respondToCode(null);
    turn.end();
    expect(ended(rollout).tools).toMatchObject([{ kind: { type: 'mcp' } }]);
    expect(runtime(rollout)).toHaveLength(5);
  });

  it('hears the first answer only, and no answer of another type of id', async () => {
    const line = new Line();
    const transport = traced(line, { server: 'clock' });
    const { rollout, turn } = begin();
    await withTrace(turn, () => transport.send(request));
    line.onmessage?.({ jsonrpc: '2.0', id: '1', result: { content: [] } });
    line.onmessage?.({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'no' } });
    line.onmessage?.({ jsonrpc: '2.0', id: 1, result: { content: [] } });
    const tool = ended(rollout).tools.find(({ kind }) => kind.type === 'mcp');
    expect(tool?.execution.status).toBe('failed');
    expect(runtime(rollout)).toMatchObject([
      {},
      { status: 'failed', result: { Err: 'no' }, error: { code: -32000, message: 'no' } },
    ]);
    expect(rollout.troubles).toEqual({});
  });
});
