/** A rollout as a story for a person: one line for each step, then what failed and what came of it. */

import type { ExecutionStatus } from '@rollout-trace/core/format';
import { countFindings, faultsOf, findingCounts } from '../findings-text.ts';
import { labelOf } from '../show/labels.ts';
import { commandLines, ranTexts, rolloutTitle } from '../show/summary-text.ts';
import { tokensSpent, totalsOf } from '../show/totals.ts';
import { firstAndLast, leftOutLine, type Trouble, troublesOf } from '../show/troubles.ts';
import { between, exitSpan, statusSpan, type View } from '../show/view.ts';
import { ELLIPSIS } from '../text/glyphs.ts';
import { quoted } from '../text/quoted.ts';
import { bad, clipLine, faint, join, type Line, line, lineColumns, ref, span, title, wrapLine } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { count, counted, duration } from '../text/units.ts';
import { wrap } from '../text/width.ts';
import { errorMessage, type Failure, failuresOf, telling } from './causes.ts';
import { after_ms, modelsOf, type Step, storyOf } from './steps.ts';

/** Of a longer story the beginning and the end are told. */
const MOST_STEPS = 160;
const LAST_STEPS = 40;
const MOST_ROWS_OF_OUTPUT = 3;
/** Of a failure one thing takes so many rows, behind a head of so many columns. */
const MOST_ROWS_TOLD = 6;
const TOLD_COLUMNS = 15;
/** What was said or run is a third of the line, and so many columns at least. */
const LEAST_TEXT = 15;

export function storyLines(view: View): Line[] {
  const steps = stepSection(view, storyOf(view));
  const troubles = troublesOf(view);
  return [
    ...opening(view, troubles),
    [],
    ...(steps.length > 0 ? [...steps, []] : []),
    ...failureSection(view, troubles),
    ...findingSection(view),
    [],
    ...closing(view),
  ];
}

function opening(view: View, troubles: readonly Trouble[]): Line[] {
  const { graph } = view;
  const totals = totalsOf(graph);
  const agents = counted(graph.threads.size, 'agent');
  const calls = counted(graph.inference_calls.size, 'request');
  const [model, ...others] = modelsOf(graph);
  const asked = model === undefined ? '' : ` to ${others.length === 0 ? model : counted(others.length + 1, 'model')}`;
  const did = `${agents}, ${calls}${asked}, ${counted(graph.tool_calls.size, 'tool call')}, ${tokensSpent(totals.tokens)}`;
  return [
    ...rolloutTitle(view),
    ...ranLines(view, badTurnsText(view, troubles)),
    ...wrap(did, view.columns).map((text) => line(text)),
  ];
}

/** `2 of 3 turns failed, the last with inference:3: bad request`: a session ends well whatever became of its turns. */
function badTurnsText(view: View, troubles: readonly Trouble[]): string {
  const { graph, refs } = view;
  const statusOf = (id: string): ExecutionStatus | undefined => graph.codex_turns.get(id)?.execution.status;
  // Where no end of the session was recorded, none of its last turn can have been.
  const isTold = (id: string): boolean => statusOf(id) !== 'running' || graph.ended_at_unix_ms !== null;
  const turns = troubles.filter(({ noun, id }) => noun === 'turn' && isTold(id));
  const last = turns.at(-1);
  if (last === undefined) return '';
  const statuses = new Set(turns.map(({ id }) => statusOf(id)));
  const [status] = statuses;
  const ended = status === 'running' && turns.length === 1 ? 'has no recorded end' : TURNS[status ?? 'running'];
  const known = statuses.size > 1 ? 'did not complete' : ended;
  const head = `${count(turns.length)} of ${counted(graph.codex_turns.size, 'turn')} ${known}`;
  const [endedWith] = failuresOf(view, [last]).map((failure) => failure.endedWith);
  const failed = troubles.find(({ noun, id }) => noun === endedWith?.noun && id === endedWith.id);
  if (failed === undefined) return head;
  const [reason] = failuresOf(view, [failed]).map((failure) => failure.reason);
  const [why] = telling(errorMessage(reason ?? ''), 1);
  const which = turns.length > 1 ? ', the last with' : ', with';
  return `${head}${which} ${refs.refOf(failed.noun, failed.id)}${why === undefined ? '' : `: ${why}`}`;
}

const TURNS: Readonly<Record<ExecutionStatus, string>> = {
  running: 'have no recorded end',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  aborted: 'aborted',
};

/** `completed in 516 ms`, and what of it was not. What there is no room for stands below. */
function ranLines(view: View, badTurns: string): Line[] {
  const ran = endLines(view, badTurns === '');
  if (badTurns === '') return ran;
  const [only, ...others] = ran;
  const joined = line(only ?? [], '; ', bad(badTurns));
  if (others.length === 0 && lineColumns(joined) <= view.columns) return [joined];
  return [...ran, ...wrap(badTurns, view.columns).map((text) => line(bad(text)))];
}

/** What is known instead of an end stands below where there is no room. */
function endLines(view: View, isGood: boolean): Line[] {
  const { ran, lastSign } = ranTexts(view);
  const { status: ended } = view.graph;
  const status = isGood ? statusSpan(ended) : span(ended);
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
  // A command may end well, and the call around it not.
  if (exit_code !== null && (exit_code !== 0 || status === 'completed')) return line(exitSpan(exit_code));
  if (status === '' || (status === 'completed' && noun === 'inference')) return [];
  return line(statusSpan(status === 'completed' ? 'done' : status));
}

function failureSection(view: View, troubles: readonly Trouble[]): Line[] {
  if (troubles.length === 0) {
    const isKnown = countFindings(view.reduced.findings).error === 0;
    return [line(isKnown ? span('Nothing failed.', 'good') : span('Nothing is known to have failed.', 'warning'))];
  }
  const { first, left, last } = firstAndLast(troubles);
  const told = failuresOf(view, [...first, ...last]).map((failure) => failureLines(view, failure));
  return [
    line(title(`Failed or unfinished ${count(troubles.length)}`)),
    ...told.slice(0, first.length).flat(),
    ...(left > 0 ? [leftOutLine(view.name, left)] : []),
    ...told.slice(first.length).flat(),
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
  const thread = faint(` of ${refs.refOf('thread', failure.thread_id)}`);
  const about = failure.about === '' ? [] : line('  ', failure.about);
  const lines: Line[] = [
    line('  ', ref(refs.refOf(failure.noun, failure.id)), `  ${failure.what}`, thread, '  ', failure.how, about),
  ];
  const told = (head: string, rest: Line): void => {
    for (const [at, row] of fewRows(rest, columns - TOLD_COLUMNS).entries()) {
      lines.push(line('    ', faint((at === 0 ? head : '').padEnd(TOLD_COLUMNS - 4)), row));
    }
  };
  for (const [at, text] of telling(failure.reason ?? '', MOST_ROWS_OF_OUTPUT).entries()) {
    told(at === 0 ? 'said' : '', line(bad(text)));
  }
  if (failure.outlivedUntil_unix_ms !== null) {
    const after = between(view.graph.started_at_unix_ms, failure.outlivedUntil_unix_ms);
    told('ended', line(`at +${duration(after)}, when its call was over`));
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

/** Wrapped where it does not fit, but for what would take too many rows. */
function fewRows(text: Line, columns: number): Line[] {
  const rows = wrapLine(text, columns);
  if (rows.length <= MOST_ROWS_TOLD) return rows;
  return [...rows.slice(0, MOST_ROWS_TOLD - 1), join(rows.slice(MOST_ROWS_TOLD - 1), ' ')];
}

function seen({ refs }: View, { id, sight, nextAnswer, mayHaveBeenSeen }: Failure): Line {
  if (sight === null) return line(mayHaveBeenSeen ? 'is not known to have seen the outcome' : 'never saw the outcome');
  const { request, execution, giver } = sight;
  const where = ref(refs.refOf(request.noun, request.id));
  const answered = nextAnswer === null ? '' : ` answered with ${nextAnswer}`;
  const answer = answered === '' ? '' : `, and${answered}`;
  const what =
    giver.id === id ? line('the ', giver.noun === 'tool' ? 'call' : 'cell') : ref(refs.refOf(giver.noun, giver.id));
  switch (sight.of) {
    case 'outcome':
      return line('saw the outcome in ', where, answer);
    case 'cell_output':
      return line('saw what ', what, ' gave back in ', where, answer);
    case 'output':
      return line(
        'saw what ',
        what,
        ' gave back in ',
        where,
        '; no end was recorded',
        answered === '' ? '' : `; it${answered}`,
      );
    case 'output_before_end':
      return line('saw only what ', what, ' gave back before the end, in ', where, answer);
    case 'unanswered':
      return line('was sent it in ', where, `, which ${UNANSWERED[execution.status]}`);
  }
}

const UNANSWERED: Readonly<Record<ExecutionStatus, string>> = {
  running: 'has no recorded end',
  completed: 'was not answered',
  failed: 'failed',
  cancelled: 'was cancelled',
  aborted: 'was aborted',
};

function closing({ name, columns }: View): Line[] {
  return commandLines('More of any of them: ', `rollout-trace show ${quoted(name)} <ref>`, columns);
}
