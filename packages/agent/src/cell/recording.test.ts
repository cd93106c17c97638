import type { CodeCell, Graph } from '@rollout-trace/core/format';
import { currentTrace } from '@rollout-trace/core/recorder/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CellSession, scriptTool } from './testing/cell-session.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const open: CellSession[] = [];

const echo = scriptTool('echo', (args) => args);
const broken = scriptTool('broken', () => Promise.reject(new Error('it is broken')));
const endless = scriptTool('endless', (_args, signal) => {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('was aborted'))));
});

afterEach(async () => {
  for (const made of open.splice(0)) await made.dispose();
});

/** Runs calls of a model, and gives what the reducer makes of them. */
async function recorded(
  play: (session: CellSession) => Promise<unknown>,
  tools = [echo, broken, endless],
): Promise<Graph> {
  const session = new CellSession(tools);
  open.push(session);
  await play(session);
  const { graph, findings } = await session.reduce();
  expect(findings).toEqual([]);
  return graph;
}

function cellOf(graph: Graph, callId: string): CodeCell {
  const cell = graph.code_cells.get(`code_cell:${callId}`);
  if (cell === undefined) throw new Error(`no cell of ${callId}`);
  return cell;
}

function nestedCalls(graph: Graph, cell: CodeCell): object[] {
  return cell.nested_tool_call_ids.map((id) => {
    const call = graph.tool_calls.get(id);
    return { id: id.replace(/^exec-[0-9a-f-]{36}$/, 'exec-<uuid>'), kind: call?.kind, status: call?.execution.status };
  });
}

describe('the recording of a cell', () => {
  it('that completes has its source, its nested calls and its output', async () => {
    const source = 'const [a, b] = await Promise.all([tools.echo({ n: 1 }), tools.echo({ n: 2 })]);\ntext([a, b]);';
    const graph = await recorded((session) => session.exec(source));
    const cell = cellOf(graph, 'call_1');
    expect(cell).toMatchObject({
      runtime_cell_id: '1',
      source_js: source,
      execution: { status: 'completed' },
      runtime_status: 'completed',
      initial_response_status: 'completed',
      yielded_seq: null,
      wait_tool_call_ids: [],
    });
    const kind = { type: 'other', name: 'echo' };
    const call = { id: 'exec-<uuid>', kind, status: 'completed' };
    expect(nestedCalls(graph, cell)).toEqual([call, call]);
    const calls = cell.nested_tool_call_ids.map((id) => graph.tool_calls.get(id));
    expect(calls.map((nested) => nested?.code_mode_runtime_tool_id).sort()).toEqual(['tool-1', 'tool-2']);
    expect(calls[0]?.requester).toEqual({ type: 'code_cell', code_cell_id: 'code_cell:call_1' });
    expect(cell.output_item_ids).toHaveLength(1);
    const exec = graph.tool_calls.get('call_1');
    expect(exec).toMatchObject({ started_code_cell_id: 'code_cell:call_1', kind: { type: 'other', name: 'exec' } });
  });

  it('that fails is failed, and so is the nested call that failed it', async () => {
    const graph = await recorded((session) => session.exec('text("before"); await tools.broken();'));
    const cell = cellOf(graph, 'call_1');
    expect(cell).toMatchObject({ execution: { status: 'failed' }, initial_response_status: 'failed' });
    expect(nestedCalls(graph, cell)).toMatchObject([{ status: 'failed' }]);
    expect(graph.tool_calls.get('call_1')?.execution.status).toBe('failed');
  });

  it('that yields first and completes through wait knows both', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const gate = scriptTool('gate', () => released);
    const graph = await recorded(
      async (session) => {
        await session.exec('text("a"); yield_control(); await tools.gate(); text(await tools.echo())');
        await session.wait({ cell_id: '1', yield_time_ms: 1 });
        release();
        await session.wait({ cell_id: '1', yield_time_ms: 50_000 });
      },
      [gate, echo],
    );
    const cell = cellOf(graph, 'call_1');
    expect(cell).toMatchObject({
      execution: { status: 'completed' },
      initial_response_status: 'yielded',
      runtime_status: 'completed',
      wait_tool_call_ids: ['call_2', 'call_3'],
    });
    expect(cell.yielded_seq).toBe(cell.initial_response_seq);
    expect(nestedCalls(graph, cell)).toMatchObject([{ status: 'completed' }, { status: 'completed' }]);
    const last = graph.tool_calls.get(cell.nested_tool_call_ids[1] ?? '');
    expect(Number(last?.execution.started_seq)).toBeGreaterThan(Number(cell.yielded_seq));
  });

  it('that is terminated is cancelled, with the call it was waiting for', async () => {
    const graph = await recorded(async (session) => {
      await session.exec('yield_control(); await tools.endless()');
      await session.wait({ cell_id: '1', terminate: true });
    });
    const cell = cellOf(graph, 'call_1');
    expect(cell).toMatchObject({
      execution: { status: 'cancelled' },
      runtime_status: 'terminated',
      wait_tool_call_ids: ['call_2'],
    });
    expect(nestedCalls(graph, cell)).toMatchObject([{ status: 'cancelled' }]);
  });

  it('that leaves a call behind has it cancelled when it ends', async () => {
    const graph = await recorded((session) => session.exec('tools.endless(); text("done")'));
    const cell = cellOf(graph, 'call_1');
    expect(cell.execution.status).toBe('completed');
    expect(nestedCalls(graph, cell)).toMatchObject([{ status: 'cancelled' }]);
  });

  it('is found by what its calls record', async () => {
    const seen: string[] = [];
    const look = scriptTool('look', async () => {
      await null;
      const { codeCell, toolCall, turn } = currentTrace();
      seen.push(codeCell.runtimeCellId, toolCall.id, turn.id);
    });
    const session = new CellSession([look]);
    open.push(session);
    await session.exec('await tools.look()');
    const { graph } = await session.reduce();
    const cell = cellOf(graph, 'call_1');
    expect(seen).toEqual(['1', ...cell.nested_tool_call_ids, cell.codex_turn_id]);
  });
});
