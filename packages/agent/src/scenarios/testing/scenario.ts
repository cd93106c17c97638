/**
 * A session with a scripted model, recorded and reduced: what a scenario is, and how one is played.
 *
 * Owns the folders, the model and the end of everything. Not here: the scenarios (beside this file, one file per theme).
 */

import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AgentEvent, AgentSession, type AgentSessionOptions, type TurnResult } from '@rollout-trace/agent';
import {
  type ModelRequest,
  type Script,
  type ScriptedModel,
  startScriptedModel,
} from '@rollout-trace/agent/scripted-model';
import { type Finding, type Graph, reduceBundle } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';
import { processesIn } from './processes-in.ts';

/** One session, told as a script of the model and the turns of a user. */
export interface Scenario {
  readonly name: string;
  /** Made anew for each time it is played. */
  readonly script: (stage: Folders) => Script;
  readonly options?: (stage: Folders) => Partial<AgentSessionOptions>;
  /** Files in the working folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the user does; every session is closed afterwards. */
  readonly play: (stage: Stage) => Promise<void>;
  /** @throws where the trace does not tell what happened */
  readonly check: (seen: Seen) => void;
}

interface Folders {
  /** The working folder of the agent. */
  readonly cwd: string;
}

/** What a scenario plays on. */
interface Stage extends Folders {
  readonly session: AgentSession;
  readonly model: ScriptedModel;
  readonly events: readonly AgentEvent[];
  /** Runs a turn; its result is checked by the scenario. */
  run(prompt: string, signal?: AbortSignal): Promise<TurnResult>;
  compact(): Promise<TurnResult>;
  /** Opens a further session like the first, beside it. */
  another(): AgentSession;
  /** Fulfilled once an event of this type has happened. */
  until(wanted: (event: AgentEvent) => boolean): Promise<void>;
}

/** What came of it. */
export interface Seen {
  readonly graph: Graph;
  /** Of the further sessions. */
  readonly others: readonly Graph[];
  readonly results: readonly TurnResult[];
  readonly requests: readonly ModelRequest[];
  readonly events: readonly AgentEvent[];
  /** The lines of the log. */
  readonly log: readonly LoggedEvent[];
  readonly cwd: string;
}

/** A line of the log, as far as scenarios look at it. */
interface LoggedEvent {
  readonly payload: { readonly type: string } & Readonly<Record<string, unknown>>;
}

/** A scenario that was played. */
export interface Played {
  /** One for each session, in the order they were opened. */
  readonly bundles: readonly string[];
  readonly findings: readonly Finding[];
  readonly refusals: readonly string[];
  /** Processes that still run in the working folder; null where the system does not tell. */
  readonly leftBehind: readonly string[] | null;
  readonly seen: Seen;
}

/** Plays a scenario in a new folder below `root`, closes everything, and reduces what was recorded. */
export async function playScenario(scenario: Scenario, root: string = tmpdir()): Promise<Played> {
  const home = realpathSync(mkdtempSync(join(root, 'rollout-trace-scenario-')));
  const cwd = join(home, 'project');
  mkdirSync(cwd);
  for (const [name, text] of Object.entries(scenario.files ?? {})) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const model = await startScriptedModel(scenario.script({ cwd }));
  const events: AgentEvent[] = [];
  const results: TurnResult[] = [];
  const waiting = new Set<(event: AgentEvent) => void>();
  const options: AgentSessionOptions = {
    apiKey: 'sk-scripted',
    baseURL: model.url,
    providerName: 'scripted',
    model: 'model-1',
    cwd,
    record: { root: join(home, 'traces'), format: 'bundle' },
    retryDelays_ms: [1, 1],
    onEvent: (event) => {
      events.push(event);
      for (const hear of waiting) hear(event);
    },
    ...scenario.options?.({ cwd }),
  };
  const sessions: AgentSession[] = [];
  const another = (): AgentSession => {
    const opened = new AgentSession(options);
    sessions.push(opened);
    return opened;
  };
  const closeAll = () => Promise.all(sessions.map((opened) => opened.close()));
  const session = another();
  const ran = async (turn: Promise<TurnResult>): Promise<TurnResult> => {
    const result = await turn;
    results.push(result);
    return result;
  };
  const stage: Stage = {
    cwd,
    session,
    model,
    events,
    run: (prompt, signal) => ran(session.run(prompt, signal === undefined ? {} : { signal })),
    compact: () => ran(session.compact()),
    another,
    until: (wanted) =>
      new Promise((resolve) => {
        const hear = (event: AgentEvent): void => {
          if (!wanted(event)) return;
          waiting.delete(hear);
          resolve();
        };
        waiting.add(hear);
        for (const event of events) hear(event);
      }),
  };
  try {
    await scenario.play(stage);
  } catch (error) {
    await closeAll();
    rmSync(home, { recursive: true, force: true });
    throw error;
  } finally {
    await closeAll();
    await model.close();
  }
  const bundles = sessions.map(({ location }) => location);
  const graphs: Graph[] = [];
  const findings: Finding[] = [];
  for (const bundle of bundles) {
    const reduced = reduceBundle(directorySource(bundle), { mode: 'salvage' });
    graphs.push(reduced.graph);
    findings.push(...reduced.findings);
  }
  const [graph, ...others] = graphs;
  if (graph === undefined) throw new Error('a scenario has one session at least');
  return {
    bundles,
    findings,
    refusals: model.refusals,
    leftBehind: processesIn(cwd),
    seen: { graph, others, results, requests: model.requests, events, log: readLog(session.location), cwd },
  };
}

/** Removes the folder a scenario was played in. */
export function removePlayed({ seen: { cwd } }: Played): void {
  rmSync(dirname(cwd), { recursive: true, force: true });
}

function readLog(bundle: string): LoggedEvent[] {
  const lines = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as LoggedEvent);
}
