/**
 * What the adapters of a process share: where a model call belongs, who records it, and the rollouts they open.
 *
 * A call belongs to the seat an adapter made for it; else to the turn the host works for (`withTrace`); else to where an
 * adapter that knows runs says; else to a conversation of its own. Not here: how a call looks (the adapters), and
 * which conversation it goes on with (`conversations.ts`).
 */

import { currentTrace } from '../../node/recorder/current-trace.ts';
import { traceEnvironment } from '../../node/recorder/open-sink.ts';
import { type StartRolloutOptions, startRollout } from '../../node/recorder/start-rollout.ts';
import { Rollout } from '../../recorder/rollout.ts';
import { mergedMetadata, type SessionMetadata } from '../../recorder/session-metadata.ts';
import type { Thread } from '../../recorder/thread.ts';
import type { Turn } from '../../recorder/turn.ts';
import { type CallKind, ObservedCalls } from '../observed-calls.ts';
import { type CallSeat, currentSeat } from './call-seat.ts';
import { Conversations } from './conversations.ts';
import type { Members } from './json.ts';
import { CompactionCall, ModelCall } from './model-call.ts';
import { RequestBodies } from './request-bodies.ts';
import { ThreadMemory } from './thread-memory.ts';
import { type CallWatcher, type Sighting, sightingOf } from './transcript.ts';

/** How the rollouts that adapters open are recorded; see `startRollout`. */
export type SessionOptions = Omit<StartRolloutOptions, 'threadId'>;

/** A request to a model. */
export interface ModelRequest {
  model: string;
  providerName: string;
  /** The body as it is sent. Its `input` is replaced by `input`; `previous_response_id` and `conversation` are heeded. */
  body: Members;
  /** Items of the format (`formatInput`). */
  input: readonly unknown[];
}

/** What a request asks for: an answer, or a shorter history. */
export type Asked = 'inference' | 'compaction';

/** Says which seat a call belongs to that the running code makes, or null where it knows of none. */
export type Locator = (asked: Asked, request: ModelRequest) => CallSeat | null;

interface Place {
  turn: Turn;
  watcher: CallWatcher | null;
  compacted: (items: readonly unknown[]) => void;
}

const UNHEARD = (): void => {};

/** What the adapters of a process share. Nothing it does throws. */
export class TraceSession {
  /** The bodies of requests that adapters saw as text. */
  readonly bodies: RequestBodies = new RequestBodies();
  readonly #options: SessionOptions;
  readonly #calls = new ObservedCalls();
  readonly #locators = new Set<Locator>();
  readonly #closers = new Set<() => void>();
  readonly #rollouts = new Set<Rollout>();
  readonly #conversations: Conversations;
  readonly #memories = new WeakMap<Thread, ThreadMemory>();
  readonly #told = new WeakMap<Thread, Set<string>>();
  readonly #atExit = (): void => this.end();
  #root: string | null | undefined;
  #bytesSeen = false;

  constructor(options: SessionOptions = {}) {
    this.#options = options;
    this.#conversations = new Conversations(
      (metadata) => this.openRollout(metadata),
      (rollout) => this.endRollout(rollout),
    );
  }

  /** Whether rollouts that adapters open are recorded. The environment is asked once. */
  get recording(): boolean {
    if (this.#root === undefined) {
      this.#root = this.#options.root === undefined ? traceEnvironment(process.env).root : this.#options.root;
    }
    return this.#root !== null;
  }

  /** Whether a call made now would be recorded. */
  get listening(): boolean {
    return this.recording || currentTrace().turn.recording;
  }

  /** Some adapter sees the bytes of requests from now on: who knows of a call otherwise leaves it the first say. */
  bytesAreSeen(): void {
    this.#bytesSeen = true;
  }

  /** Whether the bytes of a request may be seen. */
  get seesBytes(): boolean {
    return this.#bytesSeen;
  }

  /** Begins a rollout that ends with the process, with {@link TraceSession.end}, or before by its opener. */
  openRollout(metadata: SessionMetadata = {}): Rollout {
    if (!this.recording) return Rollout.disabled;
    const rollout = startRollout({ ...this.#options, metadata: mergedMetadata(this.#options.metadata, metadata) });
    if (!rollout.recording) return rollout;
    if (this.#rollouts.size === 0) process.once('exit', this.#atExit);
    this.#rollouts.add(rollout);
    return rollout;
  }

  /** Ends a rollout that was opened here. */
  endRollout(rollout: Rollout, status: 'completed' | 'failed' | 'aborted' = 'completed'): void {
    if (!this.#rollouts.delete(rollout)) return;
    rollout.end(status);
    if (this.#rollouts.size === 0) process.removeListener('exit', this.#atExit);
  }

  /** Ends every rollout that adapters opened. Later calls begin new ones. */
  end(): void {
    this.#conversations.end();
    for (const close of this.#closers) close();
    for (const rollout of this.#rollouts) this.endRollout(rollout);
    this.bodies.clear();
  }

  /** Whether this owner records the call: true for the first that asks, and for it again. */
  claim(kind: CallKind, id: string, owner: string): boolean {
    return this.#calls.claim(kind, id, owner);
  }

  /** Adds an adapter that knows where calls belong. @returns removes it */
  addLocator(locate: Locator): () => void {
    this.#locators.add(locate);
    return () => this.#locators.delete(locate);
  }

  /** Adds what an adapter does before the rollouts it opened end, such as ending its turns. */
  beforeEnd(close: () => void): void {
    this.#closers.add(close);
  }

  /** Says once in the trace what an adapter cannot see of this thread. */
  notObservable(thread: Thread, adapter: string, what: readonly string[]): void {
    const told = this.#told.get(thread) ?? new Set();
    this.#told.set(thread, told);
    for (const sentence of what) {
      const key = `${adapter}: ${sentence}`;
      if (told.has(key)) continue;
      told.add(key);
      thread.protocolEvent('not_observable', { type: 'not_observable', adapter, message: sentence });
    }
  }

  /** Records that a model is asked. Null where another adapter records this call, or nobody does. */
  startModelCall(owner: string, request: ModelRequest): ModelCall | null {
    const { model, providerName, body, input } = request;
    const place = this.#place(owner, 'inference', request, (sighting) => {
      const conversation = this.#conversations.of(sighting, { model, provider_name: providerName });
      const derived = conversation.begin(sighting);
      return { turn: derived.turn, watcher: derived, compacted: UNHEARD };
    });
    if (place === null) return null;
    const memory = this.memoryOf(place.turn.thread);
    const { call, recorded } = memory.begin(body, input);
    const attempt = place.turn.inference({ model, providerName }).start(recorded);
    return new ModelCall(place.turn.thread, attempt, call, memory, this.#claiming(owner, place.watcher));
  }

  /** Records that a shorter history is asked for. Null where another adapter records it, or nobody does. */
  startCompaction(owner: string, request: ModelRequest): CompactionCall | null {
    const { model, providerName, body } = request;
    const place = this.#place(owner, 'compaction', request, (sighting) => {
      const conversation = this.#conversations.of(sighting, { model, provider_name: providerName });
      const compacted = (items: readonly unknown[]): void => conversation.transcript.compacted(items);
      return { turn: conversation.compacting(), watcher: null, compacted };
    });
    if (place === null) return null;
    const memory = this.memoryOf(place.turn.thread);
    const input = memory.calls.sent(request.input);
    const behind =
      typeof body.previous_response_id === 'string' ? memory.historyAfter(body.previous_response_id) : null;
    const compaction = place.turn.compaction({ model, providerName });
    const attempt = compaction.start({ ...body, input });
    return new CompactionCall(compaction, attempt, memory, [...(behind ?? []), ...input], place.compacted);
  }

  /** What the calls of a thread said. */
  memoryOf(thread: Thread): ThreadMemory {
    const known = this.#memories.get(thread);
    if (known !== undefined) return known;
    const memory = new ThreadMemory();
    this.#memories.set(thread, memory);
    return memory;
  }

  #place(owner: string, asked: Asked, request: ModelRequest, converse: (sighting: Sighting) => Place): Place | null {
    const seat = this.#seat(asked, request);
    if (seat !== null) return seat.take(owner) && seat.turn.recording ? placeIn(seat.turn, seat.watcher) : null;
    const { turn } = currentTrace();
    if (turn.recording) return placeIn(turn, null);
    return this.recording ? converse(sightingOf(request)) : null;
  }

  #seat(asked: Asked, request: ModelRequest): CallSeat | null {
    const seat = currentSeat();
    if (seat !== null) return seat;
    for (const locate of this.#locators) {
      const located = locate(asked, request);
      if (located !== null) return located;
    }
    return null;
  }

  #claiming(owner: string, watcher: CallWatcher | null): CallWatcher {
    return {
      answered: (responseId, items) => {
        if (responseId !== null) this.claim('response', responseId, owner);
        watcher?.answered(responseId, items);
      },
      gaveUp: (status, responseId) => watcher?.gaveUp(status, responseId),
    };
  }
}

function placeIn(turn: Turn, watcher: CallWatcher | null): Place {
  return { turn, watcher, compacted: (items) => watcher?.answered(null, items) };
}

/** The session of adapters that were given none, so that those of one process know of each other. */
export const processSession: TraceSession = new TraceSession();
