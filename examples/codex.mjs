// A run of Codex by its SDK, and the graph of what it recorded. Needs `@openai/codex-sdk`, and Codex to be logged in:
// ROLLOUT_TRACE_ROOT=traces node examples/codex.mjs "What is in this folder?"
import { tracedCodex } from '@rollout-trace/core/codex';

const sdk = await import('@openai/codex-sdk').catch(() => null);
if (sdk === null) {
  console.log('This example runs Codex by its SDK, which is not installed: npm install @openai/codex-sdk');
  process.exit();
}

const codex = tracedCodex(sdk.Codex, {});
const { finalResponse, trace } = await codex.startThread().run(process.argv[2] ?? 'What is in this folder?');
console.log(finalResponse);

const { graph } = trace.reduce() ?? {};
console.log(trace.bundle ?? 'Nothing was recorded: ROLLOUT_TRACE_ROOT names no folder.');
for (const { tool_call_id, kind } of graph?.tool_calls.values() ?? []) console.log(tool_call_id, kind.type);
