#!/usr/bin/env node
// Times `rollout-trace reduce` as a whole process, warm, paired with the reference where its binary is given.
//
//   node packages/core/bench/reduce/bench.mjs [--reference PATH] [--runs 5] TRACE…
//
// Per trace: wall and CPU milliseconds and peak memory as medians, the reference's, and the ratio of each pair's wall
// time as the median. Payloads are read once before each pair, so that both find them in the page cache.
// NODE_EXTRA_CA_CERTS is taken out of the environment: it costs every Node process 30 ms before its first line.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: arg, positionals } = parseArgs({
  allowPositionals: true,
  options: { reference: { type: 'string' }, runs: { type: 'string', default: '5' }, command: { type: 'string' } },
});
const RUNS = Number(arg.runs);
const COMMAND = arg.command ?? fileURLToPath(new URL('../../../cli/bin/rollout-trace.cjs', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
const env = { ...process.env, CODEX_HOME: join(scratch, 'home') };
delete env.NODE_EXTRA_CA_CERTS;

/** One run under `time`, which tells CPU and memory of the process itself. */
function run(command, args) {
  const began = process.hrtime.bigint();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%U %S %M', command, ...args], {
    env,
    encoding: 'utf8',
  });
  const wall = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  const [user, system, memory] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: (user + system) * 1000, memory: memory / 1024 };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const summary = (runs) => ({
  wall: median(runs.map((r) => r.wall)),
  cpu: median(runs.map((r) => r.cpu)),
  memory: median(runs.map((r) => r.memory)),
});

/** Bytes of the trace; reading them brings them into the page cache. */
function warm(path) {
  if (statSync(path).isFile()) return readFileSync(path).length;
  return readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => sum + warm(join(path, entry.name)), 0);
}

const ms = (value) => value.toFixed(value < 100 ? 1 : 0);
try {
  const empty = summary(Array.from({ length: RUNS + 1 }, () => run(process.execPath, ['-e', '0'])));
  console.log(`empty Node script: ${ms(empty.wall)} ms`);
  console.log('| trace | MB | wall ms | cpu ms | MB of memory | reference wall ms | MB | ratio |');
  console.log('|--|--|--|--|--|--|--|--|');
  for (const path of positionals) {
    const ours = [];
    const theirs = [];
    const out = join(scratch, 'state.json');
    let bytes = 0;
    for (let i = 0; i <= RUNS; i++) {
      bytes = warm(path);
      const mine = run(process.execPath, [COMMAND, 'reduce', path, '-o', out, '--quiet']);
      const other = arg.reference === undefined ? null : run(arg.reference, ['debug', 'trace-reduce', path, '-o', out]);
      if (i === 0) continue;
      ours.push(mine);
      if (other !== null) theirs.push(other);
    }
    const mine = summary(ours);
    const other = theirs.length > 0 ? summary(theirs) : null;
    const ratio = theirs.length > 0 ? median(theirs.map((r, i) => r.wall / ours[i].wall)).toFixed(2) : '';
    const cells = [basename(path), (bytes / 1e6).toFixed(1), ms(mine.wall), ms(mine.cpu), mine.memory.toFixed(0)];
    console.log(
      `| ${[...cells, other ? ms(other.wall) : '', other ? other.memory.toFixed(0) : '', ratio].join(' | ')} |`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
