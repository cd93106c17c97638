/**
 * A `fetch` that records what is asked of models over it: responses, streamed or not, compactions and chat completions.
 * Every request is an attempt, a client's retries as well. Everything else passes untouched.
 *
 * Owns when an attempt begins and who listens to it. Not here: what comes back (`outcome.ts`), the bytes on their way
 * (`observed-body.ts`), where a call belongs (`session/`).
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { currentTrace } from '../../node/recorder/current-trace.ts';
import { formatItem } from '../session/format-items.ts';
import { isMembers, listOf, textOrNull } from '../session/json.ts';
import type { CompactionCall } from '../session/model-call.ts';
import { quietly } from '../session/quietly.ts';
import { processSession, type TraceSession } from '../session/session.ts';
import { type BodyWatcher, observeBody } from './observed-body.ts';
import { observeNodeBody } from './observed-node-body.ts';
import { ChatOutcome, errorMessage, type Outcome, ResponseOutcome } from './outcome.ts';
import { askedBy, bodyText, type Fetch, methodOf, modelRequest, textAtHand, urlOf } from './request.ts';
import { ServerSentEvents } from './server-sent-events.ts';

/** How requests are recorded. */
export interface TracedOptions {
  /** The name of the service. Left out, `openai`, or the host a request goes to. */
  providerName?: string;
  /** Sends the id of the attempt along (`x-codex-inference-call-id`), so that both sides can be joined. */
  sendCallId?: boolean;
  /** Left out, the one that all adapters of the process share. */
  session?: TraceSession;
}

/** The name under which calls are claimed. */
export const OWNER = 'openai';

const NOT_OBSERVABLE = [
  'tools that the host runs: a call stands in what the model said, its output in a later request',
  'requests over a WebSocket, unless the socket is observed, and sessions of the realtime API',
];
const UNREAD = 'a request whose body can be read only once, or was still being made when it was sent';
const UNOBSERVED = 'the body of the response could not be observed';
/** The message of an error stands at the beginning of its body. */
const ERROR_BYTES = 64 << 10;
/** No model says more; of an answer that does not end no more is kept. */
const MOST_BYTES = 256 << 20;

/** Set while a traced fetch is at work: one that stands behind it sees the same request, and leaves it alone. */
const atWork = new AsyncLocalStorage<true>();
const tracedFetches = new WeakSet<Fetch>();

/** Hears how a request goes, whatever it asked for. */
interface Listener {
  /** The headers are here; the body follows, or is a stream of events. */
  respond(response: Response): BodyWatcher;
  fail(error: unknown): void;
  cancel(reason: unknown): void;
  readonly headers: Record<string, string>;
}

/** The fetch with recording. Given one that records already, gives it back. */
export function traced(fetch: Fetch = globalThis.fetch, options: TracedOptions = {}): Fetch {
  if (tracedFetches.has(fetch)) return fetch;
  const session = options.session ?? processSession;
  session.bytesAreSeen();
  const recording: Fetch = async (input, init) => {
    if (!session.listening || atWork.getStore() === true) return fetch(input, init);
    const listener = await listen(session, options, input, init);
    if (listener === null) return fetch(input, init);
    let response: Response;
    try {
      const sent = options.sendCallId === true ? withHeaders(input, init, listener.headers) : init;
      response = await atWork.run(true, () => fetch(input, sent));
    } catch (error) {
      quietly(undefined, () => (isAbort(error, init?.signal) ? listener.cancel(error) : listener.fail(error)));
      throw error;
    }
    return quietly(response, () => {
      const watcher = listener.respond(response);
      const observed = quietly(null, () => observeBody(response, watcher));
      if (observed !== null) return observed;
      if (!quietly(false, () => observeNodeBody(response.body, watcher))) unobserved(response, listener);
      return response;
    });
  };
  tracedFetches.add(recording);
  return recording;
}

/** What came back was not seen: where it was an answer, the host has it, and only the record has not. */
function unobserved(response: Response, listener: Listener): void {
  if (response.ok && quietly(true, () => response.body !== null)) listener.cancel(UNOBSERVED);
  else listener.fail(UNOBSERVED);
}

/** Begins to record a request, if it asks a model. Never rejects. */
async function listen(
  session: TraceSession,
  options: TracedOptions,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Listener | null> {
  try {
    const url = urlOf(input);
    const asked = url === null || methodOf(input, init) !== 'POST' ? null : askedBy(url);
    if (url === null || asked === null) return null;
    const isWhole = input instanceof Request && init?.body === undefined;
    const text = isWhole ? await textAtHand(input) : bodyText(init?.body);
    if (text === null) {
      const { thread } = currentTrace();
      if (thread.recording) session.notObservable(thread, OWNER, [UNREAD]);
      return null;
    }
    const request = modelRequest(asked, url, session.bodies.parse(text), options.providerName ?? null);
    if (request === null) return null;
    const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
    if (asked === 'compaction') {
      const call = session.startCompaction(OWNER, request);
      return call === null ? null : compactionListener(call);
    }
    const call = session.startModelCall(OWNER, request);
    if (call === null) return null;
    if (currentTrace().thread !== call.thread) session.notObservable(call.thread, OWNER, NOT_OBSERVABLE);
    const note = (message: string): void => call.thread.protocolEvent('warning', { type: 'warning', message });
    let outcome: Outcome | null = null;
    return {
      headers: call.headers,
      fail: (error) => call.fail(error),
      cancel: (reason) => call.cancel(reason),
      respond: (response) => {
        const requestId = textOrNull(response.headers.get('x-request-id'));
        outcome = asked === 'chat' ? new ChatOutcome(call, requestId) : new ResponseOutcome(call, requestId, note);
        return response.ok
          ? watch(response, request.body.stream === true, outcome, signal)
          : watchError(response, outcome);
      },
    };
  } catch {
    return null;
  }
}

function compactionListener(call: CompactionCall): Listener {
  const fail = (error: unknown): void => call.fail(error);
  const outcome: Outcome = {
    event: () => undefined,
    body: ({ output }) => call.complete(listOf(output).map(formatItem)),
    end: () => undefined,
    fail,
    cancel: fail,
  };
  return {
    headers: {},
    fail,
    cancel: fail,
    respond: (response) => (response.ok ? watchBody(outcome, null) : watchError(response, outcome)),
  };
}

/** @param asked whether a stream was asked for: not every server says that it answers with one */
function watch(response: Response, asked: boolean, outcome: Outcome, signal: AbortSignal | null): BodyWatcher {
  const type = response.headers.get('content-type') ?? '';
  const isStream = type.includes('text/event-stream') || (asked && !type.includes('json'));
  return isStream ? watchStream(outcome, signal) : watchBody(outcome, signal);
}

function watchStream(outcome: Outcome, signal: AbortSignal | null): BodyWatcher {
  // An event that cannot be read is left out; the stream goes on without it, or breaks at the host as well.
  const events = new ServerSentEvents((name, data) => quietly(undefined, () => outcome.event(name, data)));
  const watcher: BodyWatcher = {
    chunk: (bytes) => events.feed(bytes),
    end: () => {
      events.end();
      outcome.end();
    },
    ...ends(outcome, signal),
  };
  return bounded(watcher, outcome);
}

function watchBody(outcome: Outcome, signal: AbortSignal | null): BodyWatcher {
  const chunks: Uint8Array[] = [];
  const watcher: BodyWatcher = {
    chunk: (bytes) => chunks.push(bytes),
    end: () => {
      const body = quietly<unknown>(null, () => JSON.parse(Buffer.concat(chunks).toString('utf8')));
      if (isMembers(body)) outcome.body(body);
      else outcome.fail('the body of the response is no JSON object');
    },
    ...ends(outcome, signal),
  };
  return bounded(watcher, outcome);
}

/** Listens no further than to {@link MOST_BYTES}, and lets go of what was kept until then. */
function bounded(watcher: BodyWatcher, outcome: Outcome): BodyWatcher {
  let listening: BodyWatcher | null = watcher;
  let bytes = 0;
  return {
    chunk: (piece) => {
      bytes += piece.byteLength;
      if (bytes > MOST_BYTES && listening !== null) {
        listening = null;
        outcome.fail(`the response is longer than the ${MOST_BYTES} bytes that are recorded`);
      }
      listening?.chunk(piece);
    },
    end: () => listening?.end(),
    broke: (error) => listening?.broke(error),
    cancelled: (reason) => listening?.cancelled(reason),
  };
}

function watchError({ status }: Response, outcome: Outcome): BodyWatcher {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const fail = (): void => {
    const body = quietly<unknown>(null, () => JSON.parse(Buffer.concat(chunks).toString('utf8')));
    const reason = isMembers(body) && isMembers(body.error) ? `: ${errorMessage(body.error)}` : '';
    outcome.fail(`HTTP ${status}${reason}`);
  };
  return {
    chunk: (piece) => {
      if (bytes < ERROR_BYTES) chunks.push(piece);
      bytes += piece.byteLength;
    },
    end: fail,
    broke: fail,
    // A client that tries again does not read why.
    cancelled: fail,
  };
}

function ends(outcome: Outcome, signal: AbortSignal | null): Pick<BodyWatcher, 'broke' | 'cancelled'> {
  return {
    broke: (error) => (isAbort(error, signal) ? outcome.cancel(error) : outcome.fail(error)),
    cancelled: (reason) => outcome.cancel(reason ?? 'the host stopped reading'),
  };
}

function isAbort(error: unknown, signal: AbortSignal | null | undefined): boolean {
  return signal?.aborted === true || (error instanceof Error && error.name === 'AbortError');
}

function withHeaders(
  input: string | URL | Request,
  init: RequestInit | undefined,
  more: Record<string, string>,
): RequestInit {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return { ...init, headers };
}
