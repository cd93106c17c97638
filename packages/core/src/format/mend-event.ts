/**
 * An event that does not decode, read as far as it is known: salvage puts what it can answer for in the place of what it
 * cannot read, and tells (`docs/reducer.md`). Nothing that an object is known by is ever made up: without its id, its
 * time or the payload it needs, the event is left out.
 *
 * Not here: decoding (`decode-event.ts`), telling (`bundle/replay.ts`).
 */

import { type DecodeError, GIVEN_ONCE } from './fields.ts';
import type { GenerationRules } from './generation.ts';
import { type Int64, type Json, JsonNumber, JsonObject, member } from './json.ts';

/** What is known of an event before it is read. */
export interface MendContext {
  rules: GenerationRules;
  /** The seq that comes next: the place of the event in the log says as much. */
  nextSeq: Int64;
  rolloutId: string;
}

export interface MendedEvent {
  value: Json;
  rules: GenerationRules;
}

/** A runtime cell of this id stands for a requester that could not be read. */
export const UNREAD_REQUESTER = '';

/**
 * The event without the fault that was found first; decode it again.
 *
 * @returns null where the fault cannot be mended
 */
export function mendEvent(value: Json, fault: DecodeError, context: MendContext): MendedEvent | null {
  const { rules } = context;
  const path = fault.path.split('/').slice(1);
  const [first = '', field = '', ...below] = path;
  const put = (place: string[], replacement: Json | undefined): MendedEvent | null => {
    const mended = replacement === undefined ? null : replaced(value, place, replacement);
    return mended === null ? null : { value: mended, rules };
  };
  if (fault.expected === GIVEN_ONCE) {
    const mended = withoutRepetitions(value, path.slice(0, -1));
    return mended === null ? null : { value: mended, rules };
  }
  if (first !== 'payload') return put([first], envelopeField(first, context));
  const payload = member(value, 'payload');
  const type = String(member(payload, 'type'));
  if (field === 'kind' && type === 'tool_call_runtime_started' && typeof wordOf(member(payload, 'kind')) !== 'string') {
    // The kind of the dispatch stays.
    return { value, rules: { ...rules, runtimeKind: 'dispatch' } };
  }
  if (below[0] === 'kind' && field.endsWith('_payload'))
    return put(['payload', field, 'kind'], object('protocol_event'));
  return put(['payload', field], payloadField(type, field, member(payload, field)));
}

function envelopeField(name: string, { rules, nextSeq, rolloutId }: MendContext): Json | undefined {
  switch (name) {
    case 'schema_version':
      return new JsonNumber(String(rules.stateSchemaVersion));
    case 'seq':
      return new JsonNumber(String(nextSeq));
    case 'rollout_id':
      return rolloutId;
    case 'thread_id':
    case 'codex_turn_id':
      return null;
    default:
      return undefined;
  }
}

/** What stands for a field that cannot be read; undefined where nothing does. */
function payloadField(type: string, field: string, written: Json | undefined): Json | undefined {
  switch (field) {
    // A window may be closed without a word for how it ended.
    case 'status':
      return 'running';
    case 'kind':
      return type.startsWith('tool_call') ? object('other', ['name', wordOf(written) ?? '']) : undefined;
    case 'requester':
      return object('code_cell', ['runtime_cell_id', UNREAD_REQUESTER]);
    case 'summary':
      return type === 'tool_call_started' ? object('generic', ['label', wordOf(written) ?? '']) : undefined;
    case 'metadata_payload':
    case 'agent_message_payload':
    case 'partial_response_payload':
    case 'invocation_payload':
    case 'result_payload':
    case 'carried_payload':
    case 'response_id':
    case 'upstream_request_id':
    case 'model_visible_call_id':
    case 'code_mode_runtime_tool_id':
      return null;
    case 'response_payload':
      return type.startsWith('code_cell') ? null : undefined;
    // Words that describe; nothing is known by them.
    case 'model':
    case 'provider_name':
    case 'error':
    case 'reason':
    case 'agent_path':
    case 'source_js':
    case 'event_type':
      return '';
    // Never a turn that started: the object is kept without one.
    case 'codex_turn_id':
      return type.startsWith('codex_turn') ? undefined : '';
    default:
      return undefined;
  }
}

/** The word of a tagged value, also where the tag stands alone. */
function wordOf(value: Json | undefined): string | undefined {
  const word = value instanceof JsonObject ? value.get('type') : value;
  return typeof word === 'string' ? word : undefined;
}

function object(type: string, ...members: [string, Json][]): JsonObject {
  const made = new JsonObject();
  made.set('type', type);
  for (const [key, value] of members) made.set(key, value);
  return made;
}

/** The value with another one at a place; null where the way there does not lead through objects. */
function replaced(value: Json, [key, ...rest]: string[], replacement: Json): Json | null {
  if (key === undefined) return replacement;
  if (!(value instanceof JsonObject)) return null;
  const inner = rest.length === 0 ? replacement : replaced(value.get(key) ?? null, rest, replacement);
  if (inner === null && rest.length > 0) return null;
  const copy = value.without(key);
  const made = copy === value ? copyOf(value) : copy;
  made.set(key, inner);
  return made;
}

function copyOf(value: JsonObject): JsonObject {
  const copy = new JsonObject();
  for (const [at, key] of value.keys.entries()) copy.set(key, value.values[at] as Json);
  return copy;
}

/** The value with an object at a place whose repeated keys are forgotten: the last value of each counts. */
function withoutRepetitions(value: Json, place: string[]): Json | null {
  let at: Json | undefined = value;
  for (const key of place) at = member(at, key);
  return at instanceof JsonObject ? replaced(value, place, copyOf(at)) : null;
}
