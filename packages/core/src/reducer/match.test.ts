// When two sightings are one item: docs/reducer.md, section 6.3.

import { describe, expect, it } from 'vitest';
import {
  accepted,
  assistant,
  BASE,
  call,
  failure,
  inferenceCompleted,
  inferenceStarted,
  item,
  mail,
  output,
  reasoning,
  reduce,
  requestOf,
  user,
} from './testing/scenario.ts';

type Item = Record<string, unknown>;

/** Whether the item of the second request is the item of the first. */
function isOne(first: Item, second: Item): boolean {
  const { graph } = reduce([...BASE, inferenceStarted('I1', [first]), inferenceStarted('I2', [second])]);
  return requestOf(graph, 'I2')[0] === 1;
}

describe('two sightings', () => {
  it('X1: are one item when content and ids agree, or an id is missing on one side', () => {
    expect(isOne(user('hi'), user('hi'))).toBe(true);
    expect(isOne(user('hi', 'a'), user('hi', 'a'))).toBe(true);
    expect(isOne(user('hi'), user('hi', 'a'))).toBe(true);
    expect(isOne(user('hi', 'a'), user('hi'))).toBe(true);
  });

  it('X1: are two items when the ids differ, whatever the content, and when the content differs, whatever the ids', () => {
    expect(isOne(user('hi', 'a'), user('hi', 'b'))).toBe(false);
    expect(isOne(user('hi', 'a'), user('ho', 'a'))).toBe(false);
  });

  it.each([
    ['role', user('hi'), { ...user('hi'), role: 'developer' }],
    ['channel', user('hi'), { ...user('hi'), phase: 'commentary' }],
    ['kind', { ...assistant('a b'), phase: 'commentary' }, { type: 'function_call', arguments: 'a b' }],
    ['call id', call('c1'), call('c2')],
    ['author', mail('/root/a', '/root', 'hi'), mail('/root/b', '/root', 'hi')],
  ])('X1: are two items when the %s differs', (_, first, second) => {
    expect(isOne(first, second)).toBe(false);
  });

  it('X2: compare summaries by their text alone, so what stands behind byte 240 makes no difference', () => {
    const long = (end: string) => ({ type: 'web_search_call', q: `${'q'.repeat(300)}${end}` });
    expect(isOne(long('a'), long('b'))).toBe(true);
  });

  it('X2: compare references by label and hash where both have a hash', () => {
    const picture = (url: string) => ({ ...user(''), content: [{ type: 'input_image', url }] });
    expect(isOne(picture('x'), picture('x'))).toBe(true);
    expect(isOne(picture('x'), picture('y'))).toBe(false);
  });

  it('X2: compare references without a hash by their payload, so another payload never has the same', () => {
    const bare = { type: 'message', role: 'user', content: 'text' };
    expect(isOne(bare, bare)).toBe(false);
    const { graph } = reduce([...BASE, inferenceStarted('I1', [bare]), inferenceStarted('I2', [bare, bare])]);
    expect(requestOf(graph, 'I2')).toEqual([2, 3]);
  });

  it('X2: part lists of different length are different', () => {
    const two = {
      ...user('a'),
      content: [
        { type: 'input_text', text: 'a' },
        { type: 'input_text', text: 'b' },
      ],
    };
    expect(isOne(user('a'), two)).toBe(false);
  });

  it('X3: reasoning is one item when what is encrypted agrees, whatever can be read', () => {
    expect(isOne(reasoning({ encrypted: 'X', text: 'a' }), reasoning({ encrypted: 'X', text: 'b' }))).toBe(true);
    expect(isOne(reasoning({ encrypted: 'X', text: 'a' }), reasoning({ encrypted: 'Y', text: 'a' }))).toBe(false);
    expect(isOne(reasoning({ encrypted: 'X', text: 'a' }), reasoning({ text: 'a' }))).toBe(false);
  });
});

describe('a sighting', () => {
  it('X4: gives an item the id it lacks, and never another one', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('hi')]),
      inferenceStarted('I2', [user('hi', 'a')]),
      inferenceStarted('I3', [user('hi', 'b')]),
    ]);
    expect(item(graph, 1).responses_item_id).toBe('a');
    expect(requestOf(graph, 'I3')).toEqual([2]);
  });

  it('X4: applies a receipt that came before the id', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('hi')]),
      accepted('a'),
      inferenceStarted('I2', [user('hi', 'a')]),
    ]);
    expect(item(graph, 1).accepted_seq).toBe(4);
  });

  it('X4: fills in the readable parts that reasoning lacks, and keeps those it has', () => {
    const seen = (...thoughts: Parameters<typeof reasoning>[0][]) => {
      const requests = thoughts.map((thought, n) => inferenceStarted(`I${n}`, [reasoning(thought)]));
      return item(reduce([...BASE, ...requests]).graph, 1).body.parts.map((part) => ('text' in part ? part.text : 'X'));
    };
    expect(seen({ encrypted: 'X' }, { encrypted: 'X', text: 'a', summary: 's' })).toEqual(['a', 's', 'X']);
    expect(seen({ encrypted: 'X', text: 'a' }, { encrypted: 'X', text: 'b', summary: 's' })).toEqual(['a', 's', 'X']);
    const both = { encrypted: 'X', text: 'a', summary: 's' };
    expect(seen(both, { encrypted: 'X', text: 'b', summary: 't' })).toEqual(['a', 's', 'X']);
  });

  it('X4: by a response adds its inference to the producers, once', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('hi')]),
      inferenceCompleted('I1', [assistant('yes', 'a')]),
      inferenceCompleted('I1', [assistant('yes', 'a')]),
      inferenceStarted('I2', []),
      inferenceCompleted('I2', [assistant('yes', 'a')]),
    ]);
    expect(item(graph, 2).produced_by).toEqual([
      { type: 'inference', inference_call_id: 'I1' },
      { type: 'inference', inference_call_id: 'I2' },
    ]);
  });
});

describe('a call id', () => {
  it('X5: stands for one call of its kind, ids of items aside', () => {
    const twice = (...calls: Item[]) => failure([...BASE, inferenceStarted('I1', calls)]);
    expect(twice(call('c', '{"a":1}'), call('c', '{"a":2}'))).toBe('call_id_reused');
    expect(twice(call('c', '{}', 'a'), call('c', '{}', 'b'))).toBe('reduces');
    expect(twice(call('c'), { ...call('c'), type: 'custom_tool_call', input: '' })).toBe('reduces');
  });

  it('X5: is checked against items that have left the history', () => {
    const sketch = [
      inferenceStarted('I1', [call('c', '[1]')]),
      inferenceStarted('I2', []),
      inferenceStarted('I3', [call('c', '[2]')]),
    ];
    expect(failure([...BASE, ...sketch])).toBe('call_id_reused');
  });

  it('X5: may have outputs that differ', () => {
    const { graph } = reduce([...BASE, inferenceStarted('I1', [output('c', 'a'), output('c', 'b')])]);
    expect(requestOf(graph, 'I1')).toEqual([1, 2]);
  });
});
