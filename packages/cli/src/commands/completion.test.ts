import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, commandSpec, SHELLS } from '../args/command-table.ts';
import { cli } from '../testing/cli.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures', import.meta.url));

it.each(SHELLS)('the script of %s knows every command, every option of each, and @last', (shell) => {
  const { code, out, err } = cli(['completion', shell]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const name of COMMAND_NAMES) {
    const lines = out.split('\n').filter((line) => line.includes(name));
    expect(lines.length, name).toBeGreaterThan(0);
    for (const option of commandSpec(name).options) {
      expect(
        lines.some((line) => new RegExp(`(?:--|-l )${option}\\b`).test(line)),
        `${name} --${option}`,
      ).toBe(true);
    }
  }
  expect(out).toContain('@last');
});

it('a shell that is not known is refused, with those that are', () => {
  expect(cli(['completion', 'bsh'])).toMatchObject({ code: 2, out: '' });
  expect(cli(['completion', 'bsh']).err).toContain('completion knows bash, zsh, fish, not bsh');
});

describe.skipIf(process.platform === 'win32')('in bash', () => {
  /** What bash offers behind these words, the last of which is being typed. */
  function offers(...words: string[]): string[] {
    const script = `${cli(['completion', 'bash']).out}
      COMP_WORDS=(rollout-trace "$@") COMP_CWORD=$#
      _rollout_trace
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], {
      cwd: fixtures,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.split('\n').filter((word) => word !== '');
  }

  it.each([
    [['sho'], ['show']],
    [['reduce', '--st'], ['--strict']],
    [['--color', 'al'], ['always']],
    [['reduce', '--generation', '0.14'], ['0.140']],
    [
      ['reduce', '@'],
      ['@last', '@last~1'],
    ],
    [['show', 'bund'], ['bundles']],
    [['show', 'x', 'th'], ['threads']],
    [['show', '--json', 'x', 'inf'], ['inferences']],
    [['schema', 's'], ['state']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['reduce', '--until', ''], []],
    [['reduce', 'x', '-o', 'READ'], ['README.md']],
    [['show', '--st'], []],
  ])('%j is completed to %j', (words, expected) => {
    expect(offers(...words)).toEqual(expected);
  });

  it('without anything typed offers every command', () => {
    expect(offers('')).toEqual(COMMAND_NAMES);
  });
});
