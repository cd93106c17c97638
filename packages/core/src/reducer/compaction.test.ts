// Compactions: docs/reducer.md, section 6.5.

import { describe, expect, it } from 'vitest';
import {
  assistant,
  BASE,
  body,
  call,
  compactionInstalled,
  compactionRequested,
  event,
  failure,
  inferenceStarted,
  item,
  numbers,
  reduce,
  requestOf,
  threadStarted,
  user,
} from './testing/scenario.ts';

const completed = (compaction_id: string, compaction_request_id: string) =>
  event('compaction_request_completed', { compaction_id, compaction_request_id, response_payload: body({}) });
const failed = (compaction_id: string, compaction_request_id: string) =>
  event('compaction_request_failed', { compaction_id, compaction_request_id, error: 'x' });

describe('a compaction request', () => {
  it('K1: starts once, in a known turn of the thread it names', () => {
    expect(failure([...BASE, compactionRequested('K', 'Q'), compactionRequested('K', 'Q')])).toBe(
      'compaction_duplicate',
    );
    expect(failure([...BASE, compactionRequested('K', 'Q', { thread_id: 'X' })])).toBe('thread_unknown');
    expect(failure([...BASE, compactionRequested('K', 'Q', { codex_turn_id: 'X' })])).toBe('turn_unknown');
    const two = [...BASE, threadStarted('T2', '/root/a')];
    expect(failure([...two, compactionRequested('K', 'Q', { thread_id: 'T2' })])).toBe('turn_thread_mismatch');
  });

  it('K1: ends for the compaction it started for', () => {
    expect(failure([...BASE, completed('K', 'Q')])).toBe('compaction_unknown');
    expect(failure([...BASE, compactionRequested('K', 'Q'), failed('K2', 'Q')])).toBe('compaction_unknown');
  });

  it('K1: may end again, and a failure takes its response away', () => {
    const { graph } = reduce([...BASE, compactionRequested('K', 'Q'), completed('K', 'Q'), failed('K', 'Q')]);
    expect(graph.compaction_requests.get('Q')).toMatchObject({
      execution: { status: 'failed', ended_seq: 5 },
      raw_response_payload_id: null,
    });
  });
});

describe('an installed compaction', () => {
  it.each([
    ['without a thread', { thread_id: null }, 'context_missing'],
    ['without a turn', { codex_turn_id: null }, 'context_missing'],
    ['of an unknown thread', { thread_id: 'X' }, 'thread_unknown'],
    ['of an unknown turn', { codex_turn_id: 'X' }, 'turn_unknown'],
  ])('K2: %s is refused', (_, envelope, code) => {
    expect(failure([...BASE, compactionInstalled('K', [], [], envelope)])).toBe(code);
  });

  it('K2: happens once, with both histories', () => {
    expect(failure([...BASE, compactionInstalled('K', [], []), compactionInstalled('K', [], [])])).toBe(
      'compaction_duplicate',
    );
    expect(failure([...BASE, compactionInstalled('K', undefined, [])])).toBe('checkpoint_invalid');
    expect(failure([...BASE, compactionInstalled('K', [], {})])).toBe('checkpoint_invalid');
  });

  it('K3: takes its input from the history, wherever it stands there, each item once', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', [user('a'), user('b')]),
      compactionInstalled('K', [user('b'), user('b'), user('a')], []),
    ]);
    expect(numbers(graph.compactions.get('K')?.input_item_ids ?? [])).toEqual([2, 3, 1]);
    expect(item(graph, 3).produced_by).toEqual([]);
  });

  it('K3: puts a marker between input and replacement, and makes every item of the replacement anew', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', [user('a', 'id')]),
      compactionInstalled('K', [user('a', 'id')], [user('a', 'id'), user('a', 'id')]),
    ]);
    expect(graph.compactions.get('K')).toMatchObject({
      installed_at_unix_ms: 1040,
      marker_item_id: 'conversation_item:2',
      replacement_item_ids: ['conversation_item:3', 'conversation_item:4'],
    });
    expect(item(graph, 2)).toMatchObject({
      kind: 'compaction_marker',
      role: 'assistant',
      channel: null,
      body: { parts: [] },
    });
    for (const n of [2, 3, 4]) expect(item(graph, n).produced_by).toEqual([{ type: 'compaction', compaction_id: 'K' }]);
  });

  it('K3: holds both lists to the call ids of the thread', () => {
    const history = [...BASE, inferenceStarted('I', [call('c', '[1]')])];
    expect(failure([...history, compactionInstalled('K', [call('c', '[2]')], [])])).toBe('call_id_reused');
    expect(failure([...history, compactionInstalled('K', [], [call('c', '[2]')])])).toBe('call_id_reused');
  });

  it('K4: replaces the history at the next full request; of two the last one counts', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a')]),
      compactionInstalled('K1', [], [assistant('one')]),
      compactionInstalled('K2', [user('a')], [assistant('two')]),
      inferenceStarted('I2', [assistant('two'), assistant('one'), user('a')]),
    ]);
    expect(numbers(graph.compactions.get('K2')?.input_item_ids ?? [])).toEqual([1]);
    expect(requestOf(graph, 'I2')).toEqual([5, 6, 7]);
  });

  it('K4: lists the requests known at its install, by the bytes of their ids', () => {
    const { graph } = reduce([
      ...BASE,
      compactionRequested('K', 'Q2'),
      compactionRequested('K', 'Q10'),
      compactionRequested('other', 'Q1'),
      compactionInstalled('K', [], []),
      compactionRequested('K', 'Q3'),
    ]);
    expect(graph.compactions.get('K')?.request_ids).toEqual(['Q10', 'Q2']);
  });
});
