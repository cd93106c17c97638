/** The runs that are under way, by the id the SDK gives each. Not here: what is recorded of one (`run.ts`). */

import { randomUUID } from 'node:crypto';
import { type Members, textOrNull } from '../session/json.ts';
import type { TraceSession } from '../session/session.ts';
import { itemsOfMessages } from './derived-items.ts';
import { Run } from './run.ts';
import { OWNER, RunPlaces, type RunStatus } from './run-place.ts';

/** A stream that nobody reads never ends; the oldest runs are given up when there are more. */
const RUNS = 1000;

/** What telemetry never shows, whichever way it is heard. */
const NOT_OBSERVABLE = [
  'compactions: the SDK has no word for them; a shorter history shows in the next request only',
  'what a tool told the model, until the next request says it',
];
const INPUTS_HIDDEN = 'inputs: the host hides them from telemetry (recordInputs)';
const OUTPUTS_HIDDEN = 'outputs: the host hides them from telemetry (recordOutputs)';

const ABANDONED = 'the recording ended before the run did';

/** Records the runs of one SDK. */
export class Runs {
  readonly session: TraceSession;
  readonly #places: RunPlaces;
  /** Telemetry may be registered twice, as by the host and by `auto`: one of them records a run. */
  readonly #owner = `${OWNER} ${randomUUID()}`;
  readonly #runs = new Map<string, Run>();
  /** Those that are under way as long as they have no end, in rollouts that end with the session. */
  readonly #abandonable = new Set<string>();

  constructor(session: TraceSession) {
    this.session = session;
    this.#places = new RunPlaces(session);
    session.beforeEnd(() => this.#abandon());
  }

  /**
   * A run begins; null where nothing is recorded.
   *
   * @param endIsTold whether its end is told, whatever becomes of it: then one that has none is under way
   */
  begin(id: string, event: Members, endIsTold = true): Run | null {
    const known = this.#runs.get(id);
    if (known !== undefined) return known;
    if (!this.session.listening || !this.session.claim('run', id, this.#owner)) return null;
    const place = this.#places.of({
      model: textOrNull(event.modelId) ?? '',
      providerName: textOrNull(event.provider) ?? OWNER,
      name: textOrNull(event.functionId),
      input: () => itemsOfMessages(event.messages),
    });
    if (place === null) return null;
    const run = new Run(this.session, place);
    if (place.isOwn && endIsTold) this.#abandonable.add(id);
    this.#runs.set(id, run);
    if (this.#runs.size > RUNS) for (const oldest of [...this.#runs.keys()].slice(0, 1)) this.end(oldest, 'cancelled');
    const { thread } = place.turn;
    this.session.notObservable(thread, OWNER, NOT_OBSERVABLE);
    if (event.recordInputs === false) this.session.notObservable(thread, OWNER, [INPUTS_HIDDEN]);
    if (event.recordOutputs === false) this.session.notObservable(thread, OWNER, [OUTPUTS_HIDDEN]);
    return run;
  }

  /** The run of an id, where it is recorded. */
  get(id: unknown): Run | null {
    return (typeof id === 'string' ? this.#runs.get(id) : undefined) ?? null;
  }

  end(id: unknown, status: RunStatus, reason?: unknown): void {
    const run = this.get(id);
    if (run === null) return;
    this.#runs.delete(String(id));
    this.#abandonable.delete(String(id));
    run.end(status, reason);
  }

  /** The recording ends before these runs do, such as streams that nobody read to their end; the inner ones first. */
  #abandon(): void {
    for (const id of [...this.#abandonable].reverse()) this.end(id, 'aborted', ABANDONED);
    this.#places.forget();
  }
}
