/**
 * A Codex that records. Codex does the recording itself, once its environment names a folder; the SDK gives the process
 * that environment, and takes it only when its client is made. So the client is made here, of the SDK's own class.
 *
 * Not here: finding the bundle of a run (`codex-trace.ts`).
 */

import { resolve } from 'node:path';
import { traceEnvironment } from '../../node/recorder/open-sink.ts';
import { type CodexTrace, RunTrace } from './codex-trace.ts';

/** What the SDK's client takes of an environment. Given, it replaces that of this process whole. */
export interface CodexEnvironment {
  env?: Record<string, string>;
}

/** What the SDK calls a thread. */
export interface CodexThread {
  readonly id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: the SDK's own types, of which nothing is asked
  run(...args: any[]): Promise<object>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  runStreamed(...args: any[]): Promise<{ events: AsyncGenerator<any> }>;
}

/** What the SDK calls a Codex. */
export interface CodexClient {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  startThread(...args: any[]): CodexThread;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  resumeThread(...args: any[]): CodexThread;
}

/** Where to record. */
export interface TracedCodexOptions {
  /** The folder Codex writes below. Left out, the environment given to Codex says, then that of this process; null records nothing. */
  root?: string | null;
}

type Answer<M extends (...args: never[]) => Promise<object>> = Awaited<ReturnType<M>> & { trace: CodexTrace };

/** A thread whose runs say where their bundles are. */
export type TracedThread<T extends CodexThread> = Omit<T, 'run' | 'runStreamed'> & {
  run(...args: Parameters<T['run']>): Promise<Answer<T['run']>>;
  runStreamed(...args: Parameters<T['runStreamed']>): Promise<Answer<T['runStreamed']>>;
  /** Of each run so far, in order; those that failed as well. */
  readonly traces: readonly CodexTrace[];
};

/** A Codex whose threads are traced. */
export type TracedCodex<C extends CodexClient> = Omit<C, 'startThread' | 'resumeThread'> & {
  startThread(...args: Parameters<C['startThread']>): TracedThread<ReturnType<C['startThread']>>;
  resumeThread(...args: Parameters<C['resumeThread']>): TracedThread<ReturnType<C['resumeThread']>>;
};

/**
 * A Codex of the SDK that records every run: `tracedCodex(Codex, options)` in the place of `new Codex(options)`.
 *
 * @param Codex the class of the SDK
 */
export function tracedCodex<C extends CodexClient, O extends CodexEnvironment>(
  Codex: new (options: O) => C,
  options: O,
  { root: given }: TracedCodexOptions = {},
): TracedCodex<C> {
  const inherited = options.env ?? definedOnly(process.env);
  const named = given === undefined ? traceEnvironment(inherited).root : given;
  const root = named === null ? null : resolve(named);
  const { CODEX_ROLLOUT_TRACE_ROOT: _, ...others } = inherited;
  const env = root === null ? others : { ...others, CODEX_ROLLOUT_TRACE_ROOT: root };
  // Given none, the SDK takes the environment of each moment.
  const isAsInherited = root === null && inherited.CODEX_ROLLOUT_TRACE_ROOT === undefined;
  const codex = new Codex(isAsInherited ? options : { ...options, env });
  return overlaid(codex, {
    startThread: (...args: unknown[]) => tracedThread(codex.startThread(...args), root),
    resumeThread: (...args: unknown[]) => tracedThread(codex.resumeThread(...args), root),
  }) as unknown as TracedCodex<C>;
}

function tracedThread(thread: CodexThread, root: string | null): object {
  const traces: CodexTrace[] = [];
  const begin = (): RunTrace => {
    const trace = new RunTrace(root, () => thread.id);
    traces.push(trace);
    return trace;
  };
  return overlaid(thread, {
    traces,
    run: async (...args: unknown[]) => {
      const trace = begin();
      try {
        return { ...(await thread.run(...args)), trace };
      } finally {
        trace.end();
      }
    },
    runStreamed: async (...args: unknown[]) => {
      const trace = begin();
      const streamed = await thread.runStreamed(...args);
      return { ...streamed, events: endedWith(streamed.events, trace), trace };
    },
  });
}

/** The very events, and the end of the trace where they end, however that is. */
async function* endedWith<T>(events: AsyncGenerator<T>, trace: RunTrace): AsyncGenerator<T> {
  try {
    yield* events;
  } finally {
    trace.end();
  }
}

/** The object as it is, but for these members. */
function overlaid<T extends object>(object: T, members: Readonly<Record<string, unknown>>): T {
  return new Proxy(object, {
    get: (target, key) => {
      if (typeof key === 'string' && Object.hasOwn(members, key)) return members[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' && key !== 'constructor' ? value.bind(target) : value;
    },
    has: (target, key) => Object.hasOwn(members, key) || Reflect.has(target, key),
  });
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
