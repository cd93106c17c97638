// The event table: docs/reducer.md, section 6.10.

import { describe, expect, it } from 'vitest';
import { body, event, failure, reduce } from './testing/scenario.ts';

describe('events without a noun of their own', () => {
  it('O1: a protocol event leaves its payload and nothing else', () => {
    const { graph } = reduce([event('protocol_event_observed', { event_type: 'x', event_payload: body({}) })]);
    expect([...graph.raw_payloads.keys()]).toEqual(['raw_payload:1']);
    expect(graph.threads.size + graph.conversation_items.size).toBe(0);
  });

  it('O1: an event of type other has no meaning, so strict mode ends at it and salvage keeps only its payloads', () => {
    const other = event('other', { kind: 'k', summary: 's', payloads: [body({})], metadata: null });
    expect(failure([other])).toBe('event_unsupported');
    const { graph, findings } = reduce([other], { mode: 'salvage' });
    expect(findings.map(({ code }) => code)).toEqual(['event_unsupported']);
    expect([...graph.raw_payloads.keys()]).toEqual(['raw_payload:1']);
  });
});
