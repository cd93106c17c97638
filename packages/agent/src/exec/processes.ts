/**
 * The processes that commands started, and their end.
 *
 * A group of processes is not enough to know them by: an interactive shell gives every job a group of its own, and
 * `setsid` leaves even the session. So each command carries a mark in its environment, which its descendants inherit.
 * A program may clear or overwrite its environment, though: what was seen in a session while its leader lived is known
 * by id and time of start. Where there is no `/proc` to look either up in, the group is all that is known.
 */

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The variable that holds the marks, joined by colons: an agent may run in the terminal of another agent. */
export const MARK_VARIABLE = 'ROLLOUT_TRACE_TERMINAL';

/** Of what stands behind the name in `/proc/<pid>/stat`. */
const START_FIELD = 19;

/** How long a killed process may take to be gone; longer ones hang in the kernel, where no signal reaches. */
const KILLED_MS = 5_000;

/** Some of the processes that were started here. */
export interface Family {
  /** Leaders of sessions and groups that live: once one is gone, its number may be another's. */
  leaders(): ReadonlySet<number>;
  /** Whether a mark is one of theirs. */
  hasMark(mark: string): boolean;
  /** Seen in one of their sessions: as long as one of these lives, the number of its session cannot be another's. */
  known(): KnownProcesses;
}

/** When each process began, by its id: one with the same id that began at another time is another. */
export type KnownProcesses = ReadonlyMap<number, string>;

/** A process as `/proc/<pid>/stat` tells of it. */
interface ProcessStat {
  pid: number;
  /** A zombie is dead; whether its parent looks is not in our hands. */
  dead: boolean;
  group: number;
  session: number;
  start: string;
}

/** An environment with one more mark. */
export function markedEnvironment(env: NodeJS.ProcessEnv, mark: string): NodeJS.ProcessEnv {
  const outer = env[MARK_VARIABLE];
  return { ...env, [MARK_VARIABLE]: outer === undefined || outer === '' ? mark : `${outer}:${mark}` };
}

/** The other processes in the session of a leader, which has to live until this is done. */
export async function sessionMembers(leader: number): Promise<KnownProcesses> {
  const processes = (await readProcesses()) ?? [];
  const members = processes.filter(({ pid, session }) => session === leader && pid !== leader);
  return new Map(members.map(({ pid, start }) => [pid, start]));
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
  const known = family.known();
  const sessions = new Set(leaders);
  for (const { pid, start, session } of processes) if (known.get(pid) === start) sessions.add(session);
  const targets = await Promise.all(
    processes.map(async ({ pid, dead, group, session }) => {
      if (dead || pid === process.pid) return [];
      return sessions.has(session) || leaders.has(group) || (await isMarked(pid, family)) ? [pid] : [];
    }),
  );
  return targets.flat();
}

async function readProcesses(): Promise<ProcessStat[] | null> {
  try {
    const names = await readdir('/proc');
    const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
    return pids.includes(process.pid) ? (await Promise.all(pids.map(readProcess))).flat() : null;
  } catch {
    return null;
  }
}

/** None where it is gone meanwhile. */
async function readProcess(pid: number): Promise<ProcessStat[]> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name stands in brackets and may hold anything: what counts begins behind the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, , group, session] = fields;
    const dead = state === 'Z' || state === 'X';
    return [{ pid, dead, group: Number(group), session: Number(session), start: fields[START_FIELD] ?? '' }];
  } catch {
    return [];
  }
}

async function isMarked(pid: number, family: Family): Promise<boolean> {
  try {
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
