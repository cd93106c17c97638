import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, copyOf, fixture, scratch } from '../testing/cli.ts';
import { playTurn, recorded } from '../testing/recorded.ts';
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
    seq: number | null;
    exit_code: number | null;
    took_ms: number | null;
  }[];
  turns_not_completed: number;
  failures: {
    ref: string;
    what: string;
    how: string;
    reason: string | null;
    outlived_until_unix_ms: number | null;
    ended_with: string | null;
    asked_by: { ref: string }[];
    saw: string | null;
    seen_in: string | null;
    next_answer: string | null;
  }[];
}

function story(name: string): StoryAnswer {
  return JSON.parse(cli(['story', '--json', fixture(name)]).out);
}

interface LoggedEvent {
  seq: number;
  payload: { type: string; tool_call_id?: string; inference_call_id?: string; request_payload: { path: string } };
}

/** The log of a copy, changed. */
function relog(bundle: string, change: (events: LoggedEvent[]) => LoggedEvent[]): void {
  const log = join(bundle, 'trace.jsonl');
  const events = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row));
  writeFileSync(
    log,
    change(events)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );
}

function placeOf(events: LoggedEvent[], type: string, call: string): number {
  return events.findIndex(({ payload }) => payload.type === type && payload.tool_call_id === call);
}

interface ListedObject {
  ref: string;
  object: { execution: { started_seq: number; ended_seq: number | null } };
}

function objects(name: string, kind: string): ListedObject[] {
  return JSON.parse(cli(['show', '--json', fixture(name), kind]).out).objects;
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

  it('tell it there where something that was seen before stands behind it', () => {
    const bundle = copyOf('0.125.0/turns', folder);
    const log = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
    const requests = log.map((row) => JSON.parse(row).payload).filter(({ type }) => type === 'inference_started');
    const file = join(bundle, requests[1].request_payload.path);
    const request = JSON.parse(readFileSync(file, 'utf8'));
    // The first words of the user, behind what the client put before them.
    const said = request.input.findIndex(({ role }: { role: string }) => role === 'assistant') - 1;
    expect(said).toBeGreaterThan(0);
    request.input[said].content[0].text = 'Told anew.';
    writeFileSync(file, JSON.stringify(request));
    const { steps } = JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer;
    const texts = steps.map(({ what, text }) => (what === 'model' ? 'model' : text));
    const places = [
      texts.indexOf('model'),
      texts.indexOf('Told anew.'),
      texts.indexOf('model', texts.indexOf('model') + 1),
    ];
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('tell a command with the time it ran itself, however soon its call had answered', () => {
    const { steps } = story('0.169.0/terminal');
    const command = steps.find(({ ref }) => ref === 'call_0001');
    expect(command).toMatchObject({ exit_code: 4 });
    expect(command?.took_ms).toBeGreaterThan(2000);
    expect(steps.find(({ ref }) => ref === 'call_0003')).toMatchObject({ exit_code: null, took_ms: 403 });
  });

  it('name the model once where there is one alone', () => {
    const { out } = cli(['story', fixture('0.169.0/plain')]);
    expect(out.match(/gpt-5\.5/g)).toHaveLength(1);
    expect(out).toMatch(/inference:1 +model +\d+ ms +\d+ items, [\d,]+ in, \d+ out$/m);
    const several = recorded(folder, (rollout) => {
      const turn = rollout.root.startTurn();
      for (const model of ['model-1', 'model-2'])
        turn.inference({ model, providerName: 'p' }).start({ model, input: [] }).complete({ outputItems: [] });
      turn.end();
    });
    const told = cli(['story', several]).out;
    expect(told).toContain('2 requests to 2 models');
    expect(told).toMatch(/model +1 ms +model-2: 0 items/);
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

  it('of a command that went on after its call was seen where a later call told its exit, in every generation', () => {
    for (const name of ['0.163.0/terminal', '0.169.0/terminal']) {
      const failure = story(name).failures.find(({ ref }) => ref === 'call_0001');
      expect(failure, name).toMatchObject({ how: 'exit 4', saw: 'outcome', seen_in: 'inference:7' });
    }
    expect(cli(['story', fixture('0.169.0/terminal')]).out).toMatch(
      /^ {4}ended {6}at \+2\.\d s, when its call was over$/m,
    );
  });

  it('of a command whose call has no end is not told as having gone on after it', () => {
    const bundle = copyOf('0.169.0/exec-steps', folder);
    relog(bundle, (events) => events.slice(0, placeOf(events, 'tool_call_runtime_ended', 'call_0002') + 1));
    const { failures } = JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer;
    const failure = failures.find(({ ref }) => ref === 'call_0002');
    expect(failure).toMatchObject({ how: 'exit 3', outlived_until_unix_ms: null });
    expect(cli(['story', bundle]).out).not.toContain('when its call was over');
    // One that has given something back is over, with or without an end.
    const over = copyOf('0.140.0/stdin-types', folder);
    relog(over, (events) => {
      events.splice(placeOf(events, 'tool_call_ended', 'call_0001'), 1);
      return events.map((event, at) => ({ ...event, seq: at + 1 }));
    });
    expect(cli(['story', over]).out).toMatch(/^ {4}ended {6}at \+\S+ m?s, when its call was over$/m);
  });

  it('of a command was told by its call where the recorded result has its exit code', () => {
    expect(story('0.128.0/code-sync').steps.find(({ ref }) => ref === 'tool:4')?.took_ms).toBe(308);
    const bundle = copyOf('0.169.0/exec-steps', folder);
    relog(bundle, (events) => {
      const requests = events.filter(({ payload }) => payload.type === 'inference_started');
      for (const { payload } of requests.slice(2)) rmSync(join(bundle, payload.request_payload.path));
      // The call ends before its command.
      const [command, call] = ['tool_call_runtime_ended', 'tool_call_ended'].map((type) =>
        placeOf(events, type, 'call_0002'),
      );
      const payloads = events.map(({ payload }) => payload);
      return events.map((event, at) => {
        const from = at === command ? call : at === call ? command : at;
        return { ...event, payload: payloads[from ?? at] ?? event.payload };
      });
    });
    const { failures } = JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer;
    const failure = failures.find(({ ref }) => ref === 'call_0002');
    expect(failure).toMatchObject({ how: 'exit 3', outlived_until_unix_ms: null });
  });

  it('was seen in the request that was answered, not in one before it that failed', () => {
    const bundle = copyOf('0.169.0/exec-steps', folder);
    const failing = (events: LoggedEvent[]): LoggedEvent[] => {
      const at = events.findIndex(
        ({ payload }) => payload.inference_call_id === '00000000-0000-4000-8000-000000000000',
      );
      if (at >= 0) return events.slice(0, at + 2);
      const third = events.filter(({ payload }) => payload.type === 'inference_started')[2];
      if (third === undefined) throw new Error('the fixture has no third request');
      const started = {
        ...third,
        payload: { ...third.payload, inference_call_id: '00000000-0000-4000-8000-000000000000' },
      };
      const { inference_call_id, request_payload } = started.payload;
      const payload = { type: 'inference_failed', inference_call_id, request_payload, error: 'down' };
      const place = events.indexOf(third);
      const all = [...events.slice(0, place), started, { ...third, payload }, ...events.slice(place)];
      return all.map((event, n) => ({ ...event, seq: n + 1 }));
    };
    relog(bundle, failing);
    const told = (): unknown => (JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer).failures[0];
    const asked = { ref: 'call_0002', saw: 'outcome', seen_in: 'inference:4' };
    expect(told()).toMatchObject({ ...asked, next_answer: 'exec_command call_0003' });
    relog(bundle, failing);
    expect(told()).toMatchObject({ ref: 'call_0002', saw: 'unanswered', seen_in: 'inference:3', next_answer: null });
    expect(cli(['story', bundle]).out).toMatch(/^ {4}the model {2}was sent it in inference:3, which failed$/m);
  });

  it('was seen in the request for a shorter history, where that alone had it', () => {
    const bundle = copyOf('0.140.0/compact-auto', folder);
    const ended = join(bundle, 'payloads/21.json');
    writeFileSync(ended, readFileSync(ended, 'utf8').replace(/"exit_code": *0/, '"exit_code": 1'));
    const told = (): unknown => (JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer).failures[0];
    const seen = { saw: 'outcome', seen_in: 'compaction_request:2', next_answer: null };
    expect(told()).toMatchObject({ ref: 'call_0002', how: 'exit 1', ...seen });
    expect(cli(['story', bundle]).out).toMatch(/^ {4}the model {2}saw the outcome in compaction_request:2$/m);
    // What it held is known from the history it replaced alone.
    relog(bundle, (events) => {
      const types = events.map(({ payload }) => payload.type);
      return events.slice(0, types.lastIndexOf('compaction_installed'));
    });
    expect(told()).toMatchObject({ ref: 'call_0002', saw: 'unknown', seen_in: null });
  });

  it('to which the model said nothing has no answer', () => {
    const bundle = copyOf('0.169.0/exec-steps', folder);
    const third = readFileSync(join(bundle, 'trace.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row).payload)
      .filter(({ type }) => type === 'inference_completed')[2];
    const file = join(bundle, third.response_payload.path);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), output_items: [] }));
    const { failures } = JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer;
    expect(failures[0]).toMatchObject({ saw: 'outcome', seen_in: 'inference:3', next_answer: null });
  });

  it('of what has no recorded end was seen as what it gave back, and not before an end', () => {
    const failure = story('0.128.0/cancel-turn').failures.find(({ ref }) => ref === 'call_0001');
    expect(failure).toMatchObject({ saw: 'output', seen_in: 'inference:3' });
    expect(cli(['story', fixture('0.128.0/cancel-turn')]).out).toContain(
      'saw what the call gave back in inference:3; no end was recorded; it answered with "Completed."',
    );
  });

  it('that no later call told was not seen: what the call gave back came before it', () => {
    const [failure] = story('0.140.0/stdin-types').failures;
    expect(failure).toMatchObject({
      ref: 'call_0001',
      how: 'exit 1',
      saw: 'output_before_end',
      seen_in: 'inference:2',
    });
    expect(cli(['story', fixture('0.140.0/stdin-types')]).out).toContain(
      'the model  saw only what the call gave back before the end, in inference:2',
    );
  });

  it('of a script that had yielded was seen in what the call gave back that waited for its end', () => {
    const failure = story('0.150.0/code-yield').failures.find(({ how }) => how === 'terminated');
    expect(failure).toMatchObject({ ref: 'code_cell:call_0003', saw: 'outcome', seen_in: 'inference:8', reason: null });
  });

  it('never was seen in a request that had begun before it', () => {
    for (const name of ALL) {
      const { failures } = story(name);
      const requests = new Map<string, number>();
      for (const { ref, object } of objects(name, 'inferences')) requests.set(ref, object.execution.started_seq);
      const ends = new Map<string, number>();
      for (const { ref, object } of [...objects(name, 'tools'), ...objects(name, 'cells')]) {
        ends.set(ref, object.execution.ended_seq ?? Number.POSITIVE_INFINITY);
      }
      for (const { ref, saw, seen_in } of failures) {
        if (saw === 'outcome')
          expect(requests.get(seen_in ?? ''), `${name} ${ref}`).toBeGreaterThan(ends.get(ref) ?? 0);
      }
    }
  });

  it('of a call that a script made was seen only as what the script gave back, and has its recorded reason', () => {
    const { failures } = story('0.166.0/code-sync');
    expect(failures.find(({ reason }) => reason?.includes('missing field `cmd`'))).toMatchObject({
      what: 'exec_command',
      how: 'failed',
      saw: 'cell_output',
    });
    expect(cli(['story', fixture('0.166.0/code-sync')]).out).toContain(
      'the model  saw what code_cell:call_0004 gave back in inference:5, and answered with',
    );
  });

  it('of a script is told once, with its error and without the envelope around it', () => {
    const { failures } = story('0.128.0/code-sync');
    const broken = failures.filter(({ reason }) => reason?.includes('broken on purpose'));
    expect(broken).toMatchObject([{ ref: 'code_cell:call_0002' }]);
    const { out } = cli(['story', fixture('0.128.0/code-sync')]);
    expect(out).toMatch(/^ {4}said {7}Error: broken on purpose$/m);
    expect(out).not.toMatch(/Script (?:failed|error)|Wall time/);
  });

  it('of a script is told as its cell alone, where its call is recorded as well', () => {
    const bundle = copyOf('0.169.0/agents-code', folder);
    const log = join(bundle, 'trace.jsonl');
    const rows = readFileSync(log, 'utf8').split('\n');
    const ends = /"type":"(?:code_cell_ended|code_cell_initial_response|tool_call_ended)"/;
    const isOf = (row: string): boolean => ends.test(row) && /"(?:call_0003|g2:1)","status"/.test(row);
    writeFileSync(
      log,
      rows.map((row) => (isOf(row) ? row.replace('"status":"completed"', '"status":"failed"') : row)).join('\n'),
    );
    const { failures } = JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer;
    expect(failures.map(({ ref }) => ref)).toEqual(['code_cell:call_0003']);
    const tools = JSON.parse(cli(['show', '--json', bundle, 'call_0003']).out);
    expect(tools.object.execution.status).toBe('failed');
    expect(cli(['show', bundle]).out).toContain('Failed or unfinished 1\n');
  });

  it('that ended a long session is told, with the first ones and how to see the others', () => {
    const bundle = recorded(folder, (rollout) => {
      for (let n = 1; n <= 20; n++) playTurn(rollout, `failure ${n}`);
    });
    for (const command of ['story', 'show']) {
      const { out } = cli([command, bundle], { columns: 160, isTerminal: true, environment: PLAIN });
      expect(out).toContain('Failed or unfinished 40');
      const section = out.slice(out.indexOf('Failed or unfinished'));
      const told = [...section.matchAll(/failure (\d+)/g)].map(([, n]) => Number(n));
      expect(told, command).toEqual([1, 2, 17, 18, 19, 20]);
      expect(section).toMatch(/turn:20 +turn/);
      expect(section).toContain(`28 more: rollout-trace story --json ${bundle}`);
    }
    expect((JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer).failures).toHaveLength(40);
  });

  it('that the model never saw is told as such', () => {
    const { out } = cli(['story', fixture('0.169.0/killed')]);
    expect(out).toContain('never saw the outcome');
  });

  it('is not told as never seen where a request that may have shown it cannot be read', () => {
    const bundle = copyOf('0.169.0/exec-steps', folder);
    const rows = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
    const requests = rows.map((row) => JSON.parse(row).payload).filter(({ type }) => type === 'inference_started');
    for (const { request_payload } of requests.slice(2)) rmSync(join(bundle, request_payload.path));
    const { failures } = JSON.parse(cli(['story', '--json', bundle]).out) as StoryAnswer;
    expect(failures.map(({ saw, seen_in }) => [saw, seen_in])).toContainEqual(['unknown', null]);
    const { out } = cli(['story', bundle]);
    expect(out).toContain('the model  is not known to have seen the outcome');
    expect(out).not.toContain('never saw');
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

it.each([40, 80])('what the model saw of a failure is wrapped, not cut, at %d columns', (columns) => {
  const { out } = cli(['story', fixture('0.128.0/cancel-turn')], { columns, isTerminal: true, environment: PLAIN });
  expect(out.replace(/\n {15}/g, ' ')).toContain(
    'the model  saw what the call gave back in inference:3; no end was recorded; it answered with "Completed."\n',
  );
});

it.each([
  [80, /^running, no end was recorded; last sign after \d+ ms$/m],
  [40, /^running, no end was recorded\nlast sign after \d+ ms$/m],
])('a recording without an end is not told as if it had one, in %d columns', (columns, told) => {
  const { out } = cli(['story', fixture('0.169.0/killed')], { columns, isTerminal: true, environment: PLAIN });
  expect(out).toMatch(told);
});

it('the last sign of a recording without an end is its last event, whatever that is of', () => {
  const bundle = copyOf('0.169.0/killed', folder);
  const log = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
  const [first, last] = [log[0], log.at(-1)].map((row) => JSON.parse(row ?? '').wall_time_unix_ms);
  expect(cli(['story', bundle]).out).toContain(`; last sign after ${last - first} ms\n`);
  expect(JSON.parse(cli(['show', '--json', bundle]).out).last_at_unix_ms).toBe(last);
});

it('a turn without an end is told where it began, and counted as `ls` does', () => {
  const [turn] = objects('0.169.0/killed', 'turns');
  const told = story('0.169.0/killed');
  expect(told.steps.find(({ what }) => what === 'turn')?.seq).toBe(turn?.object.execution.started_seq);
  expect(told.turns_not_completed).toBe(1);
  expect(JSON.parse(cli(['ls', '--json', fixture('0.169.0/killed')]).out).turns_not_completed).toBe(1);
});

it('a request without an end is told with a comma before what it spent', () => {
  const bundle = copyOf('0.169.0/plain', folder);
  relog(bundle, (events) =>
    events.slice(
      0,
      events.findIndex(({ payload }) => payload.type === 'inference_completed'),
    ),
  );
  expect(cli(['story', bundle]).out).toMatch(/ended with inference:1: \S+, running, no usage reported$/m);
});

describe('the opening', () => {
  it('does not tell a session as a success in which turns failed', () => {
    const bundle = recorded(folder, (rollout) => {
      playTurn(rollout);
      playTurn(rollout, 'no answer');
      playTurn(rollout, '{"error":{"message":"bad request","code":"x"}}');
    });
    const { out } = cli(['story', bundle], { columns: 160, isTerminal: true });
    expect(out).toContain('completed in');
    expect(out).toContain('2 of 3 turns failed, the last with inference:3: bad request');
    const green = `${String.fromCodePoint(0x1b)}[32mcompleted`;
    expect(out).not.toContain(green);
    const good = recorded(folder, (rollout) => playTurn(rollout));
    expect(cli(['story', good], { columns: 160, isTerminal: true }).out).toContain(green);
  });

  it('tells a turn whose end is not in the log by that alone', () => {
    const { out } = cli(['story', fixture('0.169.0/review')]);
    expect(out).toContain('; 1 of 3 turns has no recorded end\n');
  });

  it('says how many requests its sums leave out', () => {
    expect(cli(['story', fixture('0.165.0/fail-stream')]).out).toMatch(/\(\d of \d requests reported none\)/);
    expect(cli(['story', fixture('0.169.0/plain')]).out).not.toContain('reported none');
  });
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
