/** What a file says once the hunks of a patch are in their places, and how that differs from before. */

import type { PlacedHunk } from './place-hunks.ts';
import { type Line, printText, type TextFile, usualEnd } from './text-file.ts';

/** A line of the file before, after, or both. */
interface Step {
  old: Line | null;
  new: Line | null;
}

/** Lines around a change that a diff shows. */
const CONTEXT_LINES = 3;

/** The changed text, and the difference as a unified diff without file names. */
export function changeFile(file: TextFile, placed: readonly PlacedHunk[]): { text: string; diff: string } {
  const steps = keepFinalNewline(file, stepsOf(file, placed));
  const lines = steps.flatMap((step) => (step.new === null ? [] : [step.new]));
  return { text: printText({ ...file, lines }), diff: unifiedDiff(steps) };
}

function stepsOf(file: TextFile, placed: readonly PlacedHunk[]): Step[] {
  const end = usualEnd(file);
  const steps: Step[] = [];
  let next = 0;
  const takeUntil = (stop: number, stays: boolean): void => {
    for (const line of file.lines.slice(next, stop)) steps.push({ old: line, new: stays ? line : null });
    next = stop;
  };
  for (const { hunk, start } of placed) {
    takeUntil(start, true);
    for (const { kind, text } of hunk.lines) {
      if (kind !== '+') takeUntil(next + 1, kind === ' ');
      else
        steps.push({ old: null, new: { text: end === '\r\n' && text.endsWith('\r') ? text.slice(0, -1) : text, end } });
    }
  }
  takeUntil(file.lines.length, true);
  return steps;
}

/** A file without a final newline stays without; every other line has an end. */
function keepFinalNewline(file: TextFile, steps: readonly Step[]): Step[] {
  const end = usualEnd(file);
  const hasNewline = file.lines.at(-1)?.end !== '';
  const last = steps.findLastIndex((step) => step.new !== null);
  return steps.map((step, index) => {
    if (step.new === null) return step;
    const wanted = index === last && !hasNewline ? '' : step.new.end || end;
    return wanted === step.new.end ? step : { old: step.old, new: { text: step.new.text, end: wanted } };
  });
}

function unifiedDiff(steps: readonly Step[]): string {
  const changed = steps.flatMap((step, index) => (isChange(step) ? [index] : []));
  let diff = '';
  let [oldLine, newLine, at] = [0, 0, 0];
  for (let first = 0; first < changed.length; ) {
    let last = first;
    // Changes whose surroundings touch are shown as one.
    while (last + 1 < changed.length && (changed[last + 1] ?? 0) - (changed[last] ?? 0) <= 2 * CONTEXT_LINES + 1)
      last++;
    const start = Math.max(at, (changed[first] ?? 0) - CONTEXT_LINES);
    const skipped = steps.slice(at, start);
    oldLine += count(skipped, 'old');
    newLine += count(skipped, 'new');
    at = Math.min(steps.length, (changed[last] ?? 0) + CONTEXT_LINES + 1);
    const shown = steps.slice(start, at);
    const [oldCount, newCount] = [count(shown, 'old'), count(shown, 'new')];
    diff += `@@ -${range(oldLine, oldCount)} +${range(newLine, newCount)} @@\n${shown.map(printStep).join('')}`;
    oldLine += oldCount;
    newLine += newCount;
    first = last + 1;
  }
  return diff;
}

function isChange(step: Step): boolean {
  return step.old === null || step.new === null || step.old.end !== step.new.end;
}

function count(steps: readonly Step[], side: 'old' | 'new'): number {
  return steps.filter((step) => step[side] !== null).length;
}

/** An empty range stands behind the line before it. */
function range(linesBefore: number, lines: number): string {
  const first = lines === 0 ? linesBefore : linesBefore + 1;
  return lines === 1 ? `${first}` : `${first},${lines}`;
}

function printStep(step: Step): string {
  if (!isChange(step)) return printLine(' ', step.old);
  return printLine('-', step.old) + printLine('+', step.new);
}

function printLine(kind: ' ' | '-' | '+', line: Line | null): string {
  if (line === null) return '';
  if (line.end === '') return `${kind}${line.text}\n\\ No newline at end of file\n`;
  return `${kind}${line.text}${line.end}`;
}
