import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { reduceBundle } from '../bundle/replay.ts';
import { directorySource } from './directory-source.ts';
import { findBundles, listBundle } from './list.ts';
import { readEvent, readEvents, readPayload } from './read-evidence.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures/bundles', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'rollout-trace-list-'));
afterAll(() => rmSync(place, { recursive: true }));

let bundle = '';
beforeEach(() => {
  bundle = join(mkdtempSync(join(place, 'copy-')), 'plain');
  cpSync(join(fixtures, '0.169.0/plain'), bundle, { recursive: true });
});

describe('a listing', () => {
  it('finds every bundle below a folder once', () => {
    const expected = readdirSync(fixtures).flatMap((version) =>
      readdirSync(join(fixtures, version)).map((name) => `${fixtures}/${version}/${name}`),
    );
    expect([...findBundles(fixtures)].sort()).toEqual(expected.sort());
    expect([...findBundles(`${fixtures}/`)].map((path) => path.includes('//'))).not.toContain(true);
  });

  it('counts what the reduction counts, in every generation', () => {
    for (const path of findBundles(fixtures)) {
      const listed = listBundle(path);
      const { graph, events, findings, manifest } = reduceBundle(directorySource(path), { mode: 'salvage' });
      expect(listed.events, path).toBe(events);
      expect(listed.event_counts.thread_started ?? 0, path).toBe(graph.threads.size);
      expect(listed.manifest, path).toEqual(manifest);
      expect(listed.status, path).toBe(graph.status);
      expect(listed.damage, path).toEqual([]);
      expect(
        findings.some(({ code }) => code === 'line_invalid'),
        path,
      ).toBe(false);
    }
  });

  it('adds up the sizes of manifest, log and payloads', () => {
    const names = [
      'manifest.json',
      'trace.jsonl',
      ...readdirSync(join(bundle, 'payloads')).map((n) => `payloads/${n}`),
    ];
    const size = names.reduce((sum, name) => sum + readFileSync(join(bundle, name)).length, 0);
    expect(listBundle(bundle).size_bytes).toBe(size);
  });

  it.each([
    ['manifest_missing', () => rmSync(join(bundle, 'manifest.json'))],
    ['manifest_invalid', () => writeFileSync(join(bundle, 'manifest.json'), '{"schema_version":2}')],
    ['log_missing', () => rmSync(join(bundle, 'trace.jsonl'))],
    ['line_torn', () => appendFileSync(join(bundle, 'trace.jsonl'), '{"schema_version":2,"seq":99,"payl')],
    ['line_invalid', () => appendFileSync(join(bundle, 'trace.jsonl'), 'nonsense\n')],
    ['line_unreadable', () => appendFileSync(join(bundle, 'trace.jsonl'), Buffer.from([0xff, 0x0a]))],
  ])('says %s where that shows', (code, damage) => {
    damage();
    const listed = listBundle(bundle);
    expect(listed.damage).toEqual([code]);
    expect(listed.path).toBe(bundle);
  });

  it('counts events that are not written as recorders write them', () => {
    const log = join(bundle, 'trace.jsonl');
    const before = listBundle(bundle);
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const pretty = lines.map((text) => JSON.stringify(JSON.parse(text), null, 1).replaceAll('\n', ' '));
    writeFileSync(log, `\n${pretty.join('\r\n \n')}\n`);
    expect(listBundle(bundle)).toEqual({ ...before, size_bytes: expect.any(Number) });
  });

  it('of a folder without manifest and log is no bundle', () => {
    const empty = join(place, 'empty');
    mkdirSync(empty);
    expect([...findBundles(empty)]).toEqual([]);
  });
});

describe('a piece of evidence', () => {
  it('is the event with a seq, as it was written, with its line', () => {
    const found = readEvent(directorySource(bundle), 3);
    const written = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').split('\n')[2] ?? '';
    expect(found?.line).toBe(3);
    expect(JSON.parse(written).payload.type).toBe('protocol_event_observed');
    expect(readEvent(directorySource(bundle), 900)).toBeNull();
  });

  it('is found in one pass for many seqs, and for those no number can hold', () => {
    const log = join(bundle, 'trace.jsonl');
    const huge = 2n ** 63n + 1n;
    appendFileSync(log, `${(readFileSync(log, 'utf8').split('\n')[0] ?? '').replace('"seq":1,', `"seq": ${huge},`)}\n`);
    const found = readEvents(directorySource(bundle), [17, 1, huge, 900]);
    expect([...found].map(([seq, { line }]) => [seq, line])).toEqual([
      [1, 1],
      [17, 17],
      [huge, 18],
    ]);
  });

  it('of a payload is its JSON, or nothing where it cannot be read', () => {
    const source = directorySource(bundle);
    const ref = {
      raw_payload_id: 'raw_payload:1',
      kind: { type: 'session_metadata' as const },
      path: 'payloads/1.json',
    };
    expect(readPayload(source, ref)).not.toBeNull();
    expect(readPayload(source, { ...ref, path: '../outside.json' })).toBeNull();
    expect(readPayload(source, { ...ref, path: 'payloads/900.json' })).toBeNull();
  });
});
