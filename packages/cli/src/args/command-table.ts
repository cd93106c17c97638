/**
 * The one table of commands, operands and options. Parsing, help and shell completions are made from it.
 * Not here: what a command does (`commands/`).
 */

import { GENERATIONS } from '@rollout-trace/core/format';

export interface OptionSpec {
  /** What must follow the option, as help names it; none for a switch. */
  value?: string;
  short?: string;
  /** The only values it takes. */
  words?: readonly string[];
  /** The value is the name of a file. */
  file?: true;
  says: string;
}

/** Every option of every command. A name means the same everywhere. */
const OPTIONS = {
  output: { short: 'o', value: 'PATH', file: true, says: 'write the result to PATH instead; for reduce, - is stdout' },
  strict: { says: 'fail at the first inconsistency, as the reference does, and write nothing' },
  until: { value: 'SEQ', says: 'reduce no event beyond this seq' },
  generation: {
    value: 'VERSION',
    words: GENERATIONS,
    says: 'name the generation of the format instead of finding it out',
  },
  schema: {
    value: 'own|latest',
    words: ['own', 'latest'],
    says: "write the state in the bundle's own shape (default) or in the newest",
  },
  root: { value: 'DIR', file: true, says: 'record below DIR instead of a new folder' },
  format: { value: 'bundle|segment', words: ['bundle', 'segment'], says: 'the layout recorders that know both write' },
  json: { says: 'print the result on stdout as JSON' },
  quiet: { short: 'q', says: 'print errors only' },
  color: { value: 'WHEN', words: ['auto', 'always', 'never'], says: 'colour the output: auto, always or never' },
  help: { short: 'h', says: 'say how the command is used' },
  version: { short: 'V', says: 'print the version' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES: readonly OptionName[] = Object.keys(OPTIONS).filter(isOption);
/** The options that are followed by a value. */
export type ValueName = { [K in OptionName]: (typeof OPTIONS)[K] extends { value: string } ? K : never }[OptionName];

export function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** One option as data, whatever its name. */
export function optionSpec(name: OptionName): OptionSpec {
  return OPTIONS[name];
}

export interface OperandSpec {
  label: string;
  /** What completes it. */
  kind: 'bundle' | 'folder' | 'ref' | 'word' | 'command';
  words?: readonly string[];
  required: boolean;
  /** It may be given more than once; then it is the last. */
  many?: true;
}

export interface Example {
  line: string;
  says: string;
}

export interface CommandSpec {
  says: string;
  examples: readonly Example[];
  operands: readonly OperandSpec[];
  options: readonly OptionName[];
  /** Paragraphs below the options. */
  notes?: readonly string[];
}

export const SCHEMA_NAMES = ['manifest', 'event', 'state'] as const;
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Options every command takes. */
export const GLOBAL_OPTIONS: readonly OptionName[] = ['color', 'help', 'version'];

const COMMANDS = {
  reduce: {
    says: 'reduce bundles to the semantic graph, state.json',
    examples: [
      { line: 'rollout-trace reduce @last', says: 'write state.json into the newest bundle' },
      { line: 'rollout-trace reduce 7fe4cffa -o - | jq .threads', says: 'send the state down a pipe' },
      { line: 'rollout-trace reduce --strict traces/*', says: 'check that every bundle reduces as in the reference' },
    ],
    operands: [{ label: 'bundle', kind: 'bundle', required: true, many: true }],
    options: ['output', 'strict', 'until', 'generation', 'schema', 'json', 'quiet'],
    notes: [
      'The state is written to <bundle>/state.json, as a whole or not at all. What could not be understood is left out of ' +
        'it and written as findings to findings.json beside it (FILE.findings.json beside FILE.json).',
      'Exit code 0: done. 3: done, but findings are errors: evidence was lost or damaged. 2: no state was written.',
    ],
  },
  verify: {
    says: 'say what is wrong with bundles; writes nothing',
    examples: [
      { line: 'rollout-trace verify @last', says: 'is the newest bundle sound?' },
      { line: 'rollout-trace verify --json traces/*', says: 'one JSON object per bundle and line' },
    ],
    operands: [{ label: 'bundle', kind: 'bundle', required: true, many: true }],
    options: ['json'],
    notes: ['Exit code 0: no errors. 1: errors were found. 2: something given is no bundle.'],
  },
  show: {
    says: 'show what happened in a bundle, or one object of it',
    examples: [
      { line: 'rollout-trace show @last', says: 'threads, turns, calls, tools, tokens, findings' },
      { line: 'rollout-trace show @last call_0003', says: 'one object, and what it is connected with' },
      { line: 'rollout-trace show @last seq:12', says: 'one raw event, and what it began or ended' },
      { line: 'rollout-trace show @last inferences', says: 'all objects of one kind' },
    ],
    operands: [
      { label: 'bundle', kind: 'bundle', required: true },
      { label: 'ref', kind: 'ref', required: false },
    ],
    options: ['json'],
    notes: [
      'A ref is anything the summary prints: an id or its beginning, noun:N (the Nth thread, turn, inference, tool, cell, ' +
        'terminal, compaction or edge), an agent path, a response or call id, payloads/N.json, seq:N or N for an event.',
    ],
  },
  story: {
    says: 'tell what happened step by step, what failed, and why',
    examples: [
      { line: 'rollout-trace story @last', says: 'everything that happened, in order' },
      { line: 'rollout-trace story @last --json | jq .failures', says: 'what failed, and what came of it' },
    ],
    operands: [{ label: 'bundle', kind: 'bundle', required: true }],
    options: ['json'],
    notes: [
      'A failure is told with what asked for it and with the first request that showed its outcome to the model. All of ' +
        'that was recorded; where something was not, it is not told.',
    ],
  },
  ls: {
    says: 'list the bundles below folders, newest first',
    examples: [
      { line: 'rollout-trace ls', says: 'below ROLLOUT_TRACE_ROOT or CODEX_ROLLOUT_TRACE_ROOT, else here' },
      {
        line: "rollout-trace ls traces --json | jq -r 'select(.turns_not_completed > 0).path'",
        says: 'those with turns that failed or were cancelled',
      },
    ],
    operands: [{ label: 'dir', kind: 'folder', required: false, many: true }],
    options: ['json'],
    notes: ['Reads manifests and logs only. A bundle whose files are damaged at first sight is marked with !.'],
  },
  record: {
    says: 'run a command, and reduce and sum up what it recorded',
    examples: [
      { line: 'rollout-trace record -- codex exec "fix the tests"', says: 'record one session of Codex' },
      { line: 'rollout-trace record --root traces -- node agent.mjs', says: 'any command; record below traces' },
      { line: 'rollout-trace record --json -- ./run-evals | jq .bundles[].bundle', says: 'what did it leave?' },
    ],
    operands: [{ label: 'command', kind: 'command', required: true, many: true }],
    options: ['root', 'format', 'json', 'quiet'],
    notes: [
      'The command finds the folder in ROLLOUT_TRACE_ROOT and CODEX_ROLLOUT_TRACE_ROOT. Without --root that is a new one, ' +
        'named by the time, below the trace root that is set, or else ./rollout-traces. It has your terminal, your streams ' +
        'and your signals. With --json, stdout is the answer only, and what the command writes there goes to stderr.',
      'Exit code: that of the command; 128 and its number where a signal ended it; 127 where there is no such command, ' +
        '126 where it could not be started; 2 where the folder could not be made.',
    ],
  },
  demo: {
    says: 'record an agent at work, and tell what its trace says',
    examples: [
      { line: 'rollout-trace demo', says: 'an agent repairs a failing test in a temporary project' },
      { line: 'rollout-trace demo --root traces', says: 'keep the trace below traces' },
    ],
    operands: [],
    options: ['root', 'format', 'json', 'quiet'],
    notes: [
      'What the model says is scripted; every command, patch, script, message and compaction it asks for is carried out. ' +
        'No key and no network are needed. The agent is the package @rollout-trace/agent.',
      'The trace is kept: without --root in a new folder below the trace root that is set, or else ./rollout-traces.',
    ],
  },
  materialize: {
    says: 'write the bundle a segment stands for',
    examples: [
      { line: 'rollout-trace materialize trace-7fe4.rollout', says: 'make the folder trace-7fe4, for other readers' },
      { line: 'rollout-trace materialize @last -o bundle', says: 'make the folder bundle' },
    ],
    operands: [{ label: 'segment', kind: 'bundle', required: true }],
    options: ['output', 'json', 'quiet'],
    notes: [
      'The bundle is byte for byte the one that would have been recorded. It is written as a whole or not at all, to ' +
        'the name of the segment without .rollout; a folder that exists is never touched.',
      'Exit code 0: done. 3: done, but the segment is damaged and what stood before the damage was written. 2: nothing was.',
    ],
  },
  schema: {
    says: 'print the JSON Schema of a file of a bundle',
    examples: [
      { line: 'rollout-trace schema state > state.schema.json', says: 'what state.json holds' },
      { line: 'rollout-trace schema', says: 'all three in one object' },
    ],
    operands: [{ label: 'manifest|event|state', kind: 'word', words: SCHEMA_NAMES, required: false }],
    options: [],
  },
  completion: {
    says: 'print the completion script of a shell',
    examples: [
      { line: 'source <(rollout-trace completion bash)', says: 'in ~/.bashrc' },
      { line: 'source <(rollout-trace completion zsh)', says: 'in ~/.zshrc, below compinit' },
      { line: 'rollout-trace completion fish > ~/.config/fish/completions/rollout-trace.fish', says: 'once' },
    ],
    operands: [{ label: 'bash|zsh|fish', kind: 'word', words: SHELLS, required: true }],
    options: [],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES: readonly CommandName[] = Object.keys(COMMANDS).filter(isCommand);

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** One command as data, whatever its name. */
export function commandSpec(name: CommandName): CommandSpec {
  return COMMANDS[name];
}
