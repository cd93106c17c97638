/** Acceptances: an item entered a thread's history (spec A1 to A5, G24). */

import type { EventPayload } from '../format/event.ts';
import type { Bodies } from './bodies.ts';
import { applyReceipt, createItem } from './conversation.ts';
import { normalizeOne, normalizing } from './placement.ts';
import type { ReducerState } from './state.ts';
import { knownThread, uncheckedTurn } from './thread.ts';

export function acceptHistoryItem(
  state: ReducerState,
  event: EventPayload<'history_item_accepted'>,
  bodies: Bodies,
): void {
  const { item_id: id, agent_message_payload: ref } = event;
  const threadId = state.event?.thread_id ?? null;
  if (threadId === null) {
    state.fault('context_missing', `item ${id} is accepted by an event without a thread id`);
    return;
  }
  const thread = knownThread(state, threadId);
  if (thread === null) return;
  if (!thread.receipts.has(id)) {
    thread.receipts.set(id, { accepted_at_unix_ms: state.now, accepted_seq: state.seq });
    for (const record of thread.byResponsesId.get(id) ?? []) applyReceipt(state, record);
  }
  // Where the item is known, its content is, and the payload is not looked at.
  if (ref === null || thread.byResponsesId.has(id)) return;
  const body = state.read(ref, (r) => bodies.json(r));
  if (body === undefined) return;
  const candidate = normalizeOne(state, body, normalizing(state, ref.raw_payload_id, ref.path), '');
  if (candidate === null) return;
  if (candidate.agent_message === undefined || candidate.id !== id) {
    state.fault(
      'acceptance_mismatch',
      `the acceptance names item ${id}, but its payload ${ref.raw_payload_id} holds ${candidate.agent_message === undefined ? 'no agent message' : `item ${candidate.id ?? 'without an id'}`}`,
      { file: ref.path },
    );
    return;
  }
  const named = state.event?.codex_turn_id ?? null;
  const turnId = named === null ? null : uncheckedTurn(state, `accepted item ${id}`, threadId, named);
  thread.provisional.set(id, createItem(state, candidate, { thread, turnId, producer: null }));
}
