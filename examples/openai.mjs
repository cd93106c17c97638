// The openai client, recorded: one option of the client. With ROLLOUT_TRACE_ROOT set, what is asked of the model and what
// it answers is recorded below that folder. Without OPENAI_API_KEY a scripted model on this machine answers.
import { traced } from '@rollout-trace/core/openai';
import OpenAI from 'openai';

const scripted = process.env.OPENAI_API_KEY ? null : await scriptedModel();
const connection = scripted === null ? {} : { apiKey: 'none', baseURL: scripted.url };
const openai = new OpenAI({ ...connection, fetch: traced(fetch) });

const model = process.env.OPENAI_MODEL ?? 'gpt-5';
const tools = [{ type: 'function', name: 'clock', parameters: { type: 'object', properties: {} }, strict: false }];
const input = [{ role: 'user', content: 'What time is it?' }];
for (let asked = true; asked; ) {
  const response = await openai.responses.create({ model, input, tools });
  const calls = response.output.filter(({ type }) => type === 'function_call');
  input.push(...response.output);
  input.push(...calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: '12:00' })));
  asked = calls.length > 0;
  if (!asked) console.log(response.output_text);
}
await scripted?.close();

async function scriptedModel() {
  const { call, inOrder, say, startScriptedModel } = await import('@rollout-trace/agent/scripted-model');
  return startScriptedModel(inOrder([{ items: [call('call_1', 'clock', {})] }, { items: [say('It is noon.')] }]));
}
