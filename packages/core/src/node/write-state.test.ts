import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Produce, type WriteOptions, writeAtomically } from './write-state.ts';

const place = mkdtempSync(join(tmpdir(), 'rollout-trace-write-'));
afterAll(() => rmSync(place, { recursive: true }));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(place, 'folder-'));
});

const text =
  (...parts: string[]): Produce =>
  (emit) => {
    for (const part of parts) emit(new TextEncoder().encode(part));
  };
const BOTH: WriteOptions[] = [{ links: 'replace' }, { links: 'follow' }];

describe.each(BOTH)('a file written atomically, %j', (options) => {
  it('is all of what was produced, and nothing else is left', () => {
    const file = join(folder, 'state.json');
    expect(writeAtomically(file, text('a', 'bc', 'd'), options)).toBe(4);
    expect(readFileSync(file, 'utf8')).toBe('abcd');
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('shows its old content until the new one is complete', () => {
    const file = join(folder, 'state.json');
    writeFileSync(file, 'old');
    writeAtomically(
      file,
      (emit) => {
        emit(new Uint8Array(1 << 20));
        expect(readFileSync(file, 'utf8')).toBe('old');
      },
      options,
    );
    expect(readFileSync(file)).toHaveLength(1 << 20);
  });

  it('keeps its old content when the production fails, and nothing else is left', () => {
    const file = join(folder, 'state.json');
    writeFileSync(file, 'old');
    const fails: Produce = (emit) => {
      emit(new Uint8Array(10));
      throw new Error('no more');
    };
    expect(() => writeAtomically(file, fails, options)).toThrow('no more');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('takes bytes that are valid only during the call', () => {
    const buffer = new Uint8Array(3);
    const file = join(folder, 'reused');
    const reuses: Produce = (emit) => {
      for (const value of [1, 2, 3]) emit(buffer.fill(value));
    };
    writeAtomically(file, reuses, options);
    expect([...readFileSync(file)]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it('in place of a folder is refused', () => {
    mkdirSync(join(folder, 'state.json'));
    const file = join(folder, 'state.json');
    expect(() => writeAtomically(file, text('a'), options)).toThrow(expect.objectContaining({ path: file }));
    expect(readdirSync(folder)).toEqual(['state.json']);
  });

  it('takes away what a killed process left long ago, and nothing younger', () => {
    const [old, young, other] = ['.state.json.1.part', '.state.json.2.part', '.other.json.1.part'];
    for (const name of [old, young, other]) writeFileSync(join(folder, name), '');
    for (const name of [old, other]) utimesSync(join(folder, name), 1, 1);
    writeAtomically(join(folder, 'state.json'), text('a'), options);
    expect(readdirSync(folder).sort()).toEqual([other, young, 'state.json']);
  });
});

describe('a link at the place', () => {
  it('is replaced where the user did not name it', () => {
    writeFileSync(join(folder, 'victim'), 'precious');
    symlinkSync('victim', join(folder, 'link'));
    writeAtomically(join(folder, 'link'), text('new'), { links: 'replace' });
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('precious');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(false);
  });

  it('is followed where the user did', () => {
    writeFileSync(join(folder, 'target'), 'old');
    symlinkSync('target', join(folder, 'link'));
    writeAtomically(join(folder, 'link'), text('new'), { links: 'follow' });
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('new');
    expect(readlinkSync(join(folder, 'link'))).toBe('target');
  });

  it('that waits for the temporary file is not followed', () => {
    const victim = join(folder, 'victim');
    symlinkSync(victim, join(folder, `.state.json.${process.pid}.part`));
    expect(() => writeAtomically(join(folder, 'state.json'), text('new'), { links: 'replace' })).toThrow();
    expect(existsSync(victim)).toBe(false);
  });
});

it.skipIf(process.platform === 'win32')('a device that the user named is written to and stays a device', () => {
  expect(writeAtomically('/dev/null', text('abc'), { links: 'follow' })).toBe(3);
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
});
