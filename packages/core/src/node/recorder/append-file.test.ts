import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppendFile } from './append-file.ts';

vi.mock('node:fs', async (original) => ({ ...(await original<typeof import('node:fs')>()) }));

let root = '';
let path = '';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const content = (): string => fs.readFileSync(path, 'utf8');

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'rollout-trace-append-'));
  path = join(root, 'log');
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});

describe('an append-only file', () => {
  it('that is closed writes nothing, whatever has its number by now', () => {
    const file = new AppendFile(path);
    file.close();
    const other = fs.openSync(join(root, 'other'), 'w');
    expect(() => file.append(bytes('one'))).toThrow('is closed');
    file.close();
    fs.writeSync(other, 'whole');
    fs.closeSync(other);
    expect(fs.readFileSync(join(root, 'other'), 'utf8')).toBe('whole');
  });

  it('that was removed says so at the latest when it is closed', () => {
    const file = new AppendFile(path);
    file.append(bytes('one\n'));
    fs.rmSync(path);
    file.append(bytes('two\n'));
    expect(() => file.close()).toThrow('was removed');
    expect(() => file.append(bytes('three\n'))).toThrow('is closed');
  });

  it('that somebody cut is not made longer where a write fails', () => {
    const file = new AppendFile(path);
    file.append(bytes('one\n'));
    fs.truncateSync(path, 0);
    vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
      throw new Error('ENOSPC');
    });
    expect(() => file.append(bytes('two\n'))).toThrow('ENOSPC');
    file.append(bytes('three\n'));
    expect(content()).toBe('three\n');
  });

  it('goes on where the system took only a part', () => {
    const file = new AppendFile(path);
    const { writeSync } = fs;
    vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, data: Uint8Array, at: number, length: number) =>
      writeSync(fd, data, at, Math.min(3, length))) as unknown as typeof writeSync);
    file.append(bytes('a longer record\n'));
    expect(content()).toBe('a longer record\n');
  });

  it('is cut back to its last whole record where a write fails half-way', () => {
    const file = new AppendFile(path);
    file.append(bytes('one\n'));
    const { writeSync } = fs;
    const failing = vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, data: Uint8Array, at: number) => {
      if (at > 0) throw new Error('ENOSPC');
      return writeSync(fd, data, 0, 2);
    }) as unknown as typeof writeSync);
    expect(() => file.append(bytes('two\n'))).toThrow('ENOSPC');
    expect(content()).toBe('one\n');
    failing.mockRestore();
    file.append(bytes('three\n'));
    expect(content()).toBe('one\nthree\n');
  });

  it('takes nothing more while it cannot be cut back', () => {
    const file = new AppendFile(path);
    const full = (): never => {
      throw new Error('EIO');
    };
    vi.spyOn(fs, 'ftruncateSync').mockImplementation(full);
    const { writeSync } = fs;
    vi.spyOn(fs, 'writeSync').mockImplementationOnce(((fd: number, data: Uint8Array) => {
      writeSync(fd, data, 0, 1);
      throw new Error('EIO');
    }) as unknown as typeof writeSync);
    expect(() => file.append(bytes('one\n'))).toThrow('EIO');
    expect(() => file.append(bytes('two\n'))).toThrow('EIO');
    expect(content()).toBe('o');
    vi.restoreAllMocks();
    file.append(bytes('three\n'));
    expect(content()).toBe('three\n');
  });

  it('never takes over a file that is there', () => {
    fs.writeFileSync(path, 'mine');
    expect(() => new AppendFile(path)).toThrow('EEXIST');
  });
});
