/** Terminals: commands, writes to them, and the sessions they share (spec 6.7). */

import { compactJson, doubleText, numberText } from '../format/canonical-json.ts';
import type { ExecutionStatus } from '../format/event.ts';
import { DecodeError, Fields } from '../format/fields.ts';
import type { TerminalRequest, TerminalResult } from '../format/graph.ts';
import { asI32, asString, asU64, type Json, JsonNumber, JsonObject, jsonTypeName, member } from '../format/json.ts';
import type { PayloadRef } from '../format/payload.ts';
import { argumentsJson } from './normalize.ts';
import type { OperationRecord, ReducerState, ToolRecord } from './state.ts';
import { observe } from './tool-items.ts';
import { closeWindow } from './window.ts';

function makeOperation(
  state: ReducerState,
  tool: ToolRecord,
  request: TerminalRequest,
  processId: string | null,
  payloadId: string,
): void {
  const id = `terminal_operation:${state.operations.size + 1}`;
  const record: OperationRecord = {
    operation: {
      operation_id: id,
      terminal_id: null,
      tool_call_id: tool.call.tool_call_id,
      kind: request.type,
      execution: {
        started_at_unix_ms: state.now,
        started_seq: state.seq,
        ended_at_unix_ms: null,
        ended_seq: null,
        status: 'running',
      },
      request,
      result: null,
      model_observations: [],
      raw_payload_ids: [payloadId],
    },
    tool,
    processId: null,
    session: null,
  };
  state.operations.set(id, record);
  tool.operation = record;
  tool.call.terminal_operation_id = id;
  tool.call.summary = { type: 'terminal', operation_id: id };
  if (processId !== null) joinProcess(state, record, processId);
  observe(tool);
}

/** A write to a terminal that never reaches the runtime is known by its invocation alone (spec T9). */
export function operationFromInvocation(state: ReducerState, tool: ToolRecord, ref: PayloadRef, body: Json): void {
  const name = asString(member(body, 'tool_name'));
  const payload = member(body, 'payload');
  const type = asString(member(payload, 'type'));
  const invalid = (why: string): void =>
    state.fault('terminal_payload_invalid', `the write_stdin invocation ${ref.raw_payload_id} ${why}`, {
      file: ref.path,
    });
  if (name === null || type === null) return invalid('lacks a string tool_name or a string payload type');
  if (state.rules.namespacedStdinIgnored && typeof member(body, 'tool_namespace') === 'string') return;
  if (name !== 'write_stdin') return invalid(`names the tool ${name}, not write_stdin`);
  const text = member(payload, 'arguments');
  if (type !== 'function' || typeof text !== 'string')
    return invalid(`is a ${type} call, not a function call with arguments`);

  const given = stdinArguments(state, text);
  if (typeof given === 'string') {
    if (!state.rules.badStdinTolerated) invalid(`has arguments that ${given}: ${text.slice(0, 80)}`);
    return;
  }
  makeOperation(state, tool, given.request, given.session, ref.raw_payload_id);
}

const STDIN_FIELDS = ['session_id', 'chars', 'yield_time_ms', 'max_output_tokens'];

/** What a write asks for, or what is wrong with its arguments (rule G36). */
function stdinArguments(state: ReducerState, text: string): { request: TerminalRequest; session: string } | string {
  const value = argumentsJson(text, state.rules);
  if (value === undefined) return 'are not JSON';
  try {
    const fields = new Fields(value, STDIN_FIELDS, '');
    const session = sessionId(state, fields.get('session_id'));
    if (session === null) return 'have no usable session_id';
    const stdin = fields.has('chars') ? fields.string('chars') : '';
    const yield_time_ms = fields.optionalU64('yield_time_ms');
    const max_output_tokens = fields.optionalU64('max_output_tokens');
    return { request: { type: 'write_stdin', stdin, yield_time_ms, max_output_tokens }, session };
  } catch (error) {
    if (error instanceof DecodeError) return `do not fit (${error.message})`;
    throw error;
  }
}

/** A non-empty string, or a number as its text. */
function sessionId(state: ReducerState, value: Json | undefined): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (!(value instanceof JsonNumber)) return null;
  return state.rules.numbers === 'text' ? numberText(value.text) : doubleText(value.text);
}

/** The runtime starts a command or a write (spec T9). */
export function operationFromRuntime(
  state: ReducerState,
  tool: ToolRecord,
  kind: 'exec_command' | 'write_stdin',
  ref: PayloadRef,
  body: Json,
): void {
  if (tool.operation !== null) {
    state.fault(
      'terminal_duplicate',
      `the runtime of tool call ${tool.call.tool_call_id} starts another terminal operation beside ${tool.operation.operation.operation_id}`,
    );
    return;
  }
  const invalid = (field: string, expected: string): void =>
    state.fault(
      'terminal_payload_invalid',
      `${field} of the terminal start ${ref.raw_payload_id} is ${jsonTypeName(member(body, field))}, not ${expected}`,
      { file: ref.path, json_path: `/${field}` },
    );
  const command = member(body, 'command');
  const cwd = member(body, 'cwd');
  if (!Array.isArray(command) || !command.every((word) => typeof word === 'string'))
    return invalid('command', 'an array of strings');
  if (typeof cwd !== 'string') return invalid('cwd', 'a string');
  const optional = (key: string): string | null | undefined => {
    const value = member(body, key);
    return value === undefined || value === null ? null : typeof value === 'string' ? value : undefined;
  };
  const processId = optional('process_id');
  const input = optional('interaction_input');
  if (processId === undefined) return invalid('process_id', 'a string');
  if (input === undefined) return invalid('interaction_input', 'a string');
  const limits = { yield_time_ms: null, max_output_tokens: null };
  const request: TerminalRequest =
    kind === 'exec_command'
      ? { type: 'exec_command', command, display_command: command.join(' '), cwd, ...limits }
      : { type: 'write_stdin', stdin: input ?? '', ...limits };
  makeOperation(state, tool, request, processId, ref.raw_payload_id);
}

/** The operation learns the process it belongs to (spec T11, G33). */
function joinProcess(state: ReducerState, record: OperationRecord, processId: string): void {
  record.processId = processId;
  const { operation, tool } = record;
  const threadId = tool.call.thread_id;
  const own = state.rules.ownTerminalSessions;
  const key = own ? `${threadId.length}:${threadId}${processId}` : processId;
  const joins = !own || operation.kind === 'write_stdin';
  const known = joins ? state.sessionByProcess.get(key) : undefined;
  if (known === undefined) {
    const terminalId = own ? `terminal_session:${operation.operation_id}` : processId;
    record.session = {
      terminal_id: terminalId,
      thread_id: threadId,
      created_by_operation_id: operation.operation_id,
      operation_ids: [operation.operation_id],
      execution: {
        started_at_unix_ms: operation.execution.started_at_unix_ms,
        started_seq: operation.execution.started_seq,
        ended_at_unix_ms: null,
        ended_seq: null,
        status: 'running',
      },
    };
    state.sessions.set(terminalId, record.session);
    state.sessionByProcess.set(key, record.session);
  } else {
    if (!own && known.thread_id !== threadId) {
      state.fault(
        'terminal_thread_mismatch',
        `terminal ${processId} belongs to thread ${known.thread_id}, but thread ${threadId} uses it`,
      );
      return;
    }
    // A session that lost its last operation comes back under its old name (spec T12).
    state.sessions.set(known.terminal_id, known);
    record.session = known;
    known.operation_ids.push(operation.operation_id);
  }
  operation.terminal_id = record.session.terminal_id;
}

/** Where a write went: the operation leaves its session for that of the command (spec T12). */
export function moveToSession(state: ReducerState, stdin: OperationRecord, exec: OperationRecord): void {
  if (exec.session === null) return;
  if (stdin.session !== null) {
    const { operation_ids: ids, terminal_id } = stdin.session;
    const at = ids.lastIndexOf(stdin.operation.operation_id);
    if (at >= 0) ids.splice(at, 1);
    if (ids.length === 0) state.sessions.delete(terminal_id);
  }
  stdin.session = exec.session;
  stdin.processId = exec.processId;
  state.sessions.set(exec.session.terminal_id, exec.session);
  exec.session.operation_ids.push(stdin.operation.operation_id);
  stdin.operation.terminal_id = exec.session.terminal_id;
}

/** The operation ended, by its runtime or, where it had none, by its tool (spec T8, T10). */
export function endOperation(
  state: ReducerState,
  record: OperationRecord,
  status: ExecutionStatus,
  ref: PayloadRef | null,
  body: Json | undefined,
): void {
  const { operation } = record;
  closeWindow(state, operation.execution, status);
  if (ref === null) return;
  state.addOnce(operation.raw_payload_ids, ref.raw_payload_id);
  if (body === undefined) return;
  const protocol = protocolResult(state, body);
  if (typeof protocol !== 'string') {
    operation.result = protocol.result;
    learnProcess(state, record, protocol.processId);
    return;
  }
  if (operation.kind === 'exec_command') {
    state.fault('terminal_payload_invalid', `the end of a command ${ref.raw_payload_id} ${protocol}`, {
      file: ref.path,
    });
    return;
  }
  const dispatch = dispatchResult(state, body);
  if (dispatch !== null) operation.result = dispatch;
  else {
    state.fault(
      'terminal_payload_invalid',
      `the end of a write ${ref.raw_payload_id} is no runtime event (it ${protocol}) and no tool result`,
      { file: ref.path },
    );
  }
}

function learnProcess(state: ReducerState, record: OperationRecord, processId: string | null): void {
  if (processId === null || processId === record.processId) return;
  if (record.processId === null) joinProcess(state, record, processId);
  else {
    state.fault(
      'terminal_process_changed',
      `${record.operation.operation_id} started in process ${record.processId}, but ends in process ${processId}`,
    );
  }
}

const NO_RESULT = { formatted_output: null, original_token_count: null, chunk_id: null };

/** The runtime's own event of an end, or what it lacks (spec T10, G35). */
function protocolResult(
  state: ReducerState,
  body: Json,
): { result: TerminalResult; processId: string | null } | string {
  const exit_code = asI32(member(body, 'exit_code'));
  if (exit_code === null) return 'has no 32-bit exit_code';
  const process = member(body, 'process_id') ?? null;
  if (process !== null && typeof process !== 'string') return 'has a process_id that is not a string';
  if (state.rules.aggregatedOutput) {
    const output = body instanceof JsonObject && body.has('aggregated_output') ? body.get('aggregated_output') : '';
    if (typeof output !== 'string') return 'has an aggregated_output that is not a string';
    return { result: { exit_code, stdout: output, stderr: '', ...NO_RESULT }, processId: process };
  }
  const stdout = member(body, 'stdout');
  const stderr = member(body, 'stderr');
  const formatted = member(body, 'formatted_output');
  if (typeof stdout !== 'string' || typeof stderr !== 'string' || typeof formatted !== 'string') {
    return 'lacks one of the strings stdout, stderr and formatted_output';
  }
  return { result: { exit_code, stdout, stderr, ...NO_RESULT, formatted_output: formatted }, processId: process };
}

/** What the tool gave to the model or the code cell, or null where it is neither (spec T10). */
function dispatchResult(state: ReducerState, body: Json): TerminalResult | null {
  const shown = (text: string): TerminalResult => ({
    exit_code: null,
    stdout: text,
    stderr: '',
    ...NO_RESULT,
    formatted_output: text,
  });
  const compact = (value: Json): string => compactJson(value, state.rules.numbers);
  switch (member(body, 'type')) {
    case 'direct_response': {
      const item = member(body, 'response_item');
      return item === undefined ? null : shown(responseText(item, compact));
    }
    case 'code_mode_response': {
      const value = member(body, 'value');
      if (value === undefined) return null;
      return structuredResult(value) ?? shown(outputText(value) ?? compact(value));
    }
    case 'error': {
      const error = member(body, 'error');
      if (typeof error !== 'string') return null;
      return { exit_code: null, stdout: '', stderr: error, ...NO_RESULT, formatted_output: error };
    }
    default:
      return null;
  }
}

/** The text of a tool output: a string, or the texts of a list's parts; null where there is none. */
function outputText(output: Json | undefined): string | null {
  if (typeof output === 'string') return output;
  if (!Array.isArray(output)) return null;
  const texts = output.map((part) => member(part, 'text')).filter((text) => typeof text === 'string');
  return texts.length > 0 ? texts.join('\n') : null;
}

function responseText(item: Json, compact: (value: Json) => string): string {
  const output = member(item, 'output') ?? null;
  if (output === null || Array.isArray(output)) return outputText(output) ?? compact(item);
  return outputText(output) ?? compact(output);
}

function structuredResult(value: Json): TerminalResult | null {
  const output = member(value, 'output');
  if (typeof output !== 'string') return null;
  const chunk = member(value, 'chunk_id') ?? null;
  const exit = member(value, 'exit_code') ?? null;
  const count = member(value, 'original_token_count') ?? null;
  const exit_code = exit === null ? null : asI32(exit);
  const original_token_count = count === null ? null : asU64(count);
  if ((chunk !== null && typeof chunk !== 'string') || (exit !== null && exit_code === null)) return null;
  if (count !== null && original_token_count === null) return null;
  return { exit_code, stdout: output, stderr: '', formatted_output: output, original_token_count, chunk_id: chunk };
}
