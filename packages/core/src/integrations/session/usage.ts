/** Token counts as the recorder writes them, from the two shapes the services give them in. */

import type { TokenUsage } from '../../recorder/inference.ts';
import { countOrNull, isMembers, type Members, membersOf } from './json.ts';

/** The `usage` of a response or of a chat completion; null where it does not count what goes in and what comes out. */
export function tokenUsage(usage: unknown): TokenUsage | null {
  if (!isMembers(usage)) return null;
  return 'prompt_tokens' in usage
    ? counts(usage, 'prompt_tokens', 'completion_tokens')
    : counts(usage, 'input_tokens', 'output_tokens');
}

function counts(usage: Members, input: string, output: string): TokenUsage | null {
  const inputTokens = countOrNull(usage[input]);
  const outputTokens = countOrNull(usage[output]);
  if (inputTokens === null || outputTokens === null) return null;
  const given = membersOf(usage[`${input}_details`]);
  return {
    input_tokens: inputTokens,
    cached_input_tokens: countOrNull(given.cached_tokens) ?? 0,
    cache_write_input_tokens: countOrNull(given.cache_write_tokens) ?? 0,
    output_tokens: outputTokens,
    reasoning_output_tokens: countOrNull(membersOf(usage[`${output}_details`]).reasoning_tokens) ?? 0,
    total_tokens: countOrNull(usage.total_tokens) ?? inputTokens + outputTokens,
  };
}
