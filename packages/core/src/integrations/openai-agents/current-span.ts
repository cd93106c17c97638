/**
 * The span of the SDK that the running code works in. The SDK keeps it in an AsyncLocalStorage behind a global symbol,
 * so that several copies of it share one; reading it there needs no copy of our own. Where it cannot be read, calls are
 * told from one another by what the spans say when they end.
 */

import { isMembers, textOrNull } from '../session/json.ts';

const STORAGE = Symbol.for('openai.agents.core.asyncLocalStorage');

/** The id of the current span, or null. */
export function currentSpanId(): string | null {
  const storage: unknown = Reflect.get(globalThis, STORAGE);
  if (!isMembers(storage) || typeof storage.getStore !== 'function') return null;
  const store: unknown = Reflect.apply(storage.getStore, storage, []);
  if (!isMembers(store) || store.active !== true || !isMembers(store.span)) return null;
  return textOrNull(store.span.spanId);
}
