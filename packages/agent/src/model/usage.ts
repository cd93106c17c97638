/** Tokens as the service counts them, in the words of a trace. */

import type { TokenUsage } from '@rollout-trace/core/recorder/node';
import type { ResponseUsage } from 'openai/resources/responses/responses';

/** Null where the service did not count. What it left out is 0. */
export function tokenUsage(usage: ResponseUsage | null | undefined): TokenUsage | null {
  if (usage === null || usage === undefined) return null;
  // Other services than OpenAI's leave the details out.
  const { input_tokens_details: input, output_tokens_details: output } = usage as Partial<ResponseUsage>;
  return {
    input_tokens: usage.input_tokens,
    cached_input_tokens: input?.cached_tokens ?? 0,
    cache_write_input_tokens: input?.cache_write_tokens ?? 0,
    output_tokens: usage.output_tokens,
    reasoning_output_tokens: output?.reasoning_tokens ?? 0,
    total_tokens: usage.total_tokens,
  };
}
