// The examples are programs: they run against the built packages, and the docs show them as they are.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reduceBundle } from '@rollout-trace/core/bundle';
import { traceSource } from '@rollout-trace/core/node';
import { expect, test } from 'vitest';

const EXAMPLE = 'examples/record.mjs';
const { ROLLOUT_TRACE_ROOT, CODEX_ROLLOUT_TRACE_ROOT, NODE_EXTRA_CA_CERTS, ...inherited } = process.env;
// Without a key, examples ask a scripted model. Under test, the Agents SDK would tell its processors nothing.
const { OPENAI_API_KEY, NODE_ENV, ...environment } = inherited;

function run(
  more: Record<string, string>,
  example = EXAMPLE,
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], {
    env: { ...environment, ...more },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('the example records one turn with one request and one tool call, in either layout', { timeout: 30_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-example-'));
  for (const format of ['bundle', 'segment']) {
    const folder = join(root, format);
    const ran = run({ ROLLOUT_TRACE_ROOT: folder, ROLLOUT_TRACE_FORMAT: format });
    expect(ran).toEqual({ status: 0, stdout: '', stderr: '' });
    const [trace = '', ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    const { graph, findings } = reduceBundle(traceSource(join(folder, trace)), { mode: 'strict' });
    expect(findings).toEqual([]);
    expect(graph).toMatchObject({ status: 'completed', recording_complete: true });
    const [inference] = graph.inference_calls.values();
    const [tool] = graph.tool_calls.values();
    expect(graph.inference_calls.size).toBe(1);
    expect(inference?.tool_call_ids_started_by_response).toEqual([tool?.tool_call_id]);
    expect(tool).toMatchObject({ model_visible_call_id: 'call_1', execution: { status: 'completed' } });
  }
  rmSync(root, { recursive: true });
});

test('the example records nothing where no root is set', () => {
  expect(run({})).toEqual({ status: 0, stdout: '', stderr: '' });
});

test.each([
  ['examples/openai.mjs', { threads: 1, turns: 1, inferences: 2, tools: 0 }],
  ['examples/openai-agents.mjs', { threads: 2, turns: 2, inferences: 4, tools: 2 }],
  ['examples/ai-sdk.mjs', { threads: 1, turns: 1, inferences: 2, tools: 1 }],
])(
  '%s records one conversation, and works the same where nothing is recorded',
  { timeout: 60_000 },
  (example, counts) => {
    const root = mkdtempSync(join(tmpdir(), 'rollout-trace-example-'));
    const answer = { status: 0, stdout: 'It is noon.\n', stderr: '' };
    expect(run({}, example)).toEqual(answer);
    expect(run({ ROLLOUT_TRACE_ROOT: root }, example)).toEqual(answer);
    const [trace = '', ...others] = readdirSync(root);
    expect(others).toEqual([]);
    const { graph, findings } = reduceBundle(traceSource(join(root, trace)), { mode: 'strict' });
    expect(findings).toEqual([]);
    expect(graph).toMatchObject({ status: 'completed', recording_complete: true });
    expect({
      threads: graph.threads.size,
      turns: graph.codex_turns.size,
      inferences: graph.inference_calls.size,
      tools: graph.tool_calls.size,
    }).toEqual(counts);
    rmSync(root, { recursive: true });
  },
);

test('the example of MCP records the request of its tool call', { timeout: 60_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-example-'));
  const answer = { status: 0, stdout: '[{"type":"text","text":"12:00 UTC"}]\n', stderr: '' };
  expect(run({}, 'examples/mcp.mjs')).toEqual(answer);
  expect(run({ ROLLOUT_TRACE_ROOT: root }, 'examples/mcp.mjs')).toEqual(answer);
  const [trace = ''] = readdirSync(root);
  const { graph } = reduceBundle(traceSource(join(root, trace)), { mode: 'strict' });
  expect([...graph.tool_calls.values()]).toMatchObject([
    { kind: { type: 'mcp', server: 'clock', tool: 'now' }, mcp_call_id: expect.any(String) },
  ]);
  rmSync(root, { recursive: true });
});

test('the example of Codex says what it needs where the SDK is not there', () => {
  const { status, stdout, stderr } = run({}, 'examples/codex.mjs');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('npm install @openai/codex-sdk');
});

test.each(['README.md', 'docs/recorder.md', 'packages/core/README.md'])('%s shows the example as it is', (doc) => {
  const blocks = [...readFileSync(doc, 'utf8').matchAll(/```(?:js|ts)\n(.*?)```/gs)].map(([, text = '']) => text);
  const recording = blocks.filter((text) => text.includes('@rollout-trace/core/recorder'));
  if (doc === 'docs/recorder.md') expect(recording).toHaveLength(1);
  for (const text of recording) expect(text).toBe(readFileSync(EXAMPLE, 'utf8'));
});
