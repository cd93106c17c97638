/**
 * What happened in a rollout, in the order it happened, whoever did it: what was said and thought, what the model was
 * asked, what ran, what passed between agents, where a history was replaced, where a turn ended badly.
 *
 * Not here: what failed and why (`causes.ts`), and how a step is printed (`story-text.ts`).
 */

import type { ConversationItem, Graph, Int64, InteractionEdge } from '@rollout-trace/core/format';
import { commandEnd } from '../show/command-end.ts';
import { itemText } from '../show/item-text.ts';
import type { Noun } from '../show/kinds.ts';
import { anchorRef, anchorThread, compactionText, head, kindName, mailText, toolAbout } from '../show/labels.ts';
import { before, between, requestItems, tookMs, type View } from '../show/view.ts';
import { ARROW } from '../text/glyphs.ts';
import { compact, counted } from '../text/units.ts';

/** One thing that happened. */
export interface Step {
  noun: Noun;
  id: string;
  at_unix_ms: Int64;
  /** Where the log tells it; null where only a time is known. */
  seq: Int64 | null;
  thread_id: string;
  /** `user`, `says`, `thinks`, `model`, the kind of a tool, `code cell`, `compaction`, `turn`, the kind of an edge. */
  what: string;
  /** Empty where there is nothing to say but that it happened. */
  status: string;
  took_ms: number | null;
  /** A command's exit code. */
  exit_code: number | null;
  text: string;
}

/** Every step, ordered by time, and within the same millisecond by the order of the log. */
export function storyOf(view: View): Step[] {
  const steps = [
    ...spoken(view),
    ...inferences(view),
    ...tools(view),
    ...cells(view),
    ...compactions(view),
    ...edges(view),
    ...badTurns(view),
  ];
  const carried = firstCarried(view);
  const place = ({ seq, id }: Step): Int64 => seq ?? carried.get(id) ?? LAST;
  return steps.sort((a, b) => before(a.at_unix_ms, b.at_unix_ms) || before(place(a), place(b)));
}

/** What the log does not tell itself follows from what it tells of the same moment. */
const LAST = Number.POSITIVE_INFINITY;

/** Where the items stand that were first seen in a request: just before it. */
function firstCarried({ graph }: View): Map<string, number> {
  const places = new Map<string, number>();
  const calls = [...graph.inference_calls.values()].sort((a, b) =>
    before(a.execution.started_seq, b.execution.started_seq),
  );
  const seen = new Set<string>();
  // Requests share the beginning of their lists, of which each is looked at once.
  const lookedAt = new Map<readonly string[], number>();
  for (const { request_item_ids: ids, response_item_ids, execution } of calls) {
    for (let at = lookedAt.get(ids.shared) ?? 0; at < ids.length; at++) {
      const id = ids.at(at);
      // What is new may stand before what was seen: a hint is put in front of what the user said.
      if (id === undefined || seen.has(id)) continue;
      seen.add(id);
      places.set(id, Number(execution.started_seq) - 0.5);
    }
    lookedAt.set(ids.shared, Math.max(lookedAt.get(ids.shared) ?? 0, ids.length));
    for (const id of response_item_ids) seen.add(id);
  }
  return places;
}

const SILENT = { status: '', took_ms: null, exit_code: null };

function* spoken({ graph }: View): Iterable<Step> {
  const carried = new Set<string>();
  for (const { target } of graph.interaction_edges.values()) {
    if (target.type === 'conversation_item') carried.add(target.item_id);
  }
  for (const item of graph.conversation_items.values()) {
    if (carried.has(item.item_id)) continue;
    const what = voice(item);
    if (what === null) continue;
    const text = spokenText(item);
    if (text === '') continue;
    const at_unix_ms = item.accepted_at_unix_ms ?? item.first_seen_at_unix_ms;
    const seq = item.accepted_seq ?? null;
    yield { noun: 'item', id: item.item_id, at_unix_ms, seq, thread_id: item.thread_id, what, ...SILENT, text };
  }
}

function spokenText(item: ConversationItem): string {
  if (item.agent_message !== undefined) return `${item.agent_message.author}: ${mailText(item)}`;
  if (item.kind !== 'reasoning') return head(itemText(item));
  // What is encrypted was said to the service only.
  return head(item.body.parts.flatMap((part) => ('text' in part ? [part.text] : [])).join(' '));
}

/** Who speaks in an item; null where nobody does, or where a compaction repeats what was said before. */
function voice({ role, kind, channel, produced_by, agent_message }: ConversationItem): string | null {
  if (kind === 'reasoning') return 'thinks';
  if (kind !== 'message' || channel === 'summary') return null;
  if (produced_by.length > 0 && produced_by.every(({ type }) => type === 'compaction')) return null;
  if (agent_message !== undefined) return 'mail';
  if (role === 'user') return 'user';
  return role === 'assistant' ? 'says' : null;
}

function* inferences(view: View): Iterable<Step> {
  const isOne = modelsOf(view.graph).length === 1;
  for (const call of view.graph.inference_calls.values()) {
    const { execution, usage, model } = call;
    const items = requestItems(view, call);
    const tokens =
      usage === null ? 'no usage reported' : `${compact(usage.input_tokens)} in, ${compact(usage.output_tokens)} out`;
    yield {
      noun: 'inference',
      id: call.inference_call_id,
      at_unix_ms: execution.started_at_unix_ms,
      seq: execution.started_seq,
      thread_id: call.thread_id,
      what: 'model',
      status: execution.status,
      took_ms: tookMs(execution),
      exit_code: null,
      text: `${isOne ? '' : `${model}: `}${items === null ? 'what was sent cannot be read' : counted(items, 'item')}, ${tokens}`,
    };
  }
}

/** The models that were asked. Where it is one alone, it is named once. */
export function modelsOf({ inference_calls }: Graph): string[] {
  return [...new Set([...inference_calls.values()].map(({ model }) => model))];
}

function* tools(view: View): Iterable<Step> {
  const { graph } = view;
  for (const tool of graph.tool_calls.values()) {
    const { execution } = tool;
    // The cell of a script tells more about it than the call that carried it.
    if (graph.code_cells.has(`code_cell:${tool.model_visible_call_id}`)) continue;
    const { window, exit_code } = commandEnd(view, tool);
    yield {
      noun: 'tool',
      id: tool.tool_call_id,
      at_unix_ms: execution.started_at_unix_ms,
      seq: execution.started_seq,
      thread_id: tool.thread_id,
      what: kindName(tool.kind),
      status: execution.status,
      took_ms: tookMs(window),
      exit_code,
      text: head(toolAbout(view, tool)),
    };
  }
}

function* cells({ graph }: View): Iterable<Step> {
  for (const cell of graph.code_cells.values()) {
    yield {
      noun: 'cell',
      id: cell.code_cell_id,
      at_unix_ms: cell.execution.started_at_unix_ms,
      seq: cell.execution.started_seq,
      thread_id: cell.thread_id,
      what: 'code cell',
      status: cell.runtime_status,
      took_ms: tookMs(cell.execution),
      exit_code: null,
      text: head(cell.source_js),
    };
  }
}

function* compactions({ graph }: View): Iterable<Step> {
  for (const compaction of graph.compactions.values()) {
    yield {
      noun: 'compaction',
      id: compaction.compaction_id,
      at_unix_ms: compaction.installed_at_unix_ms,
      seq: null,
      thread_id: compaction.thread_id,
      what: 'compaction',
      ...SILENT,
      text: compactionText(compaction),
    };
  }
  for (const request of graph.compaction_requests.values()) {
    const { execution } = request;
    if (execution.status === 'completed') continue;
    yield {
      noun: 'compaction_request',
      id: request.compaction_request_id,
      at_unix_ms: execution.started_at_unix_ms,
      seq: execution.started_seq,
      thread_id: request.thread_id,
      what: 'compaction',
      status: execution.status,
      took_ms: tookMs(execution),
      exit_code: null,
      text: 'the request for a shorter history',
    };
  }
}

function* edges(view: View): Iterable<Step> {
  for (const edge of view.graph.interaction_edges.values()) {
    yield {
      noun: 'edge',
      id: edge.edge_id,
      at_unix_ms: edge.started_at_unix_ms,
      seq: null,
      thread_id: anchorThread(view, edge.source) ?? anchorThread(view, edge.target) ?? '',
      what: edge.kind,
      ...SILENT,
      text: `${ARROW} ${anchorRef(view, edge.target)}${carriedText(view, edge)}`,
    };
  }
}

function carriedText({ graph }: View, { target }: InteractionEdge): string {
  const item = target.type === 'conversation_item' ? graph.conversation_items.get(target.item_id) : undefined;
  return item === undefined ? '' : `: ${mailText(item)}`;
}

function* badTurns({ graph }: View): Iterable<Step> {
  for (const turn of graph.codex_turns.values()) {
    const { status, ended_at_unix_ms, ended_seq, started_at_unix_ms, started_seq } = turn.execution;
    if (status === 'completed') continue;
    yield {
      noun: 'turn',
      id: turn.codex_turn_id,
      at_unix_ms: ended_at_unix_ms ?? started_at_unix_ms,
      seq: ended_seq ?? started_seq,
      thread_id: turn.thread_id,
      what: 'turn',
      status,
      took_ms: tookMs(turn.execution),
      exit_code: null,
      text: ended_at_unix_ms === null ? 'no end was recorded' : '',
    };
  }
}

/** Milliseconds after the beginning of the rollout. */
export function after_ms({ graph }: View, step: Step): number {
  return between(graph.started_at_unix_ms, step.at_unix_ms);
}
