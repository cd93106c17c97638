/** A step as the events of a streamed response, and as the response that is not streamed. */

import type { OutputItem, Step, StepUsage } from './step.ts';

/** One server-sent event. */
export interface ResponseEvent {
  type: string;
  [member: string]: unknown;
}

const PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  custom_tool_call: 'ctc',
  compaction: 'cmp',
};
/** Text goes out in pieces of about this many characters. */
const PIECE = 24;

/** The items of a step with the ids the service would give them. */
export function withIds(items: readonly OutputItem[], response: number): OutputItem[] {
  return items.map((item, index) => {
    const prefix = PREFIXES[item.type] ?? 'item';
    return item.id === undefined ? { ...item, id: `${prefix}_${response}_${index}` } : item;
  });
}

/** Everything up to the end of the response, which {@link endEvent} gives. */
export function itemEvents(id: string, model: string, items: readonly OutputItem[]): ResponseEvent[] {
  const begun = responseBody(id, model, 'in_progress', [], null);
  return [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...items.flatMap(eventsOf),
  ];
}

/** The last event of a response, or null where it ends without one. */
export function endEvent(id: string, model: string, items: readonly OutputItem[], step: Step): ResponseEvent | null {
  const end = step.end ?? 'completed';
  if (end !== 'completed' && end !== 'failed' && end !== 'incomplete') return null;
  const body = responseBody(id, model, end, items, usageOf(step.usage));
  const more =
    end === 'failed'
      ? { error: { code: 'server_error', message: step.error ?? 'The model failed.' } }
      : end === 'incomplete'
        ? { incomplete_details: { reason: 'max_output_tokens' } }
        : {};
  return { type: `response.${end}`, response: { ...body, ...more } };
}

/** A response as it is answered to a request that does not ask for a stream. */
export function responseBody(
  id: string,
  model: string,
  status: string,
  output: readonly OutputItem[],
  usage: object | null,
): Record<string, unknown> {
  return {
    id,
    object: 'response',
    created_at: 1,
    status,
    error: null,
    incomplete_details: null,
    model,
    output,
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    usage,
  };
}

/** The `usage` member of a response. */
export function usageOf(usage: StepUsage = {}): object {
  const { input_tokens = 0, cached_tokens = 0, output_tokens = 0, reasoning_tokens = 0 } = usage;
  return {
    input_tokens,
    input_tokens_details: { cached_tokens },
    output_tokens,
    output_tokens_details: { reasoning_tokens },
    total_tokens: input_tokens + output_tokens,
  };
}

function eventsOf(item: OutputItem, output_index: number): ResponseEvent[] {
  const place = { output_index, item_id: item.id };
  return [
    { type: 'response.output_item.added', output_index, item: opening(item) },
    ...bodyEvents(item, place),
    { type: 'response.output_item.done', output_index, item },
  ];
}

/** The item before anything of it was sent. */
function opening(item: OutputItem): OutputItem {
  switch (item.type) {
    case 'message':
      return { ...item, status: 'in_progress', content: [] };
    case 'function_call':
      return { ...item, status: 'in_progress', arguments: '' };
    case 'custom_tool_call':
      return { ...item, status: 'in_progress', input: '' };
    case 'reasoning':
      return { ...item, summary: [] };
    default:
      return item;
  }
}

function bodyEvents(item: OutputItem, place: object): ResponseEvent[] {
  switch (item.type) {
    case 'message':
      return parts(item.content).flatMap(({ text }, content_index) => {
        const at = { ...place, content_index };
        const part = { type: 'output_text', annotations: [] };
        return [
          { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
          ...pieces(text).map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
          { type: 'response.output_text.done', ...at, text, logprobs: [] },
          { type: 'response.content_part.done', ...at, part: { ...part, text } },
        ];
      });
    case 'function_call':
      return streamed('response.function_call_arguments', 'arguments', item.arguments, place);
    case 'custom_tool_call':
      return streamed('response.custom_tool_call_input', 'input', item.input, place);
    case 'reasoning':
      return parts(item.summary).flatMap(({ text }, summary_index) => {
        const at = { ...place, summary_index };
        return [
          { type: 'response.reasoning_summary_part.added', ...at, part: { type: 'summary_text', text: '' } },
          ...pieces(text).map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...at, delta })),
          { type: 'response.reasoning_summary_text.done', ...at, text },
          { type: 'response.reasoning_summary_part.done', ...at, part: { type: 'summary_text', text } },
        ];
      });
    default:
      return [];
  }
}

function streamed(type: string, member: string, value: unknown, place: object): ResponseEvent[] {
  const text = String(value);
  return [
    ...pieces(text).map((delta) => ({ type: `${type}.delta`, ...place, delta })),
    { type: `${type}.done`, ...place, [member]: text },
  ];
}

function parts(value: unknown): { text: string }[] {
  return Array.isArray(value) ? value.map(({ text }: { text?: unknown }) => ({ text: String(text ?? '') })) : [];
}

function pieces(text: string): string[] {
  const characters = Array.from(text);
  const count = Math.ceil(characters.length / PIECE);
  return Array.from({ length: count }, (_, n) => characters.slice(n * PIECE, (n + 1) * PIECE).join(''));
}
