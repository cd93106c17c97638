/**
 * What failed, and the chain that led to it and away from it: which request asked for it, what it printed, which
 * request first showed it to the model, and what the model did next.
 *
 * Every link is one the recorder or the reducer made; where there is none, that is said, and nothing is guessed.
 */

import type { ConversationItem, Graph, InferenceCall, Int64 } from '@rollout-trace/core/format';
import { readEvents } from '@rollout-trace/core/node';
import type { Noun } from '../show/kinds.ts';
import { head, itemText } from '../show/labels.ts';
import { gave } from '../show/lists.ts';
import { reasonOf, type Trouble, troublesOf } from '../show/troubles.ts';
import type { View } from '../show/view.ts';

/** Another object, and what it has to do with a failure. */
interface Link {
  noun: Noun;
  id: string;
}

/** A failure with what is known about it. */
export interface Failure extends Trouble {
  thread_id: string | null;
  at_seq: Int64;
  /** The error or reason the recorder noted, or the end of what the tool gave back. */
  reason: string | null;
  /** Of a turn: the last request to a model that was made in it. */
  endedWith: Link | null;
  /** From the failure back to the request whose answer asked for it. */
  askedBy: readonly Link[];
  /** The first request that showed its outcome to the model. */
  seenIn: InferenceCall | null;
  /** What the model answered to that. */
  nextAnswer: string | null;
}

/** Every failure, the earliest first. */
export function failuresOf(view: View): Failure[] {
  const troubles = [...troublesOf(view)];
  const events = readEvents(
    view.source,
    troubles.flatMap(({ seq }) => (seq === null ? [] : [seq])),
  );
  const failures = troubles.map((trouble) => {
    const noted = trouble.seq === null ? null : reasonOf(events.get(trouble.seq)?.event);
    return failureOf(view, trouble, noted);
  });
  return failures.sort((a, b) => (a.at_seq < b.at_seq ? -1 : a.at_seq > b.at_seq ? 1 : 0));
}

function failureOf(view: View, trouble: Trouble, noted: string | null): Failure {
  const { graph } = view;
  const { noun, id } = trouble;
  const base = { ...trouble, reason: noted, endedWith: null, askedBy: [], seenIn: null, nextAnswer: null };
  switch (noun) {
    case 'inference': {
      const call = graph.inference_calls.get(id);
      return { ...base, thread_id: call?.thread_id ?? null, at_seq: call?.execution.started_seq ?? 0 };
    }
    case 'compaction_request': {
      const request = graph.compaction_requests.get(id);
      return { ...base, thread_id: request?.thread_id ?? null, at_seq: request?.execution.started_seq ?? 0 };
    }
    case 'tool': {
      const tool = graph.tool_calls.get(id);
      const outputs = tool?.model_visible_output_item_ids ?? [];
      const cell = tool?.requester?.type === 'code_cell' ? tool.requester.code_cell_id : null;
      const operation = graph.terminal_operations.get(tool?.terminal_operation_id ?? '');
      const printed = operation?.result?.formatted_output || operation?.result?.stdout || '';
      const chain: Link[] = cell === null ? [] : [{ noun: 'cell', id: cell }];
      const call = cell === null ? tool?.model_visible_call_item_ids[0] : graph.code_cells.get(cell)?.source_item_id;
      const shown = cell === null ? outputs : (graph.code_cells.get(cell)?.output_item_ids ?? []);
      return {
        ...base,
        thread_id: tool?.thread_id ?? null,
        at_seq: tool?.execution.started_seq ?? 0,
        reason: printed.trim() === '' ? outputText(graph, outputs) : printed,
        ...around(view, call, shown, chain),
      };
    }
    case 'cell': {
      const cell = graph.code_cells.get(id);
      const outputs = cell?.output_item_ids ?? [];
      return {
        ...base,
        thread_id: cell?.thread_id ?? null,
        at_seq: cell?.execution.started_seq ?? 0,
        reason: outputText(graph, outputs),
        ...around(view, cell?.source_item_id, outputs, []),
      };
    }
    default: {
      const turn = graph.codex_turns.get(id);
      const asked = lastRequest(graph, id);
      return {
        ...base,
        about: '',
        thread_id: turn?.thread_id ?? null,
        at_seq: turn?.execution.ended_seq ?? 0,
        endedWith: asked,
      };
    }
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

function around(view: View, callItem: string | undefined, outputs: readonly string[], chain: readonly Link[]) {
  const { graph } = view;
  const producer = graph.conversation_items.get(callItem ?? '')?.produced_by.find((made) => made.type === 'inference');
  const asked: Link[] = producer?.type === 'inference' ? [{ noun: 'inference', id: producer.inference_call_id }] : [];
  const seenIn = firstThatSaw(graph, outputs);
  return { askedBy: [...chain, ...asked], seenIn, nextAnswer: seenIn === null ? null : gave(view, seenIn) };
}

function firstThatSaw(graph: Graph, items: readonly string[]): InferenceCall | null {
  // A request holds items of its own thread; the others need not be searched.
  const threads = new Set(items.map((item) => graph.conversation_items.get(item)?.thread_id));
  for (const call of graph.inference_calls.values()) {
    if (threads.has(call.thread_id) && items.some((item) => call.request_item_ids.includes(item))) return call;
  }
  return null;
}

function outputText({ conversation_items }: Graph, items: readonly string[]): string | null {
  const found = items
    .map((id) => conversation_items.get(id))
    .filter((item): item is ConversationItem => item !== undefined);
  const text = found.map(itemText).join('\n').trim();
  return text === '' ? null : text;
}

const COMPLAINT = /\b(?:\w*error|fail(?:ed|ure|s)?|exception|panic|cannot|denied|no such|not found|not ok)\b/i;

/** The lines of a text from the first that complains on, or else its last ones: what a person would look for first. */
export function telling(text: string, most: number): string[] {
  const rows = [...new Set(text.split('\n').map((row) => row.trim()))].filter((row) => row !== '');
  const first = rows.findIndex((row) => COMPLAINT.test(row));
  return (first >= 0 ? rows.slice(first, first + most) : rows.slice(-most)).map(head);
}
