import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KINDS, NOUNS } from '../show/kinds.ts';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';
import { columnsOf } from '../text/width.ts';

const folder = scratch();
const AGENTS = fixture('0.169.0/compact-agents');
const CODE = fixture('0.169.0/agents-code');
const ALL = readdirSync(fixture('.')).flatMap((version) =>
  readdirSync(fixture(version)).map((name) => `${version}/${name}`),
);

const PLAIN = { NO_COLOR: '1' };
const ESC = String.fromCodePoint(0x1b, 0x5b);

/** Everything in the output that has the colour of a ref. */
function refsIn(out: string): string[] {
  const [, ...colored] = out.split(`${ESC}36m`);
  return colored.map((text) => text.split(ESC)[0] ?? '');
}

describe('the summary of a bundle', () => {
  it('tells threads as a tree, with turns, calls, tools and tokens', () => {
    const { code, out } = cli(['show', AGENTS]);
    expect(code).toBe(0);
    expect(out).toContain('status     completed, 882 ms');
    expect(out).toContain('recording  complete');
    expect(out).toContain('generation 0.169, certain (the event recording_completed); schema 2');
    expect(out).toMatch(/^ {2}\/root +completed +881 ms +2 +6 +4 +51,258 +1,300 +212 +30$/m);
    expect(out).toMatch(/^ {2}\u2514\u2500 \/root\/alpha +Noether +completed /m);
    expect(out).toContain('105,072 input tokens (3,100 cached, 3 %), 348 output (44 reasoning)');
    for (const head of ['Turns 4', 'Tool calls 6', 'Terminal operations 2', 'Compactions 2', 'Interactions 4']) {
      expect(out).toContain(`\n${head}`);
    }
  });

  it('says on what its numbers rest', () => {
    expect(cli(['show', AGENTS]).out).toContain('Tokens are those the provider reported, times those');
    expect(cli(['show', fixture('0.165.0/fail-stream')]).out).toMatch(/\d of \d calls reported none/);
  });

  it('has no arrow to an answer where a turn was not answered', () => {
    for (const columns of [50, 60, 80, 120]) {
      for (const name of ALL) {
        const { out } = cli(['show', fixture(name)], { columns, isTerminal: true, environment: PLAIN });
        expect(out, name).not.toMatch(/\u2192\s*$/m);
      }
    }
  });

  it('says why an inference failed, which only its event knows', () => {
    expect(cli(['show', fixture('0.165.0/fail-stream')]).out).toMatch(
      /^ +inference:\d +inference +failed +stream disc/m,
    );
  });

  it('tells a command that failed by its exit code wherever it is listed, never as completed', () => {
    const bundle = fixture('0.169.0/exec-steps');
    for (const ref of ['/root', 'tools']) {
      const { out } = cli(['show', bundle, ref]);
      expect(out, ref).toMatch(/call_0002 +exec_command +exit 3 /);
      expect(out, ref).toMatch(/call_0003 +exec_command +exit 127 /);
    }
    expect(cli(['show', bundle, 'call_0002']).out).toMatch(/^Tool call call_0002 {2}exec_command, exit 3 \d+ ms$/m);
    expect(cli(['show', bundle]).out).toMatch(/^ +exec_command +\d+ +\d+ completed, 2 exit not 0 /m);
    expect(JSON.parse(cli(['show', '--json', bundle]).out).tools[0]).toMatchObject({ exits_not_zero: 2 });
  });

  it('tells findings, and ends with 3 where they are errors', () => {
    const { code, out } = cli(['show', fixture('0.169.0/review')]);
    expect(code).toBe(3);
    expect(out).toContain('findings   5 errors');
    expect(out).toContain('error tool_unknown  trace.jsonl:20 seq 20');
  });

  it.each([40, 50, 60, 80, 100, 120])('fits %d columns', (columns) => {
    for (const name of ALL) {
      const { out } = cli(['show', fixture(name)], { columns, isTerminal: true, environment: PLAIN });
      // The command to type next is never cut, nor is the place of a finding, and no word, such as an id, is broken.
      const isWhole = (row: string): boolean => /rollout-trace show|^ *\S+$|^ {4}payloads\//.test(row);
      const wide = out.split('\n').filter((row) => columnsOf(row) > columns && !isWhole(row));
      expect(wide, name).toEqual([]);
    }
  });

  it.each([40, 50, 60, 80])('keeps the values of an object in one column, in %d columns', (columns) => {
    const { out } = cli(['show', AGENTS, 'call_0003'], { columns, isTerminal: true, environment: PLAIN });
    const rows = out.split('\n\n')[0]?.split('\n') ?? [];
    const named = rows.filter((row) => /^ {2}[a-z_.]+(?: \(\d+\))? {2,}\S/.test(row));
    const below = rows.filter((row) => /^ {6,}\S/.test(row));
    expect(named.length).toBeGreaterThan(3);
    const starts = [...named, ...below].map((row) => /^ {2}.*? {2,}(?=\S)|^ +/.exec(row)?.[0].length);
    expect(new Set(starts).size, out).toBe(1);
  });

  it('has lists of every kind that fit, and objects whose ids stand whole', () => {
    for (const columns of [40, 50, 60, 80]) {
      const surroundings = { columns, isTerminal: true, environment: PLAIN };
      for (const noun of NOUNS) {
        const { out } = cli(['show', CODE, KINDS[noun].plural], surroundings);
        for (const row of out.split('\n')) expect(columnsOf(row), row).toBeLessThanOrEqual(columns);
      }
      const { out } = cli(['show', CODE, 'inference:1'], surroundings);
      const id = /^ {2}inference_call_id\s+(\S+)$/m.exec(out)?.[1] ?? '';
      expect(id).toMatch(/^[\da-f-]{36}$/);
      const row = out.split('\n').find((row) => row.includes(id)) ?? '';
      expect(columnsOf(row)).toBeLessThanOrEqual(columns);
    }
  });

  it.each([60, 120])(
    'of every fixture names only what can be typed back, in %d columns',
    (columns) => {
      for (const name of ALL) {
        const { out } = cli(['show', fixture(name)], { columns, isTerminal: true });
        const refs = new Set(refsIn(out).filter((text) => !text.startsWith('rollout-trace ')));
        expect(refs.size, name).toBeGreaterThan(0);
        for (const ref of refs) {
          const answer = cli(['show', fixture(name), ref]);
          expect(answer.err, `${name} ${ref}`).toBe('');
          expect(answer.out.split('\n')[0]).toContain(ref);
        }
      }
    },
    60_000,
  );

  it('as JSON has the same numbers, and their basis', () => {
    const summary = JSON.parse(cli(['show', AGENTS, '--json']).out);
    expect(summary).toMatchObject({
      status: 'completed',
      duration_ms: 882,
      recording_complete: true,
      tokens: { basis: 'reported', input_tokens: 105_072, cached_input_tokens: 3100, calls_without_usage: 0 },
      counts: { inference_calls: 10, tool_calls: 6 },
      threads: [
        { ref: '/root', depth: 0, inference_calls: 6 },
        { ref: '/root/alpha', depth: 1, inference_calls: 4 },
      ],
    });
  });
});

describe('one object of a bundle', () => {
  it('is shown with its neighbourhood: who asked, what ran, where the output went, which evidence', () => {
    const { out } = cli(['show', AGENTS, 'call_0001']);
    for (const part of [
      /^Tool call call_0001 {2}exec_command, completed 45 ms$/m,
      /thread_id +\/root\/alpha/,
      /execution +completed, 45 ms, seq:32 at .* to seq:35 at /,
      /requester +model/,
      /model_visible_output_item_ids +conversation_item:22 {2}tool function_call_output/,
      /terminal_operation_id +terminal_operation:1 {2}exit 0 echo big/,
      /raw_invocation_payload_id +raw_payload:19 {2}tool_invocation payloads\/19\.json 145 B/,
      /tool_call_ids_started_by_response\n +inference:3/,
    ]) {
      expect(out).toMatch(part);
    }
  });

  it.each([
    ['conversation_item:21', 'Conversation item conversation_item:21'],
    ['item:21', 'Conversation item conversation_item:21'],
    ['payloads/19.json', 'Payload raw_payload:19'],
    ['payload:19', 'Payload raw_payload:19'],
    ['01a1fad8-2ba5-7181-8456-e5f41a836685', 'Thread /root/alpha'],
    ['/root/alpha', 'Thread /root/alpha'],
    ['thread:2', 'Thread /root/alpha'],
    ['Noether', 'Thread /root/alpha'],
    ['turn:2', 'Turn turn:2'],
    ['resp_0012', 'Inference call inference:10'],
    ['req-0012', 'Inference call inference:10'],
    ['19e8f57f', 'Inference call inference:10'],
    ['terminal:1', 'Terminal session terminal:1'],
    ['edge:3', 'Interaction edge:3'],
    ['edge:tool:call_0005', 'Interaction edge:3'],
    ['compaction:1', 'Compaction compaction:1'],
    ['12', 'Event seq:12'],
    ['seq:12', 'Event seq:12'],
    ['tools', 'Tool calls 6'],
    ['tool_calls', 'Tool calls 6'],
    ['findings', 'no findings'],
  ])('%s is %s', (ref, first) => {
    expect(cli(['show', AGENTS, ref]).out.split('\n')[0]).toContain(first);
  });

  it('every kind has a list and an object view, as text and as JSON', () => {
    for (const noun of NOUNS) {
      const list = JSON.parse(cli(['show', CODE, `${noun}s`, '--json']).out);
      expect(cli(['show', CODE, `${noun}s`]).code, noun).toBe(0);
      const first = list.objects[0];
      if (first === undefined) continue;
      expect(cli(['show', CODE, first.ref]).code, first.ref).toBe(0);
      expect(JSON.parse(cli(['show', CODE, first.ref, '--json']).out)).toMatchObject({
        ref: first.ref,
        object: first.object,
      });
    }
  });

  it('of a turn tells its steps in order', () => {
    const { out } = cli(['show', CODE, 'turn:2']);
    const steps = [...out.matchAll(/^ +\+\d+ ms {2}(\S+)/gm)].map(([, ref]) => ref);
    expect(steps).toEqual(['inference:4', 'call_0003', 'code_cell:call_0003', 'tool:5', 'inference:5']);
  });

  it('of a payload shows the content, numbers as they are written', () => {
    const { out } = cli(['show', fixture('0.169.0/json-odd'), 'payloads', '--json']);
    const sizes = JSON.parse(out).objects.length;
    expect(sizes).toBeGreaterThan(10);
    expect(cli(['show', AGENTS, 'payload:19']).out).toContain('Content\n  {\n');
  });

  it('of an event shows the raw line and what it did', () => {
    const { out } = cli(['show', CODE, 'seq:43']);
    expect(out).toContain('\n    "payload": {\n      "type": "code_cell_started",\n');
    expect(out).toMatch(/began +code_cell:call_0003/);
    const answer = JSON.parse(cli(['show', CODE, '43', '--json']).out);
    expect(answer).toMatchObject({ seq: 43, line: 43, event: { payload: { type: 'code_cell_started' } } });
    expect(answer.effects).toContainEqual({ what: 'began', noun: 'cell', id: 'code_cell:call_0003' });
  });

  it.each([
    ['nonsense', 'nothing in this bundle is named nonsense', 'The bundle holds 2 threads,'],
    ['call_0009', 'nothing in this bundle is named call_0009', 'Did you mean call_000'],
    ['toosl', 'nothing in this bundle is named toosl', 'Did you mean tools?'],
    ['call_', 'call_ names 6 objects', 'They are call_0003, '],
    ['thread:9', 'nothing in this bundle is named thread:9', 'It has 2 threads.'],
    ['item:9999', 'nothing in this bundle is named item:9999', 'It has 52 items.'],
    ['seq:900', 'the log has no event with seq 900', 'It has 104 events.'],
  ])('%s is refused with a hint', (ref, message, hint) => {
    const { code, out, err } = cli(['show', AGENTS, ref]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`error: ${message}`);
    expect(err).toContain(hint);
  });
});

it('a mistyped @last is told what it may be', () => {
  const { code, err } = cli(['show', '@last~x'], { environment: { ROLLOUT_TRACE_ROOT: folder } });
  expect(code).toBe(2);
  expect(err).toBe('error: @last~x names no bundle\n  @last is the newest one, @last~1 the one before.\n');
});

describe('trace text', () => {
  /** A copy of a bundle in which model, agent path and a command carry sequences. */
  function hostile(): string {
    const bundle = copyOf('0.169.0/compact-agents', folder);
    const evil = '\\u001b]0;pwned\\u0007\\u009b2J\\u202e';
    const log = join(bundle, 'trace.jsonl');
    writeFileSync(
      log,
      readFileSync(log, 'utf8')
        .replaceAll('"model":"gpt-5.5"', `"model":"gpt${evil}"`)
        .replaceAll('"/root/alpha"', `"/root/${evil}alpha"`)
        .replaceAll('"collaboration.spawn_agent"', `"${evil}spawn"`),
    );
    for (const name of readdirSync(join(bundle, 'payloads'))) {
      const file = join(bundle, 'payloads', name);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('echo big', `echo ${evil}big`));
    }
    return bundle;
  }

  it('never controls the terminal, whatever is shown', () => {
    const bundle = hostile();
    const asked = [
      '',
      'threads',
      'turns',
      'items',
      'tools',
      'operations',
      'call_0001',
      'turn:1',
      'seq:13',
      'payload:20',
    ];
    for (const ref of [...asked, ...Array.from({ length: 8 }, (_, i) => `inference:${i + 1}`)]) {
      for (const more of [[], ['--json']]) {
        const { out, err } = cli(['show', bundle, ...(ref === '' ? [] : [ref]), ...more], {
          isTerminal: true,
          columns: 100,
          environment: PLAIN,
        });
        expect(out.length, ref).toBeGreaterThan(0);
        expect(out + err, ref).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e]/u);
        // What was written as JSON is shown as JSON: the sequence is escaped there, so it may stay.
        if (more.length === 0 && !/^(?:seq|payload):/.test(ref)) expect(out).not.toContain('pwned');
      }
    }
    expect(cli(['show', bundle]).out).toContain('gpt<U+202E>');
  });

  it('cannot control it by the name of a bundle either', () => {
    const { err } = cli(['show', './a\u001b[2Jb\u009b1m']);
    expect(err).toMatch(/^error: \.\/ab does not exist\n/);
  });
});
