/** The completion script of zsh. */

import { COMMAND_NAMES, type CommandName, commandSpec, type OperandSpec } from '../args/command-table.ts';
import { FUNCTION, type OptionWords, operandWords, optionsOf, PROGRAM } from './words.ts';

export function zshCompletion(): string {
  return `#compdef ${PROGRAM}
# ${PROGRAM} completion for zsh: source <(${PROGRAM} completion zsh), below compinit
${FUNCTION}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C ${optionsOf(null).map(optionSpec).join(' ')} '1:command:->command' '*::operand:->operand' && return
  case $state in
    command) ${FUNCTION}_commands ;;
    operand)
      case $words[1] in
        help) _arguments '1:command:${FUNCTION}_commands' ;;
${COMMAND_NAMES.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
${FUNCTION}_commands() {
  local -a commands=(${COMMAND_NAMES.map((name) => quoted(`${name}:${commandSpec(name).says}`)).join(' ')})
  _describe command commands
}
${COMMAND_NAMES.flatMap(operandFunctions).join('\n')}
if [[ $funcstack[1] == ${FUNCTION} ]]; then ${FUNCTION} "$@"; else compdef ${FUNCTION} ${PROGRAM}; fi
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** \`(-o --output)'{-o,--output}'[says]:FILE:_files'\` */
function optionSpec({ long, short, takesValue, values, isFile, says }: OptionWords): string {
  const about = `[${says.replace(/[[\]\\:]/g, '\\$&')}]`;
  const action = isFile ? '_files' : values === null ? ' ' : `(${values.join(' ')})`;
  const value = takesValue ? `:value:${action}` : '';
  if (short === null) return quoted(long + about + value);
  return `${quoted(`(${short} ${long})`)}{${short},${long}}${quoted(about + value)}`;
}

function operandFunction(command: CommandName, i: number): string {
  return `${FUNCTION}_${command}_${i + 1}`;
}

function commandCase(command: CommandName): string {
  const operands = commandSpec(command).operands.flatMap(({ label, many, kind }, i) => {
    // Another command: from its name on, everything is its own.
    if (kind === 'command') return [`'(-)${i + 1}:command:_command_names -e'`, "'*::argument:_normal'"];
    const name = label.replaceAll('|', ' or ');
    return quoted(`${many === true ? '*' : i + 1}:${name}:${operandFunction(command, i)}`);
  });
  return `        ${command}) _arguments -S ${[...optionsOf(command).map(optionSpec), ...operands].join(' ')} ;;`;
}

function operandFunctions(command: CommandName): string[] {
  return commandSpec(command).operands.flatMap((operand: OperandSpec, i) => {
    if (operand.kind === 'command') return [];
    const { words, isPath } = operandWords(operand);
    const actions = [
      ...(words.length > 0 ? [`compadd -- ${words.map(quoted).join(' ')}`] : []),
      ...(isPath ? ['_files'] : []),
    ];
    return [`${operandFunction(command, i)}() { ${actions.join('; ')} }`];
  });
}
