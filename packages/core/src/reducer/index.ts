/** `@rollout-trace/core/reducer`: from raw events to the graph. */

export { type Bodies, BodyError, type InputItems, plainItems, type RequestBody } from './bodies.ts';
export { endOfLog, finish } from './finish.ts';
export { type GraphCheck, graphViolations } from './invariants.ts';
export { createReducer, type EventPlace, step } from './reduce.ts';
export { type ReduceMode, type ReduceOptions, ReducerState } from './state.ts';
