/** The completion script of bash, 3.2 and later. */

import { COMMAND_NAMES, type CommandName, commandSpec, OPTION_NAMES, type OptionName } from '../args/command-table.ts';
import { FUNCTION, operandWords, optionsOf, optionWords, PROGRAM } from './words.ts';

export function bashCompletion(): string {
  return `# ${PROGRAM} completion for bash: source <(${PROGRAM} completion bash)
# Answers what is read: without what readline keeps of the word, and behind the option the value is attached to.
${FUNCTION}_take() {
  local word
  while IFS= read -r word; do
    word=$head$word
    COMPREPLY+=("\${word#"$kept"}")
  done
}
${FUNCTION}_words() {
  ${FUNCTION}_take < <(compgen -W "$1" -- "$cur")
}
# Files are offered where no word begins with what was typed: what is a file is quoted, and @last must not be.
${FUNCTION}_paths() {
  local words=\${#COMPREPLY[@]}
  if [[ -n $cur && $words -gt 0 ]]; then return; fi
  ${FUNCTION}_take < <(compgen -f -- "$cur")
  if [[ \${#COMPREPLY[@]} -gt $words ]]; then compopt -o filenames 2>/dev/null; fi
}
${FUNCTION}_commands() {
  if [[ $cur == */* ]]; then ${FUNCTION}_paths; else ${FUNCTION}_take < <(compgen -c -- "$cur"); fi
}
${FUNCTION}() {
  local line=\${COMP_LINE:0:COMP_POINT} cur head= kept= prev command= operand=0 ended= before word i
  local -a words=()
  COMPREPLY=()
  # Bash has also split the words at @, = and : (COMP_WORDBREAKS). Nothing but blanks separates words here.
  for ((i = 0; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    before=\${line%%"$word"*}
    line=\${line#*"$word"}
    if [[ $i -gt 0 && -z $before ]]; then words[\${#words[@]} - 1]+=$word; else words+=("$word"); fi
  done
  cur=\${line#"\${line%%[![:space:]]*}"}
  if [[ $cur == "$line" ]]; then
    i=$((\${#words[@]} - 1))
    cur=\${words[i]}$cur
    unset "words[i]"
  fi
  if [[ $cur == [\\"\\']* ]]; then cur=\${cur:1}; fi
  # Readline replaces only the part of the word that it hands over.
  if [[ $cur == *"$2" ]]; then kept=\${cur%"$2"}; fi
  for ((i = 1; i < \${#words[@]}; i++)); do
    case $ended\${words[i]} in
      --) ended=yes ;;
      -?*) ;;
      *)
        case $ended\${words[i - 1]} in
          ${valueOptions()}) continue ;;
        esac
        if [[ -z $command ]]; then command=\${words[i]}; else operand=$((operand + 1)); fi
        case $command$operand in
          ${OTHERS.map(({ name, at }) => `${name}${at + 1}`).join('|')}) ended=yes ;;
        esac
        ;;
    esac
  done
  prev=\${words[\${#words[@]} - 1]}
  if [[ -z $ended && $cur == --*=* ]]; then
    prev=\${cur%%=*}
    head=$prev=
    cur=\${cur#*=}
  fi
  case $ended$prev in
${optionValues()}
  esac
  if [[ -n $head ]]; then return; fi
  if [[ -z $ended && $cur == -* ]]; then
    case $command in
${[null, ...COMMAND_NAMES].map(optionCase).join('\n')}
    esac
    return
  fi
  case $command in
    '') ${FUNCTION}_words '${COMMAND_NAMES.join(' ')}' ;;
    help) case $operand in 0) ${FUNCTION}_words '${COMMAND_NAMES.join(' ')}' ;; esac ;;
${COMMAND_NAMES.map(operandCase).join('\n')}
  esac
}
complete -F ${FUNCTION} ${PROGRAM}
`;
}

/** Commands that run another one: from its name on, options are its own. */
const OTHERS = COMMAND_NAMES.flatMap((name) => {
  const at = commandSpec(name).operands.findIndex(({ kind }) => kind === 'command');
  return at < 0 ? [] : [{ name, at }];
});

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
  const cases = operands.flatMap((operand, i) => {
    if (operand.kind === 'command') return [`${i}) ${FUNCTION}_commands ;;`, `*) ${FUNCTION}_paths ;;`];
    const { words, isPath } = operandWords(operand);
    const actions = [
      ...(words.length > 0 ? [`${FUNCTION}_words '${words.join(' ')}'`] : []),
      ...(isPath ? [`${FUNCTION}_paths`] : []),
    ];
    return [`${operand.many === true ? '*' : i}) ${actions.join('; ')} ;;`];
  });
  return `    ${command}) case $operand in ${cases.join(' ')} esac ;;`;
}
