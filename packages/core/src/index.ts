/** `@rollout-trace/core`: read a bundle, reduce it, print the state. Recording is `@rollout-trace/core/recorder`. */

export {
  type BundleSource,
  type DetectedGeneration,
  memorySource,
  type ReducedBundle,
  Replay,
  type ReplayOptions,
  reduceBundle,
} from './bundle/index.ts';
export {
  type Finding,
  type FindingCode,
  GENERATIONS,
  type Generation,
  type Graph,
  IdList,
  type Manifest,
  printState,
  type RawEvent,
  stateJson,
  TraceError,
} from './format/index.ts';
export { createReducer, finish, step } from './reducer/index.ts';
