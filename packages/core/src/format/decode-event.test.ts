// From a line of the log to an event: docs/format.md, sections 2 and 3.

import { describe, expect, it } from 'vitest';
import { decodeEvent, decodeManifest, EVENT_FIELDS, payloadRefs, UnknownEventError } from './decode-event.ts';
import type { EventType } from './event.ts';
import { DecodeError } from './fields.ts';
import { GENERATION_RULES } from './generation.ts';
import { parseJson } from './json.ts';

const RULES = GENERATION_RULES['0.169'];
const REF = { raw_payload_id: 'raw_payload:1', kind: { type: 'protocol_event' }, path: 'payloads/1.json' };

const ENVELOPE = {
  schema_version: 2,
  seq: 1,
  wall_time_unix_ms: 5,
  rollout_id: 'r',
  thread_id: 'T',
  codex_turn_id: 'U',
};

/** A valid value for each field, by its name. */
const VALUES: Record<string, unknown> = {
  status: 'completed',
  kind: { type: 'exec_command' },
  requester: { type: 'model' },
  summary: { type: 'generic', label: 'l', input_preview: null, output_preview: null },
  payloads: [REF],
  metadata: { any: 1 },
};
const sample = (type: string, field: string): unknown => {
  if (type === 'other' && (field === 'kind' || field === 'summary')) return 'text';
  return VALUES[field] ?? (field.endsWith('_payload') ? REF : 'text');
};

const eventOf = (type: EventType, change: Record<string, unknown> = {}) => ({
  ...ENVELOPE,
  payload: { type, ...Object.fromEntries(EVENT_FIELDS[type].map((field) => [field, sample(type, field)])), ...change },
});
const decode = (event: unknown) => decodeEvent(parseJson(JSON.stringify(event)), RULES);

/** The path in the error by which an event is refused. */
function refusedAt(event: unknown): string | null {
  try {
    decode(event);
    return null;
  } catch (error) {
    if (error instanceof DecodeError) return error.path;
    throw error;
  }
}

const TYPES = Object.keys(EVENT_FIELDS) as EventType[];
const FIELDS = TYPES.flatMap((type) => EVENT_FIELDS[type].map((field) => [type, field] as const));
const OPTIONAL = new Set([
  'thread_started.metadata_payload',
  'history_item_accepted.agent_message_payload',
  'inference_completed.response_id',
  'inference_completed.upstream_request_id',
  'inference_failed.upstream_request_id',
  'inference_failed.partial_response_payload',
  'inference_cancelled.upstream_request_id',
  'inference_cancelled.partial_response_payload',
  'tool_call_started.model_visible_call_id',
  'tool_call_started.code_mode_runtime_tool_id',
  'tool_call_started.invocation_payload',
  'tool_call_ended.result_payload',
  'code_cell_initial_response.response_payload',
  'code_cell_ended.response_payload',
  'agent_result_observed.carried_payload',
]);

describe('a line of the log', () => {
  it.each(TYPES)('D3: %s decodes with all its fields', (type) => {
    expect(decode(eventOf(type)).payload).toMatchObject({ type });
  });

  it.each(FIELDS)('D3: %s without %s is refused unless the field is optional', (type, field) => {
    const isOptional = OPTIONAL.has(`${type}.${field}`);
    expect(refusedAt(eventOf(type, { [field]: undefined }))).toBe(isOptional ? null : `/payload/${field}`);
    if (isOptional) expect(decode(eventOf(type, { [field]: null })).payload).toMatchObject({ [field]: null });
  });

  it.each(FIELDS.filter(([type, field]) => `${type}.${field}` !== 'other.metadata'))(
    'D3: %s with a number as %s is refused',
    (type, field) => {
      expect(refusedAt(eventOf(type, { [field]: 7 }))).toMatch(`/payload/${field}`);
    },
  );

  it.each(Object.keys(ENVELOPE))('D3: an envelope without %s is refused unless it is thread or turn', (field) => {
    const isOptional = field === 'thread_id' || field === 'codex_turn_id';
    expect(refusedAt({ ...eventOf('recording_completed'), [field]: undefined })).toBe(isOptional ? null : `/${field}`);
  });

  it.each([
    ['rollout_ended', { status: 'cancelled' }, '/payload/status'],
    ['codex_turn_ended', { status: 'terminated' }, '/payload/status'],
    ['code_cell_ended', { status: 'cancelled' }, '/payload/status'],
    ['tool_call_started', { requester: { type: 'user' } }, '/payload/requester/type'],
    ['tool_call_started', { kind: { type: 'mcp', server: 's' } }, '/payload/kind/tool'],
    ['tool_call_started', { summary: { type: 'wait_agent', timeout_ms: -1 } }, '/payload/summary/timeout_ms'],
    ['inference_started', { request_payload: { ...REF, kind: 'protocol_event' } }, '/payload/request_payload/kind'],
    ['inference_started', { request_payload: { ...REF, kind: { type: 'x' } } }, '/payload/request_payload/kind/type'],
    ['other', { payloads: [REF, { ...REF, path: 1 }] }, '/payload/payloads/1/path'],
  ] as const)('D3: the error of %s with %j names the place', (type, change, path) => {
    expect(refusedAt(eventOf(type, change))).toBe(path);
  });

  it('D3: an unknown type is told apart from a broken event', () => {
    expect(() => decode({ ...ENVELOPE, payload: { type: 'rollout_paused' } })).toThrow(UnknownEventError);
    expect(() => decode({ ...ENVELOPE, payload: { type: 7 } })).not.toThrow(UnknownEventError);
  });

  it('D3: unknown fields are ignored at every level, known ones may not come twice', () => {
    expect(refusedAt({ ...eventOf('rollout_ended', { added: 1 }), added: 1 })).toBeNull();
    const text = JSON.stringify(eventOf('rollout_ended'));
    const twice = (field: string) => () => decodeEvent(parseJson(text.replace('"seq":1', `"seq":1,${field}`)), RULES);
    expect(twice('"x":1,"x":2')).not.toThrow();
    expect(twice('"seq":1')).toThrow('/seq must be given once');
  });
});

describe('leniencies of the reference', () => {
  it('D13: a structure may be an array of its fields in order, the tag first', () => {
    const ref = ['raw_payload:1', { type: 'protocol_event' }, 'payloads/1.json'];
    const line = [2, 1, 5, 'r', 'T', 'U', ['tool_call_runtime_ended', 't', 'completed', ref]];
    expect(decode(line)).toEqual(
      decode({
        ...ENVELOPE,
        payload: { type: 'tool_call_runtime_ended', tool_call_id: 't', status: 'completed', runtime_payload: REF },
      }),
    );
    expect(decodeManifest(parseJson('[2,"t","r","T",5,"l","p"]')).rollout_id).toBe('r');
  });

  it('D13: an array with more fields than the structure has is refused', () => {
    expect(refusedAt([2, 1, 5, 'r', 'T', 'U', { type: 'recording_completed' }, 'more'])).toBe('');
  });

  it('D13: a word may be an object with null behind it', () => {
    expect(decode(eventOf('rollout_ended', { status: { failed: null } })).payload).toMatchObject({ status: 'failed' });
    expect(refusedAt(eventOf('rollout_ended', { status: { failed: 1 } }))).toBe('/payload/status');
  });

  it('D14: times are signed, seq is not, both have 64 bits and keep their digits', () => {
    const line = (change: string) => () =>
      decodeEvent(
        parseJson(JSON.stringify(eventOf('recording_completed')).replace(/"seq":1,"wall_time_unix_ms":5/, change)),
        RULES,
      );
    expect(line('"seq":18446744073709551615,"wall_time_unix_ms":-9223372036854775808')()).toMatchObject({
      seq: 18446744073709551615n,
      wall_time_unix_ms: -9223372036854775808n,
    });
    expect(line('"seq":-1,"wall_time_unix_ms":5')).toThrow('/seq');
    expect(line('"seq":1.0,"wall_time_unix_ms":5')).toThrow('/seq');
    expect(line('"seq":1,"wall_time_unix_ms":1e3')).toThrow('/wall_time_unix_ms');
  });
});

describe('payload references', () => {
  it('D12: are those of the event in field order; `other` has none', () => {
    for (const type of TYPES) {
      const expected = type === 'other' ? 0 : EVENT_FIELDS[type].filter((field) => field.endsWith('_payload')).length;
      expect(payloadRefs(decode(eventOf(type))), type).toHaveLength(expected);
    }
  });

  it('M1: a manifest needs all seven fields, each of its type', () => {
    const manifest = {
      schema_version: 2,
      trace_id: 't',
      rollout_id: 'r',
      root_thread_id: 'T',
      started_at_unix_ms: 5,
      raw_event_log: 'l',
      payloads_dir: 'p',
    };
    const read = (change: object) => () => decodeManifest(parseJson(JSON.stringify({ ...manifest, ...change })));
    expect(read({ added: 1 })()).toEqual(manifest);
    for (const field of Object.keys(manifest)) {
      expect(read({ [field]: undefined })).toThrow(`/${field}`);
      expect(read({ [field]: {} })).toThrow(`/${field}`);
    }
  });
});
