/** A rollout as a story for a person: one line for each step, then what failed and what came of it. */

import { countFindings, faultsOf, findingCounts } from '../findings-text.ts';
import { labelOf } from '../show/labels.ts';
import { commandLines, ranTexts, rolloutTitle } from '../show/summary-text.ts';
import { type Totals, totalsOf } from '../show/totals.ts';
import { statusSpan, type View } from '../show/view.ts';
import { ELLIPSIS } from '../text/glyphs.ts';
import { quoted } from '../text/quoted.ts';
import { bad, clipLine, faint, type Line, line, lineColumns, ref, span, title } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { compact, count, counted, duration, percent } from '../text/units.ts';
import { wrap } from '../text/width.ts';
import { type Failure, failuresOf, telling } from './causes.ts';
import { after_ms, type Step, storyOf } from './steps.ts';

/** Of a longer story the beginning and the end are told. */
const MOST_STEPS = 160;
const LAST_STEPS = 40;
const MOST_FAILURES = 12;
const MOST_ROWS_OF_OUTPUT = 3;
/** What was said or run is a third of the line, and so many columns at least. */
const LEAST_TEXT = 15;

export function storyLines(view: View): Line[] {
  const steps = stepSection(view, storyOf(view));
  return [
    ...opening(view),
    [],
    ...(steps.length > 0 ? [...steps, []] : []),
    ...failureSection(view),
    ...findingSection(view),
    [],
    ...closing(view),
  ];
}

function opening(view: View): Line[] {
  const { graph } = view;
  const totals = totalsOf(graph);
  const { tokens } = totals;
  const agents = counted(graph.threads.size, 'agent');
  const calls = counted(graph.inference_calls.size, 'request', 'requests');
  const spent =
    tokens.calls_with_usage === 0
      ? 'no token usage was reported'
      : `${compact(tokens.input_tokens)} tokens in (${percent(tokens.cached_input_tokens, tokens.input_tokens)} cached), ${compact(tokens.output_tokens)} out`;
  const did = `${agents}, ${calls} to the model, ${counted(graph.tool_calls.size, 'tool call')}, ${spent}`;
  return [...rolloutTitle(view), ...ranLines(view, totals), ...wrap(did, view.columns).map((text) => line(text))];
}

/** `completed in 516 ms`. What is known instead of an end stands below where there is no room. */
function ranLines(view: View, totals: Totals): Line[] {
  const { ran, lastSign } = ranTexts(view, totals);
  const status = statusSpan(view.graph.status);
  if (lastSign === null) return [line(status, ` in ${ran}`)];
  const joined = line(status, `, ${ran}`, faint(`; ${lastSign}`));
  return lineColumns(joined) <= view.columns ? [joined] : [line(status, `, ${ran}`), line(faint(lastSign))];
}

function stepSection(view: View, steps: readonly Step[]): Line[] {
  const hasAgents = view.graph.threads.size > 1;
  const columns: Column[] = [
    { head: '', align: 'right', spare: 3 },
    ...(hasAgents ? [{ head: '', least: 8, spare: 2 }] : []),
    // What is told of a step is its ref, without which nothing more can be asked, what it was, and as much as fits.
    { head: '' },
    { head: '', least: 8 },
    { head: '', spare: 1 },
    { head: '', align: 'right', spare: 4 },
    { head: '', least: Math.max(LEAST_TEXT, Math.floor(view.columns / 3)) },
  ];
  const isLong = steps.length > MOST_STEPS;
  const shown = isLong ? [...steps.slice(0, MOST_STEPS - LAST_STEPS), ...steps.slice(-LAST_STEPS)] : steps;
  const rows = shown.map((step) => row(view, step, hasAgents));
  const lines = table(columns, rows, { columns: view.columns, dropEmpty: true });
  if (isLong) {
    const left = `${ELLIPSIS} ${count(steps.length - shown.length)} more: rollout-trace story --json ${quoted(view.name)}`;
    lines.splice(lines.length - LAST_STEPS, 0, line('  ', faint(left)));
  }
  return lines;
}

function row(view: View, step: Step, hasAgents: boolean): Line[] {
  const isFaint = step.what === 'model' && step.status === 'completed';
  const plain = (text: string): Line => line(isFaint ? faint(text) : text);
  return [
    line(faint(`+${duration(after_ms(view, step))}`)),
    ...(hasAgents ? [plain(view.refs.refOf('thread', step.thread_id))] : []),
    line(step.noun === 'item' ? '' : ref(view.refs.refOf(step.noun, step.id))),
    plain(step.what),
    result(step),
    plain(step.took_ms === null ? '' : duration(step.took_ms)),
    plain(step.text),
  ];
}

/** What is not as usual: an exit code, or a status. */
function result({ status, exit_code, noun }: Step): Line {
  if (exit_code !== null) return line(span(`exit ${exit_code}`, exit_code === 0 ? 'good' : 'bad'));
  if (status === '' || (status === 'completed' && noun === 'inference')) return [];
  return line(statusSpan(status === 'completed' ? 'done' : status));
}

function failureSection(view: View): Line[] {
  const failures = failuresOf(view);
  if (failures.length === 0) {
    const isKnown = countFindings(view.reduced.findings).error === 0;
    return [line(isKnown ? span('Nothing failed.', 'good') : span('Nothing is known to have failed.', 'warning'))];
  }
  const shown = failures.slice(0, MOST_FAILURES);
  const more = failures.length - shown.length;
  return [
    line(title(`Failed or unfinished ${count(failures.length)}`)),
    ...shown.flatMap((failure) => failureLines(view, failure)),
    ...(more > 0 ? [line('  ', faint(`${ELLIPSIS} ${count(more)} more`))] : []),
  ];
}

/** What is wrong with the recording itself. */
function findingSection({ reduced, name }: View): Line[] {
  const faults = faultsOf(reduced.findings);
  if (faults.length === 0) return [];
  return [line('The recording: ', ...findingCounts(faults), faint(`; rollout-trace show ${quoted(name)} findings`))];
}

function failureLines(view: View, failure: Failure): Line[] {
  const { refs, columns } = view;
  const thread = failure.thread_id === null ? '' : faint(` of ${refs.refOf('thread', failure.thread_id)}`);
  const about = failure.about === '' ? [] : line('  ', failure.about);
  const lines: Line[] = [
    line('  ', ref(refs.refOf(failure.noun, failure.id)), `  ${failure.what}`, thread, '  ', failure.how, about),
  ];
  const told = (head: string, rest: Line): void => {
    lines.push(line('    ', faint(head.padEnd(11)), rest));
  };
  for (const [at, text] of telling(failure.reason ?? '', MOST_ROWS_OF_OUTPUT).entries()) {
    told(at === 0 ? 'said' : '', line(bad(text)));
  }
  if (failure.endedWith !== null) {
    const { noun, id } = failure.endedWith;
    told('ended with', line(ref(refs.refOf(noun, id)), ': ', labelOf(view, noun, id)));
  }
  if (failure.askedBy.length > 0) {
    const links = failure.askedBy.map(({ noun, id }, at) =>
      line(at === 0 ? '' : faint(', asked by '), ref(refs.refOf(noun, id))),
    );
    told('asked by', links.flat());
  }
  if (failure.noun === 'tool' || failure.noun === 'cell') told('the model', seen(view, failure));
  return lines.map((spans) => clipLine(spans, columns));
}

function seen({ refs }: View, { seenIn, nextAnswer }: Failure): Line {
  if (seenIn === null) return line('never saw the outcome');
  const answer = nextAnswer === null || nextAnswer === '' ? '' : `, and answered with ${nextAnswer}`;
  return line('saw the outcome in ', ref(refs.refOf('inference', seenIn.inference_call_id)), answer);
}

function closing({ name, columns }: View): Line[] {
  return commandLines('More of any of them: ', `rollout-trace show ${quoted(name)} <ref>`, columns);
}
