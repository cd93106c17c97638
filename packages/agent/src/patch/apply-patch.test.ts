import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordedSession } from '../tools/testing/recorded-session.ts';
import { applyPatchTool } from './apply-patch.ts';

vi.setConfig({ testTimeout: 60_000 });

let session: RecordedSession;

beforeEach(() => {
  session = new RecordedSession([applyPatchTool()]);
});

afterEach(() => session.remove());

const file = (path: string): string => join(session.cwd, path);
const write = (path: string, text: string): void => {
  mkdirSync(join(file(path), '..'), { recursive: true });
  writeFileSync(file(path), text);
};
const apply = (...lines: string[]): ReturnType<RecordedSession['call']> =>
  session.call('apply_patch', ['*** Begin Patch', ...lines, '*** End Patch'].join('\n'));

/** Every file of the working folder with what it holds; links by where they lead. */
function tree(folder = session.cwd): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[relative(session.cwd, path)] = readFileSync(path, 'utf8');
  }
  return found;
}

/** The payloads of the runtime events of the trace, in order. */
function observations(): { type: string; status?: string; payload: unknown }[] {
  const log = readFileSync(join(session.bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
  return log
    .map((line) => JSON.parse(line).payload)
    .filter(({ type }) => type.startsWith('tool_call_runtime'))
    .map(({ type, status, runtime_payload }) => ({
      type,
      status,
      payload: JSON.parse(readFileSync(join(session.bundle, runtime_payload.path), 'utf8')),
    }));
}

describe('apply_patch', () => {
  it('adds, changes, moves and deletes files, and keeps their modes', async () => {
    write('old.txt', 'one\ntwo\nthree\n');
    write('run.sh', '#!/bin/sh\r\necho hi');
    chmodSync(file('run.sh'), 0o751);
    write('gone.txt', 'bye\n');
    const outcome = await apply(
      '*** Add File: new/deep/hello.txt',
      '+hello',
      '*** Update File: old.txt',
      '@@',
      ' one',
      '-two',
      '+TWO',
      '*** Update File: run.sh',
      '*** Move to: bin/run.sh',
      '-echo hi',
      '+echo ho',
      '*** Delete File: gone.txt',
    );
    expect(outcome.output).toBe('Applied:\nA new/deep/hello.txt\nM old.txt\nM run.sh -> bin/run.sh\nD gone.txt\n');
    expect(outcome.status).toBe('completed');
    expect(tree()).toEqual({
      'new/deep/hello.txt': 'hello\n',
      'old.txt': 'one\nTWO\nthree\n',
      'bin/run.sh': '#!/bin/sh\r\necho ho',
    });
    expect(statSync(file('bin/run.sh')).mode & 0o7777).toBe(0o751);
  });

  it('writes through a link inside the folder, and leaves the link', async () => {
    write('real.txt', 'one\n');
    symlinkSync('real.txt', file('link.txt'));
    expect((await apply('*** Update File: link.txt', '-one', '+two')).output).toBe('Applied:\nM real.txt\n');
    expect(lstatSync(file('link.txt')).isSymbolicLink()).toBe(true);
    expect(readFileSync(file('real.txt'), 'utf8')).toBe('two\n');
    expect((await apply('*** Delete File: link.txt')).output).toBe(
      'line 2 of the patch: the path is a link to real.txt: only files can be deleted',
    );
  });

  it('finds its place where the same line comes again and again, and does not take long to say that there is none', async () => {
    const same = (count: number): string[] => Array.from({ length: count }, () => ' same');
    write('same.txt', `${'same\n'.repeat(100_000)}last\n`);
    const begun_ms = performance.now();
    expect((await apply('*** Update File: same.txt', '@@', ...same(50_000), '-other')).output).toContain(
      'line 50001 of the file is "same", where the hunk has "other"',
    );
    const changed = await apply('*** Update File: same.txt', '@@', ...same(50_000), '-last', '+LAST');
    expect(changed.status).toBe('completed');
    // Begun anew at each line, this takes minutes.
    expect(performance.now() - begun_ms).toBeLessThan(20_000);
    expect(readFileSync(file('same.txt'), 'utf8').endsWith('same\nLAST\n')).toBe(true);
    const many = Array.from({ length: 1_000 }, () => ['@@', '-same']).flat();
    expect((await apply('*** Update File: same.txt', ...many)).output).toContain('1000 hunks are too many for a file');
  });

  it('does patches that are sent off at once one after the other', async () => {
    write('a.txt', 'one\n');
    const outcomes = await Promise.all([
      apply('*** Update File: a.txt', '-one', '+two'),
      apply('*** Update File: a.txt', '-two', '+three'),
      apply('*** Update File: a.txt', '-one', '+never'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['completed', 'completed', 'failed']);
    expect(tree()).toEqual({ 'a.txt': 'three\n' });
  });

  it('changes nothing once it is cancelled', async () => {
    const text = '*** Begin Patch\n*** Add File: a\n+a\n*** End Patch';
    const outcome = await session.call('apply_patch', text, { signal: AbortSignal.abort() });
    expect(outcome.status).toBe('cancelled');
    expect(tree()).toEqual({});
  });
});

describe('a patch that cannot be applied as a whole', () => {
  it.each([
    [['*** Add File: old.txt', '+x'], 'line 4 of the patch: old.txt exists already'],
    [['*** Add File: new.txt', '+x'], 'line 4 of the patch: /.*/new.txt is changed twice'],
    [['*** Delete File: none.txt'], 'line 4 of the patch: none.txt does not exist'],
    [['*** Delete File: sub'], 'line 4 of the patch: sub is not a file'],
    [['*** Update File: binary', '+x'], 'line 4 of the patch: binary is not a text in UTF-8'],
    [
      ['*** Update File: old.txt', '*** Move to: sub/other.txt', '+x'],
      'line 4 of the patch: sub/other.txt exists already',
    ],
    [['*** Update File: old.txt', '-two'], 'line 4 of the patch: old.txt: hunk at line 5 of the patch: "two" and what'],
    [['*** Add File: ../escape.txt', '+x'], 'line 4 of the patch: ../escape.txt is outside the working folder'],
    [['*** Add File: /tmp/rollout-trace-escape', '+x'], 'is outside the working folder'],
    [['*** Add File: sub/../..', '+x'], 'is outside the working folder'],
    [['*** Add File: .', '+x'], 'line 4 of the patch: . is the working folder itself'],
    [['*** Add File: out/escape.txt', '+x'], 'line 4 of the patch: out/escape.txt is outside the working folder'],
    [['*** Add File: out/deep/escape.txt', '+x'], 'line 4 of the patch: out/deep/escape.txt is outside'],
    [['*** Update File: secret', '-secret', '+x'], 'line 4 of the patch: secret is outside the working folder'],
    [
      ['*** Update File: old.txt', '*** Move to: out/x', '+x'],
      'line 4 of the patch: out/x is outside the working folder',
    ],
    [['*** Add File: nowhere/x', '+x'], 'line 4 of the patch: nowhere/x leads through a link to nowhere'],
    [['*** Add File: old.txt/x', '+x'], 'line 4 of the patch: old.txt/x cannot be reached: ENOTDIR'],
    [['*** Add File: a\0b', '+x'], 'line 4 of the patch: "a\\u0000b" is not a path'],
  ])('changes nothing, and says why: %j', async (lines, message) => {
    write('old.txt', 'one\n');
    write('sub/other.txt', 'other\n');
    writeFileSync(file('binary'), Buffer.from([0xff, 0xfe, 0x00]));
    const outside = join(session.cwd, '..', 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret\n');
    symlinkSync(outside, file('out'));
    symlinkSync(join(outside, 'secret'), file('secret'));
    symlinkSync(join(outside, 'nothing'), file('nowhere'));
    const before = [tree(), tree(outside)];
    const { output, status } = await apply('*** Add File: new.txt', '+new', ...lines);
    expect(output).toMatch(new RegExp(message.replaceAll(/[.\\/*]/g, (c) => `\\${c}`).replace('\\/\\.\\*\\/', '/.*/')));
    expect(status).toBe('failed');
    expect([tree(), tree(outside)]).toEqual(before);
    expect(observations()).toEqual([]);
  });

  it('puts back what was done before the file system refused', async () => {
    write('a.txt', 'one\n');
    chmodSync(file('a.txt'), 0o640);
    write('b.txt', 'two\n');
    write('gone.txt', 'bye\n');
    const before = tree();
    // The new file x cannot be where the folder of x/y.txt is: seen only when both are written.
    const lines = ['*** Update File: a.txt', '-one', '+ONE', '*** Update File: b.txt', '*** Move to: sub/c.txt', '+x'];
    const failing = ['*** Delete File: gone.txt', '*** Add File: x', '+x', '*** Add File: x/y.txt', '+y'];
    const { output, status } = await apply(...lines, ...failing);
    expect(status).toBe('failed');
    expect(output).toMatch(/^nothing was changed; E(ISDIR|EXIST|NOTEMPTY)/);
    expect(tree()).toEqual(before);
    expect(readdirSync(session.cwd).sort()).toEqual(['a.txt', 'b.txt', 'gone.txt']);
    expect(statSync(file('a.txt')).mode & 0o7777).toBe(0o640);
    expect(observations()).toMatchObject([
      { type: 'tool_call_runtime_started' },
      {
        type: 'tool_call_runtime_ended',
        status: 'failed',
        payload: { success: false, status: 'failed', stderr: output },
      },
    ]);
  });
});

describe('the record of a patch', () => {
  it('has its changes at the beginning and the end, and reduces without a contradiction', async () => {
    write('old.txt', 'one\ntwo\n');
    write('gone.txt', 'bye\n');
    const { output } = await apply(
      '*** Add File: new.txt',
      '+new',
      '*** Update File: old.txt',
      '*** Move to: moved.txt',
      '-one',
      '+uno',
      '*** Delete File: gone.txt',
    );
    await apply('*** Delete File: gone.txt');
    const changes = {
      [file('new.txt')]: { type: 'add', content: 'new\n' },
      [file('old.txt')]: {
        type: 'update',
        unified_diff: '@@ -1,2 +1,2 @@\n-one\n+uno\n two\n',
        move_path: file('moved.txt'),
      },
      [file('gone.txt')]: { type: 'delete', content: 'bye\n' },
    };
    const call = { call_id: 'call_1', turn_id: expect.any(String) };
    expect(observations()).toEqual([
      { type: 'tool_call_runtime_started', payload: { ...call, auto_approved: true, changes } },
      {
        type: 'tool_call_runtime_ended',
        status: 'completed',
        payload: { ...call, stdout: output, stderr: '', success: true, changes, status: 'completed' },
      },
    ]);
    session.endTurn();
    const { graph, findings } = session.reduce();
    expect(findings).toEqual([]);
    const calls = [...graph.tool_calls.values()];
    expect(calls.map(({ kind, execution }) => [kind.type, execution.status])).toEqual([
      ['apply_patch', 'completed'],
      ['apply_patch', 'failed'],
    ]);
  });
});
