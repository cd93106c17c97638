import { expect, it } from 'vitest';
import { COMMAND_NAMES, commandSpec, SHELLS } from '../args/command-table.ts';
import { cli } from '../testing/cli.ts';

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
