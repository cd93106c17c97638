// What holds for every command: what is asked for goes to stdout, the rest to stderr, and nobody sees a stack.

import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, commandSpec, optionSpec } from './args/command-table.ts';
import { cli, fixture } from './testing/cli.ts';
import { columnsOf } from './text/width.ts';

const ESCAPE = String.fromCodePoint(0x1b);
const PLAIN = fixture('0.169.0/plain');

describe('help', () => {
  it('of the program opens with examples and names every command, on stdout', () => {
    const { code, out, err } = cli(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').slice(1, 3)).toEqual(['', 'Examples']);
    for (const name of COMMAND_NAMES) expect(out).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
  });

  it.each(COMMAND_NAMES)('of %s opens with examples and names every option', (name) => {
    const { code, out } = cli([name, '--help']);
    expect(code).toBe(0);
    expect(out.split('\n').slice(1, 3)).toEqual(['', 'Examples']);
    for (const option of commandSpec(name).options) {
      expect(out).toContain(`--${option}`);
      expect(out.replace(/\s+/g, ' ')).toContain(optionSpec(option).says);
    }
  });

  it('fits 80 columns, but for the examples, which are there to be copied', () => {
    for (const argv of [['--help'], ...COMMAND_NAMES.map((name) => [name, '--help'])]) {
      const { out } = cli(argv, { environment: { COLUMNS: '80' } });
      const wide = out.split('\n').filter((line) => columnsOf(line) > 80 && !line.startsWith('  rollout-trace'));
      expect(wide, argv.join(' ')).toEqual([]);
    }
  });

  it.each([['help help'], ['help --help'], ['-h --help'], ['help show --help'], ['show -h --help']])(
    'may be asked for twice: %s',
    (words) => {
      const once = words.includes('show') ? ['show', '--help'] : ['--help'];
      expect(cli(words.split(' '))).toEqual(cli(once));
    },
  );

  it('is no answer to an option that needs a command', () => {
    for (const option of ['--json', '-q']) {
      const { code, out, err } = cli([option]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/^error: --\w+ is given without a command\n {2}The commands are reduce, /);
    }
  });

  it('is what stderr says when no command was given, with 2', () => {
    const { code, out, err } = cli([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Examples');
  });
});

it('--version prints the version of the package', async () => {
  const { default: manifest } = await import('../package.json', { with: { type: 'json' } });
  expect(cli(['--version'])).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' });
  expect(cli(['show', '-V']).out).toBe(`${manifest.version}\n`);
});

it('a mistake ends with 2, with the reason and a hint on stderr', () => {
  expect(cli(['shwo'])).toEqual({ code: 2, out: '', err: 'error: shwo is no command\n  Did you mean show?\n' });
});

describe('colour', () => {
  const hasColor = (argv: string[], environment: Record<string, string>, isTerminal: boolean): boolean =>
    cli(['show', PLAIN, ...argv], { environment, isTerminal }).out.includes(ESCAPE);

  it.each([
    ['a terminal has it', [], {}, true, true],
    ['a pipe has not', [], {}, false, false],
    ['NO_COLOR takes it away', [], { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR does not', [], { NO_COLOR: '' }, true, true],
    ['FORCE_COLOR gives it to a pipe', [], { FORCE_COLOR: '1' }, false, true],
    ['FORCE_COLOR=0 takes it away', [], { FORCE_COLOR: '0' }, true, false],
    ['NO_COLOR wins over FORCE_COLOR', [], { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['a dumb terminal has none', [], { TERM: 'dumb' }, true, false],
    ['--color always wins over all', ['--color', 'always'], { NO_COLOR: '1' }, false, true],
    ['--color=never wins over all', ['--color=never'], { FORCE_COLOR: '1' }, true, false],
    ['--color auto is the default', ['--color', 'auto'], {}, true, true],
  ])('%s', (_, argv, environment, isTerminal, expected) => {
    expect(hasColor(argv, environment, isTerminal)).toBe(expected);
  });

  it('is never in JSON', () => {
    expect(cli(['show', PLAIN, '--json', '--color', 'always']).out).not.toContain(ESCAPE);
  });
});

it('without colour, output that is piped and output on a terminal are the same', () => {
  const environment = { NO_COLOR: '1', COLUMNS: '100' };
  const piped = cli(['show', PLAIN], { environment });
  expect(cli(['show', PLAIN], { environment, isTerminal: true, columns: 100 })).toEqual(piped);
});

describe('schema', () => {
  it.each(['manifest', 'event', 'state'])('%s prints a JSON Schema', (name) => {
    const { code, out } = cli(['schema', name]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ $schema: expect.any(String), title: expect.any(String) });
  });

  it('without a name prints all three', () => {
    expect(Object.keys(JSON.parse(cli(['schema']).out))).toEqual(['manifest', 'event', 'state']);
  });
});

describe('--json', () => {
  it.each([
    ['show', { bundle: './no-such' }],
    ['story', { bundle: './no-such' }],
    ['materialize', { segment: './no-such' }],
    ['reduce', { bundle: './no-such', output: null }],
    ['verify', { bundle: './no-such' }],
    ['ls', {}],
  ])('answers a failure of %s with an object, and tells it on stderr as well', (command, about) => {
    const { code, out, err } = cli([command, '--json', './no-such']);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual({
      ...about,
      error: { message: './no-such does not exist', hint: command === 'ls' ? null : 'Is the path right?' },
    });
    expect(err).toContain('error: ./no-such does not exist');
  });

  it('names what may have been meant', () => {
    const { out } = cli(['show', '--json', fixture('0.169.0')]);
    expect(JSON.parse(out).error.candidates).toEqual([expect.stringContaining('0.169.0')]);
  });
});
