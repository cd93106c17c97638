import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { reduceBundle } from '@rollout-trace/core';
import { directorySource, findBundles } from '@rollout-trace/core/node';
import { beforeEach, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url));
const POSIX = process.platform !== 'win32';

let folder = '';
let traces = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollout-trace-demo-test-'));
  traces = mkdtempSync(join(tmpdir(), 'rollout-trace-demo-traces-'));
  return () => {
    for (const made of [folder, traces]) rmSync(made, { recursive: true, force: true });
  };
});

/** Starts the demonstration, whose project is made below `folder`. */
function start(env: Record<string, string> = {}): ChildProcessByStdio<null, null, Readable> {
  return spawn(process.execPath, [PROGRAM], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: folder, ROLLOUT_TRACE_ROOT: traces, ROLLOUT_TRACE_FORMAT: 'bundle', ...env },
  });
}

function recorded() {
  const [bundle = ''] = findBundles(traces);
  return reduceBundle(directorySource(bundle), { mode: 'strict' }).graph;
}

it.runIf(POSIX)(
  'is played to its end where nobody listens, and leaves nothing but its trace',
  async () => {
    const child = start();
    child.stderr.destroy();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    expect(recorded().recording_complete).toBe(true);
  },
  60_000,
);

it.runIf(POSIX).each([
  ['SIGINT', 1, 130],
  ['SIGINT', 2, 130],
  ['SIGHUP', 2, 129],
] as const)(
  'leaves no project behind where it is asked to end: %s, %i times',
  async (signal, times, exitCode) => {
    const child = start();
    await once(child.stderr, 'data');
    for (let n = 0; n < times; n++) {
      child.kill(signal);
      // Two at once would be one.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [code] = await once(child, 'exit');
    expect(code).toBe(exitCode);
    expect(readdirSync(folder)).toEqual([]);
    if (signal === 'SIGHUP' || times === 1) expect(recorded().recording_complete).toBe(true);
  },
  60_000,
);

it.runIf(POSIX)(
  'says in a sentence why it cannot begin',
  async () => {
    const child = start({ TMPDIR: join(folder, 'nowhere') });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(2);
    expect(told).toMatch(/^The demonstration failed: ENOENT: .*\n$/);
  },
  60_000,
);
