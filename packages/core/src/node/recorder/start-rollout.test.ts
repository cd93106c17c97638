import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Diagnostic } from '../../recorder/diagnostics.ts';
import { materializeSegment } from './materialize-segment.ts';
import { type StartRolloutOptions, startRollout } from './start-rollout.ts';

let root = '';
let told: Diagnostic[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rollout-trace-recorder-'));
  told = [];
  for (const name of ['ROLLOUT_TRACE_ROOT', 'CODEX_ROLLOUT_TRACE_ROOT', 'ROLLOUT_TRACE_FORMAT'])
    vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const start = (options: StartRolloutOptions = {}): ReturnType<typeof startRollout> =>
  startRollout({ root, onDiagnostic: (diagnostic) => told.push(diagnostic), ...options });
const log = (bundle: string): string[] =>
  readFileSync(join(bundle, 'trace.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

describe('the environment', () => {
  it('without a root records nothing', () => {
    const rollout = startRollout();
    rollout.end();
    expect(rollout.recording).toBe(false);
    expect(rollout.location).toBe('');
  });

  it.each([
    [{ CODEX_ROLLOUT_TRACE_ROOT: 'a' }, 'a', false],
    [{ CODEX_ROLLOUT_TRACE_ROOT: 'a', ROLLOUT_TRACE_ROOT: 'b' }, 'b', false],
    [{ CODEX_ROLLOUT_TRACE_ROOT: 'a', ROLLOUT_TRACE_ROOT: '' }, 'a', false],
    [{ ROLLOUT_TRACE_ROOT: 'a', ROLLOUT_TRACE_FORMAT: 'segment' }, 'a', true],
    [{ ROLLOUT_TRACE_ROOT: 'a', ROLLOUT_TRACE_FORMAT: 'bundle' }, 'a', false],
    [{ ROLLOUT_TRACE_ROOT: 'a', ROLLOUT_TRACE_FORMAT: 'zip' }, 'a', false],
  ])('%o decides where to and how', (env, folder, isSegment) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value && join(root, value));
    vi.stubEnv('ROLLOUT_TRACE_FORMAT', 'ROLLOUT_TRACE_FORMAT' in env ? env.ROLLOUT_TRACE_FORMAT : undefined);
    const rollout = startRollout();
    rollout.end();
    expect(readdirSync(join(root, folder))).toEqual([basename(rollout.location)]);
    expect(rollout.location.endsWith('.rollout')).toBe(isSegment);
  });

  it('is overruled by an option, and null records nothing', () => {
    vi.stubEnv('ROLLOUT_TRACE_ROOT', join(root, 'elsewhere'));
    expect(start({ format: 'segment' }).location.startsWith(`${root}/trace-`)).toBe(true);
    expect(start({ root: null }).recording).toBe(false);
    expect(existsSync(join(root, 'elsewhere'))).toBe(false);
  });
});

describe('a trace on disk', () => {
  it('is named by the trace and its root thread, and for its owner only', () => {
    const { location, traceId, root: thread } = start();
    expect(basename(location)).toBe(`trace-${traceId}-${thread.id}`);
    expect(statSync(location).mode & 0o777).toBe(0o700);
    expect(statSync(join(location, 'trace.jsonl')).mode & 0o777).toBe(0o600);
    expect(statSync(join(location, 'payloads', '1.json')).mode & 0o777).toBe(0o600);
  });

  it('stays below its root, whatever the thread is called', () => {
    for (const threadId of ['../../escape', '/etc/x', 'a\0b', '.', 'x'.repeat(500)]) start({ threadId });
    expect(readdirSync(root).length).toBe(5);
    expect(told).toEqual([]);
  });

  it('stays where it began, though its root is told relative to a folder the process may leave', () => {
    const rollout = startRollout({ root: relative(process.cwd(), root) });
    expect(dirname(rollout.location)).toBe(root);
    rollout.end();
  });

  it.runIf(existsSync('/proc/self'))('is not begun where no folder can be made, and the host goes on', () => {
    expect(start({ root: '/proc/none/deeper' }).recording).toBe(false);
    expect(told.map(({ code }) => code)).toEqual(['open_failed']);
  });

  it.each(['bundle', 'segment'] as const)('that cannot be begun leaves nothing behind: %s', (format) => {
    const fails = (): never => {
      throw new Error('ENOSPC: no space left on device');
    };
    expect(start({ format, clock: fails }).recording).toBe(false);
    expect(told.map(({ code }) => code)).toEqual(['open_failed']);
    expect(readdirSync(root)).toEqual([]);
  });

  it.each(['bundle', 'segment'] as const)('that is removed is missed at the latest at the end: %s', (format) => {
    const rollout = start({ format });
    rmSync(rollout.location, { recursive: true });
    rollout.root.startTurn().end();
    rollout.end();
    expect(told.map(({ code }) => code)).toEqual(['write_failed']);
  });

  it('is a bundle where the layout is none, and is not begun in a folder without a name', () => {
    expect(start({ format: 'nonsense' as never }).location.endsWith('.rollout')).toBe(false);
    expect(start({ root: '' }).recording).toBe(false);
  });

  it('is not begun with options that cannot be read', () => {
    const unreadable = {
      get root(): never {
        throw new Error('from the host');
      },
    };
    for (const options of [null, unreadable]) expect(startRollout(options as never).recording).toBe(false);
  });

  it('is complete the moment a call returns', () => {
    const rollout = start();
    const turn = rollout.root.startTurn();
    turn.inference({ model: 'm', providerName: 'p' }).start({ input: [] });
    expect(log(rollout.location).length).toBe(4);
    expect(readFileSync(join(rollout.location, 'payloads', '2.json'), 'utf8')).toBe('{\n  "input": []\n}');
  });

  it.each(['bundle', 'segment'] as const)(
    'takes a string of 200 million characters: %s',
    { timeout: 60_000 },
    (format) => {
      const rollout = start({ format });
      rollout.root.protocolEvent('warning', { text: 'x'.repeat(200_000_000) });
      rollout.end();
      const file = format === 'bundle' ? join(rollout.location, 'payloads', '2.json') : rollout.location;
      expect(statSync(file).size).toBeGreaterThan(200_000_000);
      expect(told).toEqual([]);
    },
  );
});

describe('trouble with the disk', () => {
  it.each(['bundle', 'segment'] as const)('that begins before the trace leaves a disabled handle: %s', (format) => {
    writeFileSync(join(root, 'file'), '');
    const rollout = start({ root: join(root, 'file'), format });
    rollout.root.startTurn().end();
    rollout.end();
    expect(rollout.recording).toBe(false);
    expect(told.map(({ code }) => code)).toEqual(['open_failed']);
  });

  it.skipIf(!existsSync('/dev/full'))('that is full loses the record, says so once, and the log goes on', () => {
    const rollout = start();
    symlinkSync('/dev/full', join(rollout.location, 'payloads', '2.json'));
    rollout.root.protocolEvent('warning', { n: 'lost' });
    rollout.root.protocolEvent('warning', { n: 'kept' });
    rollout.end();
    expect(told.map(({ code, message }) => [code, /ENOSPC/.test(message)])).toEqual([['write_failed', true]]);
    expect(log(rollout.location).map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(readFileSync(join(rollout.location, 'payloads', '2.json'), 'utf8')).toContain('kept');
    expect(readFileSync(join(rollout.location, 'payloads', '3.json'), 'utf8')).toContain('1 records were not recorded');
  });

  it.each(['bundle', 'segment'] as const)('that removes the trace is noticed and counted: %s', async (format) => {
    const rollout = start({ format });
    rmSync(root, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const turn = rollout.root.startTurn();
    turn.inference({ model: 'm', providerName: 'p' }).start({ input: [] }).complete({});
    turn.end();
    rollout.end();
    expect(told.map(({ code }) => code)).toEqual(['write_failed', 'parent_missing']);
    expect(existsSync(root)).toBe(false);
  });
});

describe('two layouts', () => {
  it('of one session are the same files', () => {
    const places = (['bundle', 'segment'] as const).map((format) => {
      let time = 1_795_000_000_000;
      let ids = 0;
      const rollout = start({ format, clock: () => time++, newId: () => `id-${++ids}` });
      const turn = rollout.root.startTurn();
      const input: object[] = [];
      for (let n = 0; n < 3; n++) {
        input.push({ type: 'message', role: 'user', content: [{ type: 'input_text', text: `${n} é` }] });
        turn
          .inference({ model: 'm', providerName: 'p' })
          .start({ input, tools: [{ name: 'a' }] })
          .complete({});
      }
      rollout.end();
      return rollout.location;
    });
    const [bundle = '', segment = ''] = places;
    materializeSegment(segment, join(root, 'again'));
    const files = (path: string): string[] => readdirSync(path, { recursive: true }).map(String).sort();
    expect(files(join(root, 'again'))).toEqual(files(bundle));
    for (const file of files(bundle).filter((name) => name.includes('.'))) {
      expect(readFileSync(join(root, 'again', file), 'utf8')).toBe(readFileSync(join(bundle, file), 'utf8'));
    }
  });
});
