import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';
import { columnsOf } from '../text/width.ts';

const ALL = readdirSync(fixture('.')).flatMap((version) =>
  readdirSync(fixture(version)).map((name) => `${version}/${name}`),
);
const folder = scratch();
const PLAIN = { NO_COLOR: '1' };

interface StoryAnswer {
  steps: {
    ref: string;
    noun: string;
    after_ms: number;
    agent_path: string;
    what: string;
    text: string;
    exit_code: number | null;
  }[];
  failures: {
    ref: string;
    what: string;
    how: string;
    reason: string | null;
    ended_with: string | null;
    asked_by: { ref: string }[];
    seen_in: string | null;
    next_answer: string | null;
  }[];
}

function story(name: string): StoryAnswer {
  return JSON.parse(cli(['story', '--json', fixture(name)]).out);
}

describe('the steps', () => {
  it('are told in the order they happened, whoever did them', () => {
    const { steps } = story('0.169.0/agents-code');
    expect(steps.map(({ after_ms }) => after_ms)).toEqual(steps.map(({ after_ms }) => after_ms).sort((a, b) => a - b));
    const told = steps.map(({ agent_path, what }) => `${agent_path} ${what}`);
    const inOrder = ['/root user', '/root spawn_agent', '/root/alpha exec_command', '/root/alpha says', '/root says'];
    const places = inOrder.map((step) => told.indexOf(step));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('tell what the user said before the request that carried it, where the log does not say when', () => {
    const told = story('0.140.0/stdin-types').steps.map(({ what }) => what);
    expect(told.indexOf('user')).toBeLessThan(told.indexOf('model'));
    expect(told.lastIndexOf('user')).toBeLessThan(told.indexOf('model'));
  });

  it('tell a script once, as its cell, and what it called', () => {
    const { steps } = story('0.169.0/agents-code');
    expect(steps.filter(({ what }) => what === 'exec')).toEqual([]);
    expect(steps.filter(({ what }) => what === 'code cell')).toHaveLength(2);
    expect(steps.find(({ what }) => what === 'exec_command')).toMatchObject({ ref: 'tool:5', exit_code: 0 });
  });

  it('tell a compaction, and not again what was said before it', () => {
    const { steps } = story('0.169.0/compact-agents');
    expect(steps.find(({ what }) => what === 'compaction')?.text).toBe('12 items replaced by 6');
    const texts = steps
      .filter(({ what, agent_path }) => what === 'user' && agent_path === '/root')
      .map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('tell a message once, as what passed between two agents', () => {
    const { out } = cli(['story', fixture('0.169.0/compact-agents')]);
    expect(out.match(/Grown\./g)).toHaveLength(2);
    expect(out).toMatch(/agent_result +\u2192 \/root: Grown\./);
  });
});

describe('a failure', () => {
  it('is told with what asked for it, what it printed, and what the model did about it', () => {
    const { failures } = story('0.169.0/exec-steps');
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatchObject({
      ref: 'call_0002',
      how: 'exit 3',
      reason: 'oops\n',
      asked_by: [{ ref: 'inference:2' }],
      seen_in: 'inference:3',
      next_answer: 'exec_command call_0003',
    });
    expect(cli(['story', fixture('0.169.0/exec-steps')]).out).toContain(
      'the model  saw the outcome in inference:3, and answered with exec_command call_0003',
    );
  });

  it('of a turn is told with the request it ended with, and that with the reason its event gives', () => {
    const { failures } = story('0.169.0/compact-fail');
    expect(failures.map(({ what, ended_with }) => [what, ended_with])).toEqual([
      ['compaction', null],
      ['turn', 'compaction_request:1'],
    ]);
    expect(failures[0]?.reason).toContain('cannot compact');
  });

  it('that the model never saw is told as such', () => {
    const { out } = cli(['story', fixture('0.169.0/killed')]);
    expect(out).toContain('never saw the outcome');
  });

  it('does not stand where there is none', () => {
    const { code, out } = cli(['story', fixture('0.169.0/plain')]);
    expect(code).toBe(0);
    expect(out).toContain('Nothing failed.');
    expect(story('0.169.0/plain').failures).toEqual([]);
  });
});

const stories = new Map(ALL.map((name) => [name, story(name).steps]));

it.each([40, 50, 60, 80, 100, 120])('every story fits %d columns and keeps its refs', (columns) => {
  for (const name of ALL) {
    const { out } = cli(['story', fixture(name)], { columns, isTerminal: true, environment: PLAIN });
    const rows = out.split('\n').filter((row) => !row.includes('rollout-trace'));
    for (const row of rows) expect(columnsOf(row), `${name}: ${row}`).toBeLessThanOrEqual(columns);
    const told = rows.join('\n');
    for (const { ref, noun } of stories.get(name) ?? []) if (noun !== 'item') expect(told, name).toContain(` ${ref} `);
  }
});

it.each([
  [80, /^running, no end was recorded; last sign after \d+ ms$/m],
  [40, /^running, no end was recorded\nlast sign after \d+ ms$/m],
])('a recording without an end is not told as if it had one, in %d columns', (columns, told) => {
  const { out } = cli(['story', fixture('0.169.0/killed')], { columns, isTerminal: true, environment: PLAIN });
  expect(out).toMatch(told);
});

describe('a damaged recording', () => {
  it('ends with 3, and is told as one', () => {
    const { code, out } = cli(['story', fixture('0.169.0/review')]);
    expect(code).toBe(3);
    expect(out).toMatch(/^The recording: \d+ errors?; rollout-trace show \S+ findings$/m);
    expect(cli(['story', fixture('0.169.0/plain')]).out).not.toContain('The recording');
  });

  it('is not told as if nothing failed, nor with numbers where something is missing', () => {
    const bundle = copyOf('0.169.0/plain', folder);
    rmSync(join(bundle, 'payloads'), { recursive: true });
    const { out } = cli(['story', bundle]);
    expect(out).toContain('what was sent cannot be read');
    expect(out).toContain('Nothing is known to have failed.');
    expect(cli(['show', bundle]).out).toMatch(/^ +inference:1 +completed +\S+ ms +- /m);
    const answer = JSON.parse(cli(['story', '--json', bundle]).out) as { findings: { code: string }[] };
    expect(answer.findings.map(({ code }) => code)).toContain('payload_missing');
  });
});
