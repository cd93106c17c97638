import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tracedCodex } from './traced-codex.ts';

const place = mkdtempSync(join(tmpdir(), 'rollout-trace-codex-sdk-'));
const program = join(place, 'codex.mjs');

/** Behaves like `codex exec --experimental-json`: records where it is told to, and says on stdout what happens. */
const PROGRAM = `
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { startRollout } from './recorder.mjs';
const args = process.argv.slice(2);
const prompt = await text(process.stdin);
const threadId = args.includes('resume') ? args[args.indexOf('resume') + 1] : randomUUID();
const rollout = startRollout({ root: process.env.CODEX_ROLLOUT_TRACE_ROOT ?? null, threadId });
const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
say({ type: 'thread.started', thread_id: threadId });
const turn = rollout.root.startTurn();
const user = { type: 'message', id: 'msg_u', role: 'user', content: [{ type: 'input_text', text: prompt }] };
const attempt = turn.inference({ model: 'm', providerName: 'p' }).start({ model: 'm', input: [user] });
if (prompt === 'hang') await new Promise((resolve) => setTimeout(resolve, 600_000));
if (prompt === 'fail') {
  attempt.fail('no model');
  turn.end('failed');
  rollout.end('failed');
  say({ type: 'turn.failed', error: { message: 'no model' } });
  process.exit(1);
}
const answer = { type: 'message', id: 'msg_a', role: 'assistant', content: [{ type: 'output_text', text: prompt }] };
attempt.complete({ responseId: 'resp', outputItems: [answer] });
turn.end();
rollout.end();
const { HOME, MINE } = process.env;
say({ type: 'item.completed', item: { id: 'item_0', type: 'agent_message', text: JSON.stringify({ prompt, HOME, MINE }) } });
say({ type: 'turn.completed', usage: { input_tokens: 1 } });
`;

beforeAll(async () => {
  const input = fileURLToPath(new URL('../../node/recorder.ts', import.meta.url));
  const build = await rolldown({ input, platform: 'node' });
  await build.write({ file: join(place, 'recorder.mjs'), format: 'esm' });
  writeFileSync(program, PROGRAM);
});

afterAll(() => rmSync(place, { recursive: true }));

interface Options {
  env?: Record<string, string>;
}

interface Event {
  type: string;
  thread_id?: string;
  item?: { text: string };
  error?: { message: string };
}

/** The client of the SDK, as far as it is seen from outside: `env` replaces that of the process whole. */
class Codex {
  readonly #options: Options;
  constructor(options: Options) {
    this.#options = options;
  }
  startThread(): Thread {
    return new Thread(this.#options, null);
  }
  resumeThread(id: string): Thread {
    return new Thread(this.#options, id);
  }
}

class Thread {
  readonly #options: Options;
  #id: string | null;
  child: ChildProcess | null = null;
  constructor(options: Options, id: string | null) {
    this.#options = options;
    this.#id = id;
  }
  get id(): string | null {
    return this.#id;
  }
  async run(input: string): Promise<{ finalResponse: string }> {
    let finalResponse = '';
    for await (const { type, item, error } of this.#events(input)) {
      if (type === 'item.completed') finalResponse = item?.text ?? '';
      if (type === 'turn.failed') throw new Error(error?.message);
    }
    return { finalResponse };
  }
  async runStreamed(input: string): Promise<{ events: AsyncGenerator<Event> }> {
    return { events: this.#events(input) };
  }
  async *#events(input: string): AsyncGenerator<Event> {
    const args = [program, 'exec', '--experimental-json', ...(this.#id === null ? [] : ['resume', this.#id])];
    const child = spawn(process.execPath, args, { env: { ...(this.#options.env ?? process.env) } });
    this.child = child;
    const closed = once(child, 'close');
    child.stdin.end(input);
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const event: Event = JSON.parse(line);
        if (event.type === 'thread.started') this.#id = event.thread_id ?? null;
        yield event;
      }
    } finally {
      child.kill();
      await closed;
    }
  }
}

const newRoot = () => join(mkdtempSync(join(place, 'root-')), 'traces');

it('every run of a thread has the bundle of its own process, and the graph that it reduces to', async () => {
  const root = newRoot();
  const codex = tracedCodex(Codex, { env: { HOME: '/nowhere', MINE: 'yes' } }, { root });
  expect(codex).toBeInstanceOf(Codex);
  const thread = codex.startThread();
  const first = await thread.run('one');
  expect(JSON.parse(first.finalResponse)).toEqual({ prompt: 'one', HOME: '/nowhere', MINE: 'yes' });
  const second = await thread.run('two');
  const third = await codex.resumeThread(thread.id ?? '').run('three');
  const other = await codex.startThread().run('four');
  const bundles = [first, second, third, other].map(({ trace }) => trace.bundle ?? '');
  expect(new Set(bundles).size).toBe(4);
  expect(new Set(readdirSync(root).map((name) => join(root, name)))).toEqual(new Set(bundles));
  expect(thread.traces.map(({ bundle }) => bundle)).toEqual(bundles.slice(0, 2));
  for (const [index, { trace }] of [first, second, third].entries()) {
    const reduced = trace.reduce();
    expect(reduced?.findings).toEqual([]);
    expect(reduced?.graph.root_thread_id).toBe(thread.id);
    const texts = [...(reduced?.graph.conversation_items.values() ?? [])].map(({ body }) => JSON.stringify(body));
    expect(texts.join()).toContain(['one', 'two', 'three'][index]);
  }
});

it('threads that run at once find their own bundles', async () => {
  const codex = tracedCodex(Codex, {}, { root: newRoot() });
  const threads = [codex.startThread(), codex.startThread(), codex.startThread()];
  const runs = await Promise.all(threads.map((thread, n) => thread.run(`prompt ${n}`)));
  for (const [n, { trace }] of runs.entries()) expect(trace.reduce()?.graph.root_thread_id).toBe(threads[n]?.id);
});

it('a run that fails leaves its bundle as well', async () => {
  const thread = tracedCodex(Codex, {}, { root: newRoot() }).startThread();
  await expect(thread.run('fail')).rejects.toThrow('no model');
  expect(thread.traces[0]?.reduce()?.graph.status).toBe('failed');
});

it('a stream passes through, shows its bundle while it runs, and what is left where it is given up', async () => {
  const thread = tracedCodex(Codex, {}, { root: newRoot() }).startThread();
  const { events, trace } = await thread.runStreamed('hang');
  expect(trace.bundle).toBeNull();
  for await (const event of events) {
    expect(event.type).toBe('thread.started');
    await until(() => trace.reduce()?.graph.inference_calls.size === 1);
    break;
  }
  expect(trace.reduce()?.graph).toMatchObject({ status: 'running', recording_complete: false });
  const again = await thread.runStreamed('more');
  const types: string[] = [];
  for await (const { type } of again.events) types.push(type);
  expect(types).toEqual(['thread.started', 'item.completed', 'turn.completed']);
  expect(again.trace.bundle).not.toBe(trace.bundle);
  expect(again.trace.reduce()?.graph.status).toBe('completed');
});

it('where no root is set nothing is recorded, whatever the process inherits', async () => {
  const codex = tracedCodex(Codex, { env: { CODEX_ROLLOUT_TRACE_ROOT: join(place, 'inherited') } }, { root: null });
  const { trace } = await codex.startThread().run('one');
  expect([trace.bundle, trace.reduce()]).toEqual([null, null]);
  expect(existsSync(join(place, 'inherited'))).toBe(false);
});

it('where there is nothing to set, Codex gets the environment as the SDK gives it', async () => {
  const options = { env: { MINE: 'yes' } };
  let given: Options | null = null;
  class Watched extends Codex {
    constructor(taken: Options) {
      super(taken);
      given = taken;
    }
  }
  tracedCodex(Watched, options, { root: null });
  expect(given).toBe(options);
});

it('the environment given to Codex says where to, under either name', async () => {
  const root = newRoot();
  const codex = tracedCodex(Codex, { env: { ROLLOUT_TRACE_ROOT: root } });
  const { trace } = await codex.startThread().run('one');
  expect(trace.bundle?.startsWith(root)).toBe(true);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
