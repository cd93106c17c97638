/** `@rollout-trace/core/node`: bundles on disk. */

export { directorySource } from './directory-source.ts';
