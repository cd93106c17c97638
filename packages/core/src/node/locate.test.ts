import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocateError, locateBundle } from './locate.ts';
import { traceRoot } from './trace-root.ts';

const fixture = fileURLToPath(new URL('../../../../fixtures/bundles/0.169.0/plain', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'rollout-trace-locate-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Bundles by name: what they are called in the manifest, and when they began. */
const BUNDLES = {
  first: { trace_id: 'aaaa1111', rollout_id: 'r-1', started_at_unix_ms: 1000 },
  second: { trace_id: 'aaaa2222', rollout_id: 'r-2', started_at_unix_ms: 3000 },
  'deeper/third': { trace_id: 'bbbb3333', rollout_id: 'r-2', started_at_unix_ms: 2000 },
};

beforeAll(() => {
  for (const [name, ids] of Object.entries(BUNDLES)) {
    const path = join(root, name);
    mkdirSync(join(path, '..'), { recursive: true });
    cpSync(fixture, path, { recursive: true });
    const file = join(path, 'manifest.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...ids }));
  }
});

function refusal(name: string, below: string | null = root): LocateError {
  try {
    locateBundle(name, below);
  } catch (error) {
    if (error instanceof LocateError) return error;
    throw error;
  }
  throw new Error(`${name} was found`);
}

describe('a bundle', () => {
  it('is named by its path, or by the path of its manifest or log', () => {
    const path = join(root, 'first');
    expect(locateBundle(path, null)).toBe(path);
    expect(locateBundle(join(path, 'manifest.json'), null)).toBe(path);
    expect(locateBundle(join(path, 'trace.jsonl'), null)).toBe(path);
  });

  it('is the newest by @last, and the one before by @last~1', () => {
    expect(locateBundle('@last', root)).toBe(join(root, 'second'));
    expect(locateBundle('@last~0', root)).toBe(join(root, 'second'));
    expect(locateBundle('@last~1', root)).toBe(join(root, 'deeper/third'));
    expect(locateBundle('@last~2', root)).toBe(join(root, 'first'));
  });

  it('is none by @last whose time nobody knows, as long as there is another', () => {
    const below = mkdtempSync(join(root, '.times-'));
    cpSync(fixture, join(below, 'sound'), { recursive: true });
    writeFileSync(join(below, 'later.rollout'), 'no segment');
    expect(locateBundle('@last', below)).toBe(join(below, 'sound'));
    expect(locateBundle('@last~1', below)).toBe(join(below, 'later.rollout'));
  });

  it('is named by the beginning of its trace id or rollout id', () => {
    expect(locateBundle('aaaa1', root)).toBe(join(root, 'first'));
    expect(locateBundle('b', root)).toBe(join(root, 'deeper/third'));
    expect(locateBundle('r-1', root)).toBe(join(root, 'first'));
  });
});

describe('a name that means no bundle', () => {
  it('is refused where it means several, with all of them, the newest first', () => {
    const { message, candidates } = refusal('aaaa');
    expect(message).toBe('aaaa means 2 bundles');
    expect(candidates.map(({ manifest }) => manifest?.trace_id)).toEqual(['aaaa2222', 'aaaa1111']);
    expect(refusal('r-2').candidates).toHaveLength(2);
  });

  it('is refused with what would help', () => {
    expect(refusal('cccc').message).toBe(`cccc is no path, and no rollout or trace id below ${root} begins so`);
    expect(refusal('cccc', null).hint).toContain('ROLLOUT_TRACE_ROOT');
    expect(refusal('@last', null).hint).toContain('ROLLOUT_TRACE_ROOT');
    expect(refusal('@last~3').message).toBe(`@last~3 does not exist: there are 3 bundles below ${root}`);
    expect(refusal('no/such/path').message).toBe('no/such/path does not exist');
    expect(refusal('@last', join(root, 'no')).message).toContain('is no folder');
  });

  it('is refused where it is a folder of bundles, or another file', () => {
    const { message, candidates } = refusal(root);
    expect(message).toBe(`${root} is no bundle, but has bundles below it`);
    expect(candidates).toHaveLength(1);
    expect(refusal(join(root, 'first', 'payloads')).message).toMatch(/payloads is no bundle$/);
    expect(refusal(join(root, 'first', 'payloads', '1.json')).message).toMatch(/1\.json is no bundle$/);
  });
});

it('the trace root is our variable before that of Codex; an empty one is none', () => {
  expect(traceRoot({ ROLLOUT_TRACE_ROOT: 'a', CODEX_ROLLOUT_TRACE_ROOT: 'b' })).toBe('a');
  expect(traceRoot({ ROLLOUT_TRACE_ROOT: '', CODEX_ROLLOUT_TRACE_ROOT: 'b' })).toBe('b');
  expect(traceRoot({})).toBeNull();
});
