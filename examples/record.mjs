// One turn of an agent: a request to the model, the tool call it asks for, and the result. With ROLLOUT_TRACE_ROOT set
// it is recorded below that folder; without, the same calls cost nothing and leave nothing.
import { startRollout, withTrace } from '@rollout-trace/core/recorder/node';

const rollout = startRollout({ metadata: { cwd: process.cwd(), model: 'model-1' } });
const turn = rollout.root.startTurn();
const content = [{ type: 'input_text', text: 'What time is it?' }];
const request = { model: 'model-1', input: [{ type: 'message', role: 'user', content }] };
const attempt = turn.inference({ model: 'model-1', providerName: 'example' }).start(request);
const response = await send(request, attempt.headers);
attempt.complete({ responseId: response.id, outputItems: response.output });
for (const { name, call_id, arguments: text } of response.output) {
  const call = turn.startToolCall({ name, callId: call_id, payload: { type: 'function', arguments: text } });
  const output = await withTrace(call, () => new Date().toISOString());
  call.respond({ type: 'function_call_output', call_id, output });
}
turn.end();
rollout.end();

/** Stands for the client of a model's API, which would send the request with these headers. */
async function send(_request, _headers) {
  return { id: 'resp_1', output: [{ type: 'function_call', call_id: 'call_1', name: 'clock', arguments: '{}' }] };
}
