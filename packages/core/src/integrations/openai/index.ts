/** `@rollout-trace/core/openai`: records what is asked of models through the `openai` client, or any `fetch`. */

export { endRollouts } from '../session/end-rollouts.ts';
export type { SessionOptions } from '../session/session.ts';
export { TraceSession } from '../session/session.ts';
export { observe } from './observe.ts';
export { observeSocket, type ResponsesSocket } from './observe-socket.ts';
export type { Fetch } from './request.ts';
export { type TracedOptions, traced } from './traced-fetch.ts';
