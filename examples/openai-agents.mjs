// The OpenAI Agents SDK, recorded: a processor tells who works for whom, a traced fetch what was sent and received. With
// ROLLOUT_TRACE_ROOT set it is recorded below that folder. Without OPENAI_API_KEY a scripted model on this machine answers.
import { Agent, OpenAIProvider, Runner, setTraceProcessors, tool } from '@openai/agents';
import { traced } from '@rollout-trace/core/openai';
import { observeRunner, rolloutTrace } from '@rollout-trace/core/openai-agents';
import OpenAI from 'openai';
import { z } from 'zod';

// In the place of the processor that sends traces to OpenAI; `addTraceProcessor` keeps that one.
setTraceProcessors([rolloutTrace()]);

const scripted = process.env.OPENAI_API_KEY ? null : await scriptedModel();
const connection = scripted === null ? {} : { apiKey: 'none', baseURL: scripted.url };
const openAIClient = new OpenAI({ ...connection, fetch: traced(fetch) });
const runner = observeRunner(new Runner({ modelProvider: new OpenAIProvider({ openAIClient }) }));

const clock = tool({
  name: 'clock',
  description: 'Tells the time.',
  parameters: z.object({ zone: z.string() }),
  execute: ({ zone }) => `12:00 in ${zone}`,
});
const timekeeper = new Agent({ name: 'Timekeeper', instructions: 'Look at the clock.', tools: [clock] });
const asks = timekeeper.asTool({ toolName: 'ask_timekeeper', toolDescription: 'Asks what time it is.' });
const main = new Agent({ name: 'Main', instructions: 'Be brief.', tools: [asks] });

const { finalOutput } = await runner.run(main, 'What time is it?');
console.log(finalOutput);
await scripted?.close();

async function scriptedModel() {
  const { call, inOrder, say, startScriptedModel } = await import('@rollout-trace/agent/scripted-model');
  const steps = [
    { items: [call('call_1', 'ask_timekeeper', { input: 'What time is it in UTC?' })] },
    { items: [call('call_2', 'clock', { zone: 'UTC' })] },
    { items: [say('It is 12:00.')] },
    { items: [say('It is noon.')] },
  ];
  return startScriptedModel(inOrder(steps));
}
