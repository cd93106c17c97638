/** A client of the `openai` package with recording. */

import type { OpenAI } from 'openai';
import type { Fetch } from './request.ts';
import { type TracedOptions, traced } from './traced-fetch.ts';

/** A client that asks as the given one does, and records. The given one stays as it is. */
export function observe<Client extends OpenAI>(client: Client, options: TracedOptions = {}): Client {
  const fetch: unknown = Reflect.get(client, 'fetch');
  return client.withOptions({ fetch: traced(isFetch(fetch) ? fetch : globalThis.fetch, options) });
}

function isFetch(value: unknown): value is Fetch {
  return typeof value === 'function';
}
