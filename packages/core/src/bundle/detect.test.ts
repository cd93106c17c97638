// How a bundle tells its generation: docs/generations.md, H1 to H13.

import { describe, expect, it } from 'vitest';
import { type Json, member, parseJson } from '../format/json.ts';
import { detectGeneration } from './detect.ts';

type Event = Record<string, unknown>;

const parsed = (value: unknown): Json | undefined =>
  value === undefined ? undefined : parseJson(JSON.stringify(value));

/** What the events are taken for; undefined is a line that cannot be read. A payload stands in its event as `body`. */
function detected(schemaVersion: number | null, ...events: (Event | undefined)[]): [string, boolean] {
  const { generation, certain } = detectGeneration(schemaVersion, events.map(parsed), (ref) => member(ref, 'body'));
  return [generation, certain];
}

const SURE = true;
const GUESS = false;
const ref = (body: unknown) => ({ raw_payload_id: 'raw_payload:1', path: 'payloads/1.json', body });

const runtimeStart = (more = {}) => ({ type: 'tool_call_runtime_started', tool_call_id: 't', ...more });
const runtimeEnd = (body: unknown) => ({
  type: 'tool_call_runtime_ended',
  tool_call_id: 't',
  runtime_payload: ref(body),
});
const withKind = runtimeStart({ kind: { type: 'exec_command' } });
const cell = { type: 'code_cell_started' };
const exec = {
  type: 'tool_call_started',
  tool_call_id: 'e',
  requester: { type: 'model' },
  kind: { type: 'other', name: 'exec' },
};
const ended = { type: 'rollout_ended' };
const request = (id: string, body: unknown = {}) => ({
  type: 'inference_started',
  inference_call_id: id,
  request_payload: ref(body),
});
const response = (more = {}, body: unknown = {}) => ({
  type: 'inference_completed',
  response_payload: ref(body),
  ...more,
});
const observed = (event_type: string, body: unknown) => ({
  type: 'protocol_event_observed',
  event_type,
  event_payload: ref(body),
});
const late = observed('turn_started', { turn_attribution: {} });
const checkpoint = (metadata: unknown) => ({
  type: 'compaction_installed',
  checkpoint_payload: ref({
    input_history: [],
    replacement_history: [{ internal_chat_message_metadata_passthrough: metadata }],
  }),
});

describe('a bundle of schema 2', () => {
  it('H1: with recording_completed, or an acceptance that may carry a message, is of 0.169', () => {
    expect(detected(2, { type: 'recording_completed' })).toEqual(['0.169', SURE]);
    expect(detected(2, { type: 'history_item_accepted', item_id: 'a', agent_message_payload: null })).toEqual([
      '0.169',
      SURE,
    ]);
  });

  it('H2: with a runtime start without a kind is of 0.165', () => {
    expect(detected(2, runtimeStart(), ended)).toEqual(['0.165', SURE]);
  });

  it('H3: with code cells is of 0.169 where their exec tool is recorded, else of 0.166 or 0.165', () => {
    expect(detected(2, cell, exec)).toEqual(['0.169', SURE]);
    expect(detected(2, cell, withKind)).toEqual(['0.166', SURE]);
    expect(detected(2, cell, { ...exec, requester: { type: 'code_cell' } })).toEqual(['0.166', GUESS]);
  });

  it('H4: that ends without recording_completed is taken for 0.166, as 0.169 stopped before its last event looks the same', () => {
    expect(detected(2, withKind, ended)).toEqual(['0.166', GUESS]);
    expect(detected(2, { type: 'thread_resumed' }, ended)).toEqual(['0.166', GUESS]);
    expect(detected(2, ended)).toEqual(['0.166', GUESS]);
  });

  it('H4: is told surely, ended or not, by what only one generation records', () => {
    expect(detected(2, cell, withKind, ended)).toEqual(['0.166', SURE]);
    expect(detected(2, cell, exec, ended)).toEqual(['0.169', SURE]);
    expect(detected(2, runtimeStart(), ended)).toEqual(['0.165', SURE]);
  });

  it('H4: is taken for 0.169 where a line behind the end cannot be read any more', () => {
    expect(detected(2, withKind, ended, undefined)).toEqual(['0.169', GUESS]);
    expect(detected(2, undefined, withKind, ended)).toEqual(['0.166', GUESS]);
    expect(detected(2, runtimeStart(), ended, undefined)).toEqual(['0.165', SURE]);
  });

  it('H5: that was cut off before any of this is taken for 0.169', () => {
    expect(detected(2)).toEqual(['0.169', GUESS]);
    expect(detected(2, withKind)).toEqual(['0.169', GUESS]);
  });
});

describe('a bundle of schema 1', () => {
  it('H6: with stdin_target_resolved is of 0.164', () => {
    expect(detected(1, { type: 'stdin_target_resolved' })).toEqual(['0.164', SURE]);
  });

  it('H7: whose commands end without stdout, or whose turns are attributed, is of 0.163 or 0.164', () => {
    const commandEnd = runtimeEnd({ exit_code: 0, aggregated_output: '' });
    expect(detected(1, commandEnd)).toEqual(['0.164', GUESS]);
    expect(detected(1, late)).toEqual(['0.164', GUESS]);
    expect(detected(1, late, runtimeEnd({ exit_code: 0, aggregated_output: '', stdout: '' }), request('u'))).toEqual([
      '0.140',
      SURE,
    ]);
  });

  it('H7: of these two, compacted items tell by their metadata', () => {
    expect(detected(1, late, checkpoint({ content_item_metadata: {} }))).toEqual(['0.164', SURE]);
    expect(detected(1, late, checkpoint({ other: 1 }))).toEqual(['0.163', SURE]);
  });

  it('H7: of these two, a completed write whose target was not resolved is of 0.163', () => {
    const write = {
      type: 'tool_call_started',
      tool_call_id: 'w',
      kind: { type: 'write_stdin' },
      requester: { type: 'model' },
    };
    const end = (status: string) => ({ type: 'tool_call_ended', tool_call_id: 'w', status });
    expect(detected(1, late, write, end('completed'))).toEqual(['0.163', SURE]);
    expect(detected(1, late, write, end('failed'))).toEqual(['0.164', GUESS]);
  });

  it('H8: that counts tokens written to the cache, or names the root turn, is of 0.150', () => {
    expect(detected(1, request('u'), response({}, { token_usage: { cache_write_input_tokens: 0 } }))).toEqual([
      '0.150',
      SURE,
    ]);
    expect(detected(1, request('u', { client_metadata: { root_turn_id: 'U' } }))).toEqual(['0.150', SURE]);
  });

  it('H9: with MCP correlations, unique inference ids or a configured thread id is of 0.140', () => {
    expect(detected(1, { type: 'mcp_tool_call_correlation_assigned' })).toEqual(['0.140', SURE]);
    expect(detected(1, request('8d0c'))).toEqual(['0.140', SURE]);
    expect(detected(1, observed('session_configured', { thread_id: 'T' }))).toEqual(['0.140', SURE]);
  });

  it('H10: with counted inference ids is of 0.128 if it has what 0.125 has not', () => {
    const counted = request('inference:1');
    expect(detected(1, counted, { type: 'inference_cancelled' })).toEqual(['0.128', SURE]);
    expect(detected(1, counted, response({ upstream_request_id: null }))).toEqual(['0.128', SURE]);
    expect(detected(1, counted, cell)).toEqual(['0.128', SURE]);
  });

  it('H11: whose inferences end without an upstream id is of 0.125', () => {
    expect(detected(1, request('inference:1'), response())).toEqual(['0.125', SURE]);
  });

  it('H12: without an inference that ended tells by its configuration', () => {
    expect(detected(1, observed('session_configured', { sandbox_policy: {} }))).toEqual(['0.125', SURE]);
    expect(detected(1, observed('session_configured', {}))).toEqual(['0.128', SURE]);
    expect(detected(1, request('inference:1'))).toEqual(['0.128', GUESS]);
  });

  it('H13: in which nothing tells is taken for 0.164', () => {
    expect(detected(1)).toEqual(['0.164', GUESS]);
  });
});

describe('a bundle whose manifest is no help', () => {
  it('H14: is of schema 2 where an event is that only schema 2 has', () => {
    expect(detected(null, { type: 'history_item_accepted' }, ended)[0]).toBe('0.166');
    expect(detected(null, withKind)[0]).toBe('0.169');
    expect(detected(null)[0]).toBe('0.164');
  });

  it('H14: of a newer schema is read with the newest rules, and never surely', () => {
    expect(detected(3, { type: 'recording_completed' })).toEqual(['0.169', GUESS]);
  });
});
