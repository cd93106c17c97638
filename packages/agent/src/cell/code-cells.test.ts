import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Tool, ToolError } from '../tools/tool.ts';
import type { CodeCellsOptions } from './code-cells.ts';
import { CellSession, scriptTool } from './testing/cell-session.ts';

// Cells run in real workers: on a loaded machine they take their time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const open: CellSession[] = [];

function session(tools: readonly Tool[] = [], options: Partial<CodeCellsOptions> = {}): CellSession {
  const made = new CellSession(tools, options);
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const made of open.splice(0)) await made.dispose();
});

const add = scriptTool('add', ({ a, b }) => Number(a) + Number(b));
const broken = scriptTool('broken', () => {
  throw new ToolError('it is broken');
});

/** A tool whose calls end when the test says so. */
function gate(): { tool: Tool; open: () => void; begun: Promise<void>; aborted: () => boolean } {
  let release: () => void = () => undefined;
  let begin: () => void = () => undefined;
  let seen: AbortSignal | undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const tool = scriptTool('gate', async (_args, signal) => {
    seen = signal;
    begin();
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('the gate was closed')));
    });
    return await Promise.race([released.then(() => 'open'), aborted]);
  });
  return { tool, open: release, begun, aborted: () => seen?.aborted === true };
}

describe('a script', () => {
  it('returns what it has put out when it ends', async () => {
    const seen = await session().exec(
      'text("one"); text({ a: [1, 2] }); text(undefined); image("data:image/png;base64,AA")',
    );
    expect(seen.status).toBe('completed');
    expect(seen.text).toMatch(/^Script completed\nWall time: \d+\.\d seconds\nOutput:\n/);
    expect(seen.parts).toEqual([
      { type: 'input_text', text: 'one' },
      { type: 'input_text', text: '{"a":[1,2]}' },
      { type: 'input_text', text: 'undefined' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA' },
    ]);
  });

  it('shows an image of an MCP result', async () => {
    const seen = await session().exec('image({ type: "image", data: "AA", mimeType: "image/gif" })');
    expect(seen.parts).toEqual([{ type: 'input_image', image_url: 'data:image/gif;base64,AA' }]);
  });

  it('calls tools and awaits their values at its top level', async () => {
    const shout = scriptTool('shout', () => undefined, {
      spec: { type: 'custom', name: 'shout', description: 'Takes text.' },
      run: async ({ input }) => ({ output: '', value: input.toUpperCase(), status: 'completed' }),
    });
    const seen = await session([add, shout]).exec(
      'text(await tools.add({ a: 1, b: 2 }));\ntext(await tools.shout("Grüße 😀"));',
    );
    expect(seen.parts).toEqual([
      { type: 'input_text', text: '3' },
      { type: 'input_text', text: 'GRÜSSE 😀' },
    ]);
  });

  it('gets the error of a tool as an error of the line that called it', async () => {
    const cells = session([broken]);
    const caught = await cells.exec('try { await tools.broken() } catch (error) { text(error.message) }');
    expect(caught).toMatchObject({ status: 'completed', parts: [{ text: 'it is broken' }] });
    const uncaught = await cells.exec('\nawait tools.broken();');
    expect(uncaught.status).toBe('failed');
    expect(uncaught.text).toMatch(/Script error:\nError: it is broken\n.*\(cell-2\.js:2:\d+\)$/);
  });

  it('is told when it calls a tool with the wrong kind of argument', async () => {
    const seen = await session([add]).exec('await tools.add("1 + 2")');
    expect(seen.text).toContain('TypeError: tools.add takes an object.');
  });

  it('runs calls at the same time, but none beside a tool that must be alone', async () => {
    let running = 0;
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    const together = scriptTool('together', async () => {
      if (++running === 2) meet();
      await met;
      return running--;
    });
    const alone = scriptTool('alone', () => running, { parallel: false });
    const seen = await session([together, alone]).exec(
      'text(await Promise.all([tools.together(), tools.together(), tools.alone(), tools.together()]))',
    );
    expect(seen.parts).toMatchObject([{ text: '[2,1,0,1]' }]);
  });

  it('makes many calls at the same time, and nothing is printed on the host', async () => {
    const warnings: string[] = [];
    const hear = ({ message }: Error): void => {
      warnings.push(message);
    };
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const { tool, open: release, begun } = gate();
    const seen = session([tool]).exec('text(await Promise.all(Array.from({ length: 30 }, () => tools.gate())))');
    await begun;
    release();
    expect((await seen).text).toContain('open');
    await setImmediate();
    expect(warnings).toEqual([]);
  });

  it('finds only nested tools, by identifiers', async () => {
    const cells = session([
      add,
      scriptTool('secret', () => 1, { nested: false }),
      scriptTool('now', () => 12, { namespace: 'mcp__my-clock' }),
    ]);
    const seen = await cells.exec('text(ALL_TOOLS); text(typeof tools.secret); text(await tools.mcp__my_clock__now())');
    expect(seen.parts).toEqual([
      {
        type: 'input_text',
        text: JSON.stringify([
          { name: 'add', description: 'The tool add.' },
          { name: 'mcp__my_clock__now', description: 'The tool now.' },
        ]),
      },
      { type: 'input_text', text: 'undefined' },
      { type: 'input_text', text: '12' },
    ]);
    const [exec] = cells.cells.tools();
    expect(exec?.spec.description).toContain('tools.mcp__my_clock__now(object)');
    expect(exec?.spec.description).not.toContain('secret');
  });

  it('hands on what it stores, and what it leaves in globalThis', async () => {
    const cells = session();
    await cells.exec('store("key", { a: [1] }); globalThis.twice = (n) => text(n * 2); const hidden = 1;');
    const seen = await cells.exec('text(load("key")); text(load("other")); twice(4); text(typeof hidden)');
    expect(seen.parts.map((part) => (part as { text: string }).text)).toEqual([
      '{"a":[1]}',
      'undefined',
      '8',
      'undefined',
    ]);
  });

  it('is over at exit(), whatever it tries after that', async () => {
    const cells = session();
    const seen = await cells.exec('text("a"); try { exit() } catch { text("b"); for (;;); }');
    expect(seen).toMatchObject({ status: 'completed', parts: [{ text: 'a' }] });
    const later = await cells.exec('text("c"); await null; exit(); text("d")');
    expect(later).toMatchObject({ status: 'completed', parts: [{ text: 'c' }] });
  });

  it('reaches nothing of the host', async () => {
    const names = [
      'process',
      'require',
      'module',
      'Worker',
      'Buffer',
      'fetch',
      'console',
      'WebAssembly',
      'performance',
    ];
    const seen = await session([add]).exec(`
      const names = ${JSON.stringify(names)};
      const reach = [tools.add, text, tools.add({ a: 1, b: 1 }), load].map((thing) => thing.constructor.constructor);
      text(names.filter((name) => name in globalThis || reach.some((make) => make('return typeof ' + name)() !== 'undefined')));
      text(await import('node:fs').catch((error) => error.name));
    `);
    expect(seen.parts).toMatchObject([{ text: '[]' }, { text: 'ReferenceError' }]);
  });

  it('begins after a first line that says how its call returns', async () => {
    const cells = session();
    const seen = await cells.exec(
      '// @exec: {"yield_time_ms": 0, "max_output_tokens": 5}\nthrow new Error("first line")',
    );
    const { text } = seen.text.includes('running') ? await cells.wait({ cell_id: '1' }) : seen;
    expect(text).toContain('(cell-1.js:1:');
    expect(await cells.exec('// @exec: {"yield_time_ms": "soon"}\ntext(1)')).toMatchObject({
      status: 'failed',
      text: 'argument yield_time_ms must be a whole number from 0 on',
    });
  });
});

describe('a script that fails', () => {
  it('says so with the message and the line', async () => {
    const cells = session();
    const thrown = await cells.exec('text("before");\nthrow new TypeError("on purpose");');
    expect(thrown.status).toBe('failed');
    expect(thrown.text).toMatch(
      /^Script failed\n[\s\S]*before\nScript error:\nTypeError: on purpose\n.*\(cell-1\.js:2:\d+\)$/,
    );
    const syntax = await cells.exec('text(1);\nsyntax error here (');
    expect(syntax.text).toMatch(/SyntaxError: .*\n.*cell-2\.js:2:\d+$/);
    const later = await cells.exec('await null;\n\nnull.x;');
    expect(later.text).toMatch(/TypeError: .*\n.*cell-3\.js:3:\d+\)$/);
    expect((await cells.exec('throw { odd: 1 }')).text).toContain('Script error:\n{"odd":1}');
  });

  it('may fail in a timer', async () => {
    const seen = await session().exec('setTimeout(() => { throw new Error("late") }, 1); await new Promise(() => {})');
    expect(seen.status).toBe('failed');
    expect(seen.text).toContain('Error: late');
  });

  it('may fail by a call it never looked at', async () => {
    const other = gate();
    const cells = session([broken, other.tool]);
    const running = cells.exec('tools.broken(); await tools.gate();');
    await other.begun;
    other.open();
    const seen = await running;
    expect(seen.status).toBe('failed');
    expect(seen.text).toContain('a tool call failed that the script did not wait for: it is broken');
    const looked = await cells.exec(
      'const call = tools.broken(); await tools.gate(); await call.catch(() => text("seen"))',
    );
    expect(looked).toMatchObject({ status: 'completed', parts: [{ text: 'seen' }] });
  });

  it('leaves the next one a runtime that works when it used up the memory', async () => {
    const cells = session([], { limits: { memory_bytes: 24 * 1024 * 1024, slice_ms: 60_000 } });
    await cells.exec('store("key", 1)');
    const wait = '// @exec: {"yield_time_ms": 50000}\n';
    for (let time = 0; time < 3; time++) {
      const local = await cells.exec(`${wait}const all = []; for (;;) all.push("x".repeat(10_000) + all.length)`);
      expect(local.text).toContain('out of memory');
    }
    const kept = await cells.exec(`${wait}globalThis.all = []; for (;;) all.push("x".repeat(10_000) + all.length)`);
    expect(kept.text).toContain('out of memory');
    expect(await cells.exec('text(load("key")); text("y".repeat(2_000_000).length); text(typeof all)')).toMatchObject({
      status: 'completed',
      parts: [{ text: '1' }, { text: '2000000' }, { text: 'undefined' }],
    });
  });

  it('is stopped by limits of output, of stored values, of calls and of results', async () => {
    const forever = scriptTool('forever', (_args, signal) => {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const big = scriptTool('big', () => 'x'.repeat(5_000_000));
    const limits = { output_chars: 1000, stored_chars: 100, calls: 2, memory_bytes: 16 * 1024 * 1024 };
    const cells = session([forever, big], { limits });
    expect((await cells.exec('for (;;) text("")')).text).toContain('limited to 1000 characters');
    expect((await cells.exec('for (let n = 0; ; n++) store("key" + n, n)')).text).toContain('may store 100 characters');
    expect((await cells.exec('for (;;) tools.forever()')).text).toContain('may have 2 tool calls');
    expect((await cells.exec('await tools.big()')).text).toContain('too many for the memory of a script');
    expect((await cells.exec('for (;;) setTimeout(() => {}, 1e9)')).text).toContain('timers');
    const thrown = await cells.exec('throw new Error("x".repeat(1_000_000))');
    expect(thrown.text).toMatch(/Error: x{9993}… \(10\d{5} characters\)$/);
  });
});

describe('a script that goes on', () => {
  it('does not keep the host from its work while it loops', async () => {
    const cells = session([], { limits: { slice_ms: 1000 } });
    let done = false;
    const looping = cells.exec('text("looping"); for (;;);').finally(() => {
      done = true;
    });
    let turns = 0;
    while (!done) {
      await setImmediate();
      turns++;
    }
    const seen = await looping;
    expect(seen.status).toBe('failed');
    expect(seen.text).toMatch(
      /looping\nScript error:\nError: the script ran for 1000 ms without waiting .*\n.*cell-1\.js:1/,
    );
    expect(turns).toBeGreaterThan(100);
  });

  it('is stopped in a loop of promises, and where it catches what stops it', async () => {
    const cells = session([], { limits: { slice_ms: 200 } });
    await cells.exec('globalThis.kept = "kept"');
    expect((await cells.exec('for (;;) await null')).text).toContain('without waiting for anything');
    const catching = 'for (;;) try { await (async () => { await null; for (;;); })() } catch { text("caught") }';
    const caught = await cells.exec(catching);
    expect(caught.text).toContain('without waiting for anything');
    expect(caught.text).not.toContain('caught');
    expect(await cells.exec('text(kept)')).toMatchObject({ parts: [{ text: 'kept' }] });
  });

  it('returns at yield_control() with what there is; wait returns what came since, and the end', async () => {
    const { tool, open } = gate();
    const cells = session([tool]);
    const first = await cells.exec('text("start"); yield_control(); await tools.gate(); text("end")');
    expect(first.status).toBe('completed');
    expect(first.text).toMatch(/^Script running with cell ID 1\n[\s\S]*start$/);
    const meanwhile = await cells.wait({ cell_id: '1', yield_time_ms: 1 });
    expect(meanwhile.text).toMatch(/^Script running with cell ID 1\nWall time: .*\nOutput:\n$/);
    open();
    const last = await cells.wait({ cell_id: '1' });
    expect(last.text).toMatch(/^Script completed\n[\s\S]*end$/);
    expect(last.text).not.toContain('start');
    expect(await cells.wait({ cell_id: '1' })).toMatchObject({
      status: 'failed',
      text: 'there is no cell 1 that runs or has output left',
    });
  });

  it('returns after its yield time, and another one may run beside it', async () => {
    const { tool, open } = gate();
    const cells = session([tool]);
    const first = await cells.exec('// @exec: {"yield_time_ms": 10}\ntext(await tools.gate())');
    expect(first.text).toMatch(/^Script running with cell ID 1\n/);
    expect(await cells.exec('text("beside")')).toMatchObject({ parts: [{ text: 'beside' }] });
    open();
    expect((await cells.wait({ cell_id: '1' })).parts).toEqual([{ type: 'input_text', text: 'open' }]);
  });

  it('may end while nobody waits for it, and tells that later', async () => {
    const cells = session();
    await cells.exec('yield_control(); await new Promise((resolve) => setTimeout(resolve, 1)); text("late"); throw 5');
    await cells.exec('await new Promise((resolve) => setTimeout(resolve, 20))');
    const seen = await cells.wait({ cell_id: '1' });
    expect(seen).toMatchObject({ status: 'failed', parts: [{ text: 'late' }, { text: 'Script error:\n5' }] });
  });

  it('is terminated by wait, also in the middle of a loop, and its calls with it', async () => {
    const { tool, begun, aborted } = gate();
    const cells = session([tool], { limits: { slice_ms: 120_000, grace_ms: 50_000 } });
    await cells.exec('text("x"); yield_control(); await tools.gate()');
    await begun;
    expect((await cells.wait({ cell_id: '1', terminate: true })).text).toMatch(/^Script terminated\n/);
    expect(aborted()).toBe(true);
    await cells.exec('globalThis.kept = "kept"; text("y"); yield_control(); for (;;);');
    expect((await cells.wait({ cell_id: '2', terminate: true })).text).toMatch(/^Script terminated\n/);
    expect(await cells.exec('text(kept)')).toMatchObject({ parts: [{ text: 'kept' }] });
  });

  it('is terminated when its turn is cancelled, whether exec waits for it or not', async () => {
    const { tool, begun } = gate();
    const cells = session([tool]);
    await cells.exec('yield_control(); await new Promise(() => {})');
    const running = cells.exec('text("x"); await tools.gate()');
    await begun;
    cells.cancel.abort();
    expect(await running).toMatchObject({ status: 'cancelled', parts: [{ text: 'x' }] });
    const { graph, findings } = await cells.reduce();
    expect(findings).toEqual([]);
    const statuses = [...graph.code_cells.values()].map((cell) => cell.runtime_status);
    expect(statuses).toEqual(['terminated', 'terminated']);
  });
});

describe('a worker', () => {
  it('that does not answer is replaced; the next cell has what was stored', async () => {
    const cells = session([], { limits: { slice_ms: 1000, grace_ms: 2000 } });
    await cells.exec('store("key", "stored")');
    await cells.exec('yield_control(); await new Promise(() => {})');
    const stuck = await cells.exec('Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)');
    expect(stuck.status).toBe('failed');
    expect(stuck.text).toContain('Error: the worker of this cell did not answer any more');
    expect((await cells.wait({ cell_id: '2' })).status).toBe('failed');
    expect(await cells.exec('text(load("key"))')).toMatchObject({ status: 'completed', parts: [{ text: 'stored' }] });
  });

  it('is replaced where a script cannot be stopped', async () => {
    const cells = session([], { limits: { slice_ms: 100 } });
    await cells.exec('globalThis.kept = 1; yield_control(); await new Promise(() => {})');
    const chains = 'const again = () => { Promise.resolve().then(again) }; for (let n = 0; n < 20_000; n++) again();';
    expect((await cells.exec(`${chains} await new Promise(() => {})`)).text).toContain('without waiting for anything');
    expect((await cells.wait({ cell_id: '1' })).text).toContain('was replaced, because cell 2 could not be stopped');
    expect(await cells.exec('text(typeof kept)')).toMatchObject({ parts: [{ text: 'undefined' }] });
  });

  it('that dies fails its cells with an explanation, and every cell gets a new one', async () => {
    const dying = session([], { workerUrl: new URL('data:text/javascript,process.exit(3)') });
    expect((await dying.exec('text(1)')).text).toContain('Error: the worker of this cell ended with code 3');
    expect((await dying.exec('text(1)')).text).toContain('Error: the worker of this cell ended with code 3');
    const throwing = session([], { workerUrl: new URL('data:text/javascript,throw new Error("no reason")') });
    expect((await throwing.exec('text(1)')).text).toContain('Error: the worker of this cell died: no reason');
    const missing = session([], { workerUrl: new URL('no-such-worker.js', import.meta.url) });
    expect((await missing.exec('text(1)')).status).toBe('failed');
  });

  it('is ended with its session, which starts no cell after that', async () => {
    const { tool, begun, aborted } = gate();
    const cells = session([tool], { limits: { slice_ms: 120_000 } });
    const waiting = cells.exec('await tools.gate()');
    await begun;
    await cells.cells.close();
    expect((await waiting).text).toMatch(/^Script terminated/);
    expect(aborted()).toBe(true);
    expect(await cells.exec('text(1)')).toMatchObject({
      status: 'failed',
      text: 'no cell can be started any more: the thread has ended',
    });
  });
});
