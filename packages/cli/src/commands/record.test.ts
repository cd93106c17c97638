// Each test is a process of its own: the built program, as a shell would start it, and a command that records or does not.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bin/rollout-trace.cjs', import.meta.url));
const recorder = new URL('../../../core/dist/node/recorder.js', import.meta.url).href;
const place = mkdtempSync(join(tmpdir(), 'rollout-trace-record-'));
/** Processes start slowly where much else is going on. */
const PATIENT = { timeout: 60_000 };
const onWindows = process.platform === 'win32';
const { ROLLOUT_TRACE_ROOT, CODEX_ROLLOUT_TRACE_ROOT, ROLLOUT_TRACE_FORMAT, NODE_EXTRA_CA_CERTS, ...environment } =
  process.env;

afterAll(() => rmSync(place, { recursive: true }));

let work = '';
let tests = 0;
beforeEach(() => {
  work = join(place, String(++tests));
  mkdirSync(work);
});

/** A command that runs a script of this text; `record(root?)` records a rollout with one turn. */
function script(text: string): string[] {
  const file = join(work, 'script.mjs');
  const record = `const record = (options = {}) => {
    const rollout = startRollout(options);
    const turn = rollout.root.startTurn();
    turn.inference({ model: 'model-1', providerName: 'p' }).start({ input: [] }).complete({ outputItems: [] });
    turn.end();
    rollout.end();
    return rollout.location;
  };`;
  writeFileSync(file, `import { startRollout } from ${JSON.stringify(recorder)};\n${record}\n${text}\n`);
  return [process.execPath, file];
}

function run(args: readonly string[], more: { env?: Record<string, string>; input?: string } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'record', ...args], {
    cwd: work,
    env: { ...environment, ...more.env },
    input: more.input ?? '',
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** What stands in a folder, and below it, by relative path. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
}

describe('the command that is recorded', PATIENT, () => {
  it('has the streams of its caller, and its exit code becomes that of the program', () => {
    const command = script(`process.stdin.on('data', (text) => process.stdout.write(text + 'out'));
      process.stdin.on('end', () => { console.error('err'); process.exitCode = 7; });`);
    const { status, stdout, stderr } = run(['--quiet', '--', ...command], { input: 'in ' });
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: 'in out', stderr: 'err\n' });
  });

  it('has its own options, with or without -- before it', () => {
    const command = script('console.log(JSON.stringify(process.argv.slice(2)))');
    for (const words of [['--', ...command], command]) {
      const { stdout } = run(['-q', ...words, '--json', '--', '-q', '--help']);
      expect(JSON.parse(stdout)).toEqual(['--json', '--', '-q', '--help']);
    }
  });

  it('finds a folder of its own in both variables, as an absolute path', () => {
    const { stdout } = run([
      '--format',
      'segment',
      '--',
      ...script(`const { ROLLOUT_TRACE_ROOT: a, CODEX_ROLLOUT_TRACE_ROOT: b, ROLLOUT_TRACE_FORMAT: c } = process.env;
        process.stdout.write(JSON.stringify([a, b, c])); record();`),
    ]);
    const [one, other, format] = JSON.parse(stdout) as string[];
    expect(one).toBe(join(work, 'rollout-traces', readdirSync(join(work, 'rollout-traces')).at(-1) ?? ''));
    expect([other, format]).toEqual([one, 'segment']);
  });

  it('that does not exist gives 127, one that cannot be started 126, and both say so', () => {
    const missing = run(['--', 'no-such-command-anywhere', 'a']);
    expect(missing.status).toBe(127);
    expect(missing.stderr).toContain('no-such-command-anywhere is no command: no folder of PATH has it');
    expect(run(['--', './none']).stderr).toContain('./none does not exist');
    expect(existsSync(join(work, 'rollout-traces'))).toBe(false);
    const nameless = run(['--', '']);
    expect(nameless.status).toBe(127);
    expect(nameless.stderr).toContain("error: '' is no command\n  Is a variable empty?");
    if (onWindows) return;
    const file = join(work, 'text');
    writeFileSync(file, 'no program', { mode: 0o644 });
    const refused = run(['--json', '--', file]);
    expect(refused.status).toBe(126);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      exit_code: 126,
      bundles: [],
      error: { message: expect.any(String) },
    });
  });

  it('is asked for where it is missing', () => {
    const { status, stderr } = run(['--json']);
    expect(status).toBe(2);
    expect(stderr).toContain('record needs a command');
    expect(stderr).toContain('rollout-trace record [options] -- <command…>');
  });
});

describe.skipIf(onWindows)('signals', PATIENT, () => {
  const waiting = `process.stdout.write('ready');
    setInterval(() => {}, 1000);`;

  /** Starts a recorded command and waits until it says it is ready. */
  async function started(
    text: string,
  ): Promise<{ child: ChildProcess; ended: Promise<number | null>; said: () => string }> {
    const child = spawn(process.execPath, [program, 'record', '--', ...script(text)], { cwd: work, env: environment });
    let said = '';
    child.stderr?.on('data', (part) => {
      said += part;
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return { child, ended, said: () => said };
  }

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s is passed on, and the command decides',
    async (signal) => {
      const { child, ended, said } = await started(
        `process.on('${signal}', () => { record(); process.exit(9); });\n${waiting}`,
      );
      child.kill(signal);
      expect(await ended).toBe(9);
      expect(said()).toContain('ended with exit code 9 and left 1 trace');
    },
  );

  it('a command that a signal ends gives 128 and its number, and what it recorded is reduced', async () => {
    const { child, ended, said } = await started(`const { root } = startRollout();
      root.startTurn();
      ${waiting}`);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(said()).toContain('was ended by SIGTERM and left 1 trace');
    expect(said()).toContain('1 thread, 1 turn');
    const [folder = ''] = readdirSync(join(work, 'rollout-traces')).filter((name) => !name.startsWith('.'));
    const [trace = ''] = readdirSync(join(work, 'rollout-traces', folder));
    expect(existsSync(join(work, 'rollout-traces', folder, trace, 'state.json'))).toBe(true);
  });

  // A terminal sends the signal of a key to every process in its foreground; util-linux has a program that is one.
  const terminalProgram = '/usr/bin/script';
  const hasTerminal = process.platform === 'linux' && existsSync(terminalProgram);
  it.skipIf(!hasTerminal)('one stroke of Ctrl-C at a terminal reaches the command once', async () => {
    const file = join(work, 'heard');
    const command = script(`import { writeFileSync } from 'node:fs';
      let heard = 0;
      process.on('SIGINT', () => {
        heard++;
        setTimeout(() => { writeFileSync(${JSON.stringify(file)}, String(heard)); process.exit(5); }, 300);
      });
      ${waiting}`);
    // The shell in between hears the key as well, and some shells then end by it whatever the command says: `exec`.
    const line = ['exec', process.execPath, program, 'record', '--', ...command].map((word) => `'${word}'`).join(' ');
    const terminal = spawn(terminalProgram, ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd: work,
      env: { ...environment, SHELL: '/bin/sh' },
    });
    let shown = '';
    await new Promise<void>((resolve) => {
      terminal.stdout.on('data', (part) => {
        shown += part;
        if (shown.includes('ready')) resolve();
      });
    });
    terminal.stdin.write('\u0003');
    const code = await new Promise((resolve) => terminal.once('exit', resolve));
    expect(readFileSync(file, 'utf8')).toBe('1');
    expect(code).toBe(5);
    terminal.stdin.destroy();
  });
});

describe('what the command left', PATIENT, () => {
  it('is reduced and summed up, bundles and segments, in the folder and below it', () => {
    const command = script(`const root = process.env.ROLLOUT_TRACE_ROOT;
      record();
      record({ format: 'segment' });
      record({ root: root + '/deep/er' });`);
    const { status, stdout, stderr } = run(['--root', 'traces', '--', ...command]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('left 3 traces below traces');
    expect(stderr.match(/completed in .*: 1 thread, 1 turn, 1 inference call, 0 tool calls/g)?.length).toBe(3);
    expect(stderr.match(/see rollout-trace show traces\//g)?.length).toBe(3);
    const files = filesBelow(join(work, 'traces'));
    expect(files.filter((name) => /^trace-[\w-]+\/state\.json$/.test(name))).toHaveLength(1);
    expect(files.filter((name) => /^trace-[\w-]+\.state\.json$/.test(name))).toHaveLength(1);
    expect(files.filter((name) => /^deep\/er\/trace-[\w-]+\/state\.json$/.test(name))).toHaveLength(1);
  });

  it('is told as what it was, where turns failed in a session that ended well', () => {
    const command = script(`const rollout = startRollout();
      for (const failure of [null, 'no answer', 'bad request']) {
        const turn = rollout.root.startTurn();
        const call = turn.inference({ model: 'model-1', providerName: 'p' }).start({ input: [] });
        if (failure === null) call.complete({ outputItems: [] });
        else call.fail(failure);
        turn.end(failure === null ? 'completed' : 'failed');
      }
      rollout.end();`);
    const { stderr, stdout } = run(['--root', 'traces', '--json', '--', ...command]);
    expect(stderr).toMatch(/completed in .*, 4 failed or unfinished: 1 thread, 3 turns, /);
    expect(stderr).toContain('see rollout-trace story traces/');
    expect(JSON.parse(stdout).bundles).toMatchObject([{ status: 'completed', failed_or_unfinished: 4 }]);
  });

  it('is told in the order it began, whatever it is called', () => {
    const command = script(`import { renameSync } from 'node:fs';
      let time = 1_795_000_000_000;
      for (const name of ['c', 'a', 'b']) {
        const path = record({ clock: () => (time += 1000) });
        renameSync(path, process.env.ROLLOUT_TRACE_ROOT + '/' + name);
      }`);
    const { stdout } = run(['--root', 'traces', '-q', '--json', '--', ...command]);
    const { bundles } = JSON.parse(stdout) as { bundles: { bundle: string }[] };
    expect(bundles.map(({ bundle }) => bundle)).toEqual(['traces/c', 'traces/a', 'traces/b']);
  });

  it('is told from what was there before', () => {
    const command = script('record()');
    run(['--root', 'traces', '--', ...command]);
    const { stderr, stdout } = run(['--root', 'traces', '--json', '--', ...command]);
    expect(stderr).toContain('left 1 trace below traces');
    expect(JSON.parse(stdout).bundles).toHaveLength(1);
  });

  it('is the answer of --json, alone on stdout', () => {
    const { status, stdout, stderr } = run([
      '--json',
      '-q',
      '--',
      ...script(`console.log('said'); record(); process.exitCode = 3;`),
    ]);
    expect(status).toBe(3);
    expect(stderr).toBe('said\n');
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({
      exit_code: 3,
      signal: null,
      bundles: [{ status: 'completed', events: 9, findings: [] }],
    });
    expect(existsSync(join(work, answer.bundles[0].output))).toBe(true);
  });

  it('is named where it is damaged, and the exit code is still that of the command', () => {
    const { status, stderr } = run([
      '--',
      ...script(`import { appendFileSync } from 'node:fs';
        appendFileSync(record() + '/trace.jsonl', '{"schema_ver');`),
    ]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/1 error|2 errors/);
  });

  it('is nothing: that is said, with what to look for, and the new folder does not stay', () => {
    const { status, stderr } = run(['--', ...script('process.exitCode = 4')]);
    expect(status).toBe(4);
    expect(stderr).toContain('no trace was recorded: the command ended with exit code 4');
    expect(stderr).toContain('Codex records from version 0.124 on.');
    expect(readdirSync(work)).toEqual(['script.mjs']);
  });

  it('may have been taken away by the command', () => {
    const { status, stderr } = run([
      '--',
      ...script(`import { rmSync } from 'node:fs'; rmSync(process.env.ROLLOUT_TRACE_ROOT, { recursive: true });`),
    ]);
    expect(status).toBe(0);
    expect(stderr).toContain('no trace was recorded');
  });
});

describe('the folder', PATIENT, () => {
  it('that was made for nothing goes with those that were made around it', () => {
    const { status } = run(['--', process.execPath, '-e', '0'], { env: { ROLLOUT_TRACE_ROOT: 'deep/er' } });
    expect(status).toBe(0);
    expect(readdirSync(work)).toEqual([]);
    mkdirSync(join(work, 'mine'));
    run(['--', process.execPath, '-e', '0'], { env: { ROLLOUT_TRACE_ROOT: 'mine/er' } });
    expect(readdirSync(work)).toEqual(['mine']);
  });

  it.skipIf(process.platform !== 'linux')(
    'that cannot be made is an error at once, also where the system denies its own folders',
    () => {
      const { status, stderr } = run(['--root', '/proc/x', '--', process.execPath, '-e', '0']);
      expect(status).toBe(2);
      expect(stderr).toContain('error: /proc/x: ');
    },
  );

  it('is new each time, and a new ./rollout-traces is kept out of repositories', () => {
    const command = script('record()');
    for (let n = 0; n < 2; n++) run(['-q', '--', ...command]);
    const names = readdirSync(join(work, 'rollout-traces')).sort();
    expect(names).toHaveLength(3);
    expect(names[0]).toBe('.gitignore');
    expect(names[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/);
  });

  it('lies below the trace root that is set, so that recordings may be nested', () => {
    const inner = [process.execPath, program, 'record', '-q', '--', ...script('record()')];
    const { stdout } = run(['--json', '-q', '--', ...inner], { env: { ROLLOUT_TRACE_ROOT: join(work, 'root') } });
    const { root, bundles } = JSON.parse(stdout);
    expect(root.startsWith(join(work, 'root'))).toBe(true);
    expect(bundles).toHaveLength(1);
    expect(bundles[0].bundle.startsWith(`${root}/`)).toBe(true);
  });

  it('may not be a bundle itself, and must be a folder', () => {
    const { stdout } = run(['--json', '--', ...script('record()')]);
    const { bundle } = JSON.parse(stdout).bundles[0];
    const inBundle = run(['--root', bundle, '--', ...script('record()')]);
    expect(inBundle.status).toBe(2);
    expect(inBundle.stderr).toContain('is a bundle; traces are recorded below a folder');
    const inFile = run(['--root', 'script.mjs', '--', ...script('record()')]);
    expect(inFile.status).toBe(2);
    expect(inFile.stderr).not.toContain('recording below');
  });
});
