/** Errors as a person or a program is told about them: what, where, and what to do. Never a stack, unless asked for. */

import { type Finding, placeText, TraceError } from '@rollout-trace/core/format';
import { type LocatedBundle, LocateError } from '@rollout-trace/core/node';
import { UsageError } from './args/usage-error.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import type { Console } from './io/console.ts';
import { quoted } from './text/quoted.ts';
import { faint, line, ref, span } from './text/span.ts';
import { table } from './text/table.ts';
import { moment } from './text/units.ts';

/** Why something could not be done. */
export interface Failure {
  message: string;
  hint: string | null;
  /** Of a strict reduction: the first inconsistency. */
  finding: Finding | null;
  /** Bundles that were meant perhaps. */
  candidates: readonly LocatedBundle[];
}

const SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  EEXIST: 'something else of that name is there',
  EACCES: 'that is not permitted',
  EPERM: 'that is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'there is no space left',
  EDQUOT: 'there is no space left',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'the links lead in a circle',
};

/** What an error means to whoever called. */
export function failureOf(error: unknown): Failure {
  const failure = { hint: null, finding: null, candidates: [] };
  if (error instanceof UsageError) return { ...failure, message: error.message, hint: error.hint };
  if (error instanceof LocateError) {
    return { ...failure, message: error.message, hint: error.hint, candidates: error.candidates };
  }
  if (error instanceof TraceError) {
    const { code, hint } = error.finding;
    const place = placeText(error.finding);
    return {
      ...failure,
      message: `${code}${place === '' ? '' : ` at ${place}`}: ${error.message}`,
      hint,
      finding: error.finding,
    };
  }
  if (!(error instanceof Error)) return { ...failure, message: String(error) };
  if ('code' in error && 'syscall' in error) {
    const reason = SYSTEM[String(error.code)] ?? 'the system refuses';
    const place = 'path' in error ? `${error.path}: ` : '';
    return { ...failure, message: `${place}${reason} (${error.syscall}: ${error.code})` };
  }
  return {
    ...failure,
    message: `${error.name}: ${error.message}`,
    hint: 'This is a defect of rollout-trace. Please report it with the command and, if you may, the bundle.',
  };
}

/** An error as `--json` tells it: of a strict reduction with the finding, of a name that means several bundles with them. */
export function errorJson(error: unknown): object {
  const { message, hint, finding, candidates } = failureOf(error);
  const paths = candidates.map(({ path }) => path);
  return { message, hint, ...(finding ?? {}), ...(paths.length > 0 ? { candidates: paths } : {}) };
}

/** Tells a person. The stack of a defect is shown where ROLLOUT_TRACE_DEBUG is set. */
export function reportError(console: Console, error: unknown, context: string | null = null): ExitCode {
  const { message, hint, candidates } = failureOf(error);
  console.error(context === null ? message : `${context}: ${message}`, hint);
  if (candidates.length > 0) console.remark(...candidateLines(candidates, console.remarks.columns));
  if (console.environment.ROLLOUT_TRACE_DEBUG && error instanceof Error && error.stack !== undefined) {
    console.remark(...error.stack.split('\n').map((text) => line(faint(text))));
  }
  return EXIT.failed;
}

const MOST_CANDIDATES = 10;

function candidateLines(candidates: readonly LocatedBundle[], columns: number) {
  const rows = candidates
    .slice(0, MOST_CANDIDATES)
    .map(({ path, manifest }) => [
      line(span(manifest === null ? '?' : moment(manifest.started_at_unix_ms))),
      line(manifest?.trace_id ?? '?'),
      line(ref(quoted(path))),
    ]);
  const more = candidates.length - MOST_CANDIDATES;
  return [
    // The path is there to be copied, and never cut.
    ...table([{ head: 'started', spare: 2 }, { head: 'trace id', spare: 1 }, { head: 'path' }], rows, { columns }),
    ...(more > 0 ? [line('  ', faint(`and ${more} more`))] : []),
  ];
}
