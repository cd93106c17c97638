/**
 * What failed, and the chain that led to it and away from it: which request asked for it, what it printed, which
 * request first showed it to the model, and what the model did next.
 *
 * Every link is one the recorder or the reducer made; where there is none, that is said, and nothing is guessed.
 */

import {
  type CompactionRequest,
  type Graph,
  type InferenceCall,
  type Int64,
  JsonSyntaxError,
  member,
  parseJson,
  type ToolCall,
} from '@rollout-trace/core/format';
import { readEvents, readPayload } from '@rollout-trace/core/node';
import { commandEnd } from '../show/command-end.ts';
import { partText, textsIn } from '../show/item-text.ts';
import { head } from '../show/labels.ts';
import { gave } from '../show/lists.ts';
import { reasonOf, type Trouble } from '../show/troubles.ts';
import { requestItems, type View } from '../show/view.ts';
import { givenBack, type Link, type Sight, sightOfCell, sightOfTool } from './sight.ts';

/** A failure with what is known about it. */
export interface Failure extends Trouble {
  /** The error or reason the recorder noted, or what was printed or given back. */
  reason: string | null;
  /** Of a turn: the last request to a model that was made in it. */
  endedWith: Link | null;
  /** Of a command that went on after its call: when it ended. */
  outlivedUntil_unix_ms: Int64 | null;
  /** From the failure back to the request whose answer asked for it. */
  askedBy: readonly Link[];
  /** What the model saw of it first, and in which request. */
  sight: Sight | null;
  /** What the model answered to that; null also where it said nothing, or made a history shorter. */
  nextAnswer: string | null;
  /** A later request cannot be read, so that it may have shown what no other did. */
  mayHaveBeenSeen: boolean;
}

/** What is known about these: it takes reading, so of many only those are asked about that are told. */
export function failuresOf(view: View, troubles: readonly Trouble[]): Failure[] {
  const events = readEvents(
    view.source,
    troubles.flatMap(({ seq }) => (seq === null ? [] : [seq])),
  );
  return troubles.map((trouble) => {
    const noted = trouble.seq === null ? null : reasonOf(events.get(trouble.seq)?.event);
    return failureOf(view, trouble, noted);
  });
}

function failureOf(view: View, trouble: Trouble, noted: string | null): Failure {
  const { graph } = view;
  const { noun, id } = trouble;
  const unseen = { askedBy: [], sight: null, nextAnswer: null, mayHaveBeenSeen: false };
  const base = { ...trouble, reason: noted, endedWith: null, outlivedUntil_unix_ms: null, ...unseen };
  switch (noun) {
    case 'tool': {
      const tool = graph.tool_calls.get(id);
      if (tool === undefined) return base;
      const cell = tool.requester?.type === 'code_cell' ? tool.requester.code_cell_id : null;
      const call = cell === null ? tool.model_visible_call_item_ids[0] : graph.code_cells.get(cell)?.source_item_id;
      const { outlived, window } = commandEnd(view, tool);
      return {
        ...base,
        reason: reasonOfTool(view, tool),
        // What a script got from its call shows nowhere, so nothing says that it was not the end.
        outlivedUntil_unix_ms: outlived && cell === null ? window.ended_at_unix_ms : null,
        ...around(view, trouble, call, cell === null ? [] : [{ noun: 'cell', id: cell }], sightOfTool(view, tool)),
      };
    }
    case 'cell': {
      const cell = graph.code_cells.get(id);
      if (cell === undefined) return base;
      const said = outputText(graph, givenBack(graph, cell, cell.execution.ended_seq));
      return {
        ...base,
        reason: said ?? outputText(graph, cell.output_item_ids),
        ...around(view, trouble, cell.source_item_id, [], sightOfCell(view, cell)),
      };
    }
    case 'turn':
      return { ...base, about: '', endedWith: lastRequest(graph, id) };
    default:
      return base;
  }
}

function lastRequest({ inference_calls, compaction_requests }: Graph, turnId: string): Link | null {
  let last: { link: Link; seq: Int64 } | null = null;
  const consider = (link: Link, turn: string | null, seq: Int64): void => {
    if (turn === turnId && (last === null || seq > last.seq)) last = { link, seq };
  };
  for (const { inference_call_id: id, codex_turn_id, execution } of inference_calls.values()) {
    consider({ noun: 'inference', id }, codex_turn_id, execution.started_seq);
  }
  for (const { compaction_request_id: id, codex_turn_id, execution } of compaction_requests.values()) {
    consider({ noun: 'compaction_request', id }, codex_turn_id, execution.started_seq);
  }
  return (last as { link: Link } | null)?.link ?? null;
}

function around(
  view: View,
  { thread_id, at_seq }: Trouble,
  callItem: string | undefined,
  chain: readonly Link[],
  sight: Sight | null,
) {
  const { graph } = view;
  const producer = graph.conversation_items.get(callItem ?? '')?.produced_by.find((made) => made.type === 'inference');
  const asked: Link[] = producer?.type === 'inference' ? [{ noun: 'inference', id: producer.inference_call_id }] : [];
  const mayHaveBeenSeen = (sight === null || sight.of === 'unanswered') && hasUnreadable(view, thread_id, at_seq);
  const known = mayHaveBeenSeen ? null : sight;
  return {
    askedBy: [...chain, ...asked],
    sight: known,
    nextAnswer: known === null || known.call === null ? null : gave(view, known.call) || null,
    mayHaveBeenSeen,
  };
}

/** A later request of the thread was made, and what was sent in it is not known. */
function hasUnreadable(view: View, thread: string, at_seq: Int64): boolean {
  const { inference_calls, compactions, compaction_requests } = view.graph;
  const isLater = ({ thread_id, execution }: InferenceCall | CompactionRequest): boolean =>
    thread_id === thread && execution.started_seq > at_seq;
  return (
    [...inference_calls.values()].some((call) => isLater(call) && requestItems(view, call) === null) ||
    // What a request for a shorter history held is known from the history it replaced.
    [...compaction_requests.values()].some(
      (request) =>
        isLater(request) &&
        request.execution.status === 'completed' &&
        !compactions.get(request.compaction_id)?.input_item_ids.length,
    )
  );
}

/** What a command printed, else what the call gave back, else what the recorder kept of its result. */
function reasonOfTool(view: View, tool: ToolCall): string | null {
  const { graph } = view;
  const { operation } = commandEnd(view, tool);
  const { formatted_output, stdout, stderr } = operation?.result ?? {};
  const printed = formatted_output || stdout || stderr || '';
  // What is typed into a terminal is answered as a call is; what a command prints is its own.
  const said = operation?.kind === 'write_stdin' ? withoutEnvelope(printed) : printed;
  if (said.trim() !== '') return said;
  return outputText(graph, tool.model_visible_output_item_ids) ?? resultText(view, tool);
}

/** The error in the recorded result, which a call that a script made shows to nobody else. */
function resultText({ graph, source }: View, { raw_result_payload_id }: ToolCall): string | null {
  const payload = graph.raw_payloads.get(raw_result_payload_id ?? '');
  const body = payload === undefined ? undefined : readPayload(source, payload)?.body;
  const error = member(body, 'error') ?? member(member(body, 'value'), 'error');
  if (typeof error === 'string') return error;
  const text = [...textsIn(member(body, 'value'))].join('\n').trim();
  return text === '' ? null : text;
}

function outputText({ conversation_items }: Graph, items: readonly string[]): string | null {
  const parts = items.flatMap((id) => conversation_items.get(id)?.body.parts ?? []);
  const text = parts.map((part) => withoutEnvelope(partText(part))).join('\n');
  return text.trim() === '' ? null : text.trim();
}

/** The rows that runtimes put above what they give back: they say that something failed, never what. */
const ENVELOPE =
  /^(?:Script (?:failed|completed|terminated|running\b.*|error:)|Chunk ID: .*|Wall time:? .*|Process (?:running|exited) with .*|Running: session_id .*|Exit code: .*|Original token count: .*|Output(?: \(about .*\))?:)$/;

function withoutEnvelope(text: string): string {
  const rows = text.split('\n');
  const first = rows.findIndex((row) => !ENVELOPE.test(row.trim()));
  return first < 0 ? '' : rows.slice(first).join('\n');
}

/** The message in the body of an error as services send it; any other text as it is. */
export function errorMessage(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const message = member(member(parseJson(text), 'error'), 'message');
    return typeof message === 'string' ? message : text;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return text;
    throw error;
  }
}

const COMPLAINT = /\b(?:\w*error|fail(?:ed|ure|s)?|exception|panic|cannot|denied|no such|not found|not ok)\b/i;

/** The lines of a text from the first that complains on, or else its last ones: what a person would look for first. */
export function telling(text: string, most: number): string[] {
  const rows = [...new Set(text.split('\n').map((row) => row.trim()))].filter((row) => row !== '');
  const first = rows.findIndex((row) => COMPLAINT.test(row));
  return (first >= 0 ? rows.slice(first, first + most) : rows.slice(-most)).map(head);
}
