// A run of the AI SDK, recorded: `registerTelemetry` tells of steps and tools, and the traced `fetch` sees the requests
// as they are sent. ROLLOUT_TRACE_ROOT=traces node examples/ai-sdk.mjs
import { createOpenAI } from '@ai-sdk/openai';
import { call, inOrder, say, startScriptedModel } from '@rollout-trace/agent/scripted-model';
import { rolloutTrace } from '@rollout-trace/core/ai-sdk';
import { traced } from '@rollout-trace/core/openai';
import { generateText, isStepCount, registerTelemetry, tool } from 'ai';
import { z } from 'zod';

registerTelemetry(rolloutTrace());

// Stands for the service. With one of your own: createOpenAI({ fetch: traced() }).
const service = await startScriptedModel(
  inOrder([{ items: [call('call_1', 'clock', { zone: 'UTC' })] }, { items: [say('It is noon.')] }]),
);
const openai = createOpenAI({ apiKey: 'none', baseURL: service.url, fetch: traced() });

const { text } = await generateText({
  model: openai.responses('model-1'),
  prompt: 'What time is it?',
  tools: {
    clock: tool({ inputSchema: z.object({ zone: z.string() }), execute: async ({ zone }) => `12:00 ${zone}` }),
  },
  stopWhen: isStepCount(3),
  providerOptions: { openai: { store: false } },
});
console.log(text);
await service.close();
