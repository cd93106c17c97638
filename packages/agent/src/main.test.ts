import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reduceBundle } from '@rollout-trace/core';
import { directorySource, findBundles } from '@rollout-trace/core/node';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { byAgent, call, inOrder, type Script, say, startScriptedModel } from './scripted-model/index.ts';

const MAIN = fileURLToPath(new URL('../bin/rollout-trace-agent.mjs', import.meta.url));

let home = '';

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'rollout-trace-main-')));
  return () => rmSync(home, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const { ROLLOUT_TRACE_ROOT: _, CODEX_ROLLOUT_TRACE_ROOT: __, OPENAI_API_KEY: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: home, env: { ...inherited, ...env } });
  const read = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    read.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    read.stderr += text;
  });
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, ...read }))) };
}

async function served(script: Script) {
  const model = await startScriptedModel(script);
  onTestFinished(() => model.close());
  return { model, env: { OPENAI_API_KEY: 'sk-scripted', OPENAI_BASE_URL: model.url } };
}

function recorded(root: string) {
  const [bundle] = findBundles(root);
  return reduceBundle(directorySource(bundle ?? ''), { mode: 'strict' }).graph;
}

describe('rollout-trace-agent', { timeout: 60_000 }, () => {
  it('prints the words of the agent, and tells on stderr what it did and where the trace is', async () => {
    const { env } = await served(
      byAgent({
        '/root': [
          { items: [say('I look.', 'commentary'), call('call_1', 'exec_command', { cmd: 'echo found' })] },
          { items: [say('It \u001b]0;title\u0007works.')] },
        ],
      }),
    );
    const { code, stdout, stderr } = await start(['--model', 'model-1', 'look', 'around'], env).ended;
    expect(stdout).toBe('I look.\nIt ]0;titleworks.\n');
    expect(stderr).toContain('exec_command {"cmd":"echo found"}');
    expect(stderr).toContain(`Trace: ${home}/rollout-traces/trace-`);
    expect(code).toBe(0);
    expect(readFileSync(join(home, 'rollout-traces/.gitignore'), 'utf8')).toBe('*\n');
    expect(recorded(join(home, 'rollout-traces')).status).toBe('completed');
  });

  it('with --json prints one line, and records where the environment says', async () => {
    const { env } = await served(inOrder([{ items: [say('Hi.')] }]));
    const root = join(home, 'traces');
    const { stdout } = await start(['--json', '--model', 'm', 'hello'], { ...env, ROLLOUT_TRACE_ROOT: root }).ended;
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ status: 'completed', text: 'Hi.', error: null });
    expect(answer.trace.startsWith(root)).toBe(true);
    expect(existsSync(join(home, 'rollout-traces'))).toBe(false);
  });

  it('a turn that fails is exit code 1, and one sentence', async () => {
    const { env } = await served(inOrder([{ status: 400, error: 'This is not for you.' }]));
    const { code, stdout, stderr } = await start(['--model', 'm', 'hello'], env).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('The turn failed: 400 This is not for you.\n');
    expect(stderr).not.toMatch(/^\s+at /m);
    const graph = recorded(join(home, 'rollout-traces'));
    expect([...graph.codex_turns.values()].map(({ execution }) => execution.status)).toEqual(['failed']);
  });

  it.each([200, 404])(
    'a service that answers %i with a web page is not asked again, and its page is not shown',
    async (status) => {
      let requests = 0;
      const server = createServer((_request, response) => {
        requests++;
        response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' });
        response.end(`<!DOCTYPE html>\n<title>\u001b[31mLog in</title>\n${'please '.repeat(1000)}`);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: `http://127.0.0.1:${port}` };
      const { code, stderr } = await start(['--model', 'm', 'hello'], env).ended;
      expect(stderr).toMatch(/^The turn failed: .*a web page: is this the address of a model service\?\nTrace: .*\n$/);
      expect({ code, requests }).toEqual({ code: 1, requests: 1 });
    },
  );

  it('the reason a service gives is one line, whatever is in it', async () => {
    const { env } = await served(inOrder([{ status: 400, error: `no\u001b[2J\n${'x'.repeat(5000)}` }]));
    const { stderr } = await start(['--model', 'm', 'hello'], env).ended;
    expect(stderr).toMatch(/^The turn failed: 400 no\[2J x+…\nTrace: .*\n$/);
    expect(stderr.length).toBeLessThan(1000);
  });

  it('goes on to the end of the turn where nobody reads what it tells', async () => {
    const { env, model } = await served(
      inOrder([{ items: [call('call_1', 'exec_command', { cmd: 'echo found' })] }, { items: [say('Done.')] }]),
    );
    const { child, ended } = start(['--model', 'm', 'look'], env);
    child.stderr?.destroy();
    const { code, stdout } = await ended;
    expect({ code, stdout, requests: model.requests.length }).toEqual({ code: 0, stdout: 'Done.\n', requests: 2 });
    expect(recorded(join(home, 'rollout-traces')).recording_complete).toBe(true);
  });

  it.runIf(process.platform !== 'win32')(
    'a terminal that is closed says so more than once: the turn is cancelled once',
    async () => {
      const { env, model } = await served(inOrder([{ items: [say('And so on', 'commentary')], end: 'hanging' }]));
      const { child, ended } = start(['--model', 'm', 'talk'], env);
      await model.until(1);
      await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
      for (let times = 0; times < 3; times++) child.kill('SIGHUP');
      const again = setInterval(() => child.kill('SIGHUP'), 1);
      const { code } = await ended;
      clearInterval(again);
      expect(code).toBe(129);
      expect(recorded(join(home, 'rollout-traces')).recording_complete).toBe(true);
    },
  );

  it.runIf(process.platform !== 'win32').each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s cancels the turn and ends the recording: exit code %i', async (signal, exitCode) => {
    const { env, model } = await served(inOrder([{ items: [say('And so on', 'commentary')], end: 'hanging' }]));
    const { child, ended } = start(['--model', 'm', 'talk'], env);
    await model.until(1);
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: 'And so on\n' });
    expect(stderr).toContain('The turn was cancelled.');
    const graph = recorded(join(home, 'rollout-traces'));
    expect(graph.recording_complete).toBe(true);
    expect([...graph.codex_turns.values()].map(({ execution }) => execution.status)).toEqual(['cancelled']);
    expect([...graph.inference_calls.values()].map(({ execution }) => execution.status)).toEqual(['cancelled']);
  });

  it('usage is exit code 2', async () => {
    writeFileSync(join(home, 'file'), '');
    const bad = [
      [],
      ['--bogus'],
      ['--model'],
      ['--model', 'm', '--cwd', 'nowhere', 'hi'],
      ['--model', 'm', '--cwd', 'file', 'hi'],
    ];
    for (const args of bad) {
      const { code, stdout, stderr } = await start(args, { OPENAI_API_KEY: 'k' }).ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
    expect((await start(['--model', 'm', 'hi']).ended).stderr).toContain('OPENAI_API_KEY is not set.');
    const nowhere = await start(['--model', 'm', 'hi'], { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'nowhere' }).ended;
    expect(nowhere).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^OPENAI_BASE_URL must be /) });
    const help = await start(['--help']).ended;
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: rollout-trace-agent');
  });
});
