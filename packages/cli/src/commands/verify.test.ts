import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { describe, expect, it } from 'vitest';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';

const folder = scratch();

describe('verify', () => {
  it('says yes with 0 and no with 1, on stdout', () => {
    expect(cli(['verify', fixture('0.169.0/plain')])).toMatchObject({ code: 0, err: '' });
    const { code, out, err } = cli(['verify', fixture('0.169.0/review')]);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toContain('tool_unknown');
    expect(out).toContain('trace.jsonl:20 seq 20');
  });

  it('does not count as an error that a recording was not completed', () => {
    const { code, out } = cli(['verify', fixture('0.169.0/killed')]);
    expect(code).toBe(0);
    expect(out).toContain('recording_incomplete');
  });

  it('says 2 where something is no bundle, whatever the others are', () => {
    const { code, err } = cli(['verify', fixture('0.169.0/review'), join(folder, 'missing')]);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: \S+missing does not exist/);
  });

  it('passes over what was left beside a segment, so that a folder of them can be named by its files', () => {
    const root = join(folder, 'segments');
    const rollout = startRollout({ root, format: 'segment' });
    rollout.end();
    expect(cli(['reduce', rollout.location]).code).toBe(0);
    const files = readdirSync(root).map((name) => join(root, name));
    expect(files).toHaveLength(2);
    const { code, out, err } = cli(['verify', ...files]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(cli(['verify', files.find((file) => file.endsWith('.json')) ?? '']).code).toBe(2);
  });

  it('writes nothing', () => {
    const bundle = copyOf('0.169.0/review', folder);
    const before = readdirSync(bundle);
    cli(['verify', bundle]);
    expect(readdirSync(bundle)).toEqual(before);
  });

  it('--json prints one object per bundle with all findings and their counts', () => {
    const { out } = cli(['verify', fixture('0.169.0/plain'), fixture('0.169.0/review'), '--json']);
    const [plain, review] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(plain).toMatchObject({ generation: '0.169', certain: true, counts: { error: 0, warning: 0 }, findings: [] });
    expect(review.counts.error).toBe(review.findings.length);
  });
});
