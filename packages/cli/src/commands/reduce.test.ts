import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';

const folder = scratch();
const PLAIN = '0.169.0/plain';
/** The reference fails on it; salvage has findings that are errors. */
const DAMAGED = '0.169.0/code-wait-bad';

const read = (...parts: string[]): string => readFileSync(join(...parts), 'utf8');
const entries = (path: string): string[] => readdirSync(path).sort();

describe('reduce', () => {
  it('writes state.json into the bundle, the bytes of the reference, and says so in one line on stderr', () => {
    const bundle = copyOf(PLAIN, folder);
    const { code, out, err } = cli(['reduce', bundle]);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(read(bundle, 'state.json')).toBe(read(bundle, 'expected-state.json'));
    expect(err).toMatch(/^\S+state\.json 7\.0 kB; 17 events, 1 thread, .*; generation 0\.169, certain; no findings\n$/);
  });

  it('says when the generation was not certain, and why', () => {
    const { err } = cli(['reduce', copyOf('0.169.0/killed', folder)]);
    expect(err).toContain('generation 0.169, not certain (the log was cut off');
  });

  it.skipIf(process.platform === 'win32')('lets nobody read the state who may not read the evidence', () => {
    const bundle = copyOf(DAMAGED, folder);
    chmodSync(join(bundle, 'manifest.json'), 0o600);
    cli(['reduce', bundle, '-q']);
    for (const name of ['state.json', 'findings.json']) expect(statSync(join(bundle, name)).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind but the state', () => {
    const bundle = copyOf(PLAIN, folder);
    const before = entries(bundle);
    cli(['reduce', bundle]);
    expect(entries(bundle)).toEqual([...before, 'state.json'].sort());
  });

  it('of a damaged bundle ends with 3, with the findings on stderr and in findings.json', () => {
    const bundle = copyOf(DAMAGED, folder);
    const { code, err } = cli(['reduce', bundle]);
    expect(code).toBe(3);
    expect(err).toContain('wait_arguments_invalid');
    const findings = JSON.parse(read(bundle, 'findings.json'));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'wait_arguments_invalid', severity: 'error', seq: 23 });
  });

  it('takes away the findings of an earlier reduction when there are none any more', () => {
    const bundle = copyOf(PLAIN, folder);
    writeFileSync(join(bundle, 'findings.json'), '[]');
    cli(['reduce', bundle]);
    expect(existsSync(join(bundle, 'findings.json'))).toBe(false);
  });

  it('goes on to the other bundles when one fails, and ends with the worst', () => {
    const [plain, damaged] = [copyOf(PLAIN, folder), copyOf(DAMAGED, folder)];
    const missing = join(folder, 'missing');
    expect(cli(['reduce', plain, damaged, '-q']).code).toBe(3);
    expect(cli(['reduce', missing, damaged, plain, '-q']).code).toBe(2);
    expect(existsSync(join(plain, 'state.json'))).toBe(true);
  });

  it('with --quiet prints errors only', () => {
    expect(cli(['reduce', copyOf(DAMAGED, folder), '--quiet'])).toEqual({ code: 3, out: '', err: '' });
    expect(cli(['reduce', join(folder, 'missing'), '-q']).err).toMatch(/^error: \S+missing does not exist\n/);
  });

  it('applies no event beyond --until', () => {
    const { out } = cli(['reduce', fixture(PLAIN), '--until', '5', '-o', '-', '-q']);
    expect(JSON.parse(out).inference_calls).toEqual({});
  });

  it('with --schema latest writes an old generation in the newest shape', () => {
    const own = JSON.parse(cli(['reduce', fixture('0.125.0/turns'), '-o', '-', '-q']).out);
    const latest = JSON.parse(cli(['reduce', fixture('0.125.0/turns'), '-o', '-', '-q', '--schema', 'latest']).out);
    expect([own.schema_version, latest.schema_version]).toEqual([1, 2]);
  });

  it('takes the generation it is told', () => {
    const { err } = cli(['reduce', copyOf('0.125.0/turns', folder), '--generation', '0.127.3']);
    expect(err).toContain('generation 0.125, certain');
  });
});

describe('reduce --strict', () => {
  it('fails at the first inconsistency with its code, place and hint, and writes nothing', () => {
    const bundle = copyOf(DAMAGED, folder);
    const before = entries(bundle);
    const { code, out, err } = cli(['reduce', bundle, '--strict']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(entries(bundle)).toEqual(before);
    expect(err).toContain('wait_arguments_invalid at payloads/15.json seq 23: the wait call');
    expect(err).toContain('Reduce without --strict');
    expect(err).not.toMatch(/^\s+at /m);
  });

  it('leaves the state of an earlier reduction as it is when it fails', () => {
    const bundle = copyOf(DAMAGED, folder);
    writeFileSync(join(bundle, 'state.json'), 'earlier');
    cli(['reduce', bundle, '--strict', '-q']);
    expect(read(bundle, 'state.json')).toBe('earlier');
  });

  it('writes the same bytes as salvage where nothing is wrong', () => {
    const args = ['reduce', fixture('0.164.0/code-parallel'), '-o', '-', '-q'];
    expect(cli([...args, '--strict'])).toEqual(cli(args));
  });
});

describe('reduce --output', () => {
  it('- sends the state to stdout, byte for byte, and the summary to stderr', () => {
    const { out, err } = cli(['reduce', fixture('0.169.0/json-odd'), '-o', '-']);
    expect(out).toBe(read(fixture('0.169.0/json-odd'), 'expected-state.json'));
    expect(err).toMatch(/findings\n$/);
  });

  it('- on a terminal escapes what a terminal would obey, in JSON that means the same', () => {
    const { out } = cli(['reduce', fixture('0.164.0/unicode'), '-o', '-', '-q'], { isTerminal: true });
    expect(out).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(JSON.parse(out)).toEqual(JSON.parse(read(fixture('0.164.0/unicode'), 'expected-state.json')));
  });

  it('- stops when nobody reads any more, and that is no error', () => {
    const { code, err } = cli(['reduce', fixture(PLAIN), '-o', '-', '-q'], { closesAfter: 10 });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('names the findings after the file, so that those of other bundles stay', () => {
    const place = join(folder, 'named');
    mkdirSync(place);
    writeFileSync(join(place, 'findings.json'), 'of another bundle');
    cli(['reduce', fixture(DAMAGED), '-o', join(place, 'a.json'), '-q']);
    expect(entries(place)).toEqual(['a.findings.json', 'a.json', 'findings.json']);
    expect(read(place, 'findings.json')).toBe('of another bundle');
  });

  it('writes to the file behind a link that the user named', () => {
    const place = join(folder, 'linked');
    mkdirSync(place);
    writeFileSync(join(place, 'target.json'), '');
    symlinkSync('target.json', join(place, 'link.json'));
    cli(['reduce', fixture(PLAIN), '-o', join(place, 'link.json'), '-q']);
    expect(readlinkSync(join(place, 'link.json'))).toBe('target.json');
    expect(statSync(join(place, 'target.json')).size).toBe(7027);
  });

  it.skipIf(process.platform === 'win32')('writes to a device as it stands', () => {
    expect(cli(['reduce', fixture(PLAIN), '-o', '/dev/null', '-q'])).toEqual({ code: 0, out: '', err: '' });
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('does not go with several bundles, nor - with --json', () => {
    expect(cli(['reduce', 'a', 'b', '-o', 'c'])).toMatchObject({ code: 2, out: '' });
    expect(cli(['reduce', 'a', '-o', '-', '--json'])).toMatchObject({ code: 2, out: '' });
  });

  it('says in words why a file cannot be written', () => {
    const { code, err } = cli(['reduce', fixture(PLAIN), '-o', join(folder, 'no', 'such', 'folder.json')]);
    expect(code).toBe(2);
    expect(err).toContain('there is no such file or folder');
  });
});

describe('a bundle of a stranger', () => {
  it('cannot have its state written through a link it brought', () => {
    const bundle = copyOf(PLAIN, folder);
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(bundle, 'state.json'));
    symlinkSync(victim, join(bundle, 'findings.json'));
    cli(['reduce', bundle, '-q']);
    expect(read(victim)).toBe('precious');
    expect(lstatSync(join(bundle, 'state.json')).isSymbolicLink()).toBe(false);
  });
});

describe('reduce --json', () => {
  it('prints one object per bundle on stdout: what was read, what was written, what was wrong', () => {
    const [plain, damaged] = [copyOf(PLAIN, folder), copyOf(DAMAGED, folder)];
    const { out } = cli(['reduce', plain, damaged, '--json', '-q']);
    const [first, second] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      bundle: plain,
      output: join(plain, 'state.json'),
      output_bytes: 7027,
      findings_file: null,
      generation: '0.169',
      certain: true,
      reason: 'the event recording_completed',
      events: 17,
      counts: { threads: 1, inference_calls: 1 },
      findings: [],
    });
    expect(second).toMatchObject({
      findings_file: join(damaged, 'findings.json'),
      findings: [{ code: 'wait_arguments_invalid' }],
    });
  });

  it('prints the error of a bundle that failed, too', () => {
    const { code, out } = cli(['reduce', fixture(DAMAGED), '--strict', '--json', '-o', join(folder, 'x.json')]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ output: null, error: { code: 'wait_arguments_invalid', seq: 23 } });
  });
});
