/** The help texts, made from the command table. Examples come first: they are what most people look for. */

import { faint, type Line, line, ref, title } from '../text/span.ts';
import { table } from '../text/table.ts';
import { wrap } from '../text/width.ts';
import {
  COMMAND_NAMES,
  type CommandName,
  commandSpec,
  type Example,
  GLOBAL_OPTIONS,
  type OptionName,
  optionSpec,
} from './command-table.ts';
import { usageLine } from './parse.ts';

const INTRODUCTION: readonly Example[] = [
  { line: 'rollout-trace ls', says: 'which sessions were recorded?' },
  { line: 'rollout-trace story @last', says: 'what happened in the newest one, and what failed?' },
  { line: 'rollout-trace show @last', says: 'its threads, turns, calls, tools and tokens' },
  { line: 'rollout-trace show @last call_0003', says: 'what is this call connected with?' },
  { line: 'rollout-trace reduce @last', says: 'write state.json, the semantic graph' },
  { line: 'rollout-trace verify traces/*', says: 'which bundles are damaged?' },
];

const BUNDLES = [
  'a path, the folder with manifest.json and trace.jsonl',
  '@last, the newest below ROLLOUT_TRACE_ROOT, CODEX_ROLLOUT_TRACE_ROOT or ./rollout-traces; @last~1, the one before',
  'the beginning of one rollout or trace id below that folder',
];

const EXIT_CODES = [
  '0 done',
  '1 the answer is no: verify found errors',
  '2 not understood, or failed',
  '3 done, but evidence was lost or damaged',
];

export function globalHelp(version: string, columns: number): Line[] {
  const commands = COMMAND_NAMES.map((name) => [line(ref(name)), line(commandSpec(name).says)]);
  return [
    line(title('rollout-trace'), ` ${version}: what really happened in an LLM agent session`),
    ...examples(INTRODUCTION, columns),
    ...section('Commands', table([{ head: '' }, { head: '', least: 20 }], commands, { columns })),
    ...options(GLOBAL_OPTIONS, columns),
    ...section('A bundle is named by', bullets(BUNDLES, columns)),
    ...section('Exit codes', bullets(EXIT_CODES, columns)),
    [],
    line(faint('`rollout-trace <command> --help` says more about one command.')),
    line(faint('Everything is read and written on this machine; nothing is sent anywhere.')),
  ];
}

export function commandHelp(name: CommandName, columns: number): Line[] {
  const spec = commandSpec(name);
  return [
    line(title(`rollout-trace ${name}`), `: ${spec.says}`),
    ...examples(spec.examples, columns),
    ...section('Usage', [line('  ', usageLine(name))]),
    ...options([...spec.options, ...GLOBAL_OPTIONS.filter((option) => option !== 'version')], columns),
    ...(spec.notes ?? []).flatMap((note) => [[], ...wrap(note, Math.min(columns, 100)).map((text) => line(text))]),
  ];
}

function section(head: string, lines: readonly Line[]): Line[] {
  return [[], line(title(head)), ...lines];
}

function examples(list: readonly Example[], columns: number): Line[] {
  const rows = list.map((example) => [line(ref(example.line)), line(faint(`# ${example.says}`))]);
  const widest = Math.max(...list.map((example) => example.line.length + example.says.length + 6));
  // An example is there to be copied, so it is never cut: where there is no room, what it does stands above it.
  if (widest <= columns) return section('Examples', table([{ head: '' }, { head: '' }], rows, { columns }));
  return section(
    'Examples',
    list.flatMap((example) => [line('  ', faint(`# ${example.says}`)), line('  ', ref(example.line))]),
  );
}

function options(names: readonly OptionName[], columns: number): Line[] {
  const rows = names.map((name) => {
    const { short, value, says } = optionSpec(name);
    const label = value === undefined ? '' : ` ${value}`;
    return { label: `${short === undefined ? '    ' : `-${short}, `}--${name}${label}`, says };
  });
  const width = Math.max(...rows.map(({ label }) => label.length)) + 4;
  const lines = rows.flatMap(({ label, says }) =>
    wrap(says, Math.max(24, columns - width)).map((text, i) =>
      i === 0 ? line('  ', ref(label), ' '.repeat(width - label.length - 2), text) : line(' '.repeat(width), text),
    ),
  );
  return section('Options', lines);
}

function bullets(texts: readonly string[], columns: number): Line[] {
  return texts.flatMap((text) => wrap(text, columns - 4).map((part, i) => line(i === 0 ? '  ' : '    ', part)));
}
