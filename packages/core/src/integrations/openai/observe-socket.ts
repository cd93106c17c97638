/**
 * Responses over a WebSocket: what the client sends and what comes back are the same bodies and events as over HTTP, one
 * response after the other.
 */

import { formatInput } from '../session/format-items.ts';
import { isMembers, textOrNull } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import { processSession } from '../session/session.ts';
import { type Outcome, ResponseOutcome } from './outcome.ts';
import { OWNER, type TracedOptions } from './traced-fetch.ts';

/** What is needed of a `ResponsesWS` of the `openai` package. */
export interface ResponsesSocket {
  send(event: never): void;
  on(type: 'event', listener: (event: unknown) => void): unknown;
  on(type: 'close', listener: () => void): unknown;
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error']);

/** Records what is asked over the socket from now on. Gives the socket back. */
export function observeSocket<Socket extends ResponsesSocket>(socket: Socket, options: TracedOptions = {}): Socket {
  const session = options.session ?? processSession;
  const waiting: Outcome[] = [];
  const { send } = socket;
  const observed = (event: unknown): void => {
    quietly(undefined, () => {
      if (!session.listening || !isMembers(event) || event.type !== 'response.create') return;
      const call = session.startModelCall(OWNER, {
        model: textOrNull(event.model) ?? '',
        providerName: options.providerName ?? 'openai',
        body: event,
        input: formatInput(event.input),
      });
      const note = (message: string): void => call?.thread.protocolEvent('warning', { type: 'warning', message });
      if (call !== null) waiting.push(new ResponseOutcome(call, null, note));
    });
    Reflect.apply(send, socket, [event]);
  };
  Object.defineProperty(socket, 'send', { value: observed, configurable: true, writable: true });
  socket.on('event', (event) =>
    quietly(undefined, () => {
      const type = isMembers(event) ? event.type : null;
      if (typeof type !== 'string') return;
      waiting[0]?.event(type, JSON.stringify(event));
      if (ENDS.has(type)) waiting.shift();
    }),
  );
  socket.on('close', () =>
    quietly(undefined, () => {
      for (const outcome of waiting.splice(0)) outcome.fail('the socket was closed');
    }),
  );
  return socket;
}
