// Bundles are hostile input: whatever their files are like, a reduction ends with a finding. How much time and memory it
// takes at most is measured by packages/core/fuzz/heavy.mjs.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReducedBundle, reduceBundle } from '../bundle/replay.ts';
import { type FindingCode, TraceError } from '../format/finding.ts';
import { graphViolations } from '../reducer/invariants.ts';
import {
  BASE,
  Body,
  bundleFiles,
  event,
  inferenceCompleted,
  inferenceStarted,
  output,
  type Sketch,
  threadEnded,
  toolEnded,
  toolStarted,
  user,
} from '../reducer/testing/scenario.ts';
import { directorySource } from './directory-source.ts';

const PATIENCE_MS = 60_000;
const MIB = 2 ** 20;

let outer: string;
let bundle: string;

beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'rollout-trace-'));
  bundle = join(outer, 'bundle');
});

afterEach(() => rmSync(outer, { recursive: true }));

function write(sketches: readonly Sketch[]): void {
  for (const [path, bytes] of bundleFiles(sketches)) {
    mkdirSync(dirname(join(bundle, path)), { recursive: true });
    writeFileSync(join(bundle, path), bytes);
  }
}

function salvaged(): ReducedBundle {
  const reduced = reduceBundle(directorySource(bundle), { mode: 'salvage' });
  expect(graphViolations(reduced.graph)).toEqual([]);
  return reduced;
}

function errors({ findings }: ReducedBundle): FindingCode[] {
  return findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
}

function refusal(): FindingCode | null {
  try {
    reduceBundle(directorySource(bundle), { mode: 'strict' });
    return null;
  } catch (error) {
    if (error instanceof TraceError) return error.code;
    throw error;
  }
}

/** A protocol event, whose payload is only checked. */
const unread = (payload = new Body('{}')): Sketch =>
  event('protocol_event_observed', { event_type: 'x', event_payload: payload });

const named = (path: string): Sketch =>
  event('protocol_event_observed', {
    event_type: 'x',
    event_payload: { raw_payload_id: 'odd', kind: { type: 'protocol_event' }, path },
  });

describe('a payload path that leaves the bundle', () => {
  it.each([
    '../secret.json',
    'payloads/../../secret.json',
    '/etc/hostname',
    '//host/share/secret.json',
    '..\\secret.json',
    'payloads\\..\\..\\secret.json',
    'C:/secret.json',
    'C:secret.json',
    'payloads/1.json\0.txt',
    '',
    '..',
    '/',
  ])('%j is refused, in strict mode as well', (path) => {
    write([...BASE, inferenceStarted('I', [user('hi')]), named(path), threadEnded()]);
    writeFileSync(join(outer, 'secret.json'), '{}');
    expect(refusal()).toBe('payload_outside');
    const reduced = salvaged();
    expect(errors(reduced)).toEqual(['payload_outside']);
    expect(reduced.graph.threads.get('T')?.execution.status).toBe('completed');
  });

  it('is refused where the reducer would read it', () => {
    const request_payload = { raw_payload_id: 'r', kind: { type: 'inference_request' }, path: '../secret.json' };
    write([
      ...BASE,
      { ...inferenceStarted('I', []), payload: { ...inferenceStarted('I', []).payload, request_payload } },
    ]);
    writeFileSync(join(outer, 'secret.json'), JSON.stringify({ input: [user('secret')] }));
    expect(refusal()).toBe('payload_outside');
    const { graph } = salvaged();
    expect([...graph.inference_calls.keys()]).toEqual(['I']);
    expect(graph.conversation_items.size).toBe(0);
  });
});

describe('a symbolic link in the place of', () => {
  it.each(['payloads/1.json', 'payloads', 'trace.jsonl', 'manifest.json'])(
    '%s is refused, in strict mode as well',
    (path) => {
      write([...BASE, inferenceStarted('I', [user('hi')])]);
      renameSync(join(bundle, path), join(outer, 'elsewhere'));
      symlinkSync(join(outer, 'elsewhere'), join(bundle, path));
      expect(refusal()).toBe('payload_outside');
      expect(errors(salvaged())).toEqual(['payload_outside']);
    },
  );

  it('the folder of the bundle itself is followed: the user named it', () => {
    write([...BASE, inferenceStarted('I', [user('hi')])]);
    symlinkSync(bundle, join(outer, 'link'));
    expect(errors(reduceBundle(directorySource(join(outer, 'link')), { mode: 'salvage' }))).toEqual([]);
  });
});

describe('a payload that is', () => {
  const LISTS: [string, FindingCode, (file: string) => void][] = [
    ['missing', 'payload_missing', (file) => rmSync(file)],
    ['empty', 'payload_invalid', (file) => writeFileSync(file, '')],
    ['not JSON', 'payload_invalid', (file) => writeFileSync(file, '{"input":[')],
    ['not UTF-8', 'payload_invalid', (file) => writeFileSync(file, Uint8Array.of(0x22, 0xff, 0x22))],
    ['marked as UTF-8', 'payload_invalid', (file) => writeFileSync(file, '\ufeff{}')],
    [
      'a folder',
      'payload_missing',
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ];

  it.each(LISTS)('%s is %s; what the reducer wanted of it stays unknown', (_, code, damage) => {
    write([
      ...BASE,
      inferenceStarted('I1', [user('hi')]),
      inferenceCompleted('I1', [user('yes')]),
      inferenceStarted('I2', [user('hi'), user('yes')]),
      unread(),
      inferenceStarted('I3', [user('hi'), user('yes')]),
    ]);
    damage(join(bundle, 'payloads/3.json'));
    damage(join(bundle, 'payloads/4.json'));
    expect(refusal()).toBe(code);
    const reduced = salvaged();
    expect(errors(reduced)).toEqual([code, code]);
    const { inference_calls, conversation_items } = reduced.graph;
    expect(inference_calls.get('I2')?.request_item_ids.toArray()).toEqual([]);
    // What was known of the history is known behind the gap.
    expect(inference_calls.get('I3')?.request_item_ids.toArray()).toEqual([
      'conversation_item:1',
      'conversation_item:2',
    ]);
    expect(conversation_items.size).toBe(2);
  });

  it.skipIf(process.platform === 'win32')('a pipe is missing, and nobody waits for it', () => {
    write([...BASE, unread(), inferenceStarted('I', [user('hi')])]);
    for (const name of ['1', '2']) {
      rmSync(join(bundle, `payloads/${name}.json`));
      execFileSync('mkfifo', [join(bundle, `payloads/${name}.json`)]);
    }
    expect(refusal()).toBe('payload_missing');
    expect(errors(salvaged())).toEqual(['payload_missing', 'payload_missing']);
  });

  it('a gigabyte is not read', () => {
    write([...BASE, unread(), inferenceStarted('I', [user('hi')])]);
    for (const name of ['1', '2']) truncateSync(join(bundle, `payloads/${name}.json`), 2 ** 30);
    expect(refusal()).toBe('limit_exceeded');
    expect(errors(salvaged())).toEqual(['limit_exceeded', 'limit_exceeded']);
  });

  it(
    'of more values than anyone records is not interpreted, and is checked without building them',
    () => {
      write([...BASE, unread(), inferenceStarted('I', [])]);
      for (const name of ['1', '2']) {
        const file = openSync(join(bundle, `payloads/${name}.json`), 'w');
        writeSync(file, '{"input":[');
        for (let n = 0; n < 10; n++) writeSync(file, '0,'.repeat(MIB / 2));
        writeSync(file, '0]}');
        closeSync(file);
      }
      const reduced = salvaged();
      expect(errors(reduced)).toEqual(['limit_exceeded']);
      expect(reduced.findings[0]?.file).toBe('payloads/2.json');
    },
    PATIENCE_MS,
  );
});

describe('nesting of 100,000 levels', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);

  it('in a payload nobody reads is JSON like any other', () => {
    write([...BASE, unread(new Body(deep))]);
    expect(refusal()).toBe(null);
    expect(errors(salvaged())).toEqual([]);
  });

  it('in a payload the reducer reads is too deep', () => {
    const sketch = inferenceStarted('I', []);
    sketch.payload.request_payload = new Body(`{"input":${deep}}`);
    write([...BASE, sketch]);
    expect(refusal()).toBe('payload_invalid');
    expect(errors(salvaged())).toEqual(['payload_invalid']);
  });

  it('in arguments is a text that is no JSON', () => {
    write([...BASE, inferenceStarted('I', [{ type: 'function_call', call_id: 'c', arguments: deep }])]);
    expect(refusal()).toBe(null);
    expect(salvaged().graph.conversation_items.get('conversation_item:1')?.body.parts).toMatchObject([
      { type: 'text' },
    ]);
  });

  it('in an event is a line that is none', () => {
    write([...BASE]);
    appendFileSync(join(bundle, 'trace.jsonl'), `{"payload":${deep}}\n`);
    expect(refusal()).toBe('line_invalid');
    expect(errors(salvaged())).toEqual(['line_invalid']);
  });
});

describe('a log', () => {
  const append = (text: string | Uint8Array): void => appendFileSync(join(bundle, 'trace.jsonl'), text);
  const last = '{"schema_version":2,"seq":4,"wall_time_unix_ms":1,"rollout_id":"rollout","payload":';

  it(
    'with a line of 100 MB is read to its end',
    () => {
      write([...BASE]);
      append('{"x":"');
      for (let n = 0; n < 100; n++) append('a'.repeat(MIB));
      append(`"}\n${last}{"type":"thread_ended","thread_id":"T","status":"completed"}}\n`);
      expect(refusal()).toBe('line_invalid');
      const reduced = salvaged();
      expect(errors(reduced)).toEqual(['line_invalid']);
      expect(reduced.graph.threads.get('T')?.execution.status).toBe('completed');
    },
    PATIENCE_MS,
  );

  it(
    'with a line of more values than anyone records is read to its end',
    () => {
      write([...BASE]);
      append('{"x":[');
      for (let n = 0; n < 10; n++) append('0,'.repeat(MIB / 2));
      append(`0]}\n${last}{"type":"thread_ended","thread_id":"T","status":"completed"}}\n`);
      const reduced = salvaged();
      expect(errors(reduced)).toEqual(['limit_exceeded']);
      expect(reduced.graph.threads.get('T')?.execution.status).toBe('completed');
    },
    PATIENCE_MS,
  );

  it('of garbage has a bounded number of findings, and says how many there were', () => {
    write([...BASE]);
    append('garbage\n'.repeat(5_000));
    const { findings } = salvaged();
    expect(findings.filter(({ code }) => code === 'line_invalid').length).toBe(1_001);
    expect(findings.map(({ message }) => message)).toContain('4000 more findings like the 1000 before');
  });

  it('that is not UTF-8 loses only the lines that are not', () => {
    write([...BASE]);
    append(Uint8Array.of(0x22, 0xff, 0x22, 0x0a));
    append(`${last}{"type":"thread_ended","thread_id":"T","status":"completed"}}\n`);
    const reduced = salvaged();
    expect(errors(reduced)).toEqual(['line_unreadable']);
    expect(reduced.graph.threads.get('T')?.execution.status).toBe('completed');
  });

  it('that is a folder, or missing, leaves what the manifest says', () => {
    write([...BASE]);
    rmSync(join(bundle, 'trace.jsonl'));
    expect(errors(salvaged())).toEqual(['log_missing']);
    mkdirSync(join(bundle, 'trace.jsonl'));
    expect(errors(salvaged())).toEqual(['log_missing']);
    expect(salvaged().graph.trace_id).toBe('trace');
  });
});

describe('a manifest', () => {
  it.each([
    ['not UTF-8', Uint8Array.of(0xff)],
    ['not JSON', '{'],
    ['no manifest', '[]'],
    ['without its fields', '{"trace_id":"of the manifest"}'],
    ['nested too deep', '['.repeat(100_000)],
  ])('that is %s leaves what the log says', (_, content) => {
    write([...BASE, inferenceStarted('I', [user('hi')])]);
    writeFileSync(join(bundle, 'manifest.json'), content);
    expect(refusal()).toBe('manifest_invalid');
    const reduced = salvaged();
    expect(errors(reduced)).toEqual(['manifest_invalid']);
    expect(reduced.graph.rollout_id).toBe('rollout');
    expect(reduced.graph.inference_calls.size).toBe(1);
    if (String(content).includes('of the manifest')) expect(reduced.graph.trace_id).toBe('of the manifest');
  });
});

describe('a bundle of a newer schema', () => {
  const newer = (line: object): string => `${JSON.stringify({ schema_version: 3, rollout_id: 'rollout', ...line })}\n`;

  it('is read as far as it is known: events, fields, words and items that are not are told', () => {
    write([
      ...BASE,
      inferenceStarted('I', [user('hi'), { type: 'hologram', id: 'h' }, output('c', 'done')]),
      toolStarted('c', { model_visible_call_id: 'c', kind: { type: 'quantum', qubits: 3 }, summary: { type: 'poem' } }),
      toolStarted('d', { requester: { type: 'scheduler' } }),
      toolEnded('d', 'paused'),
    ]);
    const manifest = {
      schema_version: 3,
      trace_id: 'trace',
      rollout_id: 'rollout',
      root_thread_id: 'T',
      started_at_unix_ms: 5,
    };
    writeFileSync(join(bundle, 'manifest.json'), JSON.stringify({ ...manifest, signature: 'x' }));
    appendFileSync(
      join(bundle, 'trace.jsonl'),
      newer({ seq: 7, wall_time_unix_ms: 9, payload: { type: 'dream_started', dream_id: 'z' } }) +
        newer({
          seq: 8,
          wall_time_unix_ms: 9,
          colour: 1,
          payload: { type: 'thread_ended', thread_id: 'T', status: 'asleep', why: [] },
        }) +
        newer({ seq: 9, wall_time_unix_ms: 10, payload: { type: 'rollout_ended', status: 'completed' } }),
    );
    expect(refusal()).toBe('manifest_invalid');
    const reduced = salvaged();
    const codes = new Set(errors(reduced));
    expect([...codes].sort()).toEqual([
      'event_schema_unsupported',
      'event_unknown',
      'item_type_unknown',
      'line_invalid',
      'manifest_invalid',
      'schema_unsupported',
    ]);
    const { graph } = reduced;
    expect(graph.status).toBe('completed');
    expect(graph.started_at_unix_ms).toBe(5);
    expect([...graph.conversation_items.values()].map(({ kind }) => kind)).toEqual(['message', 'function_call_output']);
    expect(graph.tool_calls.get('c')).toMatchObject({
      kind: { type: 'other', name: 'quantum' },
      summary: { type: 'generic', label: 'poem' },
      model_visible_output_item_ids: ['conversation_item:2'],
    });
    // Nobody is said to have asked, and nothing how it ended; that it ended is known.
    expect(graph.tool_calls.get('d')).toMatchObject({
      requester: null,
      execution: { ended_seq: 6, status: 'running' },
    });
    expect(graph.threads.get('T')?.execution).toMatchObject({ ended_seq: 8, status: 'running' });
  });
});
