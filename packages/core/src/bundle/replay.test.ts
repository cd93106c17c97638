// How the files of a bundle are read: docs/format.md, sections 1 and 2, and docs/reducer.md, section 6.11.

import { describe, expect, it } from 'vitest';
import { type Finding, TraceError } from '../format/finding.ts';
import type { Generation } from '../format/generation.ts';
import type { Int64 } from '../format/json.ts';
import { stateJson } from '../format/state-json.ts';
import { graphViolations } from '../reducer/invariants.ts';
import {
  assistant,
  BASE,
  Body,
  bundleFiles,
  call,
  cellEnded,
  cellStarted,
  compactionInstalled,
  event,
  inferenceCompleted,
  inferenceFailed,
  inferenceStarted,
  invocation,
  output,
  program,
  runtimeEnded,
  runtimeStarted,
  type Sketch,
  threadEnded,
  toolEnded,
  toolStarted,
  turnEnded,
  turnStarted,
  user,
} from '../reducer/testing/scenario.ts';
import { Replay, reduceBundle } from './replay.ts';
import { memorySource, plainPath } from './source.ts';

type Files = Map<string, Uint8Array>;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

const COMPLETED = event('recording_completed');
const observed = (body: Body) => event('protocol_event_observed', { event_type: 'x', event_payload: body });

/** The files of a log, with the text of the log changed. */
function withLog(sketches: readonly Sketch[], change: (log: string) => string | Uint8Array): Files {
  const files = bundleFiles(sketches);
  const log = change(decode(files.get('trace.jsonl')));
  return files.set('trace.jsonl', typeof log === 'string' ? encode(log) : log);
}

const strict = (files: Files, generation: Generation = '0.169') =>
  reduceBundle(memorySource(files), { mode: 'strict', generation });
const salvage = (files: Files, until?: Int64) =>
  reduceBundle(memorySource(files), { mode: 'salvage', generation: '0.169', until });

/** The finding of the error that ends a strict reduction. */
function failure(files: Files, generation?: Generation): Finding | null {
  try {
    strict(files, generation);
    return null;
  } catch (error) {
    if (error instanceof TraceError) return error.finding;
    throw error;
  }
}
const codeOf = (files: Files, generation?: Generation) => failure(files, generation)?.code ?? 'reduces';

describe('the files of a bundle', () => {
  it.each([
    ['no JSON', '{'],
    ['a byte order mark', `\ufeff${decode(bundleFiles([]).get('manifest.json'))}`],
    ['no manifest', '{}'],
  ])('M1: a manifest that is %s is refused', (_, text) => {
    expect(codeOf(bundleFiles([]).set('manifest.json', encode(text)))).toBe('manifest_invalid');
  });

  it('M1: a manifest that is missing is refused', () => {
    const files = bundleFiles([]);
    files.delete('manifest.json');
    expect(codeOf(files)).toBe('manifest_missing');
  });

  it('M2: from generation 0.165 on the manifest must say schema version 2', () => {
    const files = (version: number) => {
      const manifest = { ...JSON.parse(decode(bundleFiles([]).get('manifest.json'))), schema_version: version };
      return bundleFiles([]).set('manifest.json', encode(JSON.stringify(manifest)));
    };
    for (const version of [0, 1, 3]) expect(codeOf(files(version))).toBe('schema_unsupported');
    for (const version of [0, 1, 2, 9]) expect(codeOf(files(version), '0.164')).toBe('reduces');
    expect(codeOf(files(2), '0.165')).toBe('reduces');
  });

  it('M3: a missing log is refused, an empty one is a rollout that runs', () => {
    const files = bundleFiles([]);
    expect(strict(files).graph).toMatchObject({ status: 'running', recording_complete: false, ended_at_unix_ms: null });
    files.delete('trace.jsonl');
    expect(codeOf(files)).toBe('log_missing');
  });
});

describe('the lines of a log', () => {
  it('D1: lines end at line feeds, with or without a return; blank lines are passed over', () => {
    const blank = ['', ' ', '\u0085', '\u00a0', '\u2003', '\v\f'].map((line) => `${line}\n`).join('');
    expect(strict(withLog(BASE, (log) => blank + log.replaceAll('\n', `\r\n${blank}`))).graph.threads.size).toBe(1);
  });

  it.each(['\ufeff', '\u200b', '\u001c'])('D1: a line of %j alone is not blank', (line) => {
    expect(codeOf(withLog(BASE, (log) => `${line}\n${log}`))).toBe('line_invalid');
  });

  it('D1: a line that is not UTF-8 is refused', () => {
    const files = withLog(BASE, (log) => new Uint8Array([...encode(log), 0xff, 0x0a]));
    expect(failure(files)).toMatchObject({ code: 'line_unreadable', line: 3 });
  });

  it('D2: behind recording_completed only blank lines may stand', () => {
    expect(codeOf(withLog([COMPLETED], (log) => `${log}  \n\n`))).toBe('reduces');
    expect(codeOf(withLog([COMPLETED], (log) => `${log}garbage\n`))).toBe('event_after_end');
  });

  it('D3: a line that is no event is refused with its number, blank lines counted, and its place', () => {
    const broken = withLog(
      BASE,
      (log) => `\n${log.replace('"thread_id":"T","agent_path"', '"thread_id":7,"agent_path"')}`,
    );
    expect(failure(broken)).toMatchObject({ code: 'line_invalid', line: 2, json_path: '/payload/thread_id' });
    expect(failure(withLog(BASE, (log) => log.replace('{', '')))).toMatchObject({ code: 'line_invalid', line: 1 });
    const unknown = withLog(BASE, (log) => log.replace('thread_started', 'thread_paused'));
    expect(failure(unknown)).toMatchObject({ code: 'event_unknown', json_path: '/payload/type' });
  });

  it('D4: from generation 0.165 on every event must say schema version 2', () => {
    const files = withLog(BASE, (log) => log.replace('"schema_version":2', '"schema_version":3'));
    expect(failure(files)).toMatchObject({ code: 'event_schema_unsupported', line: 1, seq: 1 });
    expect(codeOf(files, '0.164')).toBe('reduces');
  });

  it.each([
    ['begins with 2', [2, 3]],
    ['has a gap', [1, 3]],
    ['repeats', [1, 1]],
    ['goes back', [1, 0]],
  ])('D5: a seq that %s is refused from generation 0.169 on', (_, seqs) => {
    const files = bundleFiles(BASE.map((sketch, n) => ({ ...sketch, envelope: { seq: seqs[n] ?? 0 } })));
    expect(codeOf(files)).toBe('seq_broken');
    expect(codeOf(files, '0.166')).toBe('reduces');
  });

  it('D6: an event of another rollout is refused from generation 0.169 on', () => {
    const files = bundleFiles([event('rollout_ended', { status: 'failed' }, { rollout_id: 'other' })]);
    expect(codeOf(files)).toBe('rollout_mismatch');
    expect(codeOf(files, '0.166')).toBe('reduces');
  });

  it('D6: what a line says is checked in the order of parsing, version, seq, rollout, content', () => {
    const line = (change: (line: string) => string) => codeOf(withLog([turnStarted('U', 'X')], change));
    const rollout = (text: string) => text.replace('"rollout_id":"rollout"', '"rollout_id":"other"');
    const seq = (text: string) => rollout(text).replace('"seq":1', '"seq":2');
    const version = (text: string) => seq(text).replace('"schema_version":2', '"schema_version":1');
    const broken = (text: string) => version(text).replace('codex_turn_started', 'none');
    expect([broken, version, seq, rollout, (text: string) => text].map(line)).toEqual([
      'event_unknown',
      'event_schema_unsupported',
      'seq_broken',
      'rollout_mismatch',
      'thread_unknown',
    ]);
  });

  it('D7: the first contradiction ends a strict reduction', () => {
    const files = bundleFiles([threadEnded('X'), threadEnded('Y')]);
    expect(failure(files)).toMatchObject({ code: 'thread_unknown', seq: 1, line: 1 });
  });

  it('D8: a last line without its end counts if it is whole, and is torn if it is not', () => {
    expect(strict(withLog(BASE, (log) => log.trimEnd())).graph.codex_turns.size).toBe(1);
    expect(failure(withLog(BASE, (log) => log.slice(0, -5)))).toMatchObject({ code: 'line_torn', line: 2 });
  });

  it('D9: a recording is complete when the line that says so was written to its end', () => {
    const complete = (change: (log: string) => string) => strict(withLog([COMPLETED], change)).graph.recording_complete;
    expect(complete((log) => log)).toBe(true);
    expect(complete((log) => `${log}  `)).toBe(true);
    expect(complete((log) => log.trimEnd())).toBe(false);
    expect(complete((log) => `${log.trimEnd()}  `)).toBe(false);
  });
});

describe('the payloads of a bundle', () => {
  it.each([
    ['is missing', null, 'payload_missing'],
    ['is empty', '', 'payload_invalid'],
    ['has a byte order mark', '\ufeff{}', 'payload_invalid'],
    ['has a raw control character', '"\u0001"', 'payload_invalid'],
    ['has something behind its value', '{}{}', 'payload_invalid'],
    ['has a lone surrogate escape', '"\\ud800"', 'reduces'],
    ['has 200 containers inside one another', '['.repeat(200) + ']'.repeat(200), 'reduces'],
    ['has a key twice', '{"a":1,"a":2}', 'reduces'],
  ])('D10: a payload nobody reads that %s', (_, text, code) => {
    const files = bundleFiles([observed(new Body(text ?? '{}'))]);
    if (text === null) files.delete('payloads/1.json');
    expect(codeOf(files)).toBe(code);
    expect(codeOf(files, '0.166')).toBe('reduces');
  });

  it('D10: payloads are checked last, in the order of the bytes of their ids', () => {
    const bad = Array.from({ length: 10 }, (_, n) => observed(new Body(n === 1 || n === 9 ? '{' : '{}')));
    expect(failure(bundleFiles(bad))).toMatchObject({ code: 'payload_invalid', file: 'payloads/10.json' });
    expect(codeOf(bundleFiles([...bad, threadEnded('X')]))).toBe('thread_unknown');
  });

  it.each([
    ['payloads/../payloads/1.json', 'reduces'],
    ['./payloads//1.json', 'reduces'],
    ['../bundle/payloads/1.json', 'payload_outside'],
    ['payloads/../../x.json', 'payload_outside'],
    ['/etc/hostname', 'payload_outside'],
    ['C:/x.json', 'payload_outside'],
    ['..\\x.json', 'payload_outside'],
    ['', 'payload_outside'],
  ])('D11: of the path %j', (path, code) => {
    const files = withLog([observed(new Body('{}'))], (log) => log.replace('"payloads/1.json"', JSON.stringify(path)));
    expect(codeOf(files)).toBe(code);
  });

  it('D11: a path keeps its meaning in its plain form', () => {
    expect(plainPath('payloads/./a/../1.json')).toBe('payloads/1.json');
    expect(plainPath('a/..')).toBeNull();
  });

  it('D12: a payload is known before its event is applied, and the last reference with its id counts', () => {
    const files = withLog([observed(new Body('{}')), observed(new Body('{"b":1}'))], (log) =>
      log.replace('"raw_payload:2"', '"raw_payload:1"'),
    );
    expect([...strict(files).graph.raw_payloads.values()].map(({ path }) => path)).toEqual(['payloads/2.json']);
    const refused = salvage(bundleFiles([{ ...inferenceStarted('I', []), envelope: {} }]));
    expect(refused.graph.raw_payloads.has('raw_payload:1')).toBe(true);
  });
});

describe('what older generations pass over', () => {
  const log = [event('rollout_ended', { status: 'failed' })];

  it('G2: up to 0.164 the schema version of manifest and events', () => {
    const files = withLog(log, (text) => text.replace('"schema_version":2', '"schema_version":7'));
    expect([codeOf(files, '0.164'), codeOf(files, '0.165')]).toEqual(['reduces', 'event_schema_unsupported']);
  });

  it('G3: up to 0.166 the seq of an event', () => {
    const files = withLog(log, (text) => text.replace('"seq":1', '"seq":5'));
    expect([codeOf(files, '0.166'), codeOf(files, '0.169')]).toEqual(['reduces', 'seq_broken']);
  });

  it('G4: up to 0.166 the rollout of an event', () => {
    const files = withLog(log, (text) => text.replace('"rollout_id":"rollout"', '"rollout_id":"other"'));
    expect([codeOf(files, '0.166'), codeOf(files, '0.169')]).toEqual(['reduces', 'rollout_mismatch']);
  });

  it('G5: up to 0.166 whether the recording is complete, and what follows the end of the rollout', () => {
    const files = bundleFiles([...log, ...BASE], '0.166');
    const { graph, rules } = strict(files, '0.166');
    expect(graph.threads.size).toBe(1);
    expect(JSON.parse(stateJson(graph, { rules }))).not.toHaveProperty('recording_complete');
    const newest = strict(bundleFiles(log));
    expect(JSON.parse(stateJson(newest.graph, { rules: newest.rules }))).toHaveProperty('recording_complete', false);
  });

  it('G6: up to 0.166 a payload that no rule reads', () => {
    const files = bundleFiles([observed(new Body('{'))]);
    expect([codeOf(files, '0.166'), codeOf(files, '0.169')]).toEqual(['reduces', 'payload_invalid']);
  });
});

/** A session in which most things happen. */
const SESSION: Sketch[] = [
  ...BASE,
  inferenceStarted('I1', [user('a')]),
  cellStarted('1', 'p'),
  inferenceCompleted('I1', [assistant('b', 'b'), call('c', '{}', 'c'), program('p', 'x', 'p')], { response_id: 'R1' }),
  event('history_item_accepted', { item_id: 'c' }),
  toolStarted('t', { model_visible_call_id: 'c' }),
  runtimeStarted('t', { command: ['ls'], cwd: '/', process_id: 'p' }),
  runtimeEnded('t', { exit_code: 0, aggregated_output: 'out' }),
  toolEnded('t'),
  toolStarted('w', {
    kind: { type: 'write_stdin' },
    invocation_payload: invocation('write_stdin', { session_id: 'p' }),
  }),
  cellEnded('1', 'completed'),
  inferenceStarted('I2', [user('a'), assistant('b', 'b'), call('c', '{}', 'c'), output('c', 'out')]),
  inferenceFailed('I2', [assistant('part')]),
  compactionInstalled('K', [user('a'), assistant('b', 'b')], [user('short')]),
  inferenceStarted('I3', [user('short'), user('next')]),
  turnEnded('U', 'cancelled'),
  threadEnded(),
  event('rollout_ended', { status: 'completed' }),
  COMPLETED,
];

describe('salvage', () => {
  it('V1: keeps each contradiction as a finding with its place, and goes on', () => {
    const { findings, graph } = salvage(
      bundleFiles([threadEnded('X'), turnStarted('U9', 'X'), ...BASE, threadEnded(), COMPLETED]),
    );
    expect(findings.map(({ code, line, seq }) => [code, line, seq])).toEqual([
      ['thread_unknown', 1, 1],
      ['thread_unknown', 2, 2],
    ]);
    expect(graph.threads.get('T')?.execution.status).toBe('completed');
  });

  it('V2: invents nothing: what an event refers to in vain is not there afterwards', () => {
    const { graph, findings } = salvage(
      bundleFiles([
        inferenceStarted('I', [user('a')]),
        inferenceCompleted('J', [assistant('b')]),
        toolEnded('t'),
        cellEnded('1', 'completed'),
        compactionInstalled('K', [], []),
      ]),
    );
    expect(findings.length).toBeGreaterThanOrEqual(5);
    for (const map of [
      graph.threads,
      graph.codex_turns,
      graph.inference_calls,
      graph.tool_calls,
      graph.code_cells,
      graph.compactions,
      graph.conversation_items,
    ]) {
      expect(map.size).toBe(0);
    }
  });

  it('V3: reads past damaged lines and payloads', () => {
    const files = withLog(SESSION, (log) => log.replace('\n', '\n{"torn":\n').slice(0, -20));
    files.set('payloads/1.json', encode('{'));
    const { findings, graph } = salvage(files);
    expect(findings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['line_invalid', 'line_torn', 'payload_invalid']),
    );
    expect(graph.inference_calls.size).toBe(3);
    expect(graph.status).toBe('completed');
  });

  it('V3: finds out who recorded what where the manifest is lost', () => {
    const files = bundleFiles(SESSION);
    files.delete('manifest.json');
    const { findings, manifest } = salvage(files);
    expect([findings[0]?.code, manifest.rollout_id]).toEqual(['manifest_missing', 'rollout']);
  });

  it('V3: refuses only what is no bundle at all', () => {
    expect(() => salvage(new Map())).toThrow(TraceError);
  });

  it('V4: gives the state of strict where nothing is wrong', () => {
    const files = bundleFiles(SESSION);
    const { graph, findings } = salvage(files);
    expect(findings).toEqual([]);
    expect(stateJson(graph)).toBe(stateJson(strict(files).graph));
  });
});

describe('salvage of events and ids', () => {
  it('V7: applies an event without a field it cannot read, where nothing is known by that field', () => {
    const files = withLog([...BASE, inferenceStarted('I', []), turnEnded('U'), COMPLETED], (log) =>
      log.replace('"model":"model-1"', '"model":7').replace('"status":"completed"', '"status":"paused"'),
    );
    const { graph, findings } = salvage(files);
    expect(findings.map(({ code, json_path }) => [code, json_path])).toEqual([
      ['line_invalid', '/payload/model'],
      ['line_invalid', '/payload/status'],
    ]);
    expect(graph.inference_calls.get('I')?.model).toBe('');
    expect(graph.codex_turns.get('U')?.execution).toMatchObject({ status: 'running', ended_seq: 4 });
  });

  it('V7: leaves out an event without its id, its time or the payload it needs', () => {
    const without = (written: string) =>
      salvage(withLog([...BASE, inferenceStarted('I', [user('a')])], (log) => log.replace(written, '"other":1'))).graph;
    expect(without('"inference_call_id":"I"').inference_calls.size).toBe(0);
    expect(without('"wall_time_unix_ms":1030').inference_calls.size).toBe(0);
    expect(without('"path":"payloads/1.json"').inference_calls.size).toBe(0);
  });

  it('V8: keeps apart what the log gives one id', () => {
    const { graph, findings } = salvage(
      bundleFiles([
        ...BASE,
        inferenceStarted('I', [call('c', '[1]'), output('c', 'one'), call('c', '[2]'), output('c', 'two')]),
        toolStarted('t', { model_visible_call_id: 'c' }),
        toolStarted('t', { model_visible_call_id: 'c' }),
      ]),
    );
    expect(findings.map(({ code }) => code)).toContain('tool_duplicate');
    expect(graph.tool_calls.size).toBe(2);
    expect(graph.conversation_items.size).toBe(4);
  });

  it('V9: gives a graph in which every id that is referred to exists, whichever event is lost', () => {
    for (let lost = 0; lost < SESSION.length; lost++) {
      const files = withLog(SESSION, (log) => log.split('\n').toSpliced(lost, 1).join('\n'));
      expect(graphViolations(salvage(files).graph), `without event ${lost + 1}`).toEqual([]);
    }
  });
});

describe('time', () => {
  it('V5: until a seq, the graph is that of a log that ends there', () => {
    const files = bundleFiles(SESSION);
    for (let seq = 0; seq <= SESSION.length; seq++) {
      const { graph } = salvage(files, seq);
      expect(stateJson(graph), `seq ${seq}`).toBe(stateJson(strict(bundleFiles(SESSION.slice(0, seq))).graph));
    }
  });

  it('V6: read event by event, with a look at the graph after each, the end is the same', () => {
    const files = bundleFiles(SESSION);
    const log = decode(files.get('trace.jsonl'));
    const growing = new Map(files).set('trace.jsonl', encode(''));
    const replay = new Replay(memorySource(growing), { mode: 'strict', generation: '0.169' });
    for (let at = log.indexOf('\n'); at >= 0; at = log.indexOf('\n', at + 1)) {
      growing.set('trace.jsonl', encode(log.slice(0, at + 1)));
      expect(replay.advance()).toBe(1);
      const seen = replay.events;
      expect(stateJson(replay.graph()), `event ${seen}`).toBe(
        stateJson(strict(bundleFiles(SESSION.slice(0, seen))).graph),
      );
    }
    replay.end();
    expect(stateJson(replay.graph())).toBe(stateJson(strict(files).graph));
  });

  it('V6: the fast way to read requests and the plain one give the same graph', () => {
    const files = bundleFiles(SESSION);
    const plain = reduceBundle(memorySource(files), { mode: 'strict', sharePrefixes: false });
    expect(stateJson(plain.graph)).toBe(stateJson(strict(files).graph));
  });
});
