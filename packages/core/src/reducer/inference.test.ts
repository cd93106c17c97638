// Requests, responses and transcripts: docs/reducer.md, section 6.4.

import { describe, expect, it } from 'vitest';
import {
  accepted,
  assistant,
  BASE,
  Body,
  body,
  call,
  compactionInstalled,
  event,
  failure,
  inferenceCancelled,
  inferenceCompleted,
  inferenceFailed,
  inferenceStarted,
  item,
  output,
  reduce,
  requestOf,
  responseOf,
  threadStarted,
  transcriptOf,
  turnEnded,
  turnStarted,
  user,
} from './testing/scenario.ts';

const USAGE = { input_tokens: 10, cached_input_tokens: 4, output_tokens: 3, reasoning_output_tokens: 1 };

describe('the start of an inference', () => {
  it('Q1: happens once, in a known turn of the thread it names', () => {
    expect(failure([...BASE, inferenceStarted('I', []), inferenceStarted('I', [])])).toBe('inference_duplicate');
    expect(failure([...BASE, inferenceStarted('I', [], { codex_turn_id: 'X' })])).toBe('turn_unknown');
    const other = [...BASE, threadStarted('T2', '/root/a')];
    expect(failure([...other, inferenceStarted('I', [], { thread_id: 'T2' })])).toBe('turn_thread_mismatch');
  });

  it('Q1: may belong to a turn that has ended', () => {
    expect(failure([...BASE, turnEnded(), inferenceStarted('I', [])])).toBe('reduces');
  });

  it.each([
    ['missing', undefined],
    ['no list', {}],
  ])('Q1: with an input that is %s is refused', (_, input) => {
    expect(failure([...BASE, inferenceStarted('I', input)])).toBe('request_input_invalid');
  });
});

describe('a full request', () => {
  it('Q2: takes the items of the request before it and makes new ones for the rest', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a'), user('b')]),
      inferenceStarted('I2', [user('a'), user('b'), user('c')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([1, 2, 3]);
  });

  it('Q2: prefers the item at its own place, else takes the first free one that matches', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a'), user('b'), user('a')]),
      inferenceStarted('I2', [user('b'), user('a'), user('a')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([2, 1, 3]);
  });

  it('Q2: takes no item twice', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('x'), user('a')]),
      inferenceStarted('I2', [user('a'), user('a')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([2, 3]);
  });

  it('Q2: takes the place over the same id elsewhere', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a'), user('a', 'id')]),
      inferenceStarted('I2', [user('a', 'id'), user('a')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([1, 2]);
    expect(item(graph, 1).responses_item_id).toBe('id');
  });

  it('Q2: looks only at the request before it: what was left out comes back as a new item', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a')]),
      inferenceStarted('I2', []),
      inferenceStarted('I3', [user('a')]),
    ]);
    expect(requestOf(graph, 'I3')).toEqual([2]);
  });

  it('Q2: behind a compaction starts from its replacement, once', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a')]),
      compactionInstalled('K', [user('a')], [user('a')]),
      inferenceStarted('I2', [user('a')]),
      inferenceStarted('I3', [user('a')]),
    ]);
    expect([requestOf(graph, 'I1'), requestOf(graph, 'I2'), requestOf(graph, 'I3')]).toEqual([[1], [3], [3]]);
  });

  it('Q2: of one thread takes nothing from another', () => {
    const { graph } = reduce([
      ...BASE,
      threadStarted('T2', '/root/a'),
      turnStarted('U2', 'T2'),
      inferenceStarted('I1', [user('a')]),
      inferenceStarted('I2', [user('a')], { thread_id: 'T2', codex_turn_id: 'U2' }),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([2]);
  });
});

describe('an incremental request', () => {
  const first = [
    ...BASE,
    inferenceStarted('I1', [user('a')]),
    inferenceCompleted('I1', [assistant('b')], { response_id: 'R1' }),
  ];

  it('Q3: continues the request and response it names', () => {
    const { graph } = reduce([...first, inferenceStarted('I2', [user('c')], { previous_response_id: 'R1' })]);
    expect(requestOf(graph, 'I2')).toEqual([1, 2, 3]);
  });

  it('Q3: must name a response of its thread', () => {
    const next = inferenceStarted('I2', [], { previous_response_id: 'R9' });
    expect(failure([...first, next])).toBe('previous_response_unknown');
    // What it holds is read first, as of any request.
    const unread = inferenceStarted('I2', [{ type: 'unheard_of' }], { previous_response_id: 'R9' });
    expect(failure([...first, unread])).toBe('item_type_unknown');
  });

  it('Q3: with a previous response that is no text is a full request', () => {
    const { graph } = reduce([...first, inferenceStarted('I2', [user('c')], { previous_response_id: null })]);
    expect(requestOf(graph, 'I2')).toEqual([3]);
  });

  it('Q3: of several inferences with one response id continues the first by the bytes of their ids', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I2', [user('a')]),
      inferenceCompleted('I2', [], { response_id: 'R' }),
      inferenceStarted('I10', [user('b')]),
      inferenceCompleted('I10', [], { response_id: 'R' }),
      inferenceStarted('I3', [], { previous_response_id: 'R' }),
    ]);
    expect(requestOf(graph, 'I3')).toEqual(requestOf(graph, 'I10'));
  });

  it('Q3: must agree with the history where its places are taken', () => {
    const fork = [
      ...first,
      inferenceStarted('I2', [user('c')], { previous_response_id: 'R1' }),
      inferenceStarted('I3', [user('d')], { previous_response_id: 'R1' }),
    ];
    expect(failure(fork)).toBe('request_mismatch');
    const same = [...fork.slice(0, -1), inferenceStarted('I3', [user('c')], { previous_response_id: 'R1' })];
    expect(requestOf(reduce(same).graph, 'I3')).toEqual([1, 2, 3]);
  });

  it('Q3: leaves the replacement of a compaction to the next full request', () => {
    const { graph } = reduce([
      ...first,
      compactionInstalled('K', [], [user('r')]),
      inferenceStarted('I2', [], { previous_response_id: 'R1' }),
      inferenceStarted('I3', [user('r')]),
    ]);
    expect(requestOf(graph, 'I3')).toEqual([4]);
  });
});

describe('the items of a request', () => {
  it('Q4: that are new belong to its turn, were first seen now, and nothing produced them', () => {
    const { graph } = reduce([...BASE, inferenceStarted('I', [user('a')])]);
    expect(item(graph, 1)).toMatchObject({ codex_turn_id: 'U', first_seen_at_unix_ms: 1030, produced_by: [] });
  });

  it('Q5: are the history the next request is compared with', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a'), user('b')]),
      inferenceStarted('I2', [user('b')]),
      inferenceStarted('I3', [user('b'), user('a')]),
    ]);
    expect(requestOf(graph, 'I3')).toEqual([2, 3]);
  });
});

describe('a response', () => {
  it('Q6: must belong to a known inference and hold a list of items', () => {
    expect(failure([...BASE, inferenceCompleted('I', [])])).toBe('inference_unknown');
    expect(failure([...BASE, inferenceFailed('I')])).toBe('inference_unknown');
    expect(failure([...BASE, inferenceCancelled('I')])).toBe('inference_unknown');
    expect(failure([...BASE, inferenceStarted('I', []), inferenceCompleted('I', {})])).toBe('response_items_invalid');
  });

  it('Q6: makes new items, also where the history holds the same text', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', [assistant('a')]),
      inferenceCompleted('I', [assistant('a')]),
    ]);
    expect(responseOf(graph, 'I')).toEqual([2]);
    expect(item(graph, 2).produced_by).toEqual([{ type: 'inference', inference_call_id: 'I' }]);
  });

  it('Q6: takes items that have the id of one of its own', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('q'), assistant('a', 'id'), call('c', '{}', 'call')]),
      inferenceCompleted('I1', [assistant('a', 'id'), call('c', '{}', 'call')]),
    ]);
    expect(responseOf(graph, 'I1')).toEqual([2, 3]);
  });

  it('Q6: an output item without an id may take such an item as well, but each only once', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I', [assistant('a', 'id')]),
      inferenceCompleted('I', [assistant('a'), assistant('a', 'id')]),
    ]);
    expect(responseOf(graph, 'I')).toEqual([1, 2]);
  });

  it('Q7: of the latest inference follows its request in the history', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a')]),
      inferenceCompleted('I1', [assistant('b')]),
      inferenceStarted('I2', [user('a'), assistant('b')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([1, 2]);
  });

  it('Q7: that comes again replaces the earlier one', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', []),
      inferenceCompleted('I1', [assistant('a')]),
      inferenceCompleted('I1', [assistant('b')]),
      inferenceStarted('I2', [assistant('a'), assistant('b')]),
    ]);
    expect(requestOf(graph, 'I2')).toEqual([3, 2]);
  });

  it('Q7: of an earlier inference changes nothing, nor does one behind a compaction', () => {
    const late = reduce([
      ...BASE,
      inferenceStarted('I1', []),
      inferenceStarted('I2', []),
      inferenceCompleted('I1', [assistant('a')]),
      inferenceStarted('I3', [assistant('a')]),
    ]).graph;
    expect(requestOf(late, 'I3')).toEqual([2]);
    const compacted = reduce([
      ...BASE,
      inferenceStarted('I1', []),
      compactionInstalled('K1', [], []),
      inferenceCompleted('I1', [assistant('a')]),
      compactionInstalled('K2', [assistant('a')], []),
    ]).graph;
    expect(compacted.compactions.get('K2')?.input_item_ids).toEqual(['conversation_item:3']);
  });
});

describe('the end of an inference', () => {
  const ended = (...ends: Parameters<typeof reduce>[0]) => {
    const { graph } = reduce([...BASE, inferenceStarted('I', []), ...ends]);
    return graph.inference_calls.get('I');
  };

  it('Q8: takes the response id of its last event, also when that has none', () => {
    const first = inferenceCompleted('I', [], { response_id: 'R' });
    expect(ended(first)?.response_id).toBe('R');
    expect(ended(first, inferenceFailed('I'))?.response_id).toBeNull();
  });

  it('Q8: keeps an upstream request id until another one comes', () => {
    const first = inferenceCompleted('I', [], { upstream_request_id: 'up' });
    expect(ended(first, inferenceFailed('I'))?.upstream_request_id).toBe('up');
    expect(ended(first, inferenceFailed('I', null, { upstream_request_id: 'two' }))?.upstream_request_id).toBe('two');
  });

  it('Q8: closes the window only while it is open: the status its turn gave it stays', () => {
    const window = ended(turnEnded('U', 'aborted'), inferenceCompleted('I', []))?.execution;
    expect(window).toMatchObject({ status: 'aborted', ended_seq: 4 });
  });

  it('Q8: without a payload keeps response and payload of the end before it', () => {
    const call = ended(inferenceCompleted('I', [assistant('a')]), inferenceFailed('I'));
    expect(call?.response_item_ids).toEqual(['conversation_item:1']);
    expect(call?.raw_response_payload_id).toBe('raw_payload:2');
  });

  it('Q8: reads usage where all four counts are integers; negative ones count as 0', () => {
    const usage = (token_usage: unknown) => ended(inferenceCompleted('I', [], { token_usage }))?.usage;
    expect(usage({ ...USAGE, input_tokens: -5, cache_write_input_tokens: 2 })).toEqual({
      input_tokens: 0,
      cached_input_tokens: 4,
      cache_write_input_tokens: 2,
      output_tokens: 3,
      reasoning_output_tokens: 1,
    });
    expect(usage({ ...USAGE, cache_write_input_tokens: 'x' })?.cache_write_input_tokens).toBe(0);
    expect(usage({ ...USAGE, output_tokens: 1.5 })).toBeNull();
    expect(usage(null)).toBeNull();
  });

  it('Q8: keeps the usage it has where a later end brings none, and reads that of partial responses', () => {
    expect(ended(inferenceCompleted('I', [], { token_usage: USAGE }), inferenceFailed('I', []))?.usage).toMatchObject(
      USAGE,
    );
    const partial = event('inference_failed', {
      inference_call_id: 'I',
      error: 'x',
      partial_response_payload: body({ output_items: [], token_usage: USAGE }),
    });
    expect(ended(partial)?.usage).toMatchObject(USAGE);
  });

  it('Q8: token counts keep all digits of 64 bits', () => {
    const text =
      '{"output_items":[],"token_usage":{"input_tokens":9223372036854775807,"cached_input_tokens":0,"output_tokens":0,"reasoning_output_tokens":0}}';
    const sketch = inferenceCompleted('I', []);
    sketch.payload.response_payload = new Body(text);
    expect(ended(sketch)?.usage?.input_tokens).toBe(9223372036854775807n);
  });
});

describe('the transcript of a thread', () => {
  it('Q9: holds what was sent or accepted, in the order it came into being', () => {
    const { graph } = reduce([
      ...BASE,
      inferenceStarted('I1', [user('a')]),
      inferenceCompleted('I1', [assistant('b', 'b'), assistant('c', 'c'), assistant('d', 'd')]),
      accepted('d'),
      inferenceStarted('I2', [assistant('c', 'c'), user('a')]),
    ]);
    expect(transcriptOf(graph)).toEqual([1, 3, 4]);
  });

  it('Q9: leaves out response items that nothing followed up, though they exist', () => {
    const { graph } = reduce([...BASE, inferenceStarted('I', [user('a')]), inferenceCompleted('I', [assistant('b')])]);
    expect(transcriptOf(graph)).toEqual([1]);
    expect(responseOf(graph, 'I')).toEqual([2]);
    expect(item(graph, 2).thread_id).toBe('T');
  });

  it('Q9: holds input, marker and replacement of a compaction', () => {
    const { graph } = reduce([...BASE, compactionInstalled('K', [user('a'), output('c', 'x')], [user('r')])]);
    expect(transcriptOf(graph)).toEqual([1, 2, 3, 4]);
  });
});
