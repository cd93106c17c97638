/**
 * Runs that the SDK tells of on its diagnostics channel (`ai:telemetry`, major 7), which needs nothing of the host. Only
 * those are recorded here that no telemetry object of ours hears, as where a call brings integrations of its own.
 *
 * The channel says what runs, and when it is over; it does not say what a streamed model answered.
 */

import { type TracingChannelSubscribers, tracingChannel } from 'node:diagnostics_channel';
import { bindTrace } from '../../node/recorder/current-trace.ts';
import type { ToolCall } from '../../recorder/tool.ts';
import { bindSeat } from '../session/call-seat.ts';
import { listOf, type Members, membersOf, textOrNull } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import { type AskedModel, isAbort, type Run } from './run.ts';
import { OWNER } from './run-place.ts';
import type { Runs } from './runs.ts';

const CHANNEL = 'ai:telemetry';
const RUN_TYPES = new Set(['generateText', 'streamText']);
const STREAM_NOT_OBSERVABLE =
  'what a streamed model answered: the diagnostics channel does not say it, and no traced fetch saw it';

/** What is published, and grows from one stage of an operation to the next. */
interface Message {
  type?: unknown;
  event?: unknown;
  result?: unknown;
  error?: unknown;
}

/** What a message is about. */
interface Subject {
  run: Run;
  asked: AskedModel | null;
  tool: ToolCall | null;
}

/** Listens to the channel, as long as the process runs. */
export function listenToChannel(runs: Runs): void {
  const channel = tracingChannel<unknown, Message>(CHANNEL);
  const ear = new ChannelEar(runs);
  bindTrace(channel.start, (message) => {
    const subject = ear.subjectOf(message);
    return subject?.tool ?? subject?.asked?.seat.turn ?? null;
  });
  bindSeat(channel.start, (message) => ear.subjectOf(message)?.asked?.seat ?? null);
  const nothing = (): void => undefined;
  const subscribers: TracingChannelSubscribers<Message> = {
    start: (message) => quietly(undefined, () => ear.started(message)),
    end: nothing,
    asyncStart: nothing,
    asyncEnd: (message) => quietly(undefined, () => ear.ended(message)),
    error: nothing,
  };
  channel.subscribe(subscribers);
}

class ChannelEar {
  readonly #runs: Runs;
  /** Runs that were told of, until their first step shows whether anybody else records them. */
  readonly #told = new Map<string, Members>();
  readonly #own = new Set<string>();
  readonly #subjects = new WeakMap<Message, Subject | null>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  started({ type, event }: Message): void {
    const told = membersOf(event);
    if (RUN_TYPES.has(String(type)) && typeof told.callId === 'string') this.#told.set(told.callId, told);
  }

  /** What the message is about, if it is for us to record. Asked again, it says the same. */
  subjectOf(message: Message): Subject | null {
    const known = this.#subjects.get(message);
    if (known !== undefined) return known;
    const subject = quietly(null, () => this.#begin(message));
    this.#subjects.set(message, subject);
    return subject;
  }

  ended(message: Message): void {
    const { type, event, error } = message;
    const { callId } = membersOf(event);
    if (typeof callId !== 'string') return;
    const { run, asked, tool } = this.#subjects.get(message) ?? { run: null, asked: null, tool: null };
    if (run !== null && asked !== null) this.#answered(run, asked, message);
    else if (run !== null && tool !== null) returned(run, message);
    if (type === 'step' && error === undefined && this.#own.has(callId)) this.#runs.get(callId)?.stepEnded();
    if (!RUN_TYPES.has(String(type))) return;
    this.#told.delete(callId);
    if (!this.#own.delete(callId)) return;
    if (error === undefined) this.#runs.end(callId, 'completed');
    else this.#runs.end(callId, isAbort(error) ? 'cancelled' : 'failed', error);
  }

  #begin({ type, event }: Message): Subject | null {
    const told = membersOf(event);
    if (type !== 'languageModelCall' && type !== 'executeTool') return null;
    const run = this.#run(told.callId);
    if (run === null) return null;
    if (type === 'languageModelCall') return { run, asked: run.ask(told), tool: null };
    const toolCall = membersOf(told.toolCall);
    run.toolStarted(toolCall);
    return { run, asked: null, tool: run.tool(toolCall.toolCallId) };
  }

  /** Our run of this id; begun now, where nobody else began it. */
  #run(id: unknown): Run | null {
    if (typeof id !== 'string') return null;
    if (this.#own.has(id)) return this.#runs.get(id);
    const told = this.#told.get(id);
    if (told === undefined || this.#runs.get(id) !== null) return null;
    const run = this.#runs.begin(id, told);
    if (run !== null) this.#own.add(id);
    return run;
  }

  #answered(run: Run, asked: AskedModel, { result, error }: Message): void {
    if (error !== undefined) {
      asked.broke(error, isAbort(error));
      return;
    }
    asked.returned();
    const { content, usage, response, stream } = membersOf(result);
    if (stream === undefined) {
      const responseId = textOrNull(membersOf(response).id);
      run.answered({ content: listOf(content).map(fromProvider), usage: countsOf(usage), responseId });
      return;
    }
    // The answer comes with the stream; that the step is over is all there is to be heard of it.
    if (asked.recordsItself) this.#runs.session.notObservable(run.turn.thread, OWNER, [STREAM_NOT_OBSERVABLE]);
  }
}

function returned(run: Run, { result, error }: Message): void {
  const { type, toolCallId, output, error: failure } = membersOf(membersOf(result).output);
  if (type === 'tool-error' || error !== undefined) run.toolFailed(toolCallId, failure ?? error);
  else run.toolReturned(toolCallId, output);
}

/** A part as the provider gives it: what a tool is given is a text yet. */
function fromProvider(part: unknown): Members {
  const told = membersOf(part);
  const { input } = told;
  if (told.type !== 'tool-call' || typeof input !== 'string') return told;
  return { ...told, input: quietly<unknown>(input, () => JSON.parse(input)) };
}

/** The counts as the provider gives them, in the words of the SDK. */
function countsOf(usage: unknown): Members {
  const input = membersOf(membersOf(usage).inputTokens);
  const output = membersOf(membersOf(usage).outputTokens);
  return {
    inputTokens: input.total,
    outputTokens: output.total,
    inputTokenDetails: { cacheReadTokens: input.cacheRead, cacheWriteTokens: input.cacheWrite },
    outputTokenDetails: { reasoningTokens: output.reasoning },
  };
}
