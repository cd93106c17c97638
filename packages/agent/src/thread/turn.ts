/**
 * One turn: requests to the model and the tool calls they lead to, until the model asks for nothing more.
 *
 * A request that fails is made again with what has come in so far: what the model said before the connection broke
 * stands in the history, and calls that were complete are run. Not here: one request (`model/client.ts`), one tool call
 * (`tools/dispatch.ts`).
 */

import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Turn } from '@rollout-trace/core/recorder/node';
import type { ModelFailure } from '../model/failure.ts';
import { assistantText, type Item, isCall, userMessage } from '../model/item.ts';
import { responseRequest } from '../model/request.ts';
import { pause, Retries } from '../model/retries.ts';
import { compactHistory } from './compaction.ts';
import type { AgentThread } from './thread.ts';

/** How a turn ended. */
export interface TurnResult {
  status: 'completed' | 'failed' | 'cancelled';
  /** The last message of the assistant; empty where it said nothing. */
  text: string;
  /** Why it failed. */
  error?: string;
  turnId: string;
  /** What was recorded of it. */
  trace: Turn;
}

/** What a turn is for. */
export type TurnWork = { type: 'prompt'; prompt: string | null } | { type: 'compaction' };

/** A turn that runs. */
export interface RunningTurn {
  id: string;
  trace: Turn;
  signal: AbortSignal;
}

type Ending = Pick<TurnResult, 'status' | 'error'>;

const COMPLETED: Ending = { status: 'completed' };
const CANCELLED: Ending = { status: 'cancelled' };

/** The model learns that it was interrupted, or it would take its last words for finished. */
const INTERRUPTED =
  'The user interrupted the turn before this message. What was running then may have done a part of its work.';

/** Runs a turn to its end. Everything up to the first request happens before this returns. */
export async function runTurn(thread: AgentThread, work: TurnWork, signal: AbortSignal): Promise<TurnResult> {
  const id = randomUUID();
  const turn: RunningTurn = { id, trace: thread.trace.startTurn({ turnId: id }), signal };
  // As many calls as the model asks for listen to it; Node would print a warning.
  setMaxListeners(0, signal);
  const started_ms = Date.now();
  thread.trace.protocolEvent('turn_started', { type: 'task_started', turn_id: id, started_at: seconds(started_ms) });
  const steps = new Steps(thread, turn);
  const { status, error } = await steps.run(work).catch(unexpected);
  if (status === 'cancelled') thread.history.accept(turn.trace, userMessage(INTERRUPTED));
  if (error !== undefined) thread.trace.protocolEvent('error', { type: 'error', message: error });
  turn.trace.end(status);
  const ended_ms = Date.now();
  const times = {
    started_at: seconds(started_ms),
    completed_at: seconds(ended_ms),
    duration_ms: ended_ms - started_ms,
  };
  if (status === 'cancelled') {
    const reason = 'interrupted';
    thread.trace.protocolEvent('turn_aborted', { type: 'turn_aborted', turn_id: id, reason, ...times });
  } else {
    thread.trace.protocolEvent('turn_complete', {
      type: 'task_complete',
      turn_id: id,
      last_agent_message: steps.text === '' ? null : steps.text,
      ...(error === undefined ? {} : { error: { message: error } }),
      ...times,
    });
  }
  thread.settings.listener({ type: 'turn_ended', agentPath: thread.path, status });
  return { status, text: steps.text, ...(error === undefined ? {} : { error }), turnId: id, trace: turn.trace };
}

/** A tool list that cannot be had, a defect of this package: the turn ends, the session does not. */
function unexpected(error: unknown): Ending {
  return { status: 'failed', error: error instanceof Error ? error.message : String(error) };
}

function seconds(unix_ms: number): number {
  return Math.floor(unix_ms / 1000);
}

/** The steps of one turn. */
class Steps {
  /** The last message of the assistant. */
  text = '';
  readonly #thread: AgentThread;
  readonly #turn: RunningTurn;
  readonly #retries: Retries;

  constructor(thread: AgentThread, turn: RunningTurn) {
    this.#thread = thread;
    this.#turn = turn;
    this.#retries = new Retries(thread.settings.retryDelays_ms);
  }

  async run(work: TurnWork): Promise<Ending> {
    if (work.type === 'compaction') return compactHistory(this.#thread, this.#turn);
    const { history } = this.#thread;
    const compacted = await this.#compactIfLong();
    if (compacted.status !== 'completed') return compacted;
    if (work.prompt !== null) history.accept(this.#turn.trace, userMessage(work.prompt));
    while (true) {
      this.#readMail();
      const step = await this.#step();
      if (step.end !== null) return step.end;
      const shorter = await this.#compactIfLong();
      if (shorter.status !== 'completed') return shorter;
    }
  }

  async #compactIfLong(): Promise<Ending> {
    const { history, settings } = this.#thread;
    const { compactAtTokens } = settings;
    if (compactAtTokens === null || history.inputTokens <= compactAtTokens) return COMPLETED;
    return compactHistory(this.#thread, this.#turn);
  }

  #readMail(): void {
    for (const message of this.#thread.mailbox.take()) this.#thread.history.accept(this.#turn.trace, message);
  }

  /** One request and its tool calls. */
  async #step(): Promise<{ end: Ending | null }> {
    const { history, settings, dispatcher, path } = this.#thread;
    const { trace, signal } = this.#turn;
    const { incremental, client, recorded, listener, model, providerName } = settings;
    const { items, previousResponseId } = history.unsent(incremental);
    const input = { items, previousResponseId, store: incremental };
    const body = responseRequest(this.#thread.requestSettings, this.#thread.tools(), input);
    const attempt = trace.inference({ model, providerName }).start(() => recorded.body(body));

    const outputs: Promise<Item>[] = [];
    // The service refuses reasoning without the item it led to: it enters together with that.
    let held: Item[] = [];
    let received = 0;
    const enter = (item: Item): void => {
      history.accept(trace, item);
      const text = assistantText(item);
      if (text !== null) {
        this.text = text;
        listener({ type: 'message', agentPath: path, text });
      }
      if (isCall(item)) outputs.push(dispatcher.dispatch(item, this.#turn));
    };
    const answer = await client.respond(body, attempt, signal, {
      item: (item) => {
        received += 1;
        // Cut off in the middle, it is no call: there is nothing to run, and nothing to answer.
        if (isCall(item) && item.status === 'incomplete') return;
        if (item.type === 'reasoning') {
          held.push(item);
          return;
        }
        for (const reasoning of held) enter(reasoning);
        held = [];
        enter(item);
      },
      text: (delta) => listener({ type: 'text', agentPath: path, delta }),
    });
    if (answer.status === 'completed') {
      for (const reasoning of held) enter(reasoning);
      history.answered(answer.responseId, answer.usage?.input_tokens ?? null);
      listener({ type: 'response', agentPath: path, usage: answer.usage });
      this.#retries.reset();
    } else if (received > 0) {
      // What arrived of a broken response is not what the service has stored.
      history.forgetStored();
    }
    for (const output of outputs) history.accept(trace, await output);

    if (answer.status === 'completed' && outputs.length === 0) return { end: COMPLETED };
    if (signal.aborted || answer.status === 'cancelled') return { end: CANCELLED };
    return { end: answer.status === 'failed' ? await this.#afterFailure(answer.failure, previousResponseId) : null };
  }

  /** @returns null where the request is to be made again */
  async #afterFailure(failure: ModelFailure, previousResponseId: string | null): Promise<Ending | null> {
    const { history, settings, path } = this.#thread;
    // The next request names no previous response. Where this one did not either, it would fail in the same way.
    if (failure.kind === 'unknown_response' && previousResponseId !== null) {
      history.forgetStored();
      return null;
    }
    const wait_ms = this.#retries.after(failure);
    if (wait_ms === null) return { status: 'failed', error: failure.message };
    settings.listener({ type: 'retry', agentPath: path, error: failure.message, wait_ms });
    return (await pause(wait_ms, this.#turn.signal)) ? null : CANCELLED;
  }
}
