// Acceptances: docs/reducer.md, section 6.4, A1 to A5.

import { describe, expect, it } from 'vitest';
import {
  accepted,
  assistant,
  BASE,
  compactionInstalled,
  event,
  failure,
  inferenceCompleted,
  inferenceStarted,
  item,
  mail,
  reduce,
  requestOf,
  responseOf,
  threadStarted,
  transcriptOf,
  turnStarted,
  user,
} from './testing/scenario.ts';

const MAIL = mail('/root/a', '/root', 'hi', 'amsg');

describe('a receipt', () => {
  it('A1: belongs to a known thread; its turn is not looked at, and its item need not exist', () => {
    expect(failure([...BASE, accepted('a', { thread_id: null })])).toBe('context_missing');
    expect(failure([...BASE, accepted('a', { thread_id: 'X' })])).toBe('thread_unknown');
    expect(failure([...BASE, accepted('a', { codex_turn_id: 'X' })])).toBe('reduces');
  });

  it('A2: applies to every item of its thread with the id, seen before or after', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a', 'id')]),
      accepted('id'),
      inferenceStarted('I2', [user('b', 'id')]),
    ]);
    expect([item(graph, 1), item(graph, 2)].map(({ accepted_seq }) => accepted_seq)).toEqual([4, 4]);
    expect(item(graph, 2).accepted_at_unix_ms).toBe(1040);
  });

  it('A2: counts once: the first one stays', () => {
    const { graph } = reduce([...BASE, accepted('id'), accepted('id'), inferenceStarted('I', [user('a', 'id')])]);
    expect(item(graph, 1).accepted_seq).toBe(3);
  });

  it('A2: says nothing about other threads, nor about items without an id', () => {
    const { graph } = reduce([
      ...BASE,
      threadStarted('T2', '/root/a'),
      turnStarted('U2', 'T2'),
      accepted('id'),
      inferenceStarted('I1', [user('a')]),
      inferenceStarted('I2', [user('a', 'id')], { thread_id: 'T2', codex_turn_id: 'U2' }),
    ]);
    expect([item(graph, 1).accepted_seq, item(graph, 2).accepted_seq]).toEqual([undefined, undefined]);
  });
});

describe('an accepted agent message', () => {
  it.each([
    ['of another id', { ...MAIL, id: 'other' }, 'acceptance_mismatch'],
    ['without an id', mail('/root/a', '/root', 'hi'), 'acceptance_mismatch'],
    ['that is an ordinary message', user('hi', 'amsg'), 'acceptance_mismatch'],
    ['that is no item', 'text', 'item_invalid'],
    ['of type additional_tools', { type: 'additional_tools' }, 'item_type_unknown'],
  ])('A3: %s is refused', (_, message, code) => {
    expect(failure([...BASE, accepted('amsg', {}, message)])).toBe(code);
  });

  it('A3: whose id is known already adds nothing but the receipt', () => {
    const { graph } = reduce([...BASE, inferenceStarted('I', [user('a', 'amsg')]), accepted('amsg', {}, MAIL)]);
    expect(graph.conversation_items.size).toBe(1);
    expect(item(graph, 1).accepted_seq).toBe(4);
    const another = { ...MAIL, id: 'other' };
    const known = [...BASE, inferenceStarted('I', [user('a', 'amsg')])];
    expect(failure([...known, accepted('amsg', {}, another)])).toBe('reduces');
  });

  it('A4: becomes an item at once, accepted, of the turn its event names', () => {
    const { graph } = reduce([...BASE, accepted('amsg', { codex_turn_id: 'unknown' }, MAIL)]);
    expect(item(graph, 1)).toMatchObject({ codex_turn_id: 'unknown', accepted_seq: 3, produced_by: [] });
    expect(transcriptOf(graph)).toEqual([1]);
    const without = reduce([...BASE, accepted('amsg', { codex_turn_id: null }, MAIL)]).graph;
    expect(item(without, 1).codex_turn_id).toBeNull();
  });

  it('A4: is no part of the history that the next request is compared with', () => {
    const { graph } = reduce([
      ...BASE,
      accepted('amsg', {}, MAIL),
      inferenceStarted('I', [mail('/root/a', '/root', 'hi')]),
    ]);
    expect(requestOf(graph, 'I')).toEqual([2]);
  });

  it('A4: completes an edge that waits for it', () => {
    const { graph } = reduce([
      ...BASE,
      threadStarted('C', '/root/a'),
      event('agent_result_observed', {
        edge_id: 'E',
        child_thread_id: 'C',
        child_codex_turn_id: 'CU',
        parent_thread_id: 'T',
        message: 'hi',
      }),
      accepted('amsg', {}, MAIL),
    ]);
    expect(graph.interaction_edges.get('E')?.target).toEqual({
      type: 'conversation_item',
      item_id: 'conversation_item:1',
    });
  });

  it('A5: is claimed by the agent message with its id, wherever that stands and whatever it says', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a'), user('b')]),
      accepted('amsg', {}, MAIL),
      inferenceStarted('I2', [user('a'), mail('/root/z', '/root', 'other', 'amsg'), user('b')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([1, 3, 2]);
    expect(item(graph, 3)).toMatchObject({
      agent_message: { author: '/root/a' },
      body: { parts: [{ type: 'text', text: 'other' }] },
    });
  });

  it('A5: is claimed by responses and compactions as well, and keeps its place', () => {
    const answered = reduce([
      ...BASE,
      accepted('amsg', {}, MAIL),
      inferenceStarted('I', []),
      inferenceCompleted('I', [MAIL]),
    ]).graph;
    expect(responseOf(answered, 'I')).toEqual([1]);
    const compacted = reduce([...BASE, accepted('amsg', {}, MAIL), compactionInstalled('K', [], [MAIL])]).graph;
    expect(compacted.compactions.get('K')).toMatchObject({
      marker_item_id: 'conversation_item:2',
      replacement_item_ids: ['conversation_item:1'],
    });
  });

  it('A5: is claimed once, and never by an item of another kind or without the id', () => {
    const { graph } = reduce([
      ...BASE,
      accepted('amsg', {}, MAIL),
      inferenceStarted('I1', [assistant('hi', 'amsg'), mail('/root/a', '/root', 'hi')]),
      inferenceStarted('I2', [MAIL, MAIL]),
    ]);
    expect(requestOf(graph, 'I1')).toEqual([2, 3]);
    expect(requestOf(graph, 'I2')).toEqual([1, 3]);
  });
});
