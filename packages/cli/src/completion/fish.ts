/** The completion script of fish, 3.2 and later. */

import {
  COMMAND_NAMES,
  type CommandName,
  commandSpec,
  GLOBAL_OPTIONS,
  OPTION_NAMES,
  type OperandSpec,
} from '../args/command-table.ts';
import { FUNCTION, type OptionWords, operandWords, optionsOf, optionWords, PROGRAM } from './words.ts';

/** More operands than anybody types. */
const ANY_NUMBER = 9999;

export function fishCompletion(): string {
  const valued = OPTION_NAMES.map(optionWords).filter(({ takesValue }) => takesValue);
  const valueWords = valued.flatMap(({ long, short }) => (short === null ? [long] : [short, long]));
  return `# ${PROGRAM} completion for fish: ${PROGRAM} completion fish > ~/.config/fish/completions/${PROGRAM}.fish
# Prints what stands before the cursor but for the options: the command and its operands. From -- on, and from the name
# of a command to run on, options are operands.
function _${FUNCTION}_words
    set -l ended no
    set -l value no
    set -l command
    for word in (commandline -opc)[2..-1]
        if test $ended = yes
            printf '%s\\n' $word
        else if test $value = yes
            set value no
        else if test $word = --
            set ended yes
        else if contains -- $word ${valueWords.join(' ')}
            set value yes
        else if not string match -q -- '-?*' $word
            printf '%s\\n' $word
            if set -q command[1]; and contains -- $command[1] ${OTHERS.join(' ')}
                set ended yes
            end
            set -a command $word
        end
    end
end
# Whether the command is this one, with so many operands behind it.
function _${FUNCTION}_at --argument-names command least most
    set -l words (_${FUNCTION}_words)
    set -l operands (math (count $words) - 1)
    test "$words[1]" = "$command" -a $operands -ge $least -a $operands -le $most
end
# Completes another command, which begins with this word.
function _${FUNCTION}_other --argument-names first
    set -l words (_${FUNCTION}_words)
    set words $words[$first..-1]
    set -l word (commandline -ct)
    if set -q words[1]; or not string match -q -- '-*' "$word"
        complete -C (string join ' ' -- (string escape -- $words) "$word")
    end
end
complete -c ${PROGRAM} -f
${[...commandWords(), ...COMMAND_NAMES.flatMap(commandLines)].join('\n')}
`;
}

/** Commands that run another one: from its name on, options are its own. */
const OTHERS = COMMAND_NAMES.filter((name) => commandSpec(name).operands.some(runs));

function runs({ kind }: OperandSpec): boolean {
  return kind === 'command';
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function completion(command: string, least: number, most: number, ...rest: string[]): string {
  const condition = quoted(`_${FUNCTION}_at ${command === '' ? '""' : command} ${least} ${most}`);
  return ['complete', '-c', PROGRAM, '-n', condition, ...rest].join(' ');
}

function optionLine(command: string, most: number, option: OptionWords): string {
  const { long, short, takesValue, values, isFile, says } = option;
  const parts = ['-l', long.slice(2)];
  if (short !== null) parts.push('-s', short.slice(1));
  if (takesValue) parts.push(isFile ? '-rF' : '-x');
  if (values !== null) parts.push('-a', quoted(values.join(' ')));
  return completion(command, -1, most, ...parts, '-d', quoted(says));
}

/** Before a command is named, and where `help` asks for one. */
function commandWords(): string[] {
  const names = COMMAND_NAMES.map((name) => ['-a', name, '-d', quoted(commandSpec(name).says)]);
  return [
    ...names.map((name) => completion('', -1, -1, ...name)),
    ...names.map((name) => completion('help', 0, 0, ...name)),
    ...GLOBAL_OPTIONS.map((name) => optionLine('', -1, optionWords(name))),
  ];
}

function commandLines(command: CommandName): string[] {
  const { operands } = commandSpec(command);
  const most = OTHERS.includes(command) ? 0 : ANY_NUMBER;
  return [
    ...optionsOf(command).map((option) => optionLine(command, most, option)),
    ...operands.flatMap((operand, i) => {
      const last = operand.many === true ? ANY_NUMBER : i;
      if (runs(operand)) {
        return [completion(command, i, last, '-a', quoted(`(_${FUNCTION}_other ${i + 2})`))];
      }
      const { words, isPath } = operandWords(operand);
      return [
        ...(words.length > 0 ? [completion(command, i, last, '-a', quoted(words.join(' ')))] : []),
        ...(isPath ? [completion(command, i, last, '-F')] : []),
      ];
    }),
  ];
}
