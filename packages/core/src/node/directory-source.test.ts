// A bundle on disk stays inside its folder: docs/format.md, D11 and F13.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SourceError } from '../bundle/source.ts';
import { directorySource } from './directory-source.ts';

describe('a bundle on disk', () => {
  let outer: string;
  let bundle: string;

  beforeEach(() => {
    outer = mkdtempSync(join(tmpdir(), 'rollout-trace-'));
    bundle = join(outer, 'bundle');
    mkdirSync(join(bundle, 'payloads'), { recursive: true });
    writeFileSync(join(outer, 'secret.json'), '"secret"');
    writeFileSync(join(bundle, 'payloads/1.json'), '"inside"');
  });

  afterEach(() => rmSync(outer, { recursive: true }));

  const refusal = (path: string): string | null => {
    try {
      return directorySource(bundle).text(path);
    } catch (error) {
      if (error instanceof SourceError) return error.code;
      throw error;
    }
  };

  it('D11: paths that stay inside are followed, those that leave are refused before they are looked at', () => {
    expect(refusal('payloads/../payloads/1.json')).toBe('"inside"');
    expect(refusal('../secret.json')).toBe('payload_outside');
    expect(refusal('../no such file.json')).toBe('payload_outside');
    expect(refusal(join(outer, 'secret.json'))).toBe('payload_outside');
  });

  it('F13: a payload that is a symbolic link is refused, wherever it leads', () => {
    symlinkSync(join(outer, 'secret.json'), join(bundle, 'payloads/2.json'));
    symlinkSync('1.json', join(bundle, 'payloads/3.json'));
    expect([refusal('payloads/2.json'), refusal('payloads/3.json')]).toEqual(['payload_outside', 'payload_outside']);
  });

  it('F13: a folder that is a symbolic link is refused, on the way and at the end', () => {
    symlinkSync(outer, join(bundle, 'link'));
    expect([refusal('link/secret.json'), refusal('link')]).toEqual(['payload_outside', 'payload_outside']);
  });

  it('F13: a path through a link and back is refused as the path it is', () => {
    symlinkSync(outer, join(bundle, 'link'));
    expect(refusal('link/../payloads/1.json')).toBe('"inside"');
  });

  it('F13: what is no ordinary file is missing', () => {
    expect(refusal('payloads')).toBe('payload_missing');
    expect(refusal('payloads/9.json')).toBe('payload_missing');
  });
});
