import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { call, inOrder, say, startScriptedModel } from '@rollout-trace/agent/scripted-model';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accepted } from '../testing/accepted.ts';
import { readLog } from '../testing/read-log.ts';

// Each test is a program of its own that knows nothing of recording, started with `--import`.

const place = mkdtempSync(join(tmpdir(), 'rollout-trace-auto-'));

beforeAll(async () => {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const build = await rolldown({
    input: { auto: here('./index.ts'), 'ai-sdk': here('../ai-sdk/index.ts') },
    platform: 'node',
    treeshake: false,
  });
  await build.write({ dir: place, format: 'esm', entryFileNames: '[name].mjs' });
});

afterAll(() => rmSync(place, { recursive: true }));

const RUN = {
  generateText: `const { text } = await generateText(given); console.log(text);`,
  streamText: `const { textStream } = streamText(given); for await (const piece of textStream) process.stdout.write(piece);`,
};

/** Runs a program that uses this major of the SDK. */
async function run(major: 6 | 7, body: string, root: string | null): Promise<string> {
  const model = await startScriptedModel(
    inOrder([{ items: [call('c1', 'ls', { dir: '.' })], usage: { input_tokens: 7 } }, { items: [say('Done.')] }]),
  );
  const [ai, openai] = major === 7 ? ['ai', '@ai-sdk/openai'] : ['ai-6', 'ai-sdk-openai-3'];
  const program = join(mkdtempSync(join(place, 'app-')), 'app.mjs');
  writeFileSync(
    program,
    `import { generateText, streamText, tool, stepCountIs } from '${import.meta.resolve(ai)}';
import { createOpenAI } from '${import.meta.resolve(openai)}';
import { z } from '${import.meta.resolve('zod')}';
const openai = createOpenAI({ apiKey: 'none', baseURL: '${model.url}' });
const ls = tool({ inputSchema: z.object({ dir: z.string() }), execute: async ({ dir }) => [dir + '/a'] });
const given = { model: openai.responses('m'), prompt: 'Look.', tools: { ls }, stopWhen: stepCountIs(3),
  providerOptions: { openai: { store: false } } };
${body}`,
  );
  const { ROLLOUT_TRACE_ROOT, CODEX_ROLLOUT_TRACE_ROOT, NODE_EXTRA_CA_CERTS, ...environment } = process.env;
  const child = spawn(process.execPath, ['--import', pathToFileURL(join(place, 'auto.mjs')).href, program], {
    env: { ...environment, ...(root === null ? {} : { ROLLOUT_TRACE_ROOT: root }) },
  });
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect({ code, errors, refusals: model.refusals }).toEqual({ code: 0, errors: '', refusals: [] });
  await model.close();
  return out;
}

function recorded(root: string) {
  const [name = '', ...others] = readdirSync(root);
  expect(others).toEqual([]);
  return { graph: accepted(join(root, name)), log: readLog(join(root, name)) };
}

it.each([
  [7, 'generateText'],
  [7, 'streamText'],
  [6, 'generateText'],
  [6, 'streamText'],
] as const)('a program with major %s of the AI SDK is recorded as it is: %s', async (major, how) => {
  const root = mkdtempSync(join(place, 'traces-'));
  expect((await run(major, RUN[how], root)).trim()).toBe('Done.');
  const { graph } = recorded(root);
  expect(graph).toMatchObject({ status: 'completed', recording_complete: true });
  expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'completed' } }]);
  expect([...graph.tool_calls.values()]).toMatchObject([{ tool_call_id: 'c1', execution: { status: 'completed' } }]);
  const inferences = [...graph.inference_calls.values()];
  expect(inferences.map(({ response_id }) => response_id)).toEqual(['resp_1', 'resp_2']);
  expect(inferences[0]).toMatchObject({ usage: { input_tokens: 7 }, tool_call_ids_started_by_response: ['c1'] });
});

// A call that brings integrations of its own is told to those alone.
const OWN = `given.telemetry = { integrations: [{}] };`;

it('a run that only the channel tells of is recorded from there', async () => {
  const root = mkdtempSync(join(place, 'traces-'));
  await run(7, `${OWN}${RUN.generateText}`, root);
  const { graph } = recorded(root);
  expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'completed' } }]);
  expect([...graph.tool_calls.values()]).toMatchObject([{ tool_call_id: 'c1', execution: { status: 'completed' } }]);
  const inferences = [...graph.inference_calls.values()];
  expect(inferences).toMatchObject([
    { execution: { status: 'completed' }, response_id: 'resp_1', usage: { input_tokens: 7 } },
    { execution: { status: 'completed' }, response_id: 'resp_2' },
  ]);
  expect(inferences[0]?.tool_call_ids_started_by_response).toEqual(['c1']);
});

it('of a stream that only the channel tells of, the trace says that the answer could not be seen', async () => {
  const root = mkdtempSync(join(place, 'traces-'));
  expect(await run(7, `${OWN}${RUN.streamText}`, root)).toBe('Done.');
  const { graph, log } = recorded(root);
  expect([...graph.codex_turns.values()]).toMatchObject([{ execution: { status: 'completed' } }]);
  expect([...graph.tool_calls.values()]).toMatchObject([{ tool_call_id: 'c1', execution: { status: 'completed' } }]);
  expect([...graph.inference_calls.values()].map(({ response_id }) => response_id)).toEqual([null, null]);
  expect(JSON.stringify(log)).toContain('what a streamed model answered');
});

it('telemetry that the program registers as well records nothing twice', async () => {
  const root = mkdtempSync(join(place, 'traces-'));
  const own = `const { rolloutTrace } = await import('${pathToFileURL(join(place, 'ai-sdk.mjs')).href}');
const { registerTelemetry } = await import('${import.meta.resolve('ai')}');
registerTelemetry(rolloutTrace());`;
  await run(7, `${own}${RUN.generateText}`, root);
  const { graph } = recorded(root);
  expect(graph.inference_calls.size).toBe(2);
  expect(graph.tool_calls.size).toBe(1);
});

it('where no root is set nothing is registered and nothing listens', async () => {
  const out = await run(
    7,
    `const { tracingChannel } = await import('node:diagnostics_channel');
console.log(tracingChannel('ai:telemetry').start.hasSubscribers, globalThis.AI_SDK_TELEMETRY_INTEGRATIONS);
${RUN.generateText}`,
    null,
  );
  expect(out).toBe('false undefined\nDone.\n');
});
