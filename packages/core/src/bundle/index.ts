/** `@rollout-trace/core/bundle`: one bundle as a thing that can be read, replayed and verified. */

export { type DetectedGeneration, detectGeneration } from './detect.ts';
export { type ReducedBundle, Replay, type ReplayOptions, reduceBundle, type TraceSource } from './replay.ts';
export type { SegmentSource } from './segment-evidence.ts';
export { type BundleSource, memorySource, plainPath, SourceError, type SourceFile } from './source.ts';
