import { getEventListeners } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { reduceBundle } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TerminalsOptions } from '../exec/terminals.ts';
import { byAgent, call, inOrder, type Script, say, startScriptedModel } from '../scripted-model/index.ts';
import type { Tool } from '../tools/tool.ts';
import { AgentSession, type AgentSessionOptions } from './session.ts';

const never: Script = () => new Promise(() => undefined);

afterEach(() => vi.unstubAllEnvs());

async function opened(script: Script, options: Partial<AgentSessionOptions> = {}) {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'rollout-trace-session-')));
  const model = await startScriptedModel(script);
  const session = new AgentSession({
    apiKey: 'sk-scripted',
    baseURL: model.url,
    model: 'model-1',
    cwd: home,
    record: { root: join(home, 'traces'), format: 'bundle' },
    retryDelays_ms: [],
    // The worker of code cells is there in the build only.
    code: false,
    ...options,
  });
  onTestFinished(async () => {
    await session.close();
    await model.close();
    rmSync(home, { recursive: true, force: true });
  });
  return { home, model, session };
}

/** What `--expose-gc` gives, where the host was not started with it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

function reduced(session: AgentSession) {
  return reduceBundle(directorySource(session.location), { mode: 'strict' }).graph;
}

describe('a session', { timeout: 60_000 }, () => {
  it('records nothing where it is told so, and works all the same', async () => {
    vi.stubEnv('ROLLOUT_TRACE_ROOT', join(tmpdir(), 'not-to-be-made'));
    const { session, model } = await opened(inOrder([{ items: [say('Hi.')] }]), { record: false });
    expect((await session.run('Hello.')).text).toBe('Hi.');
    expect(session.location).toBe('');
    expect(model.requests[0]?.headers['x-codex-inference-call-id']).toBeUndefined();
    expect(model.refusals).toEqual([]);
  });

  it('records where the environment says', async () => {
    const root = mkdtempSync(join(tmpdir(), 'rollout-trace-root-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    vi.stubEnv('ROLLOUT_TRACE_ROOT', root);
    const { session } = await opened(inOrder([{ items: [say('Hi.')] }]), { record: {} });
    await session.run('Hello.');
    await session.close();
    expect(readdirSync(root)).toHaveLength(1);
    expect(session.location.startsWith(root)).toBe(true);
  });

  it('runs one turn at a time, and none after its end', async () => {
    const { session, model } = await opened(never);
    const first = session.run('One.');
    await model.until(1);
    await expect(session.run('Two.')).rejects.toThrow('in the middle of a turn');
    await session.close();
    expect((await first).status).toBe('cancelled');
    await expect(session.run('Three.')).rejects.toThrow('is closed');
    expect(reduced(session).status).toBe('aborted');
  });

  it('a compaction that is cancelled leaves the history as it was', async () => {
    const { session, model } = await opened(({ endpoint, number }) =>
      endpoint === 'compact' ? new Promise(() => undefined) : { items: [say(`Answer ${number}.`)] },
    );
    await session.run('One.');
    const before = [...session.root.history.items];
    const controller = new AbortController();
    const compaction = session.compact({ signal: controller.signal });
    await model.until(2);
    controller.abort();
    expect((await compaction).status).toBe('cancelled');
    expect(session.root.history.items.slice(0, before.length)).toEqual(before);
    expect((await session.run('Two.')).status).toBe('completed');
    await session.close();
    expect([...reduced(session).compaction_requests.values()].map(({ execution }) => execution.status)).toEqual([
      'failed',
    ]);
    expect(model.refusals).toEqual([]);
  });

  it('waiting for the next attempt ends when the turn is cancelled', async () => {
    const controller = new AbortController();
    const { session } = await opened(inOrder([{ status: 500 }]), {
      retryDelays_ms: [3_600_000],
      onEvent: ({ type }) => {
        if (type === 'retry') controller.abort();
      },
    });
    expect((await session.run('Try.', { signal: controller.signal })).status).toBe('cancelled');
  });

  it('a timeout that nobody else holds cancels a turn, however much garbage is collected meanwhile', async () => {
    const { session, model } = await opened(never, { record: false });
    const turn = session.run('Go.', { signal: AbortSignal.timeout(1000) });
    await Promise.race([model.until(1), turn]);
    // Two of them: what the first makes unreachable may hold more.
    for (let round = 0; round < 2; round++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await turn).status).toBe('cancelled');
  });

  it('a signal of the host is not listened to any longer than its turn', async () => {
    const { session } = await opened(inOrder([{ items: [say('Hi.')] }]), { record: false });
    const { signal } = new AbortController();
    expect((await session.run('Hello.', { signal })).status).toBe('completed');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it.each([
    ['names no previous response', {}],
    ['names one that the host has named', { previous_response_id: 'resp_of_the_host' }],
  ])('a request that %s fails where the service misses it', async (_what, request) => {
    const lost: Script = () => ({ status: 400, error: "Previous response with id 'resp_1' not found." });
    const { session, model } = await opened(lost, { request, incremental: true });
    const error = expect.stringMatching(/Previous response .* not found/);
    expect(await session.run('Hello.')).toMatchObject({ status: 'failed', error });
    expect([...model.requests, ...model.refusals]).toHaveLength(1);
  });

  it('a turn does not wait for servers once it is cancelled', async () => {
    const hangs = { name: 'slow', command: process.execPath, args: ['-e', 'setInterval(() => undefined, 1000)'] };
    const { session, model } = await opened(inOrder([]), { mcpServers: [hangs] });
    const controller = new AbortController();
    const turn = session.run('Go.', { signal: controller.signal });
    controller.abort();
    expect((await turn).status).toBe('cancelled');
    expect(model.requests).toEqual([]);
  });

  it('a server that still starts when the session ends is no reason to warn', async () => {
    const told: unknown[] = [];
    const { session } = await opened(inOrder([]), {
      mcpServers: [{ name: 'slow', command: process.execPath, args: ['-e', 'setInterval(() => undefined, 1000)'] }],
      onEvent: (event) => event.type === 'warning' && told.push(event),
    });
    expect((await session.run('Go.', { signal: AbortSignal.abort() })).status).toBe('cancelled');
    await session.close();
    // Whoever waits for the servers as well is told after `close`.
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
  });

  it.each([
    ['an empty summary', { summary: [] }],
    ['nulls', { summary: null, content: null, encrypted_content: null }],
    ['a text and no summary', { summary: null, content: [{ type: 'reasoning_text', text: 'Hm.' }] }],
  ])('reasoning with %s is sent again as it was, and leaves a trace that can be read', async (_what, members) => {
    const reasoning = (number: number) => ({ type: 'reasoning', id: `rs_${number}`, ...members });
    const summary = { type: 'compaction', encrypted_content: 'all' };
    const answers: Script = ({ endpoint, number }) => ({
      items: [reasoning(number), endpoint === 'compact' ? summary : say('Hi.')],
    });
    const { session, model } = await opened(answers);
    for (const prompt of ['One.', 'Two.']) expect((await session.run(prompt)).status).toBe('completed');
    expect(await session.compact()).toMatchObject({ status: 'completed' });
    await session.close();
    expect(model.requests.at(-1)?.body.input).toContainEqual(reasoning(1));
    expect(model.refusals).toEqual([]);
    const items = [...reduced(session).conversation_items.values()];
    expect(items.some(({ kind }) => kind === 'reasoning')).toBe(true);
  });

  it('tools that cannot be listed fail the turn, not the session', async () => {
    let broken = true;
    const tools: Tool[] = [];
    const { session } = await opened(inOrder([{ items: [say('Hi.')] }]), {
      tools: new Proxy(tools, {
        get: (target, key) => {
          if (broken) throw new Error('no tools today');
          return Reflect.get(target, key);
        },
      }),
    });
    expect(await session.run('One.')).toMatchObject({ status: 'failed', error: 'no tools today' });
    broken = false;
    expect(await session.run('Two.')).toMatchObject({ status: 'completed', text: 'Hi.' });
    await session.close();
    expect([...reduced(session).codex_turns.values()].map(({ execution }) => execution.status)).toEqual([
      'failed',
      'completed',
    ]);
  });

  it('many calls at once print nothing on the host', async () => {
    const warnings: string[] = [];
    const hear = ({ message }: Error): void => {
      warnings.push(message);
    };
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const listening: Tool = {
      spec: { type: 'function', name: 'listen', description: '', parameters: { type: 'object' }, strict: false },
      namespace: null,
      nested: false,
      parallel: true,
      run: async ({ signal }) => {
        signal.addEventListener('abort', () => undefined, { once: true });
        return { output: 'heard', value: null, status: 'completed' };
      },
    };
    const items = Array.from({ length: 30 }, (_, n) => call(`call_${n}`, 'listen', {}));
    const { session } = await opened(inOrder([{ items }, { items: [say('All.')] }]), { tools: [listening] });
    expect((await session.run('Listen.')).status).toBe('completed');
    // Warnings are printed with the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });

  it('an error of the listener is the host\u2019s, and no part of the turn', async () => {
    const thrown: unknown[] = [];
    const catching = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        thrown.push(error);
      }
    };
    const { session } = await opened(inOrder([{ items: [say('Hi.')] }]), {
      onEvent: ({ type }) => {
        if (type !== 'message') return;
        vi.spyOn(globalThis, 'queueMicrotask').mockImplementationOnce(catching);
        throw new Error('no screen');
      },
    });
    const { status } = await session.run('Hello.');
    vi.restoreAllMocks();
    expect({ status, thrown }).toMatchObject({ status: 'completed', thrown: [{ message: 'no screen' }] });
  });

  it('a history of nothing is not compacted', async () => {
    const { session, model } = await opened(inOrder([]));
    expect((await session.compact()).status).toBe('completed');
    expect(model.requests).toEqual([]);
  });

  it('the model is told who asks, and commands are not told its keys', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
    vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin');
    const { session, model } = await opened(
      byAgent({
        '/root': [
          { items: [call('call_1', 'exec_command', { cmd: 'echo "key=$OPENAI_API_KEY$OPENAI_ADMIN_KEY."' })] },
          { items: [say('None.')] },
        ],
      }),
      {
        instructions: 'Be brief.',
        request: { reasoning: { effort: 'low' } },
        // As a caller without types may leave it out.
        terminals: { env: undefined } as unknown as TerminalsOptions,
      },
    );
    await session.run('Look.');
    const { body } = model.requests[1] ?? {};
    expect(body).toMatchObject({
      instructions: 'Be brief.',
      reasoning: { effort: 'low' },
      metadata: { agent_path: '/root' },
    });
    expect(JSON.stringify(body?.input)).toContain('key=.');
  });
});
