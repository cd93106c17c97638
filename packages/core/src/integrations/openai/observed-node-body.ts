/**
 * The body of a response that is a stream of Node, as a `fetch` that is not the platform's may give it. It is heard where
 * it emits what it reads: so it is read by nobody but the host, and when the host wants it. Not here: streams of the
 * platform (`observed-body.ts`).
 */

import { quietly } from '../session/quietly.ts';
import { type BodyWatcher, bytesOf } from './observed-body.ts';

interface NodeStream {
  /** Null where it gives bytes. */
  readonly readableEncoding?: string | null;
  emit(type: unknown, value?: unknown): boolean;
}

const UTF8 = ['utf8', 'utf-8'];

/** Hears the body from now on. @returns whether it is a stream of Node */
export function observeNodeBody(body: unknown, watcher: BodyWatcher): boolean {
  if (!isNodeStream(body)) return false;
  const { emit } = body;
  let over = false;
  const end = (tell: () => void): void => {
    if (over) return;
    over = true;
    tell();
  };
  const tell = (type: unknown, value: unknown, bytes: Uint8Array | null): void => {
    const { readableEncoding: encoding } = body;
    if (type === 'data' && encoding != null && !UTF8.includes(encoding)) {
      end(() => watcher.cancelled(`the host reads the body as ${encoding}, so what it says is not known`));
    } else if (type === 'data' && bytes !== null) watcher.chunk(bytes);
    else if (type === 'end') end(() => watcher.end());
    else if (type === 'error') end(() => watcher.broke(value));
    else if (type === 'close') end(() => watcher.cancelled(undefined));
  };
  const heard = (...args: [type: unknown, value?: unknown]): boolean => {
    const [type, value] = args;
    const bytes = type === 'data' ? quietly(null, () => bytesOf(value)) : null;
    try {
      return Reflect.apply(emit, body, args);
    } finally {
      quietly(undefined, () => tell(type, value, bytes));
    }
  };
  Object.defineProperty(body, 'emit', { value: heard, configurable: true, writable: true });
  return true;
}

function isNodeStream(body: unknown): body is NodeStream {
  if (typeof body !== 'object' || body === null || !('emit' in body) || !('pipe' in body)) return false;
  return typeof body.emit === 'function' && typeof body.pipe === 'function';
}
