/**
 * The items of a thread's history: made, seen again, linked to what they belong to (spec 6.3, 6.4, 6.6).
 *
 * Owns the life of one item. Which item a list of candidates takes is `placement.ts`; what tools, cells and edges do
 * with an item is theirs.
 */

import { compareUtf8 } from '../format/canonical-json.ts';
import type { ConversationItem, ItemProducer } from '../format/graph.ts';
import { linkMail, mailOf } from './agent.ts';
import { expectCell, linkCellOutput } from './code-cell.ts';
import { encodedPart, isReadable, lookupKey, mergeReasoning, sameContent, sameParts } from './match.ts';
import type { Candidate } from './normalize.ts';
import { addTo, type ItemRecord, type ReducerState, type ThreadRecord } from './state.ts';
import { linkToolItem } from './tool-items.ts';

/** Where an item of a list comes from. */
export interface Sighting {
  thread: ThreadRecord;
  turnId: string | null;
  producer: ItemProducer | null;
}

export function isCall(item: ConversationItem): boolean {
  return item.kind === 'function_call' || item.kind === 'custom_tool_call';
}

export function isOutput(item: ConversationItem): boolean {
  return item.kind === 'function_call_output' || item.kind === 'custom_tool_call_output';
}

/**
 * The call id must stand for one content (spec X5, G18), and an encrypted reasoning for one readable text (G17). In
 * salvage the candidate stays an item of its own.
 *
 * @returns whether the candidate is a call whose call id stands for another one already
 */
export function checkReuse(
  state: ReducerState,
  thread: ThreadRecord,
  candidate: Candidate,
  payloadId: string,
): boolean {
  const { call_id, kind } = candidate;
  const isOutputKind = kind === 'function_call_output' || kind === 'custom_tool_call_output';
  if (call_id !== null && (!isOutputKind || state.rules.callIdCheckOutputs)) {
    // Whatever passed before is equal to the first, so comparing with the first is comparing with all.
    const other = thread.byCallId.get(call_id)?.find(({ item }) => item.kind === kind);
    if (other !== undefined && !sameContent(other.item, candidate)) {
      state.fault(
        'call_id_reused',
        `call id ${call_id} stands for ${other.item.item_id} and, in ${payloadId}, for a ${kind} with different content`,
        { once: `${other.item.item_id} ${kind} ${lookupKey(kind, candidate.parts).slice(0, 240)}` },
      );
      return !isOutputKind;
    }
    return false;
  }
  if (state.rules.reasoningMerges || kind !== 'reasoning' || !isReadable(candidate.parts)) return false;
  const encoded = encodedPart(candidate.parts);
  if (encoded === null) return false;
  const other = thread.byReasoning
    .get(encoded.value)
    ?.find(({ item }) => isReadable(item.body.parts) && !sameParts(item.body.parts, candidate.parts));
  if (other !== undefined) {
    state.fault(
      'reasoning_reused',
      `the encrypted reasoning of ${other.item.item_id} comes in ${payloadId} with different readable text`,
      { once: `${other.item.item_id} ${lookupKey(kind, candidate.parts).slice(0, 240)}` },
    );
  }
  return false;
}

/** Makes a new item of the candidate and links it. */
export function createItem(state: ReducerState, candidate: Candidate, sighting: Sighting, apart = false): ItemRecord {
  const { thread } = sighting;
  const item: ConversationItem = {
    item_id: `conversation_item:${state.items.length + 1}`,
    responses_item_id: candidate.id,
    accepted_at_unix_ms: undefined,
    accepted_seq: undefined,
    thread_id: thread.thread.thread_id,
    codex_turn_id: sighting.turnId,
    first_seen_at_unix_ms: state.now,
    role: candidate.role,
    channel: candidate.channel,
    kind: candidate.kind,
    agent_message: candidate.agent_message,
    body: { parts: candidate.parts },
    call_id: candidate.call_id,
    produced_by: sighting.producer === null ? [] : [sighting.producer],
  };
  const record: ItemRecord = {
    item,
    ordinal: state.items.length,
    thread,
    inTranscript: false,
    transcriptRank: -1,
    position: Number.POSITIVE_INFINITY,
    usedStamp: 0,
    dirty: false,
    rematch: false,
    tool: null,
    cell: null,
    apart,
    responders: [],
    producers: null,
    mail: null,
    edgeTarget: false,
  };
  state.items.push(record);
  thread.items.push(record);
  if (item.call_id !== null) {
    addTo(thread.byCallId, item.call_id, record);
    addTo(state.itemsByCallId, item.call_id, record);
  }
  if (item.responses_item_id !== undefined) addTo(thread.byResponsesId, item.responses_item_id, record);
  const encoded = item.kind === 'reasoning' ? encodedPart(item.body.parts) : null;
  if (encoded !== null) addTo(thread.byReasoning, encoded.value, record);
  rememberSpoken(record);
  expectCell(state, record);
  applyReceipt(state, record);
  refreshMail(state, record);
  link(state, record);
  return record;
}

/** An item is seen again (spec X4). */
export function sight(
  state: ReducerState,
  record: ItemRecord,
  candidate: Candidate,
  producer: ItemProducer | null,
): void {
  const { item, thread } = record;
  if (item.responses_item_id === undefined && candidate.id !== undefined) {
    item.responses_item_id = candidate.id;
    addTo(thread.byResponsesId, candidate.id, record);
  }
  if (item.kind === 'reasoning') {
    const parts = mergeReasoning(item.body.parts, candidate.parts, state.rules);
    if (parts !== item.body.parts) {
      item.body.parts = parts;
      markRematch(record);
    }
  }
  if (producer !== null) addProducer(record, producer);
  applyReceipt(state, record);
  link(state, record);
}

/** Links that are due at each sighting: tool, then code cell, then mail (spec T5, C7, E7). */
export function link(state: ReducerState, record: ItemRecord): void {
  record.dirty = false;
  if (record.item.call_id !== null) {
    linkToolItem(state, record);
    linkCellOutput(state, record);
  }
  if (record.mail !== null) linkMail(state, record);
}

/** A sighting of this item would now do something: the next request must not pass over it. */
export function markDirty(record: ItemRecord): void {
  record.dirty = true;
  if (record.position < record.thread.dirtyFrom) record.thread.dirtyFrom = record.position;
}

/** The body changed: the next request must match the item again, even where its bytes are the same. */
function markRematch(record: ItemRecord): void {
  record.rematch = true;
  if (record.position < record.thread.dirtyFrom) record.thread.dirtyFrom = record.position;
}

/** Producers beyond this many are looked up in a set. */
const MANY_PRODUCERS = 32;

export function addProducer(record: ItemRecord, producer: ItemProducer): void {
  const { produced_by } = record.item;
  const id = producerId(producer);
  if (produced_by.length < MANY_PRODUCERS) {
    if (produced_by.some((other) => other.type === producer.type && producerId(other) === id)) return;
  } else {
    record.producers ??= new Set(produced_by.map((other) => `${other.type} ${producerId(other)}`));
    if (record.producers.has(`${producer.type} ${id}`)) return;
    record.producers.add(`${producer.type} ${id}`);
  }
  produced_by.push(producer);
}

function producerId(producer: ItemProducer): string {
  switch (producer.type) {
    case 'inference':
      return producer.inference_call_id;
    case 'tool':
      return producer.tool_call_id;
    case 'code_cell':
      return producer.code_cell_id;
    case 'compaction':
      return producer.compaction_id;
  }
}

/** A receipt applies to every item of the thread with its id, existing or to come; once per item (spec A2). */
export function applyReceipt(state: ReducerState, record: ItemRecord): void {
  const { item, thread } = record;
  if (item.responses_item_id === undefined) return;
  const receipt = thread.receipts.get(item.responses_item_id);
  if (receipt === undefined) return;
  enterTranscript(state, record);
  if (!state.rules.acceptanceFields || item.accepted_seq !== undefined) return;
  item.accepted_at_unix_ms = receipt.accepted_at_unix_ms;
  item.accepted_seq = receipt.accepted_seq;
}

/** The item was accepted, sent or compacted; in older generations, used at all (spec Q9, G23). */
export function enterTranscript(state: ReducerState, record: ItemRecord): void {
  if (record.inTranscript) return;
  record.inTranscript = true;
  if (state.rules.transcriptDerived) return;
  record.transcriptRank = record.thread.transcript.length;
  record.thread.transcript.push(record);
}

/** The provisional item with the candidate's id takes its content, whatever it is (spec A5). */
export function claimProvisional(
  state: ReducerState,
  candidate: Candidate,
  { thread, producer }: Sighting,
): ItemRecord | null {
  if (candidate.id === undefined || candidate.agent_message === undefined) return null;
  const record = thread.provisional.get(candidate.id);
  if (record === undefined) return null;
  thread.provisional.delete(candidate.id);
  record.item.body.parts = candidate.parts;
  refreshMail(state, record);
  markRematch(record);
  sight(state, record, candidate, producer);
  return record;
}

/** What an item says to another agent, after its body was set. */
function refreshMail(state: ReducerState, record: ItemRecord): void {
  const { openMail } = record.thread;
  if (record.mail !== null) {
    const open = openMail.get(record.mail.content);
    const at = open?.indexOf(record) ?? -1;
    if (open !== undefined && at >= 0) open.splice(at, 1);
  }
  record.mail = mailOf(state.rules, record);
  if (record.mail !== null && !record.edgeTarget) addTo(openMail, record.mail.content, record);
}

/** Keeps the item that an agent result of its turn would come from: latest by time, then by the bytes of its id (spec E8). */
function rememberSpoken(record: ItemRecord): void {
  const { item, thread } = record;
  if (item.codex_turn_id === null || item.role !== 'assistant' || item.kind !== 'message') return;
  if (item.agent_message !== undefined) return;
  const best = thread.lastSpoken.get(item.codex_turn_id)?.item;
  const later =
    best === undefined ||
    item.first_seen_at_unix_ms > best.first_seen_at_unix_ms ||
    (item.first_seen_at_unix_ms === best.first_seen_at_unix_ms && compareUtf8(item.item_id, best.item_id) > 0);
  if (later) thread.lastSpoken.set(item.codex_turn_id, record);
}
