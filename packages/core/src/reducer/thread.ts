/** Rollout, threads and turns (spec 6.1). */

import type { EventPayload, ExecutionStatus } from '../format/event.ts';
import type { ThreadOrigin } from '../format/graph.ts';
import { asString, type Json, JsonObject, jsonTypeName, member } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import { adoptPendingMail } from './agent.ts';
import type { Bodies } from './bodies.ts';
import { endTurnCells } from './code-cell.ts';
import { endTurnInferences } from './inference.ts';
import { ItemSequence, type ReducerState, type ThreadRecord } from './state.ts';
import { closeWindow, openWindow } from './window.ts';

export function startRollout(state: ReducerState, event: EventPayload<'rollout_started'>): void {
  state.traceId = event.trace_id;
  state.rootThreadId = event.root_thread_id;
}

export function endRollout(state: ReducerState, event: EventPayload<'rollout_ended'>): void {
  state.status = event.status;
  state.endedAt = state.now;
}

/** What the metadata payload of a thread says, where it says it (spec R3). */
interface ThreadMetadata {
  agent_path: string | null;
  task_name: string | null;
  nickname: string | null;
  agent_role: string | null;
  model: string | null;
  session_source: Json | undefined;
}

const METADATA_STRINGS = ['agent_path', 'task_name', 'nickname', 'agent_role', 'model'] as const;

function readMetadata(state: ReducerState, ref: PayloadRef, bodies: Bodies): ThreadMetadata | null {
  const body = state.read(ref, (r) => bodies.json(r));
  if (body === undefined) return null;
  const where = { file: ref.path };
  if (!(body instanceof JsonObject)) {
    state.fault(
      'thread_metadata_invalid',
      `the thread metadata ${ref.raw_payload_id} is ${jsonTypeName(body)}, not an object`,
      where,
    );
    return null;
  }
  const metadata: ThreadMetadata = {
    agent_path: null,
    task_name: null,
    nickname: null,
    agent_role: null,
    model: null,
    session_source: body.get('session_source'),
  };
  for (const key of METADATA_STRINGS) {
    const value = body.get(key);
    if (value === undefined || value === null) continue;
    if (typeof value === 'string' && body.repeated?.includes(key) !== true) metadata[key] = value;
    else {
      const found = typeof value === 'string' ? 'given twice' : jsonTypeName(value);
      state.fault(
        'thread_metadata_invalid',
        `${key} of the thread metadata ${ref.raw_payload_id} is ${found}, not one string`,
        {
          ...where,
          json_path: `/${key}`,
        },
      );
    }
  }
  return metadata;
}

export function startThread(state: ReducerState, event: EventPayload<'thread_started'>, bodies: Bodies): void {
  const { thread_id } = event;
  if (state.threads.has(thread_id)) {
    state.fault('thread_duplicate', `thread ${thread_id} starts again, but it has started already`);
    return;
  }
  const metadata = event.metadata_payload === null ? null : readMetadata(state, event.metadata_payload, bodies);
  const spawn = member(member(member(metadata?.session_source, 'subagent'), 'thread_spawn'), 'parent_thread_id');
  const { origin, agentPath } =
    typeof spawn === 'string' && metadata !== null
      ? spawnedOrigin(event, metadata, spawn)
      : { origin: { type: 'root' } as const, agentPath: metadata?.agent_path ?? event.agent_path };
  const record: ThreadRecord = {
    thread: {
      thread_id,
      agent_path: agentPath,
      nickname: metadata?.nickname ?? null,
      origin,
      execution: openWindow(state),
      default_model: metadata?.model ?? null,
      conversation_item_ids: [],
    },
    items: [],
    byCallId: new Map(),
    byResponsesId: new Map(),
    byReasoning: new Map(),
    byResponseId: new Map(),
    firstByResponseId: new Map(),
    lastSpoken: new Map(),
    transcript: [],
    snapshot: { sequence: new ItemSequence(), length: 0 },
    tail: [],
    latestInference: null,
    pendingReplacement: null,
    receipts: new Map(),
    provisional: new Map(),
    heldSerial: 0,
    heldLength: 0,
    heldSkips: [],
    unstable: [],
    dirtyFrom: Number.POSITIVE_INFINITY,
    openMail: new Map(),
    pendingMail: new Map(),
  };
  state.threads.set(thread_id, record);
  adoptPendingMail(state, record);
}

function spawnedOrigin(
  event: EventPayload<'thread_started'>,
  metadata: ThreadMetadata,
  parent: string,
): { origin: ThreadOrigin; agentPath: string } {
  const spawn = member(member(metadata.session_source, 'subagent'), 'thread_spawn');
  const own = (key: string): string | null => asString(member(spawn, key));
  const agentPath = own('agent_path') ?? metadata.agent_path ?? event.agent_path;
  const lastName = agentPath.split('/').findLast((name) => name !== '');
  return {
    agentPath,
    origin: {
      type: 'spawned',
      parent_thread_id: parent,
      spawn_edge_id: `edge:spawn:${parent}:${event.thread_id}`,
      task_name: own('task_name') ?? metadata.task_name ?? lastName ?? agentPath,
      agent_role: own('agent_role') ?? metadata.agent_role ?? '',
    },
  };
}

/** The thread, or null and a finding. */
export function knownThread(state: ReducerState, threadId: string): ThreadRecord | null {
  const thread = state.threads.get(threadId);
  if (thread !== undefined) return thread;
  const what = state.event?.payload.type ?? 'the event';
  state.fault('thread_unknown', `${what} belongs to thread ${threadId}, which has not started in this trace`);
  return null;
}

export function endThread(state: ReducerState, event: EventPayload<'thread_ended'>): void {
  const thread = knownThread(state, event.thread_id);
  if (thread !== null) closeWindow(state, thread.thread.execution, event.status);
}

export function resumeThread(state: ReducerState, event: EventPayload<'thread_resumed'>): void {
  const thread = state.threads.get(event.thread_id);
  if (thread === undefined) {
    state.fault('thread_resume_unknown', `thread ${event.thread_id} is resumed, but it has not started in this trace`);
    return;
  }
  const { execution } = thread.thread;
  if (execution.ended_at_unix_ms === null) {
    state.fault('thread_resume_running', `thread ${event.thread_id} is resumed, but it has not ended`);
    return;
  }
  execution.ended_at_unix_ms = null;
  execution.ended_seq = null;
  execution.status = 'running';
}

export function startTurn(state: ReducerState, event: EventPayload<'codex_turn_started'>): void {
  const { codex_turn_id, thread_id } = event;
  if (state.turns.has(codex_turn_id)) {
    state.fault('turn_duplicate', `turn ${codex_turn_id} starts again, but it has started already`);
    return;
  }
  if (knownThread(state, thread_id) === null) return;
  state.turns.set(codex_turn_id, { codex_turn_id, thread_id, execution: openWindow(state), input_item_ids: [] });
}

export function endTurn(state: ReducerState, event: EventPayload<'codex_turn_ended'>): void {
  const { codex_turn_id, status } = event;
  const turn = state.turns.get(codex_turn_id);
  const threadId = state.event?.thread_id ?? null;
  if (turn === undefined) {
    state.fault('turn_unknown', `turn ${codex_turn_id} ends, but it has not started in this trace`);
    return;
  }
  if (threadId !== null && threadId !== turn.thread_id) {
    state.fault(
      'turn_thread_mismatch',
      `turn ${codex_turn_id} ends in thread ${threadId}, but it belongs to thread ${turn.thread_id}`,
    );
  }
  closeWindow(state, turn.execution, status);
  endTurnCells(state, codex_turn_id, status);
  if (state.rules.turnEndClosesInferences) endTurnInferences(state, codex_turn_id, status);
}

/** The status running inferences take when their turn ends; null leaves them running (spec R7). */
export function inferenceStatusAfterTurn(status: ExecutionStatus): ExecutionStatus | null {
  switch (status) {
    case 'completed':
    case 'cancelled':
      return 'cancelled';
    case 'failed':
    case 'aborted':
      return status;
    case 'running':
      return null;
  }
}

/** A turn that strict mode takes unchecked (spec A4). Salvage keeps the object without it, where it cannot be. */
export function uncheckedTurn(state: ReducerState, what: string, threadId: string, turnId: string): string | null {
  if (state.mode === 'strict') return turnId;
  const turn = state.turns.get(turnId);
  if (turn?.thread_id === threadId) return turnId;
  if (turn === undefined) {
    state.notice('turn_unknown', `${what} belongs to turn ${turnId}, which has not started in this trace`);
  } else {
    state.notice(
      'turn_thread_mismatch',
      `${what} names thread ${threadId}, but its turn ${turnId} belongs to thread ${turn.thread_id}`,
    );
  }
  return null;
}

/**
 * The turn an event names, checked against the thread it names. In salvage, where there is no such turn in that thread,
 * the object is kept without one.
 */
export function turnOf(state: ReducerState, what: string, threadId: string, turnId: string): string | null {
  const turn = state.turns.get(turnId);
  if (turn === undefined) {
    state.fault('turn_unknown', `${what} belongs to turn ${turnId}, which has not started in this trace`);
    return null;
  }
  if (turn.thread_id !== threadId) {
    state.fault(
      'turn_thread_mismatch',
      `${what} names thread ${threadId}, but its turn ${turnId} belongs to thread ${turn.thread_id}`,
    );
    return null;
  }
  return turnId;
}
