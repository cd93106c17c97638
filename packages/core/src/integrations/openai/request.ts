/** A request as it is sent: whether it asks a model, and what for. Pure, but for reading the body of a `Request`. */

import { chatInput } from '../session/chat-items.ts';
import { formatInput } from '../session/format-items.ts';
import { isMembers, type Members, textOrNull } from '../session/json.ts';
import type { ModelRequest } from '../session/session.ts';

/** A function like the global `fetch`. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What is asked of a model. */
export type Asked = 'response' | 'compaction' | 'chat';

/** What a request asks for, or null where it asks no model. */
export function askedBy(url: URL): Asked | null {
  const { pathname } = url;
  if (pathname.endsWith('/chat/completions')) return 'chat';
  if (pathname.endsWith('/responses/compact')) return 'compaction';
  return pathname.endsWith('/responses') ? 'response' : null;
}

/** Where a request goes; null where that cannot be told. */
export function urlOf(input: string | URL | Request): URL | null {
  const text = input instanceof Request ? input.url : String(input);
  return URL.canParse(text) ? new URL(text) : null;
}

/** How a request is sent. */
export function methodOf(input: string | URL | Request, init: RequestInit | undefined): string {
  return (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
}

/** How many turns of the event loop a body at hand may take. Texts and bytes take one. */
const TURNS = 2;

/** The text of a request's body; null where it is not at hand. Whoever makes it may wait for the answer to its beginning. */
export async function textAtHand(request: Request): Promise<string | null> {
  const reader = request.clone().body?.getReader();
  if (reader === undefined) return '';
  const late = turns(TURNS).then(() => null);
  const decoder = new TextDecoder();
  let text = '';
  while (true) {
    const read = await Promise.race([reader.read(), late]);
    if (read === null) {
      // It is over when the host's own is.
      reader.cancel().catch(() => undefined);
      return null;
    }
    if (read.done) return text + decoder.decode();
    text += decoder.decode(read.value, { stream: true });
  }
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** The text of a body that is sent, or null where it is a stream or something else that can be read only once. */
export function bodyText(body: unknown): string | null {
  if (body === undefined || body === null) return '';
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array || body instanceof ArrayBuffer) return new TextDecoder().decode(body);
  return null;
}

/** The request as it is recorded; null where the body is no JSON object. */
export function modelRequest(asked: Asked, url: URL, body: unknown, providerName: string | null): ModelRequest | null {
  if (!isMembers(body)) return null;
  const common = {
    model: textOrNull(body.model) ?? deploymentOf(url),
    providerName: providerName ?? (url.hostname === 'api.openai.com' ? 'openai' : url.host),
  };
  if (asked !== 'chat') return { ...common, body, input: formatInput(body.input) };
  // The messages stand in `input`, each with what was sent beside it.
  const { messages, ...rest } = body;
  return { ...common, body: { ...rest, derived_from: 'messages' } satisfies Members, input: chatInput(messages) };
}

/** Azure names the model in the path. */
function deploymentOf({ pathname }: URL): string {
  return /\/deployments\/([^/]+)\//.exec(pathname)?.[1] ?? '';
}
