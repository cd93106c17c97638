// The built program as a process: what only shows there. Everything else is tested in this process.

import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { copyOf, fixture, scratch } from './testing/cli.ts';

const program = fileURLToPath(new URL('../bin/rollout-trace.cjs', import.meta.url));
const folder = scratch();
const { ROLLOUT_TRACE_ROOT, CODEX_ROLLOUT_TRACE_ROOT, FORCE_COLOR, ...environment } = process.env;

function start(args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: { ...environment, ...env } });
}

describe('the program', () => {
  it.runIf(existsSync('/dev/full'))('says what went wrong where stdout cannot be written, without a stack', () => {
    const full = openSync('/dev/full', 'w');
    const bundle = fixture('0.169.0/plain');
    for (const args of [['show', bundle], ['verify', bundle], ['ls', bundle], ['show', '--json', bundle], ['--help']]) {
      const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
        encoding: 'utf8',
        env: environment,
        stdio: ['ignore', full, 'pipe'],
      });
      expect({ status, stderr }).toEqual({ status: 2, stderr: 'error: there is no space left (write: ENOSPC)\n' });
    }
    closeSync(full);
  });

  it('ends with the exit code of the command', () => {
    expect(start(['verify', fixture('0.169.0/plain')]).status).toBe(0);
    expect(start(['verify', fixture('0.169.0/review')]).status).toBe(1);
    expect(start(['verify']).status).toBe(2);
    expect(start(['show', fixture('0.169.0/review')]).status).toBe(3);
  });

  it('finds bundles below the folder that the environment names', () => {
    const { stdout } = start(['verify', '@last'], { CODEX_ROLLOUT_TRACE_ROOT: fixture('0.169.0') });
    expect(stdout).toMatch(/json-odd: no findings/);
  });

  it('writes the bytes of the reference', () => {
    const bundle = copyOf('0.169.0/compact-agents', folder);
    expect(start(['reduce', bundle]).status).toBe(0);
    expect(readFileSync(join(bundle, 'state.json'))).toEqual(readFileSync(join(bundle, 'expected-state.json')));
  });

  it('is silent when the reader of its output goes away, and has done its work', async () => {
    const child = spawn(process.execPath, [program, 'show', fixture('0.169.0/compact-agents'), 'items', '--json'], {
      env: environment,
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('prints the schemas that the core publishes', () => {
    expect(JSON.parse(start(['schema', 'state']).stdout).title).toBe('state.json');
  });

  it('shows the stack of a defect only where it is asked to', () => {
    const missing = join(folder, 'missing');
    expect(start(['show', missing]).stderr).not.toContain(' at ');
    expect(start(['show', missing], { ROLLOUT_TRACE_DEBUG: '1' }).stderr).toContain(' at ');
  });

  it('reduces without loading what only some commands need', () => {
    const heavy = ['tty', 'net', 'stream', 'perf_hooks', 'child_process', 'zlib'];
    const bundle = copyOf('0.169.0/plain', folder);
    const script = `process.argv.splice(1, Infinity, ${JSON.stringify(program)}, 'reduce', ${JSON.stringify(bundle)});
      const before = new Set(process.moduleLoadList);
      process.once('exit', () => {
        const loaded = process.moduleLoadList.filter((name) => !before.has(name));
        require('node:fs').writeFileSync(1, JSON.stringify(loaded));
      });
      require(${JSON.stringify(program)});`;
    const { stdout, status } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env: environment });
    expect(status).toBe(0);
    const loaded: string[] = JSON.parse(stdout);
    expect(loaded.filter((name) => heavy.includes(name.replace('NativeModule ', '')))).toEqual([]);
    expect(readdirSync(bundle)).toContain('state.json');
  });

  it('is plain ASCII, which V8 reads faster', () => {
    for (const file of [program, fileURLToPath(new URL('../dist/cli.cjs', import.meta.url))]) {
      expect(readFileSync(file, 'utf8'), file).not.toMatch(/[^\n\t -~]/);
    }
  });
});
