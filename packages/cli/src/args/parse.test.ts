import { describe, expect, it } from 'vitest';
import { COMMAND_NAMES, commandSpec, GLOBAL_OPTIONS, OPTION_NAMES, optionSpec } from './command-table.ts';
import { nearest } from './did-you-mean.ts';
import { parseArguments } from './parse.ts';
import { UsageError } from './usage-error.ts';

function mistake(...argv: string[]): { message: string; hint: string | null } {
  try {
    parseArguments(argv);
  } catch (error) {
    if (error instanceof UsageError) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error(`${argv.join(' ')} was understood`);
}

describe('the command line', () => {
  it('takes options before, between and behind the operands', () => {
    for (const argv of [
      ['--json', 'reduce', 'a', 'b'],
      ['reduce', 'a', '--json', 'b'],
      ['reduce', 'a', 'b', '--json'],
    ]) {
      const asked = parseArguments(argv);
      expect([asked.command, asked.operands, asked.has('json')]).toEqual(['reduce', ['a', 'b'], true]);
    }
  });

  it.each([[['-o', 'x']], [['-ox']], [['--output', 'x']], [['--output=x']], [['-qox']]])(
    'takes a value as %j',
    (words) => {
      expect(parseArguments(['reduce', 'a', ...words]).value('output')).toBe('x');
    },
  );

  it('takes - for a value and, behind --, anything for an operand', () => {
    expect(parseArguments(['reduce', 'a', '-o', '-']).value('output')).toBe('-');
    expect(parseArguments(['reduce', '--', '-a', '--json']).operands).toEqual(['-a', '--json']);
  });

  it('understands `help show` as `show --help`', () => {
    const asked = parseArguments(['help', 'show']);
    expect([asked.command, asked.has('help')]).toEqual(['show', true]);
  });

  it('asked for help, it wants no operands', () => {
    expect(parseArguments(['reduce', '--help']).has('help')).toBe(true);
  });
});

describe('a mistake', () => {
  it.each([
    [['redcue', 'a'], 'redcue is no command', 'Did you mean reduce?'],
    [['x'], 'x is no command', /^The commands are reduce, /],
    [['reduce', 'a', '--strcit'], 'unknown option --strcit', 'Did you mean --strict?'],
    [
      ['reduce', 'a', '--nothing-like-it'],
      'unknown option --nothing-like-it',
      '`rollout-trace reduce --help` lists the options.',
    ],
    [['reduce', 'a', '-z'], 'unknown option -z', '`rollout-trace reduce --help` lists the options.'],
    [['show', 'a', '--strict'], 'show has no option --strict', '`rollout-trace show --help` lists the options.'],
    [['reduce', 'a', '-o'], '-o needs a value: -o PATH', null],
    [['reduce', 'a', '-o', '--json'], '-o needs a value: -o PATH', null],
    [['reduce', 'a', '--json=1'], '--json takes no value', null],
    [['reduce', 'a', '--json', '--json'], '--json is given twice', null],
    [['reduce', 'a', '--color', 'alwasy'], '--color is auto or always or never, not alwasy', 'Did you mean always?'],
    [['reduce'], 'reduce needs a bundle', /^The usage is: rollout-trace reduce/],
    [['show', 'a', 'b', 'c'], 'show takes no c', /^The usage is: rollout-trace show/],
    [['schema', 'stat'], 'schema knows manifest, event, state, not stat', 'Did you mean state?'],
  ])('as in %j is named, with what to do', (argv, message, hint) => {
    const found = mistake(...argv);
    expect(found.message).toBe(message);
    if (hint instanceof RegExp) expect(found.hint).toMatch(hint);
    else expect(found.hint).toBe(hint);
  });

  it.each([
    ['verfiy', 'verify'],
    ['shwo', 'show'],
    ['comp', 'completion'],
    ['l', 'ls'],
    ['zzzzzz', null],
  ])('%s was meant to be %s', (word, meant) => {
    expect(nearest(word, COMMAND_NAMES)).toBe(meant);
  });
});

it('a number below zero is the value of an option, unless that is a file', () => {
  expect(parseArguments(['reduce', 'a', '--until', '-1']).value('until')).toBe('-1');
  expect(() => parseArguments(['reduce', 'a', '--until', '--json'])).toThrow('--until needs a value: --until SEQ');
  expect(() => parseArguments(['reduce', 'a', '-o', '-1'])).toThrow('-o needs a value: -o PATH');
});

describe('the command table', () => {
  it('has no two options with one letter', () => {
    const letters = OPTION_NAMES.flatMap((name) => optionSpec(name).short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  });

  it('has no option that no command takes', () => {
    const taken = new Set([...GLOBAL_OPTIONS, ...COMMAND_NAMES.flatMap((name) => commandSpec(name).options)]);
    expect(OPTION_NAMES.filter((name) => !taken.has(name))).toEqual([]);
  });

  it('has examples of each command that begin with the program', () => {
    for (const name of COMMAND_NAMES) {
      const { examples } = commandSpec(name);
      expect(examples.length, name).toBeGreaterThan(0);
      for (const { line } of examples) expect(line).toContain(`rollout-trace ${name}`);
    }
  });
});
