import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecordedSession } from '../tools/testing/recorded-session.ts';
import type { ToolOutcome } from '../tools/tool.ts';
import { Terminals } from './terminals.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** Longer than any of these commands takes on a machine that does much else. */
const LONG_MS = 60_000;

interface Value {
  output: string;
  exit_code?: number;
  session_id?: number;
  original_token_count: number;
  wall_time_seconds: number;
}

let terminals: Terminals;
let session: RecordedSession;

beforeEach(() => {
  terminals = new Terminals({ grace_ms: 200 });
  session = new RecordedSession(terminals.tools());
});

afterEach(async () => {
  await terminals.close();
  session.remove();
});

const value = (outcome: ToolOutcome): Value => outcome.value as Value;

async function exec(cmd: string, more: object = {}): Promise<Value> {
  return value(await session.call('exec_command', { cmd, yield_time_ms: LONG_MS, ...more }));
}

/** Looks until a terminal has printed something, of which some may be known. */
async function lookFor(sessionId: number | undefined, wanted: RegExp, known = ''): Promise<string> {
  const deadline = Date.now() + LONG_MS;
  let seen = known;
  while (!wanted.test(seen) && Date.now() < deadline)
    seen += value(await session.call('write_stdin', { session_id: sessionId, yield_time_ms: 50 })).output;
  expect(seen).toMatch(wanted);
  return seen;
}

async function typeUntil(sessionId: number | undefined, chars: string, wanted: RegExp): Promise<string> {
  const typed = await session.call('write_stdin', { session_id: sessionId, chars, yield_time_ms: 0 });
  return lookFor(sessionId, wanted, value(typed).output);
}

/** Waits until a command has written a file that holds something. */
async function fileText(path: string): Promise<string> {
  for (;;) {
    const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
    if (text !== '') return text;
    await sleep(10);
  }
}

/** Whether a process is there and more than the memory of one. */
function lives(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe('exec_command', () => {
  it('returns what the command printed, and its exit code', async () => {
    const outcome = await session.call('exec_command', {
      cmd: 'echo out; echo err >&2; exit 3',
      yield_time_ms: LONG_MS,
    });
    expect(value(outcome)).toMatchObject({ output: 'out\r\nerr\r\n', exit_code: 3, original_token_count: 3 });
    expect(outcome.output).toMatch(/^Wall time: [\d.]+ s\nExit code: 3\nOutput \(about 3 tokens\):\nout\r\nerr\r\n$/);
    expect(outcome.status).toBe('completed');
  });

  it('loses nothing of a long output, even its last line, of many commands at once', async () => {
    const commands = Array.from({ length: 12 }, (_, exit) =>
      exec(`seq 1 20000; exit ${exit}`, { max_output_tokens: 100_000 }),
    );
    const whole = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\r\n`).join('');
    for (const [exit, { output, exit_code }] of (await Promise.all(commands)).entries()) {
      expect(exit_code).toBe(exit);
      expect(output === whole, `${output.length} of ${whole.length}`).toBe(true);
    }
  });

  it('gives the model no more than it asked for, and counts all of it', async () => {
    const { output, original_token_count } = await exec('seq -f "%07.0f" 1 1000', { max_output_tokens: 9 });
    expect(output).toBe('0000001\r\n0000002\r\n\n[… about 2241 tokens omitted …]\n0000999\r\n0001000\r\n');
    expect(original_token_count).toBe(2250);
  });

  it('runs on a terminal, in the folder and the shell that were asked for', async () => {
    await mkdir(join(session.cwd, 'sub'));
    expect((await exec('[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && pwd -P', { workdir: 'sub' })).output.trim()).toBe(
      realpathSync(join(session.cwd, 'sub')),
    );
    expect((await exec('echo "$0"', { shell: '/bin/sh' })).output).toBe('/bin/sh\r\n');
    expect((await exec('echo "$0"', { shell: 'sh', login: true })).exit_code).toBe(0);
  });

  it.each([
    ['kill -9 $$', 137, 'SIGKILL'],
    ['kill -TERM $$', 143, 'SIGTERM'],
    ['kill -9 0', 137, 'SIGKILL'],
    ['kill -9 $PPID; sleep 60', 137, 'SIGKILL'],
  ])('tells the signal that ended a command: %s', async (cmd, exitCode, name) => {
    const outcome = await session.call('exec_command', { cmd, yield_time_ms: LONG_MS });
    expect(value(outcome)).toMatchObject({ exit_code: exitCode, output: '' });
    expect(outcome.output).toContain(`Exit code: ${exitCode} (as of ${name})`);
  });

  it.each([
    [{}, 'argument cmd must be a string'],
    [{ cmd: '  ' }, 'argument cmd must not be empty'],
    [{ cmd: 'a\0b' }, 'argument cmd must not have a NUL character'],
    [{ cmd: 'ls', workdir: 'none' }, /^workdir .*none is not a folder$/],
    [{ cmd: 'ls', workdir: 'a\0b' }, /is not a folder$/],
    [{ cmd: 'ls', shell: 'no-such-shell' }, /^shell no-such-shell was not found/],
    [{ cmd: 'ls', yield_time_ms: -1 }, /^argument yield_time_ms must be/],
  ])('says what is wrong with %j', async (given, message) => {
    const { output, status } = await session.call('exec_command', given);
    expect(output).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
    expect(status).toBe('failed');
  });

  it('does not start what was cancelled before', async () => {
    const signal = AbortSignal.abort();
    const outcome = await session.call('exec_command', { cmd: 'touch started' }, { signal });
    expect(outcome.status).toBe('cancelled');
    expect(existsSync(join(session.cwd, 'started'))).toBe(false);
    session.endTurn();
    expect(session.reduce().graph.terminal_operations.size).toBe(0);
  });

  it('ends the command of a call that is cancelled, and all it started, even what will not hear of it', async () => {
    const cancel = new AbortController();
    const deaf = 'trap "" TERM HUP INT; echo $$ >"$0"; while :; do sleep 0.2; done';
    const cmd = `sh -c '${deaf}' child & setsid sh -c '${deaf}' stray & ${deaf.replace('"$0"', 'parent')}`;
    const calling = session.call('exec_command', { cmd, yield_time_ms: 300_000 }, { signal: cancel.signal });
    const pids = await Promise.all(['child', 'stray', 'parent'].map((name) => fileText(join(session.cwd, name))));
    expect(pids.map(lives)).toEqual([true, true, true]);
    cancel.abort();
    const outcome = await calling;
    expect(pids.map(lives)).toEqual([false, false, false]);
    expect(outcome.status).toBe('cancelled');
    expect(value(outcome).exit_code).toBe(137);
    session.endTurn();
    const operation = session.reduce().graph.terminal_operations.get('terminal_operation:1');
    expect(operation).toMatchObject({ execution: { status: 'cancelled' }, result: { exit_code: 137 } });
  });
});

describe('many terminals', () => {
  it('give way where they ended unheard, and else refuse another', async () => {
    const open = await Promise.all(Array.from({ length: 64 }, () => exec('cat', { yield_time_ms: 0 })));
    const refused = await session.call('exec_command', { cmd: 'cat', yield_time_ms: 0 });
    expect(refused.output).toBe('64 terminals are open: end one with write_stdin before opening another');
    const { session_id } = open[20] ?? {};
    const ended = terminals.get(session_id ?? 0);
    ended.write('\u0004');
    await ended.wait(LONG_MS, new AbortController().signal);
    expect((await exec('echo room')).output).toBe('room\r\n');
    expect(() => terminals.get(session_id ?? 0)).toThrow(`session ${session_id} is unknown or has ended`);
  });
});

describe('write_stdin', () => {
  it('types into the terminal of its session, and tells its end once', async () => {
    const read = 'while read -r line; do echo "got:$line"; [ "$line" = end ] && exit 4; done';
    const first = await exec(read, { yield_time_ms: 0 });
    expect(first.exit_code).toBeUndefined();
    const other = await exec('cat', { yield_time_ms: 0 });
    expect(other.session_id).not.toBe(first.session_id);
    await typeUntil(first.session_id, 'one\n', /got:one\r\n$/);
    expect(await typeUntil(other.session_id, 'two\n', /two\r\ntwo\r\n$/)).not.toContain('one');
    const last = await session.call('write_stdin', {
      session_id: first.session_id,
      chars: 'end\n',
      yield_time_ms: LONG_MS,
    });
    expect(value(last)).toMatchObject({ output: 'end\r\ngot:end\r\n', exit_code: 4 });
    const gone = await session.call('write_stdin', { session_id: first.session_id });
    expect(gone.output).toBe(`session ${first.session_id} is unknown or has ended: open are ${other.session_id}`);
  });

  it('sends keys, such as Ctrl-C', async () => {
    const loop = 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.1; done';
    const { session_id, output } = await exec(loop, { yield_time_ms: 0 });
    await lookFor(session_id, /ready\r\n/, output);
    const outcome = await session.call('write_stdin', { session_id, chars: '\u0003', yield_time_ms: LONG_MS });
    expect(value(outcome)).toMatchObject({ output: '^Ccaught\r\n', exit_code: 5 });
  });

  it('leaves the terminal running when its call is cancelled', async () => {
    const { session_id } = await exec('cat', { yield_time_ms: 0 });
    const cancel = new AbortController();
    const calling = session.call('write_stdin', { session_id, yield_time_ms: 300_000 }, { signal: cancel.signal });
    cancel.abort();
    expect((await calling).status).toBe('cancelled');
    await typeUntil(session_id, 'still here\n', /still here\r\nstill here/);
  });

  it('says that nobody could read what was typed after the end', async () => {
    const { session_id } = await exec('sleep 0.2; echo bye', { yield_time_ms: 0 });
    await terminals.get(session_id ?? 0).wait(LONG_MS, new AbortController().signal);
    const { output } = await session.call('write_stdin', { session_id, chars: 'too late\n' });
    expect(output).toMatch(/\nExit code: 0\nThe command had ended before chars could be typed\.\nOutput .*:\nbye\r\n$/);
  });

  it.each([
    [{ session_id: 999 }, 'session 999 is unknown or has ended: no session is open'],
    [{}, 'argument session_id must be a whole number from 0 on'],
    [{ session_id: '1' }, 'argument session_id must be a whole number from 0 on'],
  ])('says what is wrong with %j', async (given, message) => {
    expect((await session.call('write_stdin', given)).output).toBe(message);
  });
});

describe('close', () => {
  it('ends what runs, and what commands that ended left running', async () => {
    const wait = 'echo $$ >"$0"; while :; do sleep 0.2; done';
    await exec(
      `nohup setsid sh -c '${wait}' left >/dev/null 2>&1 </dev/null & while [ ! -s left ]; do sleep 0.01; done`,
    );
    await exec(`trap "" TERM; ${wait.replace('"$0"', 'running')}`, { yield_time_ms: 0 });
    const pids = await Promise.all(['left', 'running'].map((name) => fileText(join(session.cwd, name))));
    expect(pids.map(lives)).toEqual([true, true]);
    await terminals.close();
    expect(pids.map(lives)).toEqual([false, false]);
    await expect(exec('true')).rejects.toThrow('closed');
  });
});

describe.runIf(existsSync('/proc/self/stat'))('close, where commands that ended left something running', () => {
  const wait = 'echo $$ >"$0"; while :; do sleep 0.2; done';
  const written = (file: string): string => `while [ ! -s ${file} ]; do sleep 0.01; done`;

  it('ends what has cleared its environment, and what that has started since', async () => {
    const script = [
      'trap "" TERM',
      'echo $$ >left',
      'while [ ! -s go ]; do sleep 0.05; done',
      'env -i /bin/sh -c "while :; do sleep 0.2; done" & echo $! >child',
      'wait',
    ].join('\n');
    await exec(`nohup env -i /bin/sh -c '${script}' >/dev/null 2>&1 </dev/null & ${written('left')}`);
    writeFileSync(join(session.cwd, 'go'), 'go');
    const pids = await Promise.all(['left', 'child'].map((name) => fileText(join(session.cwd, name))));
    expect(pids.map(lives)).toEqual([true, true]);
    await terminals.close();
    expect(pids.map(lives)).toEqual([false, false]);
  });

  it('leaves alone what was there before', async () => {
    const own = spawn('/bin/sh', ['-c', 'while :; do sleep 0.2; done'], { detached: true, stdio: 'ignore' });
    onTestFinished(() => void own.kill('SIGKILL'));
    await exec(`nohup env -i /bin/sh -c '${wait}' left >/dev/null 2>&1 </dev/null & ${written('left')}`);
    await terminals.close();
    expect(lives(String(own.pid))).toBe(true);
  });
});

describe('the record', () => {
  it('has each terminal with its operations and results, and nothing that contradicts', async () => {
    const read = 'read -r line; echo "got:$line"; exit 4';
    const { session_id } = await exec(read, { yield_time_ms: 0 });
    await exec('echo done');
    await session.call('write_stdin', { session_id, chars: 'hello\n', yield_time_ms: LONG_MS });
    await session.call('write_stdin', { session_id });
    session.endTurn();
    const { graph, findings } = session.reduce();
    expect(findings).toEqual([]);
    expect([...graph.terminal_sessions.values()].map((each) => each.operation_ids)).toEqual([
      ['terminal_operation:1', 'terminal_operation:3', 'terminal_operation:4'],
      ['terminal_operation:2'],
    ]);
    const operations = [...graph.terminal_operations.values()];
    expect(operations.map(({ kind, execution, result }) => [kind, execution.status, result?.exit_code])).toEqual([
      ['exec_command', 'failed', 4],
      ['exec_command', 'completed', 0],
      ['write_stdin', 'completed', null],
      ['write_stdin', 'failed', null],
    ]);
    expect(operations[0]).toMatchObject({
      request: { command: [terminals.shell, '-c', read], cwd: session.cwd },
      result: { stdout: 'hello\r\ngot:hello\r\n' },
    });
    expect(operations[2]).toMatchObject({ request: { stdin: 'hello\n' } });
    expect(operations[2]?.result?.stdout).toMatch(/^Wall time: .*\nExit code: 4\nOutput .*:\nhello\r\ngot:hello\r\n$/);
    const log = readFileSync(join(session.bundle, 'trace.jsonl'), 'utf8');
    const target = { type: 'stdin_target_resolved', tool_call_id: 'call_3', exec_tool_call_id: 'call_1' };
    expect(log).toContain(JSON.stringify(target));
    expect(operations[3]?.result?.stderr).toBe(`session ${session_id} is unknown or has ended: no session is open`);
  });

  it('has the end of a command that outlives its turn', async () => {
    const { session_id } = await exec('cat; exit 6', { yield_time_ms: 0 });
    session.endTurn();
    const terminal = terminals.get(session_id ?? 0);
    terminal.write('\u0004');
    await terminal.wait(LONG_MS, new AbortController().signal);
    const operation = session.reduce().graph.terminal_operations.get('terminal_operation:1');
    expect(operation).toMatchObject({ execution: { status: 'failed' }, result: { exit_code: 6 } });
  });

  it('has what a code cell ran as a value with an output of its own', async () => {
    const first = await session.call(
      'exec_command',
      { cmd: 'read -r line; echo "got:$line"', yield_time_ms: 0 },
      { nested: true },
    );
    const { session_id } = value(first);
    await session.call('write_stdin', { session_id, chars: 'hi\n', yield_time_ms: LONG_MS }, { nested: true });
    session.endTurn();
    const { graph } = session.reduce();
    expect(graph.terminal_sessions.size).toBe(1);
    expect(graph.terminal_operations.get('terminal_operation:2')?.result).toMatchObject({
      exit_code: 0,
      stdout: 'hi\r\ngot:hi\r\n',
      original_token_count: 3,
    });
  });
});
