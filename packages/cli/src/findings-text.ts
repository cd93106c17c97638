/** Findings for people: how many, which, where, and what to do. Their codes and hints come from the format's table. */

import { type Finding, placeText, type Severity } from '@rollout-trace/core/format';
import { EXIT, type ExitCode } from './exit-code.ts';
import { faint, type Line, type Look, line, lineColumns, span } from './text/span.ts';
import { counted } from './text/units.ts';
import { wrap } from './text/width.ts';

const LOOK: Readonly<Record<Severity, Look>> = { error: 'bad', warning: 'warning', info: 'faint' };
const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

export type FindingCounts = Readonly<Record<Severity, number>>;

export function countFindings(findings: readonly Finding[]): FindingCounts {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}

/** The findings that say something is wrong: errors and warnings. */
export function faultsOf(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity !== 'info');
}

/** The exit code of work that was done in spite of these. */
export function exitWith(findings: readonly Finding[]): ExitCode {
  return findings.some(({ severity }) => severity === 'error') ? EXIT.damaged : EXIT.done;
}

/** `2 errors, 1 warning`, or `no findings`. */
export function findingCounts(findings: readonly Finding[]): Line {
  const counts = countFindings(findings);
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) =>
    span(severity === 'info' ? `${counts.info} info` : counted(counts[severity], severity), LOOK[severity]),
  );
  if (parts.length === 0) return line(span('no findings', 'good'));
  return parts.flatMap((part, i) => (i === 0 ? [part] : line(', ', part)));
}

/** Each finding with its place, message and hint; equal hints in a row are said once. */
export function findingLines(findings: readonly Finding[], columns: number, most: number): Line[] {
  const lines: Line[] = [];
  const ordered = SEVERITIES.flatMap((wanted) => findings.filter(({ severity }) => severity === wanted));
  const shown = ordered.slice(0, most);
  for (const [i, finding] of shown.entries()) {
    const { severity, code, message, hint } = finding;
    const head = line('  ', span(severity, LOOK[severity]), ' ', span(code, 'title'));
    const place = faint(placeText(finding));
    const joined = line(head, '  ', place);
    lines.push(...(lineColumns(joined) <= columns ? [joined] : [head, line('    ', place)]));
    lines.push(...wrap(message, columns - 4).map((text) => line('    ', text)));
    if (shown[i + 1]?.hint !== hint) lines.push(...wrap(hint, columns - 4).map((text) => line('    ', faint(text))));
  }
  if (ordered.length > most) lines.push(line('  ', faint(`and ${counted(ordered.length - most, 'more finding')}`)));
  return lines;
}
