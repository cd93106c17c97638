// The built program and the built agent, as `npm run demo` starts them: real commands, patches, scripts and messages.

import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { scratch } from '../testing/cli.ts';

const program = fileURLToPath(new URL('../../bin/rollout-trace.cjs', import.meta.url));
const folder = scratch();
const { ROLLOUT_TRACE_ROOT, CODEX_ROLLOUT_TRACE_ROOT, ROLLOUT_TRACE_FORMAT, ...environment } = process.env;

it('shows the whole loop: what ran, what failed, and which call caused it', () => {
  const words = [program, 'demo', '--root', join(folder, 'traces'), '--json', '--quiet'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { steps, failures } = JSON.parse(stdout);
  const kinds = new Set(steps.map(({ what }: { what: string }) => what));
  for (const kind of [
    'user',
    'thinks',
    'says',
    'model',
    'exec_command',
    'write_stdin',
    'apply_patch',
    'code cell',
    'spawn_agent',
    'wait_agent',
    'agent_result',
    'compaction',
  ]) {
    expect(kinds, kind).toContain(kind);
  }
  const failed = Object.fromEntries(failures.map((failure: { ref: string }) => [failure.ref, failure]));
  expect(Object.keys(failed).sort()).toEqual(['call_docs_1', 'call_patch_1', 'call_test']);
  expect(failed.call_test).toMatchObject({ how: 'exit 1', asked_by: [{ ref: 'inference:1' }], seen_in: 'inference:2' });
  expect(failed.call_patch_1.next_answer).toBe('apply_patch call_patch_2');
  expect(steps.at(-1).text).toContain('all three tests pass');
  const [trace = ''] = readdirSync(join(folder, 'traces'));
  expect(readdirSync(join(folder, 'traces', trace))).toContain('state.json');
});

it('leaves what @last means where nothing says otherwise', () => {
  const inFolder = (...words: string[]) =>
    spawnSync(process.execPath, [program, ...words], { cwd: folder, env: environment, encoding: 'utf8' });
  expect(inFolder('story', '@last').stderr).toContain('@last needs a folder to look in');
  expect(inFolder('demo', '--quiet').status).toBe(0);
  const { status, stdout } = inFolder('story', '@last', '--json');
  expect(status).toBe(0);
  expect(stdout).toContain('all three tests pass');
  expect(inFolder('verify', '@last').stdout).toMatch(/^rollout-traces[\\/].*no findings/);
}, 60_000);

it('says which folder it cannot record below, and what to do', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'demo'], {
    cwd: folder,
    env: { ...environment, ROLLOUT_TRACE_ROOT: file },
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toBe(
    `error: ${file}: something else of that name is there (mkdir: EEXIST)\n  Name another folder for traces with --root or ROLLOUT_TRACE_ROOT.\n`,
  );
});
