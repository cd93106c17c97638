/**
 * Which calls are recorded already. Several adapters may see one and the same call: the one that claims it first records
 * it, the others leave it alone. Not here: how a call is recorded.
 */

/** What a call is known by: a response of a model by its response id, a tool call by its call id, a run by its SDK's id. */
export type CallKind = 'response' | 'tool_call' | 'run';

/** More than an agent has under way at once; a claim that old is settled. */
const REMEMBERED = 10_000;

/** Claims, of which the oldest are forgotten. */
export class ObservedCalls {
  readonly #owners = new Map<string, string>();

  /** Whether this owner records the call: true for the first that asks, and for it again. */
  claim(kind: CallKind, id: string, owner: string): boolean {
    const key = `${kind}:${id}`;
    const known = this.#owners.get(key);
    if (known !== undefined) return known === owner;
    this.#owners.set(key, owner);
    if (this.#owners.size > REMEMBERED) {
      for (const oldest of this.#owners.keys()) {
        this.#owners.delete(oldest);
        break;
      }
    }
    return true;
  }
}
