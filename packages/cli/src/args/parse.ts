/**
 * From the words of the command line to a command with its operands and options, by the command table.
 *
 * By hand, not by `util.parseArgs`: an error names the option that was meant, and starting costs nothing. Not here: what
 * the values of options mean.
 */

import { ELLIPSIS } from '../text/glyphs.ts';
import {
  COMMAND_NAMES,
  type CommandName,
  commandSpec,
  GLOBAL_OPTIONS,
  isCommand,
  isOption,
  OPTION_NAMES,
  type OptionName,
  optionSpec,
  type ValueName,
} from './command-table.ts';
import { didYouMean } from './did-you-mean.ts';
import { UsageError } from './usage-error.ts';

/** What was asked for. */
export class Invocation {
  /** Null where only the program itself was asked for. */
  readonly command: CommandName | null;
  readonly operands: readonly string[];
  readonly #given: ReadonlyMap<OptionName, string | null>;
  constructor(command: CommandName | null, operands: readonly string[], given: ReadonlyMap<OptionName, string | null>) {
    this.command = command;
    this.operands = operands;
    this.#given = given;
  }

  has(name: OptionName): boolean {
    return this.#given.has(name);
  }

  value(name: ValueName): string | null {
    return this.#given.get(name) ?? null;
  }
}

/** @throws UsageError where the words are not understood */
export function parseArguments(argv: readonly string[]): Invocation {
  const reader = new Reader(argv);
  let command: CommandName | null = null;
  const operands: string[] = [];
  const given = new Map<OptionName, string | null>();
  // `help show` is what some type for `show --help`.
  if (argv[0] === 'help') return parseArguments([...argv.slice(1), '--help']);
  for (let word = reader.next(); word !== null; word = reader.next()) {
    if (word.isOption) reader.option(word.text, command, given);
    else if (command !== null) {
      operands.push(word.text);
      // Whatever follows is the command's own: its options are not ours.
      if (commandSpec(command).operands[operands.length - 1]?.kind === 'command') reader.endOptions();
    } else command = commandNamed(word.text);
  }
  if (command === null) checkGlobal(given);
  const asks = given.has('help') || given.has('version');
  if (command !== null && !asks) checkOperands(command, operands);
  if (command !== null) checkOptions(command, given);
  return new Invocation(command, operands, given);
}

class Reader {
  readonly #argv: readonly string[];
  #at = 0;
  #onlyOperands = false;
  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  next(): { text: string; isOption: boolean } | null {
    const text = this.#argv[this.#at++];
    if (text === undefined) return null;
    if (this.#onlyOperands) return { text, isOption: false };
    if (text === '--') {
      this.#onlyOperands = true;
      return this.next();
    }
    return { text, isOption: text.length > 1 && text.startsWith('-') };
  }

  /** All words that follow are operands. */
  endOptions(): void {
    this.#onlyOperands = true;
  }

  /** Reads one word with options, and the value behind it. */
  option(word: string, command: CommandName | null, given: Map<OptionName, string | null>): void {
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
      this.#take(optionNamed(name, word, command), `--${name}`, equals < 0 ? null : word.slice(equals + 1), given);
      return;
    }
    for (let i = 1; i < word.length; i++) {
      const name = shortNamed(word.charAt(i), command);
      const rest = word.slice(i + 1);
      const isLast = optionSpec(name).value !== undefined;
      this.#take(name, `-${word.charAt(i)}`, isLast && rest !== '' ? rest : null, given);
      if (isLast) return;
    }
  }

  #take(name: OptionName, written: string, attached: string | null, given: Map<OptionName, string | null>): void {
    const { value: label, words, file } = optionSpec(name);
    // `help show --help`: asking twice asks for nothing else.
    if (name === 'help' && given.has(name)) return;
    if (given.has(name)) throw new UsageError(`${written} is given twice`);
    if (label === undefined) {
      if (attached !== null) throw new UsageError(`${written} takes no value`);
      given.set(name, null);
      return;
    }
    const value = attached ?? this.#argv[this.#at] ?? null;
    if (value === null || value === '' || (attached === null && isOptionLike(value, file === true))) {
      throw new UsageError(`${written} needs a value: ${written} ${label}`);
    }
    if (attached === null) this.#at++;
    // A generation may be named by any version that belongs to it; whoever reads it decides.
    if (words !== undefined && name !== 'generation' && !words.includes(value)) {
      throw new UsageError(`${written} is ${words.join(' or ')}, not ${value}`, didYouMean(value, words));
    }
    given.set(name, value);
  }
}

/** No option is a number: one below zero is a value, and whoever reads it says which numbers it takes. */
function isOptionLike(value: string, isFile: boolean): boolean {
  return value.length > 1 && value.startsWith('-') && (isFile || !/^-\d/.test(value));
}

function commandNamed(word: string): CommandName {
  if (isCommand(word)) return word;
  const hint = didYouMean(word, COMMAND_NAMES) ?? `The commands are ${COMMAND_NAMES.join(', ')}.`;
  throw new UsageError(`${word} is no command`, hint);
}

function optionsOf(command: CommandName | null): OptionName[] {
  return [...(command === null ? [] : commandSpec(command).options), ...GLOBAL_OPTIONS];
}

function optionNamed(name: string, word: string, command: CommandName | null): OptionName {
  if (isOption(name)) return name;
  const known = (command === null ? OPTION_NAMES : optionsOf(command)).map((k) => `--${k}`);
  throw new UsageError(`unknown option ${word}`, didYouMean(`--${name}`, known) ?? help(command));
}

function shortNamed(letter: string, command: CommandName | null): OptionName {
  for (const name of OPTION_NAMES) if (optionSpec(name).short === letter) return name;
  throw new UsageError(`unknown option -${letter}`, help(command));
}

function help(command: CommandName | null): string {
  return `\`rollout-trace ${command === null ? '' : `${command} `}--help\` lists the options.`;
}

/** Options may stand before the command, so whether it takes them shows only now. */
function checkOptions(command: CommandName, given: ReadonlyMap<OptionName, string | null>): void {
  const known = optionsOf(command);
  for (const name of given.keys()) {
    if (!known.includes(name)) throw new UsageError(`${command} has no option --${name}`, help(command));
  }
}

/** Without a command only what every command takes. */
function checkGlobal(given: ReadonlyMap<OptionName, string | null>): void {
  for (const name of given.keys()) {
    if (GLOBAL_OPTIONS.includes(name)) continue;
    throw new UsageError(`--${name} is given without a command`, `The commands are ${COMMAND_NAMES.join(', ')}.`);
  }
}

function checkOperands(command: CommandName, given: readonly string[]): void {
  const { operands } = commandSpec(command);
  const usage = `The usage is: ${usageLine(command)}`;
  const missing = operands[given.length];
  if (missing?.required === true) throw new UsageError(`${command} needs a ${missing.label}`, usage);
  const extra = given[operands.length];
  if (extra !== undefined && operands.at(-1)?.many !== true) {
    throw new UsageError(`${command} takes no ${extra}`, usage);
  }
  for (const [i, word] of given.entries()) {
    const words = operands[i]?.words;
    if (words === undefined || words.includes(word)) continue;
    throw new UsageError(`${command} knows ${words.join(', ')}, not ${word}`, didYouMean(word, words));
  }
}

/** `rollout-trace show <bundle> [ref] [options]` */
export function usageLine(command: CommandName): string {
  const { operands, options } = commandSpec(command);
  const parts = operands.map(({ label, required, many }) => {
    const name = many === true ? `${label}${ELLIPSIS}` : label;
    return required ? `<${name}>` : `[${name}]`;
  });
  const some = options.length > 0 ? ['[options]'] : [];
  const takesCommand = operands.some(({ kind }) => kind === 'command');
  return ['rollout-trace', command, ...(takesCommand ? [...some, '--', ...parts] : [...parts, ...some])].join(' ');
}
