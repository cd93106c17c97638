/** `@rollout-trace/core/node`: bundles on disk. */

export { directorySource } from './directory-source.ts';
export { findBundles, type ListedBundle, listBundle, newestFirst } from './list.ts';
export { type LocatedBundle, LocateError, locateBundle } from './locate.ts';
export { nativeSha256 } from './native-sha256.ts';
export { type LoggedEvent, payloadSize, readEvent, readEvents, readPayload } from './read-evidence.ts';
export { DEFAULT_TRACE_ROOT, makeTraceRoot, traceRoot } from './trace-root.ts';
export { segmentSource, traceSource } from './trace-source.ts';
export { type Produce, type WriteOptions, writeAtomically } from './write-state.ts';
