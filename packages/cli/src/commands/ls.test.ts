import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';
import { playTurn, recorded } from '../testing/recorded.ts';

const folder = scratch();

function root(...names: string[]): string {
  const place = join(folder, `root-${Math.random()}`);
  mkdirSync(place);
  for (const name of names) renameSync(copyOf(name, folder), join(place, name.replaceAll('/', '-')));
  return place;
}

/** Records a session with these turns; a text is why one failed. */
function recordTurns(place: string, format: 'bundle' | 'segment', failures: readonly (string | null)[]): void {
  const path = recorded(
    folder,
    (rollout) => {
      for (const failure of failures) playTurn(rollout, failure);
    },
    format,
  );
  renameSync(path, join(place, basename(path)));
}

describe('ls', () => {
  it('lists the bundles below a folder, newest first', () => {
    const { code, out, err } = cli(['ls', fixture('0.169.0')]);
    const starts = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.slice(0, 16));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(starts.length).toBeGreaterThan(10);
    expect(starts).toEqual(starts.toSorted().reverse());
  });

  it('counts threads, calls and tools, and says how long it took and how it ended', () => {
    const { out } = cli(['ls', fixture('0.169.0/compact-agents')], { environment: { COLUMNS: '160' } });
    expect(out.split('\n')[0]).toMatch(/^started +took +threads +calls +tools +status +size +trace +path$/);
    expect(out.split('\n')[1]).toMatch(/ 883 ms +2 +10 +6 +completed +\d+ kB +7fe4cffa +\S+compact-agents$/);
  });

  it('--json prints one object per bundle, with the count of each event type', () => {
    const [bundle] = cli(['ls', fixture('0.169.0/compact-agents'), '--json']).out.split('\n');
    expect(JSON.parse(bundle ?? '')).toMatchObject({
      layout: 'bundle',
      trace_id: '7fe4cffa-fcc9-4f0a-94a9-d481d2ebc74a',
      status: 'completed',
      has_ended: true,
      recording_completed: true,
      events: 104,
      event_counts: { inference_started: 10, compaction_installed: 2 },
      damage: [],
    });
  });

  it('counts the turns that were not completed, whatever the end of the session says, of bundles and segments', () => {
    const place = root('0.165.0/fail-stream', '0.169.0/plain');
    for (const format of ['bundle', 'segment'] as const) {
      recordTurns(place, format, [null, 'no answer', 'bad request']);
    }
    const rows = cli(['ls', place, '--json']).out.trimEnd().split('\n');
    const found = rows
      .map((row) => JSON.parse(row))
      .map(({ path, status, turns_not_completed }) => {
        return [
          path.endsWith('.rollout') ? 'segment' : path.slice(place.length + 1, place.length + 5),
          status,
          turns_not_completed,
        ];
      });
    expect(found.sort()).toEqual([
      ['0.16', 'completed', 0],
      ['0.16', 'completed', 2],
      ['segment', 'completed', 2],
      ['trac', 'completed', 2],
    ]);
    const { out } = cli(['ls', place], { environment: { COLUMNS: '160' } });
    expect(out).toContain('not completed');
    expect(out.match(/completed +2 of 3 turns /g)).toHaveLength(2);
    expect(cli(['ls', fixture('0.169.0/plain')]).out).not.toContain('not completed');
  });

  it('does not read states: one that is unreadable changes nothing', () => {
    const place = root('0.169.0/plain');
    const before = cli(['ls', place]);
    mkdirSync(join(place, '0.169.0-plain', 'state.json'));
    expect(cli(['ls', place])).toEqual(before);
  });

  it('marks what is damaged, and lists it with the rest', () => {
    const place = root('0.169.0/plain', '0.169.0/patch', '0.169.0/terminal');
    writeFileSync(join(place, '0.169.0-plain', 'manifest.json'), '{');
    appendFileSync(join(place, '0.169.0-patch', 'trace.jsonl'), '{"schema_version":2,"se');
    const { code, out } = cli(['ls', place, '--json']);
    expect(code).toBe(0);
    const found = Object.fromEntries(
      out
        .trimEnd()
        .split('\n')
        .map((line) => [JSON.parse(line).path.slice(place.length + 1), JSON.parse(line).damage]),
    );
    expect(found).toEqual({
      '0.169.0-plain': ['manifest_invalid'],
      '0.169.0-patch': ['line_torn'],
      '0.169.0-terminal': [],
    });
    const table = cli(['ls', place]).out.split('\n');
    expect(table.filter((line) => line.startsWith('!'))).toHaveLength(2);
    expect(table).toContain('2 bundles damaged  `rollout-trace verify` says how');
  });

  it('says of a session without an end that it has none', () => {
    expect(cli(['ls', fixture('0.169.0/killed')]).out).toContain('no end');
  });

  it('enters neither links, nor hidden folders, nor bundles', () => {
    const place = root('0.169.0/plain');
    const bundle = join(place, '0.169.0-plain');
    symlinkSync(bundle, join(place, 'link'));
    renameSync(copyOf('0.169.0/patch', folder), join(place, '.hidden'));
    renameSync(copyOf('0.169.0/patch', folder), join(bundle, 'inner'));
    expect(cli(['ls', place, '--json']).out.trimEnd().split('\n')).toHaveLength(1);
  });

  it('without a folder looks below the trace root, where the beginning of an id can be typed back', () => {
    const place = root('0.169.0/plain', '0.169.0/patch');
    const environment = { CODEX_ROLLOUT_TRACE_ROOT: place, NO_COLOR: '1' };
    const { out } = cli(['ls'], { environment, columns: 80, isTerminal: true });
    const ids = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.match(/\b[0-9a-f]{8}\b/)?.[0] ?? '');
    expect(ids).toHaveLength(2);
    for (const id of ids) expect(cli(['verify', id], { environment }).code).toBe(0);
  });

  it('below the folder that is searched keeps its columns, however long the paths are, and an id can be typed back', () => {
    const place = join(root(), 'a'.repeat(100));
    mkdirSync(place);
    renameSync(copyOf('0.169.0/compact-agents', folder), join(place, 'trace'));
    const environment = { ROLLOUT_TRACE_ROOT: place, COLUMNS: '100' };
    const { out } = cli(['ls', place], { environment });
    expect(out.split('\n')[0]).toMatch(/^started +took +threads +calls +tools +status +size +trace/);
    expect(out.split('\n')[1]).toMatch(/ 7fe4cffa( |$)/);
    expect(cli(['verify', '7fe4cffa'], { environment }).code).toBe(0);
    expect(cli(['ls', place], { environment: { COLUMNS: '100' } }).out).toContain(join(place, 'trace'));
  });

  it('fits narrow terminals by leaving out columns, never by cutting a path that must be typed', () => {
    const path = fixture('0.169.0/compact-agents');
    expect(cli(['ls', path], { columns: 40, isTerminal: true }).out).toContain(path);
  });

  it('writes a path as it must be typed', () => {
    const place = join(folder, `it's two words-${Math.random()}`);
    mkdirSync(place);
    renameSync(copyOf('0.169.0/plain', folder), join(place, 'plain'));
    const { out } = cli(['ls', place]);
    const typed = /'.*'/.exec(out)?.[0] ?? '';
    expect(spawnSync('sh', ['-c', `printf %s ${typed}`], { encoding: 'utf8' }).stdout).toBe(join(place, 'plain'));
  });

  it('says on stderr when there is nothing, and 2 when there is no such folder', () => {
    const place = root();
    expect(cli(['ls', place])).toEqual({ code: 0, out: '', err: `no bundles below ${place}\n` });
    rmSync(place, { recursive: true });
    expect(cli(['ls', place])).toMatchObject({ code: 2, out: '', err: `error: ${place} does not exist\n` });
  });
});
