/** `@rollout-trace/core/ai-sdk`: records the runs of the AI SDK, majors 6 and 7. */

export { endRollouts } from '../session/end-rollouts.ts';
export type { SessionOptions } from '../session/session.ts';
export { TraceSession } from '../session/session.ts';
export { type RolloutTelemetry, type RolloutTraceOptions, rolloutTrace } from './telemetry.ts';
