/** `rollout-trace show <bundle>`: what happened, on one or two screens. Lists are cut; each says how to see the rest. */

import { payloadSize } from '@rollout-trace/core/node';
import { findingCounts, findingLines } from '../findings-text.ts';
import { ELLIPSIS } from '../text/glyphs.ts';
import { quoted } from '../text/quoted.ts';
import { faint, join, type Line, line, lineColumns, ref, span, title } from '../text/span.ts';
import { type Column, table } from '../text/table.ts';
import { bytes, compact, count, counted, duration, moment, percent } from '../text/units.ts';
import { wrap } from '../text/width.ts';
import { KINDS, kindSpec, type Noun, objects } from './kinds.ts';
import { lastSignAt } from './last-sign.ts';
import { tableOf, tokenCells } from './lists.ts';
import { threadTree } from './thread-tree.ts';
import { type StatusCounts, type TokenTotals, type Totals, totalsOf } from './totals.ts';
import { troubleLines } from './troubles.ts';
import { between, statusSpan, type View } from './view.ts';

/** Rows of a list; of a longer one the first and the last are shown. */
const MOST_ROWS = 12;
const LAST_ROWS = 3;
const MOST_FINDINGS = 6;

export function summaryLines(view: View): Line[] {
  const totals = totalsOf(view.graph);
  const sections = [
    list(view, totals, 'thread', 'tokens as the provider reported them'),
    list(view, totals, 'turn'),
    [...list(view, totals, 'inference', tokensHead(totals.tokens)), ...modelLines(view, totals)],
    toolLines(view, totals),
    troubleLines(view),
    list(view, totals, 'cell'),
    list(view, totals, 'operation', `in ${counted(view.graph.terminal_sessions.size, 'session')}`),
    list(view, totals, 'compaction'),
    list(view, totals, 'edge'),
    findingSection(view),
  ];
  return [
    ...header(view),
    ...sections.flatMap((lines) => (lines.length === 0 ? [] : [[], ...lines])),
    [],
    ...footer(view, totals),
  ];
}

function header(view: View): Line[] {
  const { graph, reduced } = view;
  const { generation, manifest, events, findings } = reduced;
  const { ran, lastSign } = ranTexts(view);
  const rows: [string, Line][] = [
    ['status', line(statusSpan(graph.status), `, ${ran}`, faint(lastSign === null ? '' : `; ${lastSign}`))],
    ['recording', recordingLine(view)],
    ['started', line(moment(graph.started_at_unix_ms))],
    ['trace', line(graph.trace_id)],
    [
      'format',
      line(
        `generation ${generation.generation}, `,
        generation.certain ? 'certain' : span('not certain', 'warning'),
        faint(` (${generation.reason}); schema ${manifest.schema_version}`),
      ),
    ],
    ['evidence', evidenceLine(view, events)],
    ['findings', findingCounts(findings)],
  ];
  return [
    ...rolloutTitle(view),
    ...table(
      [{ head: '' }, { head: '', least: 20 }],
      rows.map(([name, value]) => [line(faint(name)), value]),
      view,
    ),
  ];
}

/** The id is there to be copied: where there is no room beside it, it has a line of its own. */
export function rolloutTitle({ graph, columns }: View): Line[] {
  const head = title('Rollout');
  const id = title(graph.rollout_id);
  const joined = line(head, ' ', id);
  return lineColumns(joined) <= columns ? [joined] : [line(head), line('  ', id)];
}

/** How long the rollout took; where no end was recorded, that, and how long it is known to have gone on. */
export function ranTexts(view: View): { ran: string; lastSign: string | null } {
  const { started_at_unix_ms: started, ended_at_unix_ms: ended } = view.graph;
  if (ended !== null) return { ran: duration(between(started, ended)), lastSign: null };
  const lastSign = `last sign after ${duration(between(started, lastSignAt(view) ?? started))}`;
  return { ran: 'no end was recorded', lastSign };
}

function recordingLine({ graph }: View): Line {
  if (graph.recording_complete === true) return line(span('complete', 'good'));
  if (graph.recording_complete === false)
    return line(span('not complete', 'warning'), faint(': the recorder was stopped, or still runs'));
  return line(faint('not known: this generation does not say'));
}

function evidenceLine({ graph, source }: View, events: number): Line {
  const found = `${counted(events, 'event')}, ${counted(graph.raw_payloads.size, 'payload')}`;
  if ('layout' in source) return line(found, ' in one segment');
  const sizes = [...graph.raw_payloads.values()].map((payload) => payloadSize(source, payload));
  const missing = sizes.filter((size) => size === null).length;
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return line(found, ` of ${bytes(total)}`, missing > 0 ? span(`, ${count(missing)} missing`, 'bad') : '');
}

/** `Turns 4` and the table below it; nothing where there are none. */
function list(view: View, totals: Totals, noun: Noun, remark = '', name: string = kindSpec(noun).titles): Line[] {
  const ids =
    noun === 'thread'
      ? threadTree(view.graph).map(({ thread }) => thread.thread_id)
      : [...objects(view.graph, noun).keys()];
  if (ids.length === 0) return [];
  const isLong = ids.length > MOST_ROWS;
  const shown = isLong ? [...ids.slice(0, MOST_ROWS - LAST_ROWS), ...ids.slice(-LAST_ROWS)] : ids;
  const { columns, rows } = tableOf(view, totals, noun, shown);
  const lines = table(columns, rows, { columns: view.columns, dropEmpty: true });
  if (isLong)
    lines.splice(lines.length - LAST_ROWS, 0, moreLine(view, ids.length - shown.length, kindSpec(noun).plural));
  return [...headLines(view, `${name} ${count(ids.length)}`, remark), ...lines];
}

/** The head of a section with a remark behind it, or below where there is no room. */
function headLines({ columns }: View, head: string, remark: string): Line[] {
  if (remark === '') return [line(title(head))];
  const joined = line(title(head), '  ', faint(remark));
  if (lineColumns(joined) <= columns) return [joined];
  return [line(title(head)), ...wrap(remark, columns - 2).map((text) => line('  ', faint(text)))];
}

function moreLine(view: View, more: number, what: string): Line {
  return line('  ', faint(`${ELLIPSIS} ${count(more)} more: rollout-trace show ${quoted(view.name)} ${what}`));
}

function tokensHead(tokens: TokenTotals): string {
  if (tokens.calls_with_usage === 0) return 'no token usage was reported';
  const { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens } = tokens;
  const cached = `${compact(cached_input_tokens)} cached, ${percent(cached_input_tokens, input_tokens)}`;
  const reasoning = `${compact(reasoning_output_tokens)} reasoning`;
  return `${compact(input_tokens)} input tokens (${cached}), ${compact(output_tokens)} output (${reasoning})`;
}

/** Several models are worth a table of their own. */
function modelLines(view: View, { models }: Totals): Line[] {
  if (models.length < 2) {
    return models.flatMap(({ model, provider_name, total_ms }) => {
      const said = `all by ${model} of ${provider_name}, ${duration(total_ms)} in sum`;
      return wrap(said, view.columns - 2).map((text) => line('  ', faint(text)));
    });
  }
  const columns: Column[] = [
    { head: 'model', least: 8 },
    { head: 'provider', spare: 3 },
    { head: 'calls', align: 'right' },
    { head: 'in sum', align: 'right', spare: 4 },
    { head: 'input', align: 'right' },
    { head: 'cached', align: 'right', spare: 2 },
    { head: 'output', align: 'right' },
    { head: 'reasoning', align: 'right', spare: 5 },
  ];
  const rows = models.map(({ model, provider_name, calls, total_ms, tokens }) => [
    line(model),
    line(provider_name),
    line(count(calls)),
    line(duration(total_ms)),
    ...tokenCells(tokens),
  ]);
  return [[], ...table(columns, rows, view)];
}

function toolLines(view: View, { tools }: Totals): Line[] {
  if (tools.length === 0) return [];
  const columns: Column[] = [
    { head: 'kind', least: 8 },
    { head: 'calls', align: 'right' },
    { head: 'status', least: 12 },
    { head: 'in sum', align: 'right', spare: 2 },
    { head: 'longest', align: 'right', spare: 1 },
    { head: '', spare: 1 },
  ];
  const shown = tools.slice(0, MOST_ROWS);
  const rows = shown.map(({ kind, calls, by_status, exits_not_zero, total_ms, longest_ms, longest_tool_call_id }) => [
    line(kind),
    line(count(calls)),
    statusLine(by_status, exits_not_zero),
    line(duration(total_ms)),
    longest_ms === null ? [] : line(duration(longest_ms)),
    longest_tool_call_id === null ? [] : line(ref(view.refs.refOf('tool', longest_tool_call_id))),
  ]);
  const lines = table(columns, rows, view);
  if (tools.length > shown.length) lines.push(moreLine(view, tools.length - shown.length, KINDS.tool.plural));
  const nested = [...view.graph.tool_calls.values()].filter(({ requester }) => requester?.type === 'code_cell').length;
  const remark = nested === 0 ? '' : `${count(nested)} by code cells`;
  return [...headLines(view, `Tool calls ${count(view.graph.tool_calls.size)}`, remark), ...lines];
}

/** A command that failed is none that was completed, whatever became of its call. */
function statusLine(by: StatusCounts, exitsNotZero: number): Line {
  const wells = { ...by, completed: (by.completed ?? 0) - exitsNotZero };
  const parts = Object.entries(wells)
    .filter(([, number]) => number > 0)
    .map(([status, number]) => line(`${count(number)} `, statusSpan(status)));
  if (exitsNotZero > 0) parts.push(line(`${count(exitsNotZero)} `, span('exit not 0', 'bad')));
  return join(parts, ', ');
}

function findingSection({ name, reduced, columns }: View): Line[] {
  const { findings } = reduced;
  if (findings.length === 0) return [];
  const lines = findingLines(findings, columns, MOST_FINDINGS);
  const hasMore = findings.length > MOST_FINDINGS;
  if (hasMore) lines.push(line('  ', faint(`rollout-trace show ${quoted(name)} findings`)));
  return [line(title(`Findings ${count(findings.length)}`)), ...lines];
}

function footer({ name, graph, columns }: View, { tokens }: Totals): Line[] {
  const without = tokens.calls_without_usage;
  const silent =
    without === 0 ? '' : ` (${count(without)} of ${counted(graph.inference_calls.size, 'call')} reported none)`;
  const basis = `Tokens are those the provider reported${silent}, times those of the recorder's clock; nothing is estimated.`;
  return [
    ...wrap(basis, columns).map((text) => line(faint(text))),
    ...commandLines('One object or event: ', `rollout-trace show ${quoted(name)} <ref>`, columns),
    ...commandLines('All of a kind:       ', `rollout-trace show ${quoted(name)} ${KINDS.tool.plural}`, columns),
  ];
}

/** A command to type next: never cut, and below what it is for where there is no room beside it. */
export function commandLines(head: string, command: string, columns: number): Line[] {
  const joined = line(faint(head), ref(command));
  return lineColumns(joined) <= columns ? [joined] : [line(faint(head.trimEnd())), line('  ', ref(command))];
}
