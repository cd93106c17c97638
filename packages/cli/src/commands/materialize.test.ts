// A segment stands wherever a bundle may: every command that reads takes it, and says the same of it.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutputStream } from '../io/stream.ts';
import { run } from '../run.ts';

const place = mkdtempSync(join(tmpdir(), 'rollout-trace-segment-'));
afterAll(() => rmSync(place, { recursive: true }));

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(place, 'root-'));
});

/** Records the same session each time, with the same clock and ids, and gives the path of the trace. */
function recorded(format: 'bundle' | 'segment', below: string = root): string {
  let time = 1_795_000_000_000;
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, '0')}`;
  const rollout = startRollout({ root: below, format, clock: () => time++, newId });
  const turn = rollout.root.startTurn();
  const input: object[] = [];
  for (let n = 1; n <= 3; n++) {
    input.push({ type: 'message', id: `msg_${n}`, role: 'user', content: [{ type: 'input_text', text: `Part ${n}` }] });
    const answer = {
      type: 'message',
      id: `out_${n}`,
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Yes.' }],
    };
    turn
      .inference({ model: 'model-1', providerName: 'p' })
      .start({ model: 'model-1', input })
      .complete({ responseId: `resp_${n}`, outputItems: [answer] });
    input.push(answer);
  }
  turn.end();
  rollout.end();
  return rollout.location;
}

function cli(...argv: string[]): { code: number; out: string; err: string } {
  const stream = (): OutputStream & { text: string } => ({
    text: '',
    isTerminal: false,
    columns: null,
    isClosed: false,
    write(data) {
      this.text += typeof data === 'string' ? data : new TextDecoder().decode(data);
    },
  });
  const [stdout, stderr] = [stream(), stream()];
  const code = run(argv, { stdout, stderr, environment: { ROLLOUT_TRACE_ROOT: root } });
  if (typeof code !== 'number') throw new Error(`${argv.join(' ')} waits for another process`);
  return { code, out: stdout.text, err: stderr.text };
}

describe('a segment', () => {
  it('is reduced to the state of the same bundle, beside it under its name', () => {
    const [segment, bundle] = [recorded('segment'), recorded('bundle', join(root, 'other'))];
    expect(cli('reduce', segment).code).toBe(0);
    expect(cli('reduce', bundle).code).toBe(0);
    const state = segment.replace(/\.rollout$/, '.state.json');
    expect(readFileSync(state, 'utf8')).toBe(readFileSync(join(bundle, 'state.json'), 'utf8'));
    expect(cli('reduce', '--strict', '-o', '-', segment).out).toBe(readFileSync(state, 'utf8'));
    expect(cli('reduce', '--until', '6', '-o', '-', segment).out).toBe(
      cli('reduce', '--until', '6', '-o', '-', bundle).out,
    );
  });

  it('is found by @last and by the beginning of an id, and stands in the list', () => {
    const segment = recorded('segment');
    for (const name of ['@last', '00000000-0000']) {
      expect(JSON.parse(cli('reduce', '--json', name).out).bundle).toBe(segment);
    }
    const [row] = cli('ls', '--json').out.trim().split('\n');
    expect(JSON.parse(row ?? '')).toMatchObject({
      path: segment,
      layout: 'segment',
      status: 'completed',
      size_bytes: statSync(segment).size,
      damage: [],
    });
  });

  it('shows the summary, objects and raw events of the same bundle', () => {
    const [segment, bundle] = [recorded('segment'), recorded('bundle', join(root, 'other'))];
    const { events } = JSON.parse(cli('show', '--json', bundle).out);
    for (let seq = 1; seq <= events; seq++) {
      expect(cli('show', '--json', segment, `seq:${seq}`)).toEqual(cli('show', '--json', bundle, `seq:${seq}`));
    }
    for (const ref of ['turns', 'inferences', 'items', 'msg_2', 'inference:2']) {
      expect(cli('show', '--json', segment, ref), ref).toEqual(cli('show', '--json', bundle, ref));
    }
    expect(cli('show', segment).out).toContain('in one segment');
    expect(cli('show', segment, `seq:${events + 1}`).code).toBe(2);
  });

  it('that was cut off is a warning, one that was changed an error, one that is none a failure', () => {
    const segment = recorded('segment');
    const whole = readFileSync(segment);
    expect(cli('verify', segment)).toMatchObject({ code: 0, err: '' });
    truncateSync(segment, whole.length - 1);
    const torn = cli('verify', '--json', segment);
    expect(torn.code).toBe(0);
    expect(torn.out).toContain('"segment_torn"');
    expect(cli('reduce', segment).code).toBe(0);
    const at = Math.floor(whole.length / 2);
    const changed = Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ 1 : byte));
    writeFileSync(segment, changed);
    expect(cli('verify', segment)).toMatchObject({ code: 1, out: expect.stringContaining('segment_corrupt') });
    expect(cli('reduce', segment).code).toBe(3);
    writeFileSync(segment, 'no segment at all');
    expect(cli('verify', segment)).toMatchObject({ code: 2, err: expect.stringContaining('segment_invalid') });
    expect(cli('show', segment).code).toBe(2);
    expect(cli('materialize', segment)).toMatchObject({
      code: 2,
      err: expect.stringContaining('not a rollout segment'),
    });
    expect(JSON.parse(cli('ls', '--json').out).damage).toContain('segment_invalid');
  });
});

describe('materialize', () => {
  function filesBelow(folder: string): Map<string, string> {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return new Map(names.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'utf8')]));
  }

  it('writes the bundle that would have been recorded, beside the segment or where it is told', () => {
    const [segment, bundle] = [recorded('segment'), recorded('bundle', join(root, 'other'))];
    const { code, err } = cli('materialize', segment);
    expect(code).toBe(0);
    expect(err).toMatch(/: \d+ events, \d+ payloads\n/);
    const beside = segment.replace(/\.rollout$/, '');
    expect(filesBelow(beside)).toEqual(filesBelow(bundle));
    const answer = JSON.parse(cli('materialize', '--json', '-q', '-o', join(root, 'here'), '@last').out);
    expect(answer).toMatchObject({ bundle: join(root, 'here'), tail: null });
    expect(filesBelow(join(root, 'here'))).toEqual(filesBelow(bundle));
  });

  it('touches no folder that exists, and leaves nothing where it fails', () => {
    const segment = recorded('segment');
    expect(cli('materialize', segment).code).toBe(0);
    expect(cli('materialize', segment)).toMatchObject({ code: 2, err: expect.stringContaining('exists') });
    const none = join(root, 'none.rollout');
    writeFileSync(none, 'none');
    for (const bytes of ['none', '', readFileSync(segment).subarray(0, 100)]) {
      writeFileSync(none, bytes);
      expect(cli('materialize', none)).toMatchObject({ code: 2, err: expect.stringContaining('none.rollout: ') });
    }
    expect(readdirSync(root).sort()).toEqual([basename(segment, '.rollout'), basename(segment), 'none.rollout'].sort());
    expect(cli('materialize', segment.replace(/\.rollout$/, '')).err).toContain('is a bundle already');
  });

  it('names the folder that was asked for where it cannot be made, and what to do', () => {
    const segment = recorded('segment');
    expect(cli('materialize', '-o', join(root, 'no', 'x'), segment)).toEqual({
      code: 2,
      out: '',
      err: `error: ${join(root, 'no')} does not exist\n  Make it, or name another folder with --output.\n`,
    });
    expect(cli('materialize', '-o', join(segment, 'x'), segment).err).toContain(`error: ${segment} is no folder\n`);
    const long = join(root, 'x'.repeat(255));
    const { err } = cli('materialize', '-o', long, segment);
    expect(err).toContain(`error: ${long}: the name is too long`);
    expect(err).not.toContain('.part');
  });

  it('writes what stands before a damage, and says so with its exit code', () => {
    const segment = recorded('segment');
    const whole = readFileSync(segment);
    truncateSync(segment, whole.length - 5);
    const torn = cli('materialize', '-o', join(root, 'torn'), segment);
    expect(torn).toMatchObject({ code: 0, err: expect.stringContaining('the recorder was stopped while it wrote') });
    const at = whole.length - 5;
    writeFileSync(
      segment,
      Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ 1 : byte)),
    );
    expect(cli('materialize', '-o', join(root, 'changed'), segment).code).toBe(3);
    const logOf = (name: string): string => readFileSync(join(root, name, 'trace.jsonl'), 'utf8');
    expect(logOf('changed')).toBe(logOf('torn'));
  });
});
