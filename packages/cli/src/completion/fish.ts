/** The completion script of fish. */

import { COMMAND_NAMES, type CommandName, commandSpec } from '../args/command-table.ts';
import { type OptionWords, operandWords, optionsOf, PROGRAM } from './words.ts';

export function fishCompletion(): string {
  const lines = [
    `# ${PROGRAM} completion for fish: ${PROGRAM} completion fish > ~/.config/fish/completions/${PROGRAM}.fish`,
    `complete -c ${PROGRAM} -f`,
    ...COMMAND_NAMES.map((name) => {
      return `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${name} -d ${quoted(commandSpec(name).says)}`;
    }),
    ...optionsOf(null).map((option) => optionLine('__fish_use_subcommand', option)),
    ...COMMAND_NAMES.flatMap(commandLines),
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function optionLine(condition: string, { long, short, takesValue, values, isFile, says }: OptionWords): string {
  const parts = ['complete', '-c', PROGRAM, '-n', quoted(condition), '-l', long.slice(2)];
  if (short !== null) parts.push('-s', short.slice(1));
  if (takesValue) parts.push(isFile ? '-rF' : '-x');
  if (values !== null) parts.push('-a', quoted(values.join(' ')));
  return [...parts, '-d', quoted(says)].join(' ');
}

function commandLines(command: CommandName): string[] {
  const condition = `__fish_seen_subcommand_from ${command}`;
  const operands = commandSpec(command).operands.flatMap((operand) => {
    const { words, isPath } = operandWords(operand);
    return [
      ...(words.length > 0 ? [`complete -c ${PROGRAM} -n ${quoted(condition)} -a ${quoted(words.join(' '))}`] : []),
      ...(isPath ? [`complete -c ${PROGRAM} -n ${quoted(condition)} -F`] : []),
    ];
  });
  return [...optionsOf(command).map((option) => optionLine(condition, option)), ...operands];
}
