import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRollout } from './start-rollout.ts';

vi.mock('node:fs', async (original) => ({ ...(await original<typeof import('node:fs')>()) }));

let root = '';

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'rollout-trace-bundle-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});

/**
 * Records requests of a history that is longer than what is copied at once, and looks whether every payload says what
 * was sent.
 *
 * @param spoil what is done to each second payload once it is written
 */
function session(calls: number, spoil: ((payload: string) => void) | null = null): void {
  const rollout = startRollout({ root, format: 'bundle' });
  const context = rollout.root.startTurn().inference({ model: 'model-1', providerName: 'provider' });
  const input: object[] = [{ type: 'message', role: 'user', content: 'x'.repeat(300_000) }];
  for (let n = 0; n < calls; n++) {
    input.push({ type: 'message', role: 'assistant', content: `answer ${n} ${'é'.repeat(n * 40_000)}` });
    const body = { model: 'model-1', input, stream: true, store: false, metadata: { n } };
    context.start(body);
    const path = join(rollout.location, 'payloads', `${n + 2}.json`);
    expect(fs.readFileSync(path, 'utf8')).toBe(JSON.stringify(body, null, 2));
    if (n % 2 === 0) spoil?.(path);
  }
  expect(rollout.troubles).toEqual({});
  rollout.end();
  expect(fs.readFileSync(join(rollout.location, 'trace.jsonl'), 'utf8').match(/inference_started/g)).toHaveLength(
    calls,
  );
}

describe('a payload', () => {
  it('takes over what the one before it says', () => {
    const read = vi.spyOn(fs, 'readSync');
    session(6);
    expect(read).toHaveBeenCalled();
  });

  it('is whole where the system takes and gives only a part', () => {
    const { readSync, writeSync } = fs;
    vi.spyOn(fs, 'readSync').mockImplementation(((
      fd: number,
      data: Uint8Array,
      at: number,
      length: number,
      from: number,
    ) => readSync(fd, data, at, Math.min(length, 7001), from)) as unknown as typeof readSync);
    vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, data: Uint8Array, at: number, length: number) =>
      writeSync(fd, data, at, Math.min(length, 5003))) as unknown as typeof writeSync);
    session(3);
  });

  it.each<[string, (path: string) => void]>([
    ['removed', (path) => fs.unlinkSync(path)],
    ['cut', (path) => fs.truncateSync(path, 100)],
    ['emptied', (path) => fs.writeFileSync(path, '')],
    ['longer', (path) => fs.appendFileSync(path, '\n')],
    [
      'other words',
      (path) => {
        fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replaceAll('x', 'y'));
        fs.utimesSync(path, 1, 1);
      },
    ],
    [
      'another file',
      (path) => {
        const { atime, mtime } = fs.statSync(path);
        const text = fs.readFileSync(path, 'utf8').replaceAll('x', 'y');
        fs.writeFileSync(`${path}.new`, text);
        fs.utimesSync(`${path}.new`, atime, mtime);
        fs.renameSync(`${path}.new`, path);
      },
    ],
    [
      'a folder',
      (path) => {
        fs.unlinkSync(path);
        fs.mkdirSync(path);
      },
    ],
  ])('is told in full where the one before it is %s meanwhile', (_, spoil) => {
    session(5, spoil);
  });

  it('is told in full where the one before it becomes shorter while it is read', () => {
    const { readSync } = fs;
    let ends = 1;
    vi.spyOn(fs, 'readSync').mockImplementation(((...args: Parameters<typeof readSync>) =>
      ends-- === 1 ? 0 : readSync(...args)) as typeof readSync);
    session(4);
    expect(ends).toBeLessThan(0);
  });

  it.each(['readSync', 'fstatSync'] as const)('is told in full where the one before it fails: %s', (call) => {
    const failure = (): never => {
      throw new Error('EIO');
    };
    const failing = vi.spyOn(fs, call);
    const [opened, closed] = [vi.spyOn(fs, 'openSync'), vi.spyOn(fs, 'closeSync')];
    session(4, () => failing.mockImplementationOnce(failure));
    expect(opened.mock.calls.length).toBeGreaterThan(0);
    expect(closed.mock.calls).toHaveLength(opened.mock.calls.length);
  });
});
