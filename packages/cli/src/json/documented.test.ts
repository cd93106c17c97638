// docs/cli.md says what `--json` prints: each field by its name, its type, and when it is null or absent.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OutputStream } from '../io/stream.ts';
import { run } from '../run.ts';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';
import { playTurn, recorded } from '../testing/recorded.ts';

const doc = readFileSync(fileURLToPath(new URL('../../../../docs/cli.md', import.meta.url)), 'utf8');
const folder = scratch();
const ALL = readdirSync(fixture('.')).flatMap((version) =>
  readdirSync(fixture(version)).map((name) => fixture(join(version, name))),
);

type Fields = Record<string, unknown>;

interface Row {
  name: string;
  type: string;
  gaps: string;
}

/** The rows of each table, by the name above it. */
const documented = new Map(
  [...doc.matchAll(/^### `([^`]+)`\n\n\| field .*\n\|--.*\n((?:\|.*\n)+)/gm)].map(([, name = '', table = '']) => {
    const rows = table
      .trimEnd()
      .split('\n')
      .map((row): Row => {
        const [, field = '', type = '', , gaps = ''] = row.split('|').map((cell) => cell.trim());
        return { name: field.replaceAll('`', ''), type, gaps };
      });
    return [name, rows] as const;
  }),
);

/** What was printed, by the name of its table. */
const printed = new Map<string, Fields[]>();

function note(table: string, ...objects: Fields[]): void {
  printed.set(table, [...(printed.get(table) ?? []), ...objects]);
}

function json(...argv: string[]) {
  return JSON.parse(cli(argv).out);
}

/** `record` waits for another process. */
async function record(...words: string[]): Promise<Fields> {
  let out = '';
  const stdout: OutputStream = {
    isTerminal: false,
    columns: null,
    isClosed: false,
    write: (data) => {
      out += String(data);
    },
  };
  const environment = { ...process.env, ROLLOUT_TRACE_ROOT: join(folder, 'traces') };
  await run(['record', '-q', '--json', '--', ...words], {
    stdout,
    stderr: { ...stdout, write: () => {} },
    environment,
  });
  return JSON.parse(out);
}

function noteShow(bundle: string): void {
  const summary = json('show', '--json', bundle);
  note('show', summary);
  note('counts', summary.counts);
  note('tokens', summary.tokens);
  note('finding_counts', summary.finding_counts);
  note('models[]', ...summary.models);
  note('tools[]', ...summary.tools);
  note('threads[]', ...summary.threads);
  note('turns[]', ...summary.turns);
  note('findings[]', ...summary.findings);
  for (const part of [...summary.models, ...summary.threads, ...summary.turns]) note('tokens', part.tokens);
  for (const { execution } of [...summary.threads, ...summary.turns]) note('execution', execution);
  for (const kind of ['items', 'tools', 'payloads']) {
    const list = json('show', '--json', bundle, kind);
    note('collection', list);
    note('objects[]', ...list.objects);
    const [first] = list.objects;
    if (first === undefined) continue;
    const one = json('show', '--json', bundle, first.ref);
    note('object', one);
    note('referred_to_by[]', ...one.referred_to_by);
  }
  const event = json('show', '--json', bundle, 'seq:3');
  note('event', event);
  note('effects[]', ...event.effects);
  expect(Object.keys(json('show', '--json', bundle, 'findings'))).toEqual(['findings']);
}

beforeAll(async () => {
  for (const bundle of ALL) {
    const told = json('story', '--json', bundle);
    note('story', told);
    note('steps[]', ...told.steps);
    note('failures[]', ...told.failures);
    for (const { asked_by } of told.failures) note('asked_by[]', ...asked_by);
    noteShow(bundle);
    note('ls', json('ls', '--json', bundle));
    note('verify', json('verify', '--json', bundle));
    note('reduce', json('reduce', '--json', '-q', '-o', join(folder, 'state.json'), bundle));
  }
  const damaged = copyOf('0.169.0/plain', folder);
  for (const name of ['manifest.json', 'trace.jsonl']) {
    rmSync(join(damaged, name));
    if (name === 'manifest.json') note('ls', json('ls', '--json', damaged));
  }
  const segment = recorded(folder, (rollout) => playTurn(rollout), 'segment');
  noteShow(segment);
  note('materialize', json('materialize', '--json', '-q', '-o', join(folder, 'made'), segment));
  const torn = join(folder, 'torn.rollout');
  writeFileSync(torn, readFileSync(segment).subarray(0, -3));
  const made = json('materialize', '--json', '-q', torn);
  note('materialize', made);
  note('tail', made.tail);
  const copy = `require('node:fs').cpSync(${JSON.stringify(fixture('0.169.0/plain'))}, process.env.ROLLOUT_TRACE_ROOT + '/a', { recursive: true })`;
  const left = await record(process.execPath, '-e', copy);
  note('record', left, await record('./no-such-command'));
  note('error', json('show', '--json', './none').error, json('ls', '--json', './none').error);
  note('error', json('show', '--json', fixture('0.169.0')).error, json('reduce', '--json', damaged).error);
  const [bundle] = left.bundles as Fields[];
  const fields = documented.get('reduce')?.map(({ name }) => name) ?? [];
  expect(Object.keys(bundle ?? {}).sort()).toEqual([...fields, 'failed_or_unfinished'].sort());
}, 60_000);

const typeOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

describe('docs/cli.md', () => {
  it('has a table for everything that is printed, and no other', () => {
    expect([...documented.keys()].sort()).toEqual([...printed.keys()].sort());
  });

  it.each([...documented.keys()])('names the fields of %s that are printed, and no other', (table) => {
    const objects = printed.get(table) ?? [];
    expect(objects.length).toBeGreaterThan(0);
    const names = new Set(objects.flatMap((object) => Object.keys(object)));
    const known = documented.get(table)?.map(({ name }) => name) ?? [];
    expect([...names].sort()).toEqual([...known].sort());
  });

  it.each([...documented.keys()])('tells the types of the fields of %s, and which are null or absent', (table) => {
    for (const { name, type, gaps } of documented.get(table) ?? []) {
      for (const object of printed.get(table) ?? []) {
        const value = object[name];
        if (value === undefined) expect(gaps, name).toContain('absent');
        else if (value === null) expect(gaps, name).toContain('null:');
        else if (type !== 'any') expect(typeOf(value), name).toBe(type);
      }
    }
  });
});
