/**
 * One run of the AI SDK: `generateText`, `streamText`, an agent. It is one turn; each step asks the model once, and runs
 * the tools the model asked for.
 *
 * A model call has a seat, which a traced `fetch` takes if the provider was given one: it sees the bytes. What nobody
 * takes is recorded from what the SDK tells: from the beginning where there is no traced fetch in the process, else once
 * it is certain that none sees the call. Not here: where the run belongs (`run-place.ts`), who
 * tells (`telemetry.ts`, `channel.ts`).
 */

import { withTrace } from '../../node/recorder/current-trace.ts';
import type { TokenUsage } from '../../recorder/inference.ts';
import { ToolCall } from '../../recorder/tool.ts';
import type { Turn } from '../../recorder/turn.ts';
import { recordedName } from '../recorded-name.ts';
import { CallSeat, withSeat } from '../session/call-seat.ts';
import { countOrNull, type Members, membersOf, textOrNull } from '../session/json.ts';
import type { ModelCall } from '../session/model-call.ts';
import { quietly } from '../session/quietly.ts';
import type { TraceSession } from '../session/session.ts';
import { recordedIdOf } from '../session/told-calls.ts';
import { errorOf, itemsOfContent, itemsOfMessages, jsonText } from './derived-items.ts';
import { OWNER, type RunPlace, type RunStatus } from './run-place.ts';

/** What the SDK tells with a call that is no part of the request. */
const NOT_SENT = new Set(['callId', 'execute', 'messages', 'provider', 'modelId', 'headers', 'abortSignal']);

/** Records one run. */
export class Run {
  readonly #session: TraceSession;
  readonly #place: RunPlace;
  /** Those of the newest step: some services count their calls anew for each. */
  readonly #tools = new Map<string, ToolCall>();
  #asked: AskedModel | null = null;
  /** The one that asked for the tools. */
  #newest: AskedModel | null = null;
  #asking = false;
  /** What the run was sent and answered, put together where somebody asks for it. */
  #history: () => readonly unknown[] = () => [];
  #open = true;

  constructor(session: TraceSession, place: RunPlace) {
    this.#session = session;
    this.#place = place;
  }

  get turn(): Turn {
    return this.#place.turn;
  }

  /** A model is about to be asked: everything the call does finds its place here. */
  ask(event: Members): AskedModel {
    const asked = new AskedModel(this.#session, this.#place.turn, event);
    this.#asked = asked;
    this.#newest = asked;
    this.#tools.clear();
    this.#history = () => asked.input;
    return asked;
  }

  /** Asks the model. Telemetry that is registered twice wraps the call twice; the inner one is the call. */
  async through<T>(event: Members, execute: () => PromiseLike<T>): Promise<T> {
    if (this.#asking) return execute();
    this.#asking = true;
    try {
      const asked = quietly(null, () => this.ask(event));
      return await (asked === null ? execute() : asked.through(execute));
    } finally {
      this.#asking = false;
    }
  }

  /** The model answered, and the tools it asked for are about to run, or ran already. */
  answered(event: Members): void {
    if (this.#asked === null) return;
    const asked = this.#asked;
    const items = itemsOfContent(event.content);
    this.#history = () => [...asked.input, ...items];
    asked.answered(textOrNull(event.responseId), event.usage, items);
    this.#asked = null;
  }

  /** A step is over, and whoever tells of it did not hear the answer. */
  stepEnded(): void {
    this.#asked?.answered(null, null, []);
    this.#asked = null;
  }

  /** A tool begins to run. */
  toolStarted({ toolCallId, toolName, input }: Members): void {
    if (typeof toolCallId !== 'string' || typeof toolName !== 'string' || this.#tools.has(toolCallId)) return;
    if (!this.#session.claim('tool_call', toolCallId, OWNER)) return;
    const call = this.turn.startToolCall({
      name: recordedName(toolName),
      callId: this.#newCallId(toolCallId, toolName, input),
      payload: { type: 'function', arguments: jsonText(input) },
      kind: { type: 'other', name: toolName },
    });
    this.#tools.set(toolCallId, call);
  }

  /** The id the call is recorded under; null where it has the id of another one, as a call that repeats that has. */
  #newCallId(toolCallId: string, toolName: string, input: unknown): string | null {
    const { callIds, turn } = this.#place;
    const { calls } = this.#session.memoryOf(turn.thread);
    const callId = this.#newest?.callIdOf(toolCallId, toolName, input) ?? calls.idOf(toolCallId);
    if (!callIds.has(callId)) {
      callIds.add(callId);
      return callId;
    }
    const message = `the call id ${callId} was used before in this rollout; the second call of it is recorded without`;
    turn.thread.protocolEvent('warning', { type: 'warning', message });
    return null;
  }

  /** The call of a tool that runs; a disabled one where it is not known. */
  tool(toolCallId: unknown): ToolCall {
    return (typeof toolCallId === 'string' ? this.#tools.get(toolCallId) : undefined) ?? ToolCall.disabled;
  }

  /** Runs a tool for its call; where that is not known, for the turn. */
  runTool<T>(toolCallId: string, execute: () => T): T {
    return withTrace(this.#tools.get(toolCallId) ?? this.turn, execute);
  }

  /** A tool gave its value to the SDK, which tells the model in the next request. */
  toolReturned(toolCallId: unknown, value: unknown): void {
    this.tool(toolCallId).respondToCode(value);
  }

  toolFailed(toolCallId: unknown, error: unknown): void {
    this.tool(toolCallId).fail(error, isAbort(error) ? 'cancelled' : 'failed');
  }

  /** The run is over. The first end counts. */
  end(status: RunStatus, reason: unknown = null): void {
    if (!this.#open) return;
    this.#open = false;
    const given = status === 'cancelled' || status === 'aborted';
    this.#asked?.broke(reason ?? 'the run ended before the model answered', given);
    this.#place.end(status, this.#history);
  }
}

/** One model call of a run. */
export class AskedModel {
  readonly seat: CallSeat;
  readonly #session: TraceSession;
  readonly #event: Members;
  readonly #askedAt = Date.now();
  #call: ModelCall | null = null;
  #input: readonly unknown[] | null = null;
  /** What the model said, as it is recorded. */
  #said: readonly unknown[] | null = null;

  constructor(session: TraceSession, turn: Turn, event: Members) {
    this.#session = session;
    this.#event = event;
    this.seat = new CallSeat(turn, {
      answered: (_, items) => {
        this.#said = items;
      },
      gaveUp: () => undefined,
    });
    // Where a fetch may see the call, it has the first say, and what it left shows only when the model answers.
    if (!session.seesBytes) this.#begin();
  }

  /** What the model is sent, as items of the format. */
  get input(): readonly unknown[] {
    this.#input ??= itemsOfMessages(this.#event.messages);
    return this.#input;
  }

  /** Whether the call is recorded from what the SDK tells. */
  get recordsItself(): boolean {
    return this.#call !== null;
  }

  /** The model began to answer, or has. */
  returned(): void {
    this.#begin();
  }

  /** Under which id a call of a tool is recorded; null where the model did not ask for it. */
  callIdOf(id: string, name: string, input: unknown): string | null {
    // A streamed answer may be told only when its tools are at work.
    if (this.#said === null) return this.#session.memoryOf(this.seat.turn.thread).calls.idToCome(id, name, input);
    const ids = this.#said.map((item) => textOrNull(membersOf(item).call_id));
    return recordedIdOf(id, ids) ?? null;
  }

  /** Asks the model. */
  async through<T>(execute: () => PromiseLike<T>): Promise<T> {
    let result: T;
    try {
      result = await withTrace(this.seat.turn, () => withSeat(this.seat, execute));
    } catch (error) {
      quietly(undefined, () => this.broke(error, isAbort(error)));
      throw error;
    }
    quietly(undefined, () => this.returned());
    return result;
  }

  /** The answer, or what is known of it. */
  answered(responseId: string | null, usage: unknown, items: readonly unknown[]): void {
    this.#begin();
    this.#call?.complete({ responseId, tokenUsage: tokenUsage(usage), outputItems: items });
  }

  /** There is no answer, or not all of it. */
  broke(error: unknown, given: boolean): void {
    this.#begin();
    if (given) this.#call?.cancel(error);
    else this.#call?.fail(errorOf(error));
  }

  /** Nobody sees the bytes, or would have by now: the call is recorded from what the SDK tells. */
  #begin(): void {
    if (this.#call !== null || !this.seat.take(OWNER)) return;
    const { modelId, provider } = this.#event;
    const told = Object.entries(this.#event).filter(([key, value]) => !NOT_SENT.has(key) && value !== undefined);
    this.#call = withSeat(this.seat, () =>
      this.#session.startModelCall(OWNER, {
        model: textOrNull(modelId) ?? '',
        providerName: textOrNull(provider) ?? 'ai-sdk',
        body: {
          model: modelId,
          ...Object.fromEntries(told),
          derived_from: { told_by: 'ai-sdk', asked_at_unix_ms: this.#askedAt },
        },
        input: this.input,
      }),
    );
  }
}

function tokenUsage(usage: unknown): TokenUsage | null {
  const { inputTokens, outputTokens, totalTokens, inputTokenDetails, outputTokenDetails, ...older } = membersOf(usage);
  const input = countOrNull(inputTokens);
  const output = countOrNull(outputTokens);
  if (input === null || output === null) return null;
  const read = membersOf(inputTokenDetails);
  const written = membersOf(outputTokenDetails);
  return {
    input_tokens: input,
    cached_input_tokens: countOrNull(read.cacheReadTokens ?? older.cachedInputTokens) ?? 0,
    cache_write_input_tokens: countOrNull(read.cacheWriteTokens) ?? 0,
    output_tokens: output,
    reasoning_output_tokens: countOrNull(written.reasoningTokens ?? older.reasoningTokens) ?? 0,
    total_tokens: countOrNull(totalTokens) ?? input + output,
  };
}

/** Whether the host gave up, rather than something failing. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && ['AbortError', 'TimeoutError', 'ResponseAborted'].includes(error.name);
}
