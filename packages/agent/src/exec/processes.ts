/**
 * The processes that commands started, and their end.
 *
 * A group of processes is not enough to know them by: an interactive shell gives every job a group of its own, and
 * `setsid` leaves even the session. So each command carries a mark in its environment, which its descendants inherit.
 * Where there is no `/proc` to look the marks up in, the group is all that is known.
 */

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The variable that holds the marks, joined by colons: an agent may run in the terminal of another agent. */
const MARK_VARIABLE = 'ROLLOUT_TRACE_TERMINAL';

/** How long a killed process may take to be gone; longer ones hang in the kernel, where no signal reaches. */
const KILLED_MS = 5_000;

/** Some of the processes that were started here. */
export interface Family {
  /** Leaders of sessions and groups that live: once one is gone, its number may be another's. */
  leaders(): ReadonlySet<number>;
  /** Whether a mark is one of theirs. */
  hasMark(mark: string): boolean;
}

/** An environment with one more mark. */
export function markedEnvironment(env: NodeJS.ProcessEnv, mark: string): NodeJS.ProcessEnv {
  const outer = env[MARK_VARIABLE];
  return { ...env, [MARK_VARIABLE]: outer === undefined || outer === '' ? mark : `${outer}:${mark}` };
}

/** Asks all of a family to end, and ends those that have not done so after the grace. */
export async function endFamily(family: Family, grace_ms: number): Promise<void> {
  await signalUntilGone(family, 'SIGTERM', grace_ms);
  await signalUntilGone(family, 'SIGKILL', KILLED_MS);
}

/** SIGTERM is sent once, for it may be answered by cleaning up; SIGKILL again and again, for what was forked meanwhile. */
async function signalUntilGone(family: Family, signal: 'SIGTERM' | 'SIGKILL', limit_ms: number): Promise<void> {
  const deadline = performance.now() + limit_ms;
  let pause_ms = 5;
  for (let round = 0; ; round++) {
    const targets = await livingTargets(family);
    if (targets.length === 0) return;
    if (round === 0 || signal === 'SIGKILL')
      for (const target of targets) {
        send(target, signal);
        // A stopped process hears nothing else before it goes on.
        if (signal === 'SIGTERM') send(target, 'SIGCONT');
      }
    const left_ms = deadline - performance.now();
    if (left_ms <= 0) return;
    await sleep(Math.min(pause_ms, left_ms));
    pause_ms = Math.min(2 * pause_ms, 100);
  }
}

/** Numbers that `kill` takes: processes, and where they cannot be told apart a group as a negative number. */
async function livingTargets(family: Family): Promise<number[]> {
  const processes = await readProcesses();
  const leaders = family.leaders();
  if (processes === null) return [...leaders].map((leader) => -leader).filter((group) => send(group, 0));
  const living = await Promise.all(
    processes.map(async (pid) => ((await belongs(pid, leaders, family)) && pid !== process.pid ? [pid] : [])),
  );
  return living.flat();
}

async function readProcesses(): Promise<number[] | null> {
  try {
    const names = await readdir('/proc');
    const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
    return pids.includes(process.pid) ? pids : null;
  } catch {
    return null;
  }
}

async function belongs(pid: number, leaders: ReadonlySet<number>, family: Family): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name stands in brackets and may hold anything: what counts begins behind the last one.
    const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie is dead; whether its parent looks is not in our hands.
    if (state === 'Z' || state === 'X') return false;
    if (leaders.has(Number(group)) || leaders.has(Number(session))) return true;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    const entry = environment.split('\0').find((each) => each.startsWith(`${MARK_VARIABLE}=`));
    const marks = entry?.slice(MARK_VARIABLE.length + 1).split(':') ?? [];
    return marks.some((mark) => family.hasMark(mark));
  } catch {
    // Gone meanwhile, or of another user, whom no signal of ours would reach.
    return false;
  }
}

function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch {
    return false;
  }
}
