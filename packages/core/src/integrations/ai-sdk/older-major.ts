/**
 * Runs of major 6, which tells less: no ids of runs, no failures, and it lets nobody wrap what it does. What belongs
 * together is found by the asynchronous context the hooks are called in; where the host's own hooks stand in between,
 * that is lost, and the run is not recorded here. The ends of streams are told in the context of the host: they are
 * placed by the tools of the step, and else only where one run can be meant.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { enterTrace } from '../../node/recorder/current-trace.ts';
import { listOf, type Members, membersOf } from '../session/json.ts';
import type { AskedModel, Run } from './run.ts';
import { OWNER } from './run-place.ts';
import type { Runs } from './runs.ts';

/** What the hooks of one run, or of one of its tools, share. */
interface RunContext {
  id: string;
  /** What the host was in when it made the run; the end of a stream is told there. */
  parent: RunContext | null;
  /** What the run began with, until its first step begins. */
  beginning: Members;
  run: Run | null;
  /** What was told of the step that began last. */
  step: Members | null;
  asked: AskedModel | null;
}

const NOT_OBSERVABLE = [
  'major 6 of the SDK does not tell of runs that fail or are aborted: their turn stays open',
  'major 6 of the SDK tells what a model answered when its tools have run: without a traced fetch the call ends then',
  'major 6 of the SDK does not tell which of several streams at once a step without tools ends: it is left out',
];

/** Hears the hooks of major 6. */
export class OlderMajor {
  readonly #runs: Runs;
  readonly #context = new AsyncLocalStorage<RunContext | null>();
  readonly #running = new Map<string, RunContext>();
  /** Whose a step was; runs end with their steps. */
  readonly #owners = new WeakMap<object, string>();
  /** Set once a run was lost: then no run can be told to be the only one. */
  #blind = false;

  constructor(runs: Runs) {
    this.#runs = runs;
    runs.session.addLocator(() => this.#context.getStore()?.asked?.seat ?? null);
  }

  started(event: Members): void {
    if (!this.#runs.session.listening) return;
    const { prompt, messages, model } = event;
    const told = Array.isArray(messages)
      ? messages
      : typeof prompt === 'string'
        ? [{ role: 'user', content: prompt }]
        : prompt;
    const beginning = { ...event, ...modelOf(model), messages: told };
    const parent = this.#context.getStore() ?? null;
    const id = randomUUID();
    this.#context.enterWith({ id, parent, beginning, run: null, step: null, asked: null });
  }

  stepStarted(event: Members): void {
    const context = this.#context.getStore() ?? null;
    if (context === null) this.#blind = true;
    // Registered twice, the same step is told twice.
    if (context === null || context.step === event) return;
    context.step = event;
    context.run ??= this.#runs.begin(context.id, context.beginning, false);
    if (context.run === null) return;
    this.#running.set(context.id, context);
    this.#runs.session.notObservable(context.run.turn.thread, OWNER, NOT_OBSERVABLE);
    context.asked = context.run.ask({ ...sentWith(event), ...modelOf(event.model) });
    enterTrace(context.run.turn);
  }

  toolStarted({ toolCall }: Members): void {
    const context = this.#context.getStore() ?? null;
    const run = context?.run ?? null;
    if (context === null || run === null) return;
    const told = membersOf(toolCall);
    run.toolStarted(told);
    // What the tool does is no part of the step's model call.
    this.#context.enterWith({ ...context, asked: null });
    enterTrace(run.tool(told.toolCallId));
  }

  toolEnded({ toolCall, success, output, error }: Members): void {
    const run = this.#context.getStore()?.run ?? null;
    const { toolCallId } = membersOf(toolCall);
    if (success === true) run?.toolReturned(toolCallId, output);
    else run?.toolFailed(toolCallId, error);
  }

  stepEnded(step: Members): void {
    if (this.#owners.has(step)) return;
    const around = this.#context.getStore() ?? null;
    const context = around !== null && around.asked !== null ? around : this.#streamOf(step, around);
    if (context === null) return;
    const { response, usage, content } = step;
    const { id } = membersOf(response);
    context.asked = null;
    context.run?.answered({ responseId: id, usage, content: listOf(content).filter(isSaidByModel) });
    this.#owners.set(step, context.id);
  }

  ended({ steps }: Members): void {
    const last = listOf(steps).at(-1);
    const id = typeof last === 'object' && last !== null ? this.#owners.get(last) : undefined;
    if (id === undefined) return;
    this.#running.delete(id);
    this.#runs.end(id, 'completed');
  }

  /** The run whose step ends outside of its own context; null where more than one could be meant. */
  #streamOf({ content, model, functionId }: Members, parent: RunContext | null): RunContext | null {
    const { modelId } = modelOf(model);
    const able = [...this.#running.values()].filter(
      ({ asked, beginning, ...context }) =>
        asked !== null &&
        context.parent === parent &&
        beginning.functionId === functionId &&
        beginning.modelId === modelId,
    );
    const ran = able.find(({ run }) =>
      listOf(content).some((part) => run?.tool(membersOf(part).toolCallId).recording === true),
    );
    if (ran !== undefined) return ran;
    return able.length === 1 && !this.#blind ? (able[0] ?? null) : null;
  }
}

/** The content of a step holds what its tools gave as well. */
function isSaidByModel(part: unknown): boolean {
  const { type, providerExecuted } = membersOf(part);
  return (type !== 'tool-result' && type !== 'tool-error') || providerExecuted === true;
}

/** What a step tells of its request. */
function sentWith({ system, messages, toolChoice }: Members): Members {
  return { instructions: system, messages, toolChoice };
}

function modelOf(model: unknown): Members {
  const { provider, modelId } = membersOf(model);
  return { provider, modelId };
}
