/** `@rollout-trace/core/openai-agents`: records runs of the OpenAI Agents SDK. */

export { endRollouts } from '../session/end-rollouts.ts';
export type { SessionOptions } from '../session/session.ts';
export { TraceSession } from '../session/session.ts';
export { type AgentsOptions, observeRunner, rolloutTrace, type ToolHooks } from './rollout-trace.ts';
export { tracedSession } from './traced-session.ts';
