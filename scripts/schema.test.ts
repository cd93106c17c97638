// The published JSON Schemas: made from the types, true to the recorded bundles, and able to say no.

import { readdirSync, readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { beforeAll, expect, it, test } from 'vitest';
import { schemaFile, schemaTexts } from './schema.mjs';

const bundles = readdirSync('fixtures/bundles', { recursive: true, encoding: 'utf8' })
  .map((name) => `fixtures/bundles/${name.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('/manifest.json'))
  .map((path) => path.slice(0, -'/manifest.json'.length));

const validate: Record<string, ValidateFunction> = {};

beforeAll(() => {
  // Strict about the schemas themselves: an unknown keyword or a required field without a definition is an error.
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: false });
  for (const name of ['manifest', 'event', 'state']) {
    validate[name] = ajv.compile(JSON.parse(readFileSync(schemaFile(name), 'utf8')));
  }
});

function faults(name: string, value: unknown): unknown[] {
  return validate[name]!(value) ? [] : (validate[name]!.errors ?? []);
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const firstEvent = (type: string) => {
  for (const bundle of bundles) {
    const line = readFileSync(`${bundle}/trace.jsonl`, 'utf8')
      .split('\n')
      .find((text) => text.includes(`"payload":{"type":"${type}"`));
    if (line !== undefined) return JSON.parse(line);
  }
  throw new Error(`no fixture has an event ${type}`);
};

test('the published schemas are those of the types: `npm run schema` makes them anew', () => {
  for (const [name, text] of schemaTexts()) expect(readFileSync(schemaFile(name), 'utf8'), name).toBe(text);
}, 60_000);

it('every fixture manifest is valid', () => {
  expect(bundles.length).toBeGreaterThan(30);
  for (const bundle of bundles) expect(faults('manifest', json(`${bundle}/manifest.json`)), bundle).toEqual([]);
});

it('every line of every fixture log is valid', () => {
  for (const bundle of bundles) {
    for (const [at, line] of readFileSync(`${bundle}/trace.jsonl`, 'utf8').trimEnd().split('\n').entries()) {
      expect(faults('event', JSON.parse(line)), `${bundle}:${at + 1}`).toEqual([]);
    }
  }
});

it('the expected state of every fixture is valid, whatever its generation', () => {
  const states = bundles.filter((bundle) => readdirSync(bundle).includes('expected-state.json'));
  expect(new Set(states.map((bundle) => bundle.split('/')[2])).size).toBeGreaterThanOrEqual(9);
  for (const bundle of states) expect(faults('state', json(`${bundle}/expected-state.json`)), bundle).toEqual([]);
});

it.each([
  ['lacks its rollout id', (m: Record<string, unknown>) => delete m.rollout_id],
  ['starts at a text', (m: Record<string, unknown>) => Object.assign(m, { started_at_unix_ms: '1' })],
  ['starts at a fraction', (m: Record<string, unknown>) => Object.assign(m, { started_at_unix_ms: 1.5 })],
])('a manifest that %s is not valid', (_, spoil) => {
  const manifest = json(`${bundles[0]}/manifest.json`);
  spoil(manifest);
  expect(faults('manifest', manifest)).not.toEqual([]);
});

it.each([
  ['of an unknown type', 'rollout_started', { type: 'rollout_paused' }],
  ['with an unknown status', 'codex_turn_ended', { status: 'paused' }],
  ['without a field it needs', 'inference_started', { model: undefined }],
  [
    'whose payload has no path',
    'inference_started',
    { request_payload: { raw_payload_id: 'raw_payload:1', kind: {} } },
  ],
  ['with an unknown tool kind', 'tool_call_started', { kind: { type: 'exec' } }],
])('an event %s is not valid', (_, type, change) => {
  const event = firstEvent(type);
  expect(faults('event', event)).toEqual([]);
  Object.assign(event.payload, change);
  for (const [key, value] of Object.entries(change)) if (value === undefined) delete event.payload[key];
  expect(faults('event', event)).not.toEqual([]);
});

it('an event may leave out what is null, and may carry fields of newer recorders', () => {
  const event = firstEvent('thread_ended');
  delete event.thread_id;
  delete event.codex_turn_id;
  expect(faults('event', { ...event, added_later: 1 })).toEqual([]);
});

it.each([
  ['lacks a map', (s: Record<string, unknown>) => delete s.tool_calls],
  ['has a field of no generation', (s: Record<string, unknown>) => Object.assign(s, { summary: '' })],
  ['has an unknown status', (s: Record<string, unknown>) => Object.assign(s, { status: 'paused' })],
  ['has a third schema version', (s: Record<string, unknown>) => Object.assign(s, { schema_version: 3 })],
  ['has a list where a map belongs', (s: Record<string, unknown>) => Object.assign(s, { threads: [1] })],
])('a state that %s is not valid', (_, spoil) => {
  const state = json('fixtures/bundles/0.169.0/plain/expected-state.json');
  spoil(state);
  expect(faults('state', state)).not.toEqual([]);
});
