/** `@rollout-trace/core/codex`: the bundles that Codex leaves when `@openai/codex-sdk` runs it. */

export type { CodexTrace } from './codex-trace.ts';
export type {
  CodexClient,
  CodexEnvironment,
  CodexThread,
  TracedCodex,
  TracedCodexOptions,
  TracedThread,
} from './traced-codex.ts';
export { tracedCodex } from './traced-codex.ts';
