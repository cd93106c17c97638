/**
 * Runs of major 6, which tells less: no ids of runs, no failures, and it lets nobody wrap what it does. What belongs
 * together is found by the asynchronous context the hooks are called in; where the host's own hooks stand in between,
 * that is lost, and the run is not recorded here.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { enterTrace } from '../../node/recorder/current-trace.ts';
import { listOf, type Members, membersOf } from '../session/json.ts';
import { type AskedModel, OWNER, type Run } from './run.ts';
import type { Runs } from './runs.ts';

/** What the hooks of one run, or of one of its tools, share. */
interface RunContext {
  id: string;
  /** What the run began with, until its first step begins. */
  beginning: Members;
  run: Run | null;
  asked: AskedModel | null;
}

const NOT_OBSERVABLE = [
  'major 6 of the SDK does not tell of runs that fail or are aborted: their turn stays open',
  'major 6 of the SDK tells of a model call when its tools have run: without a traced fetch it is recorded then',
];

/** Hears the hooks of major 6. */
export class OlderMajor {
  readonly #runs: Runs;
  readonly #context = new AsyncLocalStorage<RunContext | null>();
  #count = 0;

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
    this.#context.enterWith({ id: `older ${++this.#count}`, beginning, run: null, asked: null });
  }

  stepStarted(event: Members): void {
    const context = this.#context.getStore() ?? null;
    if (context === null) return;
    context.run ??= this.#runs.begin(context.id, context.beginning);
    if (context.run === null) return;
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

  stepEnded({ response, usage, content }: Members): void {
    const context = this.#context.getStore() ?? null;
    if (context === null) return;
    const { id } = membersOf(response);
    context.asked = null;
    context.run?.answered({ responseId: id, usage, content: listOf(content).filter(isSaidByModel) });
  }

  ended(): void {
    const context = this.#context.getStore() ?? null;
    if (context !== null) this.#runs.end(context.id, 'completed');
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
