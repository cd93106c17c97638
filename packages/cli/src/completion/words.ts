/** What the completion scripts of all shells are made from: the command table, as each of them needs it. */

import {
  type CommandName,
  commandSpec,
  GLOBAL_OPTIONS,
  type OperandSpec,
  type OptionName,
  optionSpec,
} from '../args/command-table.ts';
import { KINDS } from '../show/kinds.ts';

export const PROGRAM = 'rollout-trace';
/** The name of the functions the scripts define. */
export const FUNCTION = '_rollout_trace';

/** Bundles that can be named without a path. */
const BUNDLE_WORDS: readonly string[] = ['@last', '@last~1'];

/** Refs that every bundle has. */
const REF_WORDS: readonly string[] = [...Object.values(KINDS).map(({ plural }) => plural), 'findings'];

/** One option of a command. */
export interface OptionWords {
  long: string;
  short: string | null;
  takesValue: boolean;
  /** The values it may have; null where that is open. */
  values: readonly string[] | null;
  isFile: boolean;
  says: string;
}

/** The options of a command, or those the program takes before one. */
export function optionsOf(command: CommandName | null): OptionWords[] {
  const own = command === null ? [] : commandSpec(command).options;
  return [...own, ...GLOBAL_OPTIONS].map(optionWords);
}

export function optionWords(name: OptionName): OptionWords {
  const { short, value, words, file, says } = optionSpec(name);
  return {
    long: `--${name}`,
    short: short === undefined ? null : `-${short}`,
    takesValue: value !== undefined,
    values: words ?? null,
    isFile: file === true,
    says,
  };
}

/** What completes an operand: words, and whether folders and files do, too. */
export function operandWords({ kind, words }: OperandSpec): { words: readonly string[]; isPath: boolean } {
  switch (kind) {
    case 'bundle':
      return { words: BUNDLE_WORDS, isPath: true };
    case 'folder':
    case 'command':
      return { words: [], isPath: true };
    case 'ref':
      return { words: REF_WORDS, isPath: false };
    case 'word':
      return { words: words ?? [], isPath: false };
  }
}
