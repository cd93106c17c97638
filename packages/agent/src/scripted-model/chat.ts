/** A step as a chat completion, whole or as the chunks of a stream: messages and function calls, which is what it has. */

import type { OutputItem, Step } from './step.ts';

/** A chat completion that is not streamed. */
export function chatBody(id: string, model: string, items: readonly OutputItem[], step: Step): object {
  const { content, calls } = messageOf(items);
  return {
    id,
    object: 'chat.completion',
    created: 1,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null, ...(calls.length > 0 ? { tool_calls: calls } : {}) },
        finish_reason: finishOf(calls, step),
        logprobs: null,
      },
    ],
    usage: chatUsage(step),
  };
}

/** The chunks of a streamed chat completion, without the `[DONE]` behind them. */
export function chatChunks(
  id: string,
  model: string,
  items: readonly OutputItem[],
  step: Step,
  withUsage: boolean,
): object[] {
  const { content, calls } = messageOf(items);
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id,
    object: 'chat.completion.chunk',
    created: 1,
    model,
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
  });
  const half = Math.ceil((content ?? '').length / 2);
  return [
    chunk({ role: 'assistant', content: content === null ? null : '' }),
    ...(content === null ? [] : [content.slice(0, half), content.slice(half)].map((text) => chunk({ content: text }))),
    ...calls.flatMap(({ id: callId, function: { name, arguments: text } }, index) => [
      chunk({ tool_calls: [{ index, id: callId, type: 'function', function: { name, arguments: '' } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: text } }] }),
    ]),
    chunk({}, finishOf(calls, step)),
    ...(withUsage
      ? [{ id, object: 'chat.completion.chunk', created: 1, model, choices: [], usage: chatUsage(step) }]
      : []),
  ];
}

interface ChatCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

function messageOf(items: readonly OutputItem[]): { content: string | null; calls: ChatCall[] } {
  const texts = items
    .filter(({ type }) => type === 'message')
    .flatMap(({ content }) => (Array.isArray(content) ? (content as { text?: unknown }[]) : []))
    .map(({ text }) => String(text ?? ''));
  const calls = items
    .filter(({ type }) => type === 'function_call')
    .map(
      (item): ChatCall => ({
        id: String(item.call_id),
        type: 'function',
        function: { name: String(item.name), arguments: String(item.arguments) },
      }),
    );
  return { content: texts.length === 0 ? null : texts.join(''), calls };
}

function finishOf(calls: readonly ChatCall[], { end }: Step): string {
  if (end === 'incomplete') return 'length';
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

function chatUsage({
  usage: { input_tokens = 0, cached_tokens = 0, output_tokens = 0, reasoning_tokens = 0 } = {},
}: Step) {
  return {
    prompt_tokens: input_tokens,
    completion_tokens: output_tokens,
    total_tokens: input_tokens + output_tokens,
    prompt_tokens_details: { cached_tokens },
    completion_tokens_details: { reasoning_tokens },
  };
}
