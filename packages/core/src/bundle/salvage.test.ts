// What holds of a reduction whatever the bundle is like: in steps or at once, whole or cut, strict or salvaged.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../format/finding.ts';
import type { Generation } from '../format/generation.ts';
import type { Graph } from '../format/graph.ts';
import { stateJson } from '../format/state-json.ts';
import { directorySource } from '../node/directory-source.ts';
import { graphViolations } from '../reducer/invariants.ts';
import { type ReducedBundle, Replay, reduceBundle } from './replay.ts';
import { memorySource } from './source.ts';

const FIXTURES = 'fixtures/bundles';
const SHARED = '../shared';
/** Beside the repository, where it is present: more bundles, recorded and made. */
const COLLECTIONS = ['corpus', 'micro', 'micro-generations'].map((name) => `${SHARED}/${name}`).filter(existsSync);
const PATIENCE_MS = 120_000;

interface Recorded {
  folder: string;
  generation: Generation;
}

/** The bundles below a folder. The generation stands in the path; tiny bundles without one are of the newest. */
function bundlesBelow(folder: string, generation: Generation = '0.169'): Recorded[] {
  if (existsSync(join(folder, 'trace.jsonl')) || existsSync(join(folder, 'manifest.json'))) {
    return [{ folder, generation }];
  }
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const version = /^(0\.\d+)\.0$/.exec(name)?.[1];
      const named = version === '0.124' ? '0.125' : version;
      return bundlesBelow(join(folder, name), (named as Generation | undefined) ?? generation);
    });
}

function filesOf(folder: string): Map<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  const mine = names.filter((name) => /^(manifest\.json|trace\.jsonl|payloads\/[^/]+)$/.test(name));
  return new Map(mine.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
}

const printed = ({ graph, rules }: Pick<ReducedBundle, 'graph' | 'rules'>): string => stateJson(graph, { rules });

/** The first line in which two texts differ: a whole state says nothing to a reader. */
function difference(a: string, b: string): string | null {
  if (a === b) return null;
  const right = b.split('\n');
  const at = a.split('\n').findIndex((line, index) => line !== right[index]);
  return `line ${at + 1}: ${a.split('\n')[at]?.slice(0, 200)} | ${right[at]?.slice(0, 200)}`;
}

function seqAscends({ findings }: ReducedBundle): boolean {
  return findings.every(({ code }) => code !== 'seq_broken');
}

describe('a reduction in steps', () => {
  const LF = 0x0a;

  /** Ends of the whole lines of a log, 0 first. */
  const lineEnds = (log: Uint8Array): number[] => {
    const ends = [0];
    log.forEach((byte, at) => {
      if (byte === LF) ends.push(at + 1);
    });
    return ends;
  };

  const short = bundlesBelow(FIXTURES).filter(({ folder }) => readFileSync(`${folder}/trace.jsonl`).length < 25_000);

  it.each(short)(
    'knows after each event of $folder what a reduction until there knows',
    ({ folder, generation }) => {
      const files = filesOf(folder);
      const log = files.get('trace.jsonl') as Uint8Array;
      const growing = new Map(files);
      const following = new Replay(memorySource(growing), { mode: 'salvage', generation });
      lineEnds(log).forEach((end, until) => {
        growing.set('trace.jsonl', log.subarray(0, end));
        following.advance();
        const stopped = reduceBundle(memorySource(files), { mode: 'salvage', generation, until });
        const { rules } = stopped;
        expect(difference(printed({ graph: following.graph(), rules }), printed(stopped))).toBe(null);
      });
      following.end();
      const whole = reduceBundle(memorySource(files), { mode: 'salvage', generation });
      expect(difference(printed({ graph: following.graph(), rules: whole.rules }), printed(whole))).toBe(null);
      expect(following.findings).toEqual(whole.findings);
    },
    PATIENCE_MS,
  );

  it.each(['0.124.0/plain', '0.125.0/stdin-bad', '0.169.0/plain'])(
    'of %s cut at any byte gives the state of its whole lines',
    (name) => {
      const files = filesOf(`${FIXTURES}/${name}`);
      const log = files.get('trace.jsonl') as Uint8Array;
      const [{ generation } = { generation: '0.169' as const }] = bundlesBelow(`${FIXTURES}/${name.split('/')[0]}`);
      const cut = (end: number): ReducedBundle => {
        const part = new Map(files).set('trace.jsonl', log.subarray(0, end));
        return reduceBundle(memorySource(part), { mode: 'salvage', generation });
      };
      const ends = lineEnds(log);
      const states = ends.map((end) => printed(cut(end)));
      let line = 0;
      for (let end = 0; end <= log.length; end++) {
        if (end === ends[line + 1]) line++;
        const reduced = cut(end);
        // A line that lacks nothing but its end counts, though it does not complete the recording.
        const isWhole = log[end] === LF;
        const expected = (states[isWhole ? line + 1 : line] as string).replace(
          isWhole ? '"recording_complete": true' : '',
          isWhole ? '"recording_complete": false' : '',
        );
        expect(difference(printed(reduced), expected), `cut at byte ${end}`).toBe(null);
        expect(graphViolations(reduced.graph)).toEqual([]);
        const isTorn = !isWhole && end > (ends[line] as number);
        expect(reduced.findings.filter(({ code }) => code === 'line_torn').length).toBe(isTorn ? 1 : 0);
      }
    },
    PATIENCE_MS,
  );
});

describe.each([FIXTURES, ...COLLECTIONS])('salvage of every bundle below %s', (root) => {
  const bundles = existsSync(root) ? bundlesBelow(root) : [];

  it(
    'gives the bytes of strict where nothing is wrong, and else says what strict fails of',
    () => {
      expect(bundles.length).toBeGreaterThan(40);
      for (const { folder, generation } of bundles) {
        const source = directorySource(folder);
        const salvaged = reduceBundle(source, { mode: 'salvage', generation });
        const { findings } = salvaged;
        const errors = findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
        expect(errors, folder).not.toContain('internal');
        expect(graphViolations(salvaged.graph, { seqAscends: seqAscends(salvaged) }), folder).toEqual([]);
        let strict: ReducedBundle;
        try {
          strict = reduceBundle(source, { mode: 'strict', generation });
        } catch (error) {
          if (!(error instanceof TraceError)) throw error;
          expect(errors, `${folder}: ${error.message}`).toContain(error.code);
          continue;
        }
        const isSound = findings.every(({ severity }) => severity === 'info');
        if (isSound) expect(difference(printed(salvaged), printed(strict)), folder).toBe(null);
      }
    },
    PATIENCE_MS,
  );
});

describe('what salvage keeps', () => {
  const salvaged = (name: string): Graph => {
    return reduceBundle(directorySource(`${FIXTURES}/${name}`), { mode: 'salvage' }).graph;
  };
  const events = (name: string, type: string): number =>
    readFileSync(`${FIXTURES}/${name}/trace.jsonl`, 'utf8').split(`"payload":{"type":"${type}"`).length - 1;

  it('V8: a provider that numbers its calls anew loses no tool call, and no call or output goes to another one', () => {
    const { tool_calls, terminal_operations } = salvaged('0.169.0/reused-ids');
    const told = [...tool_calls.values()].map((tool) => [
      tool.tool_call_id,
      tool.model_visible_call_item_ids,
      tool.model_visible_output_item_ids,
      tool.terminal_operation_id,
    ]);
    expect(told).toEqual([
      ['call_0', ['conversation_item:4'], ['conversation_item:5'], 'terminal_operation:1'],
      ['call_0#2', ['conversation_item:6'], ['conversation_item:7'], 'terminal_operation:2'],
    ]);
    expect([...terminal_operations.values()].map(({ result }) => result?.exit_code)).toEqual([0, 0]);
  });

  it('every inference, tool call and turn of the recorded failures is there', () => {
    for (const { folder } of bundlesBelow(FIXTURES)) {
      const name = folder.slice(FIXTURES.length + 1);
      const { inference_calls, tool_calls, codex_turns, threads } = salvaged(name);
      const counts = [inference_calls.size, tool_calls.size, codex_turns.size, threads.size];
      const types = ['inference_started', 'tool_call_started', 'codex_turn_started', 'thread_started'];
      expect(counts, name).toEqual(types.map((type) => events(name, type)));
    }
  });
});
