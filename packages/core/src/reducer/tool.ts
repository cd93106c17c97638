/** Tool calls: what the model or a code cell asked the runtime to do (spec 6.6). */

import type { EventPayload, RawRequester, ToolKind } from '../format/event.ts';
import type { ToolRequester } from '../format/graph.ts';
import { type Json, JsonObject, JsonSyntaxError, member, parseJson } from '../format/json.ts';
import { UNREAD_REQUESTER } from '../format/mend-event.ts';
import type { PayloadRef } from '../format/payload.ts';
import { agentRuntimeEnd, agentRuntimeStart, carryResult, startsAgentWork } from './agent.ts';
import type { Bodies } from './bodies.ts';
import { addNestedTool, inItemOrder } from './code-cell.ts';
import { isCall, isOutput, markDirty } from './conversation.ts';
import { addTo, type ReducerState, type ToolRecord } from './state.ts';
import { endOperation, moveToSession, operationFromInvocation, operationFromRuntime } from './terminal.ts';
import { knownThread } from './thread.ts';
import { attachItem, linkStartingResponses, observe, RECENT_TOOLS, releaseItems } from './tool-items.ts';
import { closeWindow, openWindow } from './window.ts';

export function startTool(state: ReducerState, event: EventPayload<'tool_call_started'>, bodies: Bodies): void {
  const { tool_call_id: givenId, model_visible_call_id: callId, invocation_payload: invocation } = event;
  const known = state.tools.get(givenId);
  const [other] = callId === null ? [] : (state.toolsByCallId.get(callId) ?? []);
  if (known !== undefined) {
    state.fault('tool_duplicate', `tool call ${givenId} starts again, but it has started already`);
    // The same line, written twice.
    if (known.call.execution.started_seq === state.seq) return;
  } else if (other !== undefined) {
    state.fault(
      'tool_duplicate',
      `tool call ${givenId} answers the model's call ${callId}, but tool call ${other.call.tool_call_id} does so already`,
    );
  }
  const reused = state.toolsOfReusedId.get(givenId);
  const id = known === undefined ? givenId : freeId(givenId, state.tools, reused?.length ?? 1);
  const place = placeOfTool(state, id);
  if (place === null) return;
  const { threadId, turnId } = place;
  const requester = requesterOf(state, event.requester, threadId);
  const tool: ToolRecord = {
    call: {
      tool_call_id: id,
      mcp_call_id: state.rules.mcpCorrelation ? null : undefined,
      model_visible_call_id: callId,
      code_mode_runtime_tool_id: event.code_mode_runtime_tool_id,
      started_code_cell_id: undefined,
      thread_id: threadId,
      started_by_codex_turn_id: turnId,
      execution: openWindow(state),
      requester,
      kind: event.kind,
      model_visible_call_item_ids: [],
      model_visible_output_item_ids: [],
      terminal_operation_id: null,
      summary: event.summary,
      raw_invocation_payload_id: invocation?.raw_payload_id ?? null,
      raw_result_payload_id: null,
      raw_runtime_payload_ids: [],
    },
    givenId,
    invocation,
    callItems: [],
    startedBy: new Set(),
    responsesDue: false,
    operation: null,
    edges: [],
    pendingEdges: [],
  };
  const body = invocation === null ? undefined : state.read(invocation, (ref) => bodies.json(ref));
  const waitsFor = invocation === null || body === undefined ? null : waitedCell(state, threadId, invocation, body);
  state.tools.set(id, tool);
  if (reused !== undefined) reused.push(tool);
  else if (known !== undefined) state.toolsOfReusedId.set(givenId, [known, tool]);
  if (callId !== null) attachItems(state, tool, callId);
  if (requester?.type === 'code_cell') addNestedTool(state, requester.code_cell_id, tool);
  if (waitsFor !== null) state.cells.get(waitsFor)?.wait_tool_call_ids.push(id);
  if (event.kind.type === 'write_stdin' && invocation !== null && body !== undefined) {
    operationFromInvocation(state, tool, invocation, body);
  }
  observe(tool);
  linkStartingResponses(tool);
}

/** The thread and turn of the envelope (spec T1). */
function placeOfTool(state: ReducerState, id: string): { threadId: string; turnId: string | null } | null {
  const { thread_id: thread, codex_turn_id: turnId } = state.event ?? { thread_id: null, codex_turn_id: null };
  if (thread === null && turnId === null) {
    state.fault('context_missing', `tool call ${id} starts without a thread or a turn`);
    return null;
  }
  // Where neither is known, the thread is the contradiction.
  if (thread !== null && knownThread(state, thread) === null) return null;
  const turn = turnId === null ? undefined : state.turns.get(turnId);
  if (turnId !== null && turn === undefined) {
    state.fault('turn_unknown', `tool call ${id} belongs to turn ${turnId}, which has not started in this trace`);
  }
  const threadId = thread ?? turn?.thread_id;
  if (threadId === undefined || knownThread(state, threadId) === null) return null;
  if (turn !== undefined && turn.thread_id !== threadId) {
    state.fault(
      'turn_thread_mismatch',
      `tool call ${id} names thread ${threadId}, but its turn ${turnId} belongs to thread ${turn.thread_id}`,
    );
    return { threadId, turnId: null };
  }
  return { threadId, turnId: turn === undefined ? null : turnId };
}

function requesterOf(state: ReducerState, requester: RawRequester, threadId: string): ToolRequester | null {
  if (requester.type === 'model') return requester;
  const cellId = state.cellOfRuntime.get(threadId)?.get(requester.runtime_cell_id);
  if (cellId !== undefined) return { type: 'code_cell', code_cell_id: cellId };
  // Salvage keeps the call without the cell it does not know. A requester that could not be read was told.
  const isUnread = state.mode === 'salvage' && requester.runtime_cell_id === UNREAD_REQUESTER;
  if (!isUnread) {
    state.fault(
      'cell_unknown',
      `a nested tool call is asked for by runtime cell ${requester.runtime_cell_id}, which has not started in thread ${threadId}`,
    );
  }
  return null;
}

/** Salvage only: an id that several calls were given stays that of the first; the next ones are `id#2`, `id#3`. */
function freeId(id: string, taken: ReadonlyMap<string, unknown>, count: number): string {
  for (let n = count + 1; ; n++) if (!taken.has(`${id}#${n}`)) return `${id}#${n}`;
}

/** Items of the thread that carry the call id already, calls and outputs (spec T2). */
function attachItems(state: ReducerState, tool: ToolRecord, callId: string): void {
  const thread = state.threads.get(tool.call.thread_id);
  const earlier = state.toolsByCallId.get(callId);
  if (earlier !== undefined) releaseItems(earlier, tool.call.thread_id, thread?.byCallId.get(callId) ?? []);
  addTo(state.toolsByCallId, callId, tool);
  for (const record of inItemOrder(state, thread?.byCallId.get(callId) ?? [])) attachItem(tool, record);
  for (const record of state.itemsByCallId.get(callId) ?? []) {
    if (record.thread !== thread && (isCall(record.item) || isOutput(record.item))) markDirty(record);
  }
}

/** The cell a `wait` call waits for, if it is materialised (spec C9). */
function waitedCell(state: ReducerState, threadId: string, ref: PayloadRef, body: Json): string | null {
  if (member(body, 'tool_name') !== 'wait') return null;
  const invalid = (why: string): null => {
    state.fault('wait_arguments_invalid', `the wait call ${ref.raw_payload_id} ${why}`, { file: ref.path });
    return null;
  };
  const text = member(member(body, 'payload'), 'arguments');
  if (typeof text !== 'string') return invalid('has no function arguments');
  let given: Json;
  try {
    given = parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return invalid(`has arguments that are not JSON: ${error.message}`);
    throw error;
  }
  const runtimeId = member(given, 'cell_id');
  if (typeof runtimeId !== 'string') return invalid('has arguments without a string cell_id');
  const cellId = state.cellOfRuntime.get(threadId)?.get(runtimeId);
  return cellId !== undefined && state.cells.has(cellId) ? cellId : null;
}

function knownTool(state: ReducerState, what: string, id: string): ToolRecord | null {
  const reused = state.toolsOfReusedId.get(id);
  // Of several calls of one id, what happens next happens to the one that started last and still runs.
  const recent = reused?.slice(-RECENT_TOOLS);
  const tool =
    recent?.findLast(({ call }) => call.execution.ended_seq === null) ?? recent?.at(-1) ?? state.tools.get(id);
  if (tool !== undefined) return tool;
  state.fault('tool_unknown', `${what} refers to tool call ${id}, which has not started in this trace`);
  return null;
}

export function correlateMcp(state: ReducerState, event: EventPayload<'mcp_tool_call_correlation_assigned'>): void {
  const tool = knownTool(state, `MCP call ${event.mcp_call_id}`, event.tool_call_id);
  if (tool === null) return;
  if (tool.call.mcp_call_id != null) {
    state.fault(
      'mcp_duplicate',
      `tool call ${event.tool_call_id} is MCP call ${tool.call.mcp_call_id}, but is also given ${event.mcp_call_id}`,
    );
    return;
  }
  tool.call.mcp_call_id = event.mcp_call_id;
}

export function resolveStdinTarget(state: ReducerState, event: EventPayload<'stdin_target_resolved'>): void {
  const stdin = knownTool(state, 'the resolved target of a write', event.tool_call_id);
  if (stdin === null) return;
  const exec = knownTool(state, `the target of write ${event.tool_call_id}`, event.exec_tool_call_id);
  if (exec === null || stdin.operation === null || exec.operation === null) return;
  moveToSession(state, stdin.operation, exec.operation);
}

/** Kinds whose runtime start the reducer reads (spec section 4). */
function readsRuntimeStart(kind: ToolKind): boolean {
  return kind.type === 'exec_command' || kind.type === 'write_stdin' || startsAgentWork(kind);
}

export function startToolRuntime(
  state: ReducerState,
  event: EventPayload<'tool_call_runtime_started'>,
  bodies: Bodies,
): void {
  const tool = knownTool(state, 'a runtime start', event.tool_call_id);
  if (tool === null) return;
  const { call } = tool;
  const { runtime_payload: ref } = event;
  if (event.kind !== null && state.rules.runtimeKind === 'event') call.kind = event.kind;
  state.addOnce(call.raw_runtime_payload_ids, ref.raw_payload_id);
  const needed = state.rules.runtimeStartAlwaysParsed || readsRuntimeStart(call.kind);
  const body = needed ? state.read(ref, (r) => bodies.json(r)) : undefined;
  if (body === undefined) return;
  if (state.rules.runtimeKind === 'mcp_invocation') readMcpInvocation(state, tool, ref, body);
  const { type } = call.kind;
  if (type === 'exec_command' || type === 'write_stdin') {
    operationFromRuntime(state, tool, type, ref, body);
    observe(tool);
  } else agentRuntimeStart(state, tool, ref, body);
}

/** The runtime of an MCP call says so by its invocation (rule G28). */
function readMcpInvocation(state: ReducerState, tool: ToolRecord, ref: PayloadRef, body: Json): void {
  const invocation = member(body, 'invocation');
  if (invocation === undefined) return;
  let server: Json | undefined;
  let name: Json | undefined;
  if (Array.isArray(invocation) && invocation.length === 3) [server, name] = invocation;
  else if (invocation instanceof JsonObject) {
    server = invocation.get('server');
    name = invocation.get('tool');
  }
  if (typeof server === 'string' && typeof name === 'string') tool.call.kind = { type: 'mcp', server, tool: name };
  else {
    state.fault(
      'mcp_invocation_invalid',
      `the MCP invocation in ${ref.raw_payload_id} lacks a string server or a string tool`,
      {
        file: ref.path,
        json_path: '/invocation',
      },
    );
  }
}

export function endToolRuntime(
  state: ReducerState,
  event: EventPayload<'tool_call_runtime_ended'>,
  bodies: Bodies,
): void {
  const tool = knownTool(state, 'a runtime end', event.tool_call_id);
  if (tool === null) return;
  const { runtime_payload: ref } = event;
  state.addOnce(tool.call.raw_runtime_payload_ids, ref.raw_payload_id);
  const body = state.read(ref, (r) => bodies.json(r));
  if (tool.operation !== null) endOperation(state, tool.operation, event.status, ref, body);
  if (body !== undefined) agentRuntimeEnd(state, tool, ref, body, bodies);
}

export function endTool(state: ReducerState, event: EventPayload<'tool_call_ended'>, bodies: Bodies): void {
  const tool = knownTool(state, 'a tool end', event.tool_call_id);
  if (tool === null) return;
  const { call } = tool;
  const { result_payload: ref } = event;
  closeWindow(state, call.execution, event.status);
  call.raw_result_payload_id = ref?.raw_payload_id ?? null;
  if (tool.operation !== null && call.raw_runtime_payload_ids.length === 0) {
    const body = ref === null ? undefined : state.read(ref, (r) => bodies.json(r));
    endOperation(state, tool.operation, event.status, ref, body);
  }
  if (ref !== null) carryResult(state, tool, ref.raw_payload_id);
}
