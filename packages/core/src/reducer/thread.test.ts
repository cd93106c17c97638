// Rollout, threads and turns: docs/reducer.md, section 6.1.

import { describe, expect, it } from 'vitest';
import {
  BASE,
  cellStarted,
  event,
  failure,
  inferenceCompleted,
  inferenceStarted,
  program,
  reduce,
  threadEnded,
  threadStarted,
  toolStarted,
  turnEnded,
  turnStarted,
  user,
} from './testing/scenario.ts';

const rolloutStarted = (trace_id: string, root_thread_id: string) =>
  event('rollout_started', { trace_id, root_thread_id });
const rolloutEnded = (status: string) => event('rollout_ended', { status });

describe('the rollout', () => {
  it('R1: a rollout start overwrites trace and root thread, and may come again', () => {
    const { graph } = reduce([rolloutStarted('first', 'A'), rolloutStarted('second', 'B')]);
    expect([graph.trace_id, graph.root_thread_id]).toEqual(['second', 'B']);
    expect(graph.rollout_id).toBe('rollout');
  });

  it('R1: of several rollout ends the last one counts, and without one the rollout runs', () => {
    const { graph } = reduce([rolloutEnded('failed'), rolloutEnded('completed')]);
    expect([graph.status, graph.ended_at_unix_ms]).toEqual(['completed', 1020]);
    const open = reduce([]).graph;
    expect([open.status, open.ended_at_unix_ms]).toEqual(['running', null]);
  });
});

describe('a thread', () => {
  it('R2: a thread starts once, which is checked before its metadata is read', () => {
    expect(failure([threadStarted('T'), threadStarted('T', '/root', 'no metadata')])).toBe('thread_duplicate');
  });

  it.each([
    ['not an object', []],
    ['a number as nickname', { nickname: 1 }],
    ['an object as model', { model: {} }],
  ])('R2: metadata with %s is refused', (_, metadata) => {
    expect(failure([threadStarted('T', '/root', metadata)])).toBe('thread_metadata_invalid');
  });

  it('R2: null and unknown fields of the metadata are no contradiction', () => {
    expect(failure([threadStarted('T', '/root', { nickname: null, added_later: 1 })])).toBe('reduces');
  });

  it('R3: without a parent in its metadata a thread is a root', () => {
    const { graph } = reduce([threadStarted('T', '/root', { agent_path: '/other', nickname: 'Ada', model: 'm' })]);
    expect(graph.threads.get('T')).toMatchObject({
      origin: { type: 'root' },
      agent_path: '/other',
      nickname: 'Ada',
      default_model: 'm',
    });
  });

  it('R3: with a parent it is spawned, and what the spawn says goes before the rest of the metadata', () => {
    const spawn = { parent_thread_id: 'P', agent_path: '/root/a/', task_name: 'task', agent_role: 'role' };
    const metadata = {
      agent_path: '/no',
      task_name: 'no',
      agent_role: 'no',
      session_source: { subagent: { thread_spawn: spawn } },
    };
    const { graph } = reduce([threadStarted('C', '/never', metadata)]);
    expect(graph.threads.get('C')).toMatchObject({
      agent_path: '/root/a/',
      origin: {
        type: 'spawned',
        parent_thread_id: 'P',
        spawn_edge_id: 'edge:spawn:P:C',
        task_name: 'task',
        agent_role: 'role',
      },
    });
  });

  it.each([
    ['/root/scout/', 'scout'],
    ['//', '//'],
  ])('R3: a spawn without a task name is named after its path %s', (agent_path, task_name) => {
    const session_source = { subagent: { thread_spawn: { parent_thread_id: 'P' } } };
    const { graph } = reduce([threadStarted('C', agent_path, { session_source })]);
    expect(graph.threads.get('C')?.origin).toMatchObject({ task_name, agent_role: '' });
  });

  it('R4: the end of an unknown thread is refused; a known one may end again', () => {
    expect(failure([threadEnded('X')])).toBe('thread_unknown');
    const { graph } = reduce([...BASE, threadEnded('T', 'failed'), threadEnded('T', 'completed')]);
    expect(graph.threads.get('T')?.execution).toMatchObject({ status: 'completed', ended_seq: 4 });
  });

  it('R4: the end of a thread ends nothing inside it, and events may follow', () => {
    const { graph } = reduce([...BASE, inferenceStarted('I', []), threadEnded('T'), turnStarted('U2')]);
    expect(graph.codex_turns.get('U')?.execution.status).toBe('running');
    expect(graph.inference_calls.get('I')?.execution.status).toBe('running');
    expect(graph.codex_turns.has('U2')).toBe(true);
  });

  it('R5: a thread that has ended is resumed with the start it had', () => {
    const { graph } = reduce([...BASE, threadEnded(), event('thread_resumed', { thread_id: 'T' })]);
    expect(graph.threads.get('T')?.execution).toEqual({
      started_at_unix_ms: 1010,
      started_seq: 1,
      ended_at_unix_ms: null,
      ended_seq: null,
      status: 'running',
    });
  });

  it('R5: an unknown or running thread cannot be resumed', () => {
    expect(failure([event('thread_resumed', { thread_id: 'T' })])).toBe('thread_resume_unknown');
    expect(failure([...BASE, event('thread_resumed', { thread_id: 'T' })])).toBe('thread_resume_running');
  });
});

describe('a turn', () => {
  it('R6: a turn starts once, in a known thread', () => {
    expect(failure([...BASE, turnStarted('U')])).toBe('turn_duplicate');
    expect(failure([turnStarted('U', 'X')])).toBe('thread_unknown');
  });

  it('R7: the end of a turn must name a known turn, and its own thread if it names one', () => {
    expect(failure([...BASE, turnEnded('X')])).toBe('turn_unknown');
    expect(failure([...BASE, turnEnded('U', 'completed', { thread_id: 'X' })])).toBe('turn_thread_mismatch');
    expect(failure([...BASE, turnEnded('U', 'completed', { thread_id: null })])).toBe('reduces');
  });

  it.each([
    ['completed', 'cancelled'],
    ['cancelled', 'cancelled'],
    ['failed', 'failed'],
    ['aborted', 'aborted'],
    ['running', 'running'],
  ])('R7: a turn that ends as %s leaves its running inferences %s', (status, left) => {
    const { graph } = reduce([...BASE, inferenceStarted('I', []), turnEnded('U', status)]);
    expect(graph.inference_calls.get('I')?.execution.status).toBe(left);
  });

  it.each([
    ['completed', 'starting', 'running'],
    ['running', 'starting', 'running'],
    ['failed', 'failed', 'failed'],
    ['cancelled', 'terminated', 'cancelled'],
    ['aborted', 'terminated', 'cancelled'],
  ])('R7: a turn that ends as %s leaves its running code cells %s', (status, runtime_status, execution) => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', []),
      inferenceCompleted('I', [program('c1')]),
      cellStarted('1', 'c1'),
      turnEnded('U', status),
    ]);
    expect(graph.code_cells.get('code_cell:c1')).toMatchObject({ runtime_status, execution: { status: execution } });
  });

  it('R7: an inference that has ended and a running tool are left as they are', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', [user('hi')]),
      inferenceCompleted('I', []),
      toolStarted('t1'),
      turnEnded('U', 'failed'),
    ]);
    expect(graph.inference_calls.get('I')?.execution.status).toBe('completed');
    expect(graph.tool_calls.get('t1')?.execution.status).toBe('running');
  });
});
