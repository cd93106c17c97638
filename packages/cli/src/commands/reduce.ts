/** `rollout-trace reduce`: bundles to states. Owns where the state and the findings go; reducing is the core's. */

import { lstatSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type ReducedBundle, reduceBundle } from '@rollout-trace/core/bundle';
import {
  GENERATIONS,
  type Generation,
  type Int64,
  MANIFEST_FILE,
  parseGeneration,
  printState,
  STATE_FILE,
  TraceError,
} from '@rollout-trace/core/format';
import { nativeSha256, traceSource, type WriteOptions, writeAtomically } from '@rollout-trace/core/node';
import type { Invocation } from '../args/parse.ts';
import { UsageError } from '../args/usage-error.ts';
import { countsOf } from '../bundle-counts.ts';
import { bundleAt, bundleNames, SEGMENT_SUFFIX } from '../bundle-names.ts';
import { type ExitCode, worst } from '../exit-code.ts';
import { errorJson, failureOf, reportError } from '../failure.ts';
import { exitWith, faultsOf, findingCounts, findingLines } from '../findings-text.ts';
import type { Console } from '../io/console.ts';
import { withProgress } from '../io/progress.ts';
import { printJson } from '../json/print-json.ts';
import { cleanJson } from '../text/clean.ts';
import { faint, join as joined, line, span } from '../text/span.ts';
import { bytes, counted } from '../text/units.ts';

const FINDINGS_FILE = 'findings.json';
/** More are in findings.json. */
const MOST_FINDINGS = 8;

export interface ReduceOptions {
  /** Null: `state.json` in the bundle. */
  output: string | null;
  isStrict: boolean;
  until: Int64 | null;
  generation: Generation | null;
  isLatest: boolean;
  asJson: boolean;
  isQuiet: boolean;
}

export function reduce(asked: Invocation, console: Console): ExitCode {
  const options = optionsOf(asked);
  return worst(
    bundleNames(asked.operands).map((name) => {
      try {
        return reduceOne(name, options, console);
      } catch (error) {
        return failed(name, error, options, console);
      }
    }),
  );
}

function optionsOf(asked: Invocation): ReduceOptions {
  const output = asked.value('output');
  const asJson = asked.has('json');
  if (output !== null && asked.operands.length > 1) {
    throw new UsageError(
      `--output names one file, but ${asked.operands.length} bundles are given`,
      'Without --output each state is written into its bundle.',
    );
  }
  if (output === '-' && asJson) throw new UsageError('--output - and --json both want stdout');
  return {
    output,
    asJson,
    isStrict: asked.has('strict'),
    until: seqOf(asked.value('until')),
    generation: generationOf(asked.value('generation')),
    isLatest: asked.value('schema') === 'latest',
    isQuiet: asked.has('quiet'),
  };
}

function seqOf(text: string | null): Int64 | null {
  if (text === null) return null;
  if (!/^\d{1,20}$/.test(text)) throw new UsageError(`--until is a seq, a whole number, not ${text}`);
  const seq = Number(text);
  return Number.isSafeInteger(seq) ? seq : BigInt(text);
}

function generationOf(text: string | null): Generation | null {
  if (text === null) return null;
  const generation = parseGeneration(text);
  if (generation !== null) return generation;
  throw new UsageError(
    `--generation ${text} is no generation`,
    `The generations are ${GENERATIONS.join(', ')}; a Codex version such as 0.155.0 names the one it belongs to.`,
  );
}

function reduceOne(name: string, options: ReduceOptions, console: Console): ExitCode {
  const path = bundleAt(name, console.environment);
  const { reduced, written } = reduceAt(path, options, console);
  if (options.asJson) console.json(resultOf(path, reduced, written), 'compact');
  if (!options.isQuiet) summarise(path, reduced, written, console);
  return exitWith(reduced.findings);
}

/** Reduces the trace at a path and writes its state and findings. */
export function reduceAt(path: string, options: ReduceOptions, console: Console): Reduction {
  const reduced = withProgress(traceSource(path), console.remarks, path, (source) =>
    reduceBundle(source, {
      mode: options.isStrict ? 'strict' : 'salvage',
      generation: options.generation ?? undefined,
      until: options.until ?? undefined,
      sha256: nativeSha256,
    }),
  );
  return { reduced, written: writeResults(path, reduced, options, console) };
}

/** A trace that was reduced, and where the state went. */
export interface Reduction {
  reduced: ReducedBundle;
  written: Written;
}

interface Written {
  /** `-` is stdout. */
  output: string;
  bytes: number;
  findings: string | null;
}

function writeResults(path: string, reduced: ReducedBundle, options: ReduceOptions, console: Console): Written {
  const rules = options.isLatest ? null : reduced.rules;
  const produce = (emit: (chunk: Uint8Array) => void): void => printState(reduced.graph, { rules }, emit);
  if (options.output === '-') return { output: '-', bytes: writeToStdout(produce, console), findings: null };
  const output = options.output ?? stateFile(path);
  const how: WriteOptions = options.output === null ? { links: 'replace', mode: modeOf(path) } : { links: 'follow' };
  const size = writeAtomically(output, produce, how);
  return { output, bytes: size, findings: writeFindings(findingsFile(output), reduced, how) };
}

/** A terminal gets the same JSON with control characters escaped; a pipe or file gets the bytes as they are. */
function writeToStdout(produce: (emit: (chunk: Uint8Array) => void) => void, console: Console): number {
  const stdout = console.bytes;
  const decoder = new TextDecoder();
  const { isTerminal } = stdout;
  let size = 0;
  try {
    produce((chunk) => {
      size += chunk.length;
      stdout.write(isTerminal ? cleanJson(decoder.decode(chunk, { stream: true })) : chunk);
      if (stdout.isClosed) throw new Error('nobody reads any more');
    });
  } catch (error) {
    if (!stdout.isClosed) throw error;
  }
  if (isTerminal) stdout.write('\n');
  return size;
}

const OWNER_ONLY = 0o600;

/** A state tells what its evidence tells, so it is for the same eyes. */
function modeOf(path: string): number {
  const evidence = path.endsWith(SEGMENT_SUFFIX) ? path : join(path, MANIFEST_FILE);
  const stats = statSync(evidence, { throwIfNoEntry: false });
  return stats === undefined ? OWNER_ONLY : stats.mode & 0o666;
}

/** In the folder of the bundle; beside a segment, which is one file, under its name. */
function stateFile(path: string): string {
  return path.endsWith(SEGMENT_SUFFIX)
    ? `${path.slice(0, -SEGMENT_SUFFIX.length)}.${STATE_FILE}`
    : join(path, STATE_FILE);
}

/** Beside `state.json` it is `findings.json`; beside any other file it has that file's name, as others may lie there. */
function findingsFile(output: string): string {
  const name = basename(output);
  return join(
    dirname(output),
    name === STATE_FILE ? FINDINGS_FILE : `${name.replace(/(?:\.state)?\.json$/, '')}.${FINDINGS_FILE}`,
  );
}

/** @returns the file, or null where there is nothing to say; what an earlier reduction said is then taken away */
function writeFindings(file: string, { findings }: ReducedBundle, how: WriteOptions): string | null {
  const faults = faultsOf(findings);
  if (faults.length === 0) {
    // Looking first: what removes files is loaded only when it is used.
    if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) rmSync(file, { force: true });
    return null;
  }
  const text = new TextEncoder().encode(`${printJson(faults, 'pretty')}\n`);
  writeAtomically(file, (emit) => emit(text), how);
  return file;
}

export function resultOf(path: string, reduced: ReducedBundle, written: Written): object {
  const { generation, graph, findings, events, manifest } = reduced;
  return {
    bundle: path,
    trace_id: graph.trace_id,
    rollout_id: graph.rollout_id,
    schema_version: manifest.schema_version,
    ...generation,
    status: graph.status,
    recording_complete: graph.recording_complete,
    output: written.output,
    output_bytes: written.bytes,
    findings_file: written.findings,
    events,
    counts: countsOf(graph),
    findings,
  };
}

function summarise(path: string, reduced: ReducedBundle, written: Written, console: Console): void {
  const { generation, graph, findings, events } = reduced;
  const counts = countsOf(graph);
  const found = [
    counted(events, 'event'),
    counted(counts.threads, 'thread'),
    counted(counts.inference_calls, 'inference call'),
    counted(counts.tool_calls, 'tool call'),
  ].join(', ');
  const taken = generation.certain
    ? `generation ${generation.generation}, certain`
    : `generation ${generation.generation}, not certain (${generation.reason})`;
  const parts = [
    line(span(written.output === '-' ? path : written.output, 'title'), ' ', faint(bytes(written.bytes))),
    line(found),
    line(span(taken, generation.certain ? 'plain' : 'warning')),
    findingCounts(findings),
  ];
  console.remark(joined(parts, '; '));
  console.remark(...findingLines(faultsOf(findings), console.remarks.columns, MOST_FINDINGS));
}

const WITHOUT_STRICT = 'Reduce without --strict to go on past it.';

function failed(name: string, error: unknown, options: ReduceOptions, console: Console): ExitCode {
  const { message, hint } = failureOf(error);
  if (options.asJson) console.json({ bundle: name, output: null, error: errorJson(error) }, 'compact');
  const code = reportError(console, error, name === message.slice(0, name.length) ? null : name);
  const helps = options.isStrict && error instanceof TraceError && !hint?.includes('--strict');
  if (helps) console.remark(line('  ', faint(WITHOUT_STRICT)));
  return code;
}
