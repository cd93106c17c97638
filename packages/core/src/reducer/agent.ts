/** Agents and the edges between them: spawn, task, message, result, close (spec 6.9). */

import { compareUtf8 } from '../format/canonical-json.ts';
import type { EventPayload, ToolKind } from '../format/event.ts';
import type { GenerationRules } from '../format/generation.ts';
import type { ConversationPart, EdgeAnchor, InteractionEdge, InteractionEdgeKind } from '../format/graph.ts';
import { type Json, member } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import {
  type Activity,
  AgentPayloadError,
  readActivity,
  readClose,
  readInteraction,
  readJsonMail,
  readSpawnEnd,
} from './agent-payload.ts';
import type { Bodies } from './bodies.ts';
import { markDirty } from './conversation.ts';
import { argumentsJson } from './normalize.ts';
import {
  addTo,
  type ItemRecord,
  type Mail,
  type PendingEdge,
  type ReducerState,
  type ThreadRecord,
  type ToolRecord,
} from './state.ts';
import { knownThread } from './thread.ts';

// ---- Mail ----------------------------------------------------------------------------------------------------------

/** What the item says to the agent of its thread, or null where it is no mail (spec E1, G40). */
export function mailOf(rules: GenerationRules, { item, thread }: ItemRecord): Mail | null {
  if (item.role !== 'assistant' || item.kind !== 'message') return null;
  const { parts } = item.body;
  const [first, second] = parts;
  if (item.agent_message !== undefined) {
    const { author, recipient } = item.agent_message;
    const content = messageContent(rules, first, second, parts.length);
    return content === null || recipient !== thread.thread.agent_path ? null : { author, content };
  }
  if (first?.type !== 'text' || parts.length !== 1) return null;
  const mail = readJsonMail(first.text, rules);
  return mail === null || mail.recipient !== thread.thread.agent_path
    ? null
    : { author: mail.author, content: mail.content };
}

function messageContent(
  rules: GenerationRules,
  first: ConversationPart | undefined,
  second: ConversationPart | undefined,
  length: number,
): string | null {
  if (length === 1) return first?.type === 'text' ? first.text : first?.type === 'encoded' ? first.value : null;
  return rules.headedMail && length === 2 && first?.type === 'text' && second?.type === 'encoded' ? second.value : null;
}

function fits(state: ReducerState, mail: Mail | null, edge: { author: string; content: string }): boolean {
  if (mail === null || mail.content !== edge.content) return false;
  return !state.rules.mailAuthorCompared || mail.author === edge.author;
}

/** Mail is sighted: the first delivery that waits for it has arrived (spec E7, G43). */
export function linkMail(state: ReducerState, record: ItemRecord): void {
  const { mail, thread } = record;
  if (mail === null || (record.edgeTarget && state.rules.mailLinkedOnce)) return;
  const waiting = thread.pendingMail.get(mail.content);
  const edge = waiting?.find((pending) => fits(state, mail, pending));
  if (edge === undefined) return;
  dropPending(state, edge);
  deliver(state, edge, record);
}

/** Mail of the thread that is not the target of an edge yet, first in the order of the generation (spec E4, G27). */
function openMail(state: ReducerState, thread: ThreadRecord, edge: PendingEdge): ItemRecord | null {
  let first: ItemRecord | null = null;
  const rank = (record: ItemRecord): number =>
    state.rules.mailInCreationOrder ? record.ordinal : record.transcriptRank;
  for (const record of thread.openMail.get(edge.content) ?? []) {
    if (!fits(state, record.mail, edge)) continue;
    if (!state.rules.mailInCreationOrder && record.transcriptRank < 0) continue;
    if (first === null || rank(record) < rank(first)) first = record;
  }
  return first;
}

// ---- Edges ---------------------------------------------------------------------------------------------------------

/** A delivery was observed: it becomes an edge with its mail, or waits for it (spec E4). */
function observeDelivery(state: ReducerState, edge: PendingEdge, tool: ToolRecord | null): void {
  const thread = state.threads.get(edge.targetThreadId);
  const mail = thread === undefined ? null : openMail(state, thread, edge);
  if (mail !== null) {
    deliver(state, edge, mail);
    return;
  }
  const pending = state.pendingEdges.get(edge.edge_id);
  if (pending === undefined) {
    state.pendingEdges.set(edge.edge_id, edge);
    tool?.pendingEdges.push(edge);
    if (thread !== undefined) awaitMail(state, thread, edge);
    return;
  }
  const agrees =
    pending.kind === edge.kind &&
    sameAnchor(pending.source, edge.source) &&
    pending.targetThreadId === edge.targetThreadId &&
    (!state.rules.mailAuthorCompared || pending.author === edge.author) &&
    pending.content === edge.content &&
    pending.fallbackThreadId === edge.fallbackThreadId;
  if (!agrees) {
    state.fault(
      'edge_conflict',
      `${edge.edge_id} waits for its mail, but is observed again with other sender, receiver or content`,
    );
    return;
  }
  mergeEdge(state, pending, edge);
}

/** The delivery waits for mail of its thread. */
function awaitMail(state: ReducerState, thread: ThreadRecord, edge: PendingEdge): void {
  addTo(thread.pendingMail, edge.content, edge);
  // Where mail may complete several edges, mail already linked can do so at its next sighting (rule G43).
  if (!state.rules.mailLinkedOnce) {
    for (const record of thread.items) if (record.edgeTarget && fits(state, record.mail, edge)) markDirty(record);
  }
}

/** Deliveries to a thread that starts after them. */
export function adoptPendingMail(state: ReducerState, thread: ThreadRecord): void {
  for (const edge of state.pendingEdges.values()) {
    if (edge.targetThreadId === thread.thread.thread_id) addTo(thread.pendingMail, edge.content, edge);
  }
}

function dropPending(state: ReducerState, edge: PendingEdge): void {
  state.pendingEdges.delete(edge.edge_id);
  const waiting = state.threads.get(edge.targetThreadId)?.pendingMail.get(edge.content);
  const at = waiting?.indexOf(edge) ?? -1;
  if (waiting !== undefined && at >= 0) waiting.splice(at, 1);
  if (edge.source.type !== 'tool_call') return;
  const mine = state.tools.get(edge.source.tool_call_id)?.pendingEdges;
  const index = mine?.indexOf(edge) ?? -1;
  if (mine !== undefined && index >= 0) mine.splice(index, 1);
}

function deliver(state: ReducerState, edge: PendingEdge, record: ItemRecord): void {
  const itemId = record.item.item_id;
  const made = upsertEdge(state, edge, { type: 'conversation_item', item_id: itemId }, [itemId]);
  if (!made) return;
  record.edgeTarget = true;
  const open = record.thread.openMail.get(edge.content);
  const at = open?.indexOf(record) ?? -1;
  if (open !== undefined && at >= 0) open.splice(at, 1);
}

/** The edge of a delivery, before it is known or after. */
export function edgeOf(edge: PendingEdge, target: EdgeAnchor, carriedItems: string[]): InteractionEdge {
  return {
    edge_id: edge.edge_id,
    kind: edge.kind,
    source: edge.source,
    target,
    started_at_unix_ms: edge.started_at_unix_ms,
    ended_at_unix_ms: edge.ended_at_unix_ms,
    carried_item_ids: carriedItems,
    carried_raw_payload_ids: [...edge.carried_raw_payload_ids],
  };
}

/** Makes an edge, or merges into the one of that id if it has the same ends (spec E5). */
function upsertEdge(state: ReducerState, edge: PendingEdge, target: EdgeAnchor, carriedItems: string[]): boolean {
  const known = state.edges.get(edge.edge_id);
  if (known === undefined) {
    const made = edgeOf(edge, target, carriedItems);
    state.edges.set(edge.edge_id, made);
    if (edge.source.type === 'tool_call') state.tools.get(edge.source.tool_call_id)?.edges.push(made);
    return true;
  }
  if (!sameEnds(known, edge, target)) {
    state.fault(
      'edge_conflict',
      `${edge.edge_id} leads from ${anchorText(known.source)} to ${anchorText(known.target)}, but is observed again from ${anchorText(edge.source)} to ${anchorText(target)}`,
    );
    return false;
  }
  mergeEdge(state, known, edge);
  for (const id of carriedItems) state.addOnce(known.carried_item_ids, id);
  return true;
}

export function sameEnds(known: InteractionEdge, edge: PendingEdge, target: EdgeAnchor): boolean {
  return known.kind === edge.kind && sameAnchor(known.source, edge.source) && sameAnchor(known.target, target);
}

/** Widens the time of an observation and adds its evidence. */
export function mergeEdge(
  state: ReducerState,
  known: {
    started_at_unix_ms: PendingEdge['started_at_unix_ms'];
    ended_at_unix_ms: PendingEdge['ended_at_unix_ms'];
    carried_raw_payload_ids: string[];
  },
  edge: PendingEdge,
): void {
  if (edge.started_at_unix_ms < known.started_at_unix_ms) known.started_at_unix_ms = edge.started_at_unix_ms;
  const end = edge.ended_at_unix_ms;
  if (end !== null && (known.ended_at_unix_ms === null || end > known.ended_at_unix_ms)) known.ended_at_unix_ms = end;
  for (const id of edge.carried_raw_payload_ids) state.addOnce(known.carried_raw_payload_ids, id);
}

export function anchorText(anchor: EdgeAnchor): string {
  switch (anchor.type) {
    case 'conversation_item':
      return anchor.item_id;
    case 'tool_call':
      return `tool call ${anchor.tool_call_id}`;
    case 'thread':
      return `thread ${anchor.thread_id}`;
  }
}

function sameAnchor(a: EdgeAnchor, b: EdgeAnchor): boolean {
  return anchorText(a) === anchorText(b);
}

// ---- What the runtime and the log tell ------------------------------------------------------------------------------

/** A delivery by a tool call, with everything the tool has recorded so far. */
function deliveryByTool(
  state: ReducerState,
  tool: ToolRecord,
  delivery: {
    id: string;
    kind: InteractionEdgeKind;
    target: string;
    content: string;
    ended: boolean;
    fallback?: string;
  },
): PendingEdge {
  const { call } = tool;
  const evidence = [call.raw_invocation_payload_id, ...call.raw_runtime_payload_ids, call.raw_result_payload_id];
  return {
    edge_id: delivery.id,
    kind: delivery.kind,
    source: { type: 'tool_call', tool_call_id: call.tool_call_id },
    targetThreadId: delivery.target,
    author: state.threads.get(call.thread_id)?.thread.agent_path ?? '',
    content: delivery.content,
    fallbackThreadId: delivery.fallback ?? null,
    started_at_unix_ms: call.execution.started_at_unix_ms,
    ended_at_unix_ms: delivery.ended ? state.now : null,
    carried_raw_payload_ids: [...new Set(evidence.filter((id) => id !== null))],
  };
}

/** Whether a runtime start of this kind tells of agents (spec E2). */
export function startsAgentWork(kind: ToolKind): boolean {
  return kind.type === 'assign_agent_task' || kind.type === 'send_message' || kind.type === 'close_agent';
}

/** The runtime begins a task, a message or a close (spec E2). */
export function agentRuntimeStart(state: ReducerState, tool: ToolRecord, ref: PayloadRef, body: Json): void {
  guard(state, ref, () => {
    const { kind } = tool.call;
    if (kind.type === 'assign_agent_task' || kind.type === 'send_message') {
      const { receiver, prompt } = readInteraction(body, false);
      observeByTool(state, tool, kind.type, receiver, prompt, false);
    } else if (kind.type === 'close_agent') closeEdge(state, tool, readClose(body, false), false);
  });
}

/** The runtime ends: an activity of a child agent, or the end of a collaboration (spec E3). */
export function agentRuntimeEnd(
  state: ReducerState,
  tool: ToolRecord,
  ref: PayloadRef,
  body: Json,
  bodies: Bodies,
): void {
  guard(state, ref, () => {
    if (state.rules.agentActivities && member(body, 'agent_thread_id') !== undefined) {
      activity(state, tool, readActivity(body, state.rules), bodies);
      return;
    }
    const { kind } = tool.call;
    switch (kind.type) {
      case 'spawn_agent': {
        const { sender, child, prompt } = readSpawnEnd(body, state.rules);
        if (child !== null) observeSpawn(state, tool, sender, child, prompt);
        break;
      }
      case 'assign_agent_task':
      case 'send_message': {
        const { receiver, prompt } = readInteraction(body, true);
        observeByTool(state, tool, kind.type, receiver, prompt, true);
        break;
      }
      case 'close_agent':
        closeEdge(state, tool, readClose(body, true), true);
        break;
      default:
    }
  });
}

function guard(state: ReducerState, ref: PayloadRef, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof AgentPayloadError)) throw error;
    state.fault('agent_payload_invalid', `the agent payload ${ref.raw_payload_id}: ${error.message}`, {
      file: ref.path,
      cause: error,
    });
  }
}

function activity(state: ReducerState, tool: ToolRecord, { agentThreadId, kind }: Activity, bodies: Bodies): void {
  const { call } = tool;
  if (kind === 'completed') return;
  const { type } = call.kind;
  if (type === 'spawn_agent' && kind === 'started') {
    const message = invocationMessage(state, tool, bodies);
    if (message !== null) observeSpawn(state, tool, call.thread_id, agentThreadId, message);
  } else if ((type === 'assign_agent_task' || type === 'send_message') && kind === 'interacted') {
    const message = invocationMessage(state, tool, bodies);
    if (message !== null) observeByTool(state, tool, type, agentThreadId, message, true);
  } else if (type === 'close_agent' && kind === 'interrupted') closeEdge(state, tool, agentThreadId, true);
  else {
    state.fault(
      'agent_activity_mismatch',
      `tool call ${call.tool_call_id} is of kind ${type}, but its runtime reports that an agent ${kind}`,
    );
  }
}

/** The message a tool call carries: `message` in the arguments of its invocation (spec E3). */
function invocationMessage(state: ReducerState, tool: ToolRecord, bodies: Bodies): string | null {
  const { invocation, call } = tool;
  const invalid = (why: string): null => {
    state.fault('agent_payload_invalid', `the invocation of agent tool call ${call.tool_call_id} ${why}`);
    return null;
  };
  if (invocation === null) return invalid('was not recorded');
  const body = state.read(invocation, (ref) => bodies.json(ref));
  if (body === undefined) return null;
  const text = member(member(body, 'payload'), 'arguments');
  if (typeof text !== 'string') return invalid('has no function arguments');
  const message = member(argumentsJson(text, state.rules), 'message');
  return typeof message === 'string' ? message : invalid('has arguments without a string message');
}

function observeSpawn(state: ReducerState, tool: ToolRecord, parent: string, child: string, content: string): void {
  const delivery = deliveryByTool(state, tool, {
    id: `edge:spawn:${parent}:${child}`,
    kind: 'spawn_agent',
    target: child,
    content,
    ended: true,
    fallback: child,
  });
  observeDelivery(state, delivery, tool);
}

function observeByTool(
  state: ReducerState,
  tool: ToolRecord,
  kind: 'assign_agent_task' | 'send_message',
  target: string,
  content: string,
  ended: boolean,
): void {
  const id = `edge:tool:${tool.call.tool_call_id}`;
  observeDelivery(state, deliveryByTool(state, tool, { id, kind, target, content, ended }), tool);
}

/** Spec E6. */
function closeEdge(state: ReducerState, tool: ToolRecord, target: string, ended: boolean): void {
  if (!state.threads.has(target)) return;
  const id = `edge:tool:${tool.call.tool_call_id}`;
  const edge = deliveryByTool(state, tool, { id, kind: 'close_agent', target, content: '', ended });
  upsertEdge(state, edge, { type: 'thread', thread_id: target }, []);
}

/** A child's result reached its parent (spec E8, G44). */
export function observeAgentResult(state: ReducerState, event: EventPayload<'agent_result_observed'>): void {
  const child = state.threads.get(event.child_thread_id);
  if (child === undefined && state.rules.resultChildChecked) {
    knownThread(state, event.child_thread_id);
    return;
  }
  if (child === undefined && state.mode === 'salvage') {
    state.notice(
      'thread_unknown',
      `${event.edge_id} comes from thread ${event.child_thread_id}, which has not started in this trace`,
    );
    return;
  }
  const spoken = child?.lastSpoken.get(event.child_codex_turn_id);
  const edge: PendingEdge = {
    edge_id: event.edge_id,
    kind: 'agent_result',
    source:
      spoken === undefined
        ? { type: 'thread', thread_id: event.child_thread_id }
        : { type: 'conversation_item', item_id: spoken.item.item_id },
    targetThreadId: event.parent_thread_id,
    author: child?.thread.agent_path ?? '',
    content: event.message,
    fallbackThreadId: null,
    started_at_unix_ms: state.now,
    ended_at_unix_ms: state.now,
    carried_raw_payload_ids: event.carried_payload === null ? [] : [event.carried_payload.raw_payload_id],
  };
  observeDelivery(state, edge, null);
}

/** The result of a tool belongs to its edge: the first by the bytes of its id, else the first that waits (spec T3). */
export function carryResult(state: ReducerState, tool: ToolRecord, payloadId: string): void {
  let first: { edge_id: string; carried_raw_payload_ids: string[] } | undefined;
  for (const edge of tool.edges) if (first === undefined || compareUtf8(edge.edge_id, first.edge_id) < 0) first = edge;
  first ??= tool.pendingEdges[0];
  if (first !== undefined) state.addOnce(first.carried_raw_payload_ids, payloadId);
}
