/** The completion script of bash, 3.2 and later. */

import { COMMAND_NAMES, type CommandName, commandSpec, OPTION_NAMES, type OptionName } from '../args/command-table.ts';
import { FUNCTION, operandWords, optionsOf, optionWords, PROGRAM } from './words.ts';

export function bashCompletion(): string {
  return `# ${PROGRAM} completion for bash: source <(${PROGRAM} completion bash)
${FUNCTION}_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
}
${FUNCTION}_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen -f -- "$cur")
}
${FUNCTION}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= operand=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -*) ;;
      *)
        case \${COMP_WORDS[i - 1]} in
          ${valueOptions()}) ;;
          *) if [[ -z $command ]]; then command=\${COMP_WORDS[i]}; else operand=$((operand + 1)); fi ;;
        esac
        ;;
    esac
  done
  case $prev in
${optionValues()}
  esac
  if [[ $cur == -* ]]; then
    case $command in
${[null, ...COMMAND_NAMES].map(optionCase).join('\n')}
    esac
    return
  fi
  case $command in
    '') ${FUNCTION}_words '${COMMAND_NAMES.join(' ')}' ;;
${COMMAND_NAMES.map(operandCase).join('\n')}
  esac
}
complete -F ${FUNCTION} ${PROGRAM}
`;
}

function namesOf(name: OptionName): string[] {
  const { long, short } = optionWords(name);
  return short === null ? [long] : [short, long];
}

const VALUED = OPTION_NAMES.filter((name) => optionWords(name).takesValue);

function valueOptions(): string {
  return VALUED.flatMap(namesOf).join('|');
}

function optionValues(): string {
  return VALUED.map((name) => {
    const { values, isFile } = optionWords(name);
    const action = isFile ? `${FUNCTION}_paths; ` : values === null ? '' : `${FUNCTION}_words '${values.join(' ')}'; `;
    return `    ${namesOf(name).join('|')}) ${action}return ;;`;
  }).join('\n');
}

function optionCase(command: CommandName | null): string {
  const words = optionsOf(command).flatMap(({ long, short }) => (short === null ? [long] : [short, long]));
  return `      ${command ?? "''"}) ${FUNCTION}_words '${words.join(' ')}' ;;`;
}

function operandCase(command: CommandName): string {
  const { operands } = commandSpec(command);
  const cases = operands.map((operand, i) => {
    const { words, isPath } = operandWords(operand);
    const actions = [
      ...(words.length > 0 ? [`${FUNCTION}_words '${words.join(' ')}'`] : []),
      ...(isPath ? [`${FUNCTION}_paths`] : []),
    ];
    return `${operand.many === true ? '*' : i}) ${actions.join('; ')} ;;`;
  });
  return `    ${command}) case $operand in ${cases.join(' ')} esac ;;`;
}
