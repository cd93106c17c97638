import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../args/command-table.ts';
import { fishCompletion } from './fish.ts';

const hasFish = spawnSync('fish', ['--version']).status === 0;

describe.skipIf(!hasFish)('in fish', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rollout-trace-completion-'));
    mkdirSync(join(folder, 'bundles'));
    for (const name of ['agent.mjs', 'README.md']) writeFileSync(join(folder, name), '');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** What it offers where the cursor stands at the end of the line. */
  function offers(line: string): string[] {
    const script = `${fishCompletion()}\ncomplete -C "$argv[1]"`;
    const { status, stdout, stderr } = spawnSync('fish', ['-c', script, `rollout-trace ${line}`], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const words = stdout.split('\n').map((word) => word.split('\t')[0] ?? '');
    return words.filter((word) => word !== '');
  }

  it.each([
    ['sho', ['show']],
    ['help sho', ['show']],
    ['help show sho', []],
    ['--color al', ['always']],
    ['--color al sho', ['show']],
    ['reduce --st', ['--strict']],
    ['reduce --output=REA', ['--output=README.md']],
    ['reduce x -o READ', ['README.md']],
    ['reduce @', ['@last', '@last~1']],
    ['show @last th', ['threads']],
    ['show bund', ['bundles/']],
    ['show --st', []],
    ['show -- --js', []],
    ['schema s', ['state']],
    ['completion ', ['bash', 'fish', 'zsh']],
    ['record --root bun', ['bundles/']],
    ['record --js', ['--json']],
    ['record fish --js', []],
    ['record -- fish ag', ['agent.mjs']],
    ['record --format segment fish --versio', ['--version']],
  ])('%j is completed with %j', (line, expected) => {
    expect(offers(line)).toEqual(expected);
  });

  it('without anything typed offers every command', () => {
    expect(offers('')).toEqual(expect.arrayContaining([...COMMAND_NAMES]));
    expect(offers('help ')).toEqual([...COMMAND_NAMES].sort());
  });

  it('a command to run is completed as one of the shell', () => {
    expect(offers('record -- fis')).toContain('fish');
    expect(offers('record --root bundles fis')).toContain('fish');
  });
});
