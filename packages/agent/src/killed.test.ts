import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Finding, type Graph, reduceBundle, stateJson } from '@rollout-trace/core';
import { directorySource } from '@rollout-trace/core/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endFamily, type Family } from './exec/processes.ts';
import { processesIn } from './scenarios/testing/processes-in.ts';
import { referenceState } from './scenarios/testing/reference.ts';
import { byAgent, call, compacted, custom, type Script, say, startScriptedModel } from './scripted-model/index.ts';

// A killed agent ends nothing: no turn, no process, no file. What it has told by then must be worth reading.

interface LoggedEvent {
  seq: number;
  payload: { type: string; [member: string]: unknown };
}

/** The programs as they are built. */
const AGENT = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const SERVER = fileURLToPath(new URL('./mcp/testing/server.mjs', import.meta.url));
const DEMO = fileURLToPath(new URL('../dist/demo/main.js', import.meta.url));

/** A folder that is gone after the test, and with it all that was started there. */
function stage() {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'rollout-trace-killed-')));
  const root = join(home, 'traces');
  const cwd = join(home, 'project');
  const mark = randomUUID();
  mkdirSync(root);
  mkdirSync(cwd);
  const family: Family = { leaders: () => new Set(), hasMark: (each) => each === mark, known: () => new Map() };
  const endProcesses = () => endFamily(family, 0);
  onTestFinished(async () => {
    // A killed agent closes the input of its servers, and that is what they end on.
    await endProcesses();
    while ((processesIn(home) ?? []).length > 0) await sleep(5);
    rmSync(home, { recursive: true, force: true });
  });
  const { CODEX_ROLLOUT_TRACE_ROOT: _, ...inherited } = process.env;
  // What the agent starts is marked as if the agent itself ran in a terminal of this test.
  const env = { ...inherited, TMPDIR: home, ROLLOUT_TRACE_ROOT: root, ROLLOUT_TRACE_TERMINAL: mark };
  return { root, cwd, env };
}

type Stage = ReturnType<typeof stage>;

/** The events whose lines are complete. */
function eventsIn(root: string): LoggedEvent[] {
  const [bundle] = readdirSync(root);
  if (bundle === undefined) return [];
  let text: string;
  try {
    text = readFileSync(join(root, bundle, 'trace.jsonl'), 'utf8');
  } catch {
    // The folder is made before the file.
    return [];
  }
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Runs a program until its log has come so far, and kills it there. */
async function kill(
  { root, cwd, env }: Stage,
  program: readonly string[],
  there: (events: readonly LoggedEvent[]) => boolean,
): Promise<void> {
  const child = spawn(process.execPath, program, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  let running = true;
  void ended.then(() => {
    running = false;
  });
  try {
    while (running && !there(eventsIn(root))) await sleep(2);
  } finally {
    child.kill('SIGKILL');
  }
  expect(await ended, told).toBe('SIGKILL');
}

function bundleIn(root: string): string {
  const [name] = readdirSync(root);
  if (name === undefined) throw new Error('nothing was recorded');
  return join(root, name);
}

/** What contradicts itself in a bundle. That it has no end is no contradiction. */
function errorsIn(bundle: string): Finding[] {
  const { findings } = reduceBundle(directorySource(bundle), { mode: 'salvage' });
  return findings.filter(({ severity }) => severity === 'error');
}

/** What a killed agent left, after the promises that hold for every one of them. */
function leftIn(root: string): Graph {
  const bundle = bundleIn(root);
  const log = readFileSync(join(bundle, 'trace.jsonl'), 'utf8');
  expect(log.endsWith('\n'), 'no event is torn').toBe(true);
  const events = eventsIn(root);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));

  expect(errorsIn(bundle)).toEqual([]);
  const { graph, rules } = reduceBundle(directorySource(bundle), { mode: 'strict' });
  const state = stateJson(graph, { rules });
  expect(referenceState(bundle) ?? state).toBe(state);

  expect(graph.status).toBe('running');
  expect(graph.recording_complete).toBe(false);
  for (const { execution } of graph.threads.values()) expect(execution.status).toBe('running');
  return graph;
}

/** Kills an agent whose model says this. */
async function killAgent(
  script: Script,
  there: (events: readonly LoggedEvent[]) => boolean,
  ...options: string[]
): Promise<Graph> {
  const on = stage();
  const model = await startScriptedModel(script);
  onTestFinished(() => model.close());
  const env = { ...on.env, OPENAI_API_KEY: 'sk-scripted', OPENAI_BASE_URL: model.url };
  await kill({ ...on, env }, [AGENT, '--model', 'model-1', ...options, 'Work.'], there);
  expect(model.refusals).toEqual([]);
  return leftIn(on.root);
}

/** Whether an event of this type has happened so often. */
function happened(type: string, times = 1) {
  return (events: readonly LoggedEvent[]) => events.filter(({ payload }) => payload.type === type).length >= times;
}

type Executed = Iterable<{ readonly execution: { readonly status: string } }>;

const statuses = (objects: Executed) => [...objects].map(({ execution }) => execution.status);

describe.runIf(process.platform !== 'win32')('an agent that is killed', { timeout: 120_000 }, () => {
  it('while the model thinks', async () => {
    const graph = await killAgent(byAgent({ '/root': [{ items: [], end: 'hanging' }] }), happened('inference_started'));
    expect(statuses(graph.codex_turns.values())).toEqual(['running']);
    expect(statuses(graph.inference_calls.values())).toEqual(['running']);
    expect(graph.conversation_items.size).toBe(1);
  });

  it('while a command runs', async () => {
    const graph = await killAgent(
      byAgent({
        '/root': [
          { items: [say('Working.', 'commentary'), call('call_1', 'exec_command', { cmd: 'echo one' })] },
          { items: [call('call_2', 'exec_command', { cmd: 'sleep 600 & sleep 600', yield_time_ms: 60_000 })] },
        ],
      }),
      (events) => happened('tool_call_runtime_started', 2)(events) && happened('inference_completed', 2)(events),
    );
    expect(statuses(graph.codex_turns.values())).toEqual(['running']);
    expect(statuses(graph.inference_calls.values())).toEqual(['completed', 'completed']);
    expect(statuses(graph.tool_calls.values())).toEqual(['completed', 'running']);
    expect(statuses(graph.terminal_operations.values())).toEqual(['completed', 'running']);
  });

  it('while a response goes on whose code has run', async () => {
    const source = 'text(await tools.exec_command({ cmd: "echo nested" }));';
    const graph = await killAgent(
      byAgent({ '/root': [{ items: [custom('call_1', 'exec', source)], end: 'hanging' }] }),
      happened('tool_call_ended', 2),
    );
    expect(statuses(graph.inference_calls.values())).toEqual(['running']);
    expect(statuses(graph.tool_calls.values())).toEqual(['completed', 'completed']);
    // A cell stands for an item of the conversation, and of this response nothing does yet.
    expect(graph.code_cells.size).toBe(0);
    expect(graph.tool_calls.get('call_1')?.raw_result_payload_id).not.toBeNull();
  });

  it('while code waits for a command', async () => {
    const source = 'await tools.exec_command({ cmd: "sleep 600", yield_time_ms: 60000 });';
    const graph = await killAgent(
      byAgent({ '/root': [{ items: [custom('call_1', 'exec', source)] }] }),
      // Begun by the model and complete, the call has what stands for it in the conversation.
      (events) => happened('tool_call_runtime_started')(events) && happened('inference_completed')(events),
    );
    expect(statuses(graph.code_cells.values())).toEqual(['running']);
    expect(statuses(graph.tool_calls.values())).toEqual(['running', 'running']);
    const [cell] = graph.code_cells.values();
    expect(cell?.nested_tool_call_ids).toHaveLength(1);
  });

  it('while a server is asked', async () => {
    const graph = await killAgent(
      byAgent({ '/root': [{ items: [call('call_1', 'hang', { file: 'begun' }, 'mcp__clock')] }] }),
      (events) => happened('tool_call_runtime_started')(events) && happened('inference_completed')(events),
      '--mcp',
      `clock=${process.execPath} ${SERVER}`,
    );
    expect(statuses(graph.tool_calls.values())).toEqual(['running']);
    expect([...graph.tool_calls.values()].map(({ kind }) => kind)).toEqual([
      { type: 'mcp', server: 'clock', tool: 'hang' },
    ]);
  });

  it('while it waits for agents that work', async () => {
    const spawnAgent = (id: string, task_name: string) =>
      call(id, 'spawn_agent', { task_name, message: `Work on ${task_name}.` }, 'collaboration');
    const graph = await killAgent(
      byAgent({
        '/root': [
          { items: [spawnAgent('call_1', 'alpha'), spawnAgent('call_2', 'beta')] },
          { items: [call('call_3', 'wait_agent', { timeout_ms: 600_000 }, 'collaboration')] },
        ],
        '/root/alpha': [{ items: [call('call_4', 'exec_command', { cmd: 'sleep 600', yield_time_ms: 60_000 })] }],
        '/root/beta': [{ items: [say('Thinking.', 'commentary')], end: 'hanging' }],
      }),
      (events) =>
        events.some(
          ({ payload: { type, tool_call_id } }) => type === 'tool_call_runtime_started' && tool_call_id === 'call_4',
        ) &&
        happened('inference_started', 4)(events) &&
        happened('inference_completed', 3)(events) &&
        happened('tool_call_started', 4)(events),
    );
    expect(graph.threads.size).toBe(3);
    expect(statuses(graph.codex_turns.values())).toEqual(['running', 'running', 'running']);
    expect(statuses(graph.inference_calls.values()).sort()).toEqual(['completed', 'completed', 'completed', 'running']);
    expect(graph.tool_calls.get('call_3')?.execution.status).toBe('running');
    expect(graph.tool_calls.get('call_4')?.execution.status).toBe('running');
    expect([...graph.interaction_edges.values()].map(({ kind }) => kind)).toEqual(['spawn_agent', 'spawn_agent']);
  });

  it('while its history is compacted', async () => {
    const said = byAgent({
      '/root': [{ items: [call('call_1', 'exec_command', { cmd: 'true' })], usage: { input_tokens: 5_000 } }],
    });
    const graph = await killAgent(
      (request) =>
        request.endpoint === 'compact' ? { ...compacted(request), after: new Promise(() => undefined) } : said(request),
      happened('compaction_request_started'),
      '--compact-at',
      '1000',
    );
    expect(statuses(graph.compaction_requests.values())).toEqual(['running']);
    expect(graph.compactions.size).toBe(0);
    expect(statuses(graph.codex_turns.values())).toEqual(['running']);
  });

  it.each([3, 25, 60, 90])('after event %i of a session in which everything happens', async (count) => {
    const on = stage();
    await kill(on, [DEMO, '--quiet'], (events) => events.length >= count);
    leftIn(on.root);
    expect(eventsIn(on.root).length).toBeGreaterThanOrEqual(count);
  });

  it('after any event of a session in which everything happens', async () => {
    const { root, cwd, env } = stage();
    const child = spawn(process.execPath, [DEMO, '--quiet'], { cwd, env, stdio: 'ignore' });
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    const bundle = bundleIn(root);
    const lines = readFileSync(join(bundle, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(100);
    // What is behind the last event, files that no event names, is there as well when a process is killed.
    for (let count = 1; count < lines.length; count++) {
      writeFileSync(join(bundle, 'trace.jsonl'), `${lines.slice(0, count).join('\n')}\n`);
      expect(errorsIn(bundle), `after event ${count}`).toEqual([]);
    }
  });
});
