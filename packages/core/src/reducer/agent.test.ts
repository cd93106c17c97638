// Agents and the edges between them: docs/reducer.md, section 6.9.

import { describe, expect, it } from 'vitest';
import type { InteractionEdge } from '../format/graph.ts';
import {
  agentResult,
  assistant,
  body,
  failure,
  inferenceStarted,
  invocation,
  mail,
  reduce,
  runtimeEnded,
  runtimeStarted,
  type Sketch,
  threadStarted,
  toolEnded,
  toolStarted,
  turnStarted,
  user,
} from './testing/scenario.ts';

// Thread ids inside agent payloads are UUIDs, so the threads here have such ids.
const P = '00000000-0000-4000-8000-00000000000a';
const C = '00000000-0000-4000-8000-00000000000c';
const inParent = { thread_id: P, codex_turn_id: 'PU' };
const inChild = { thread_id: C, codex_turn_id: 'CU' };

/** A parent `/root` and a child `/root/c`, each in a turn. */
const AGENTS: Sketch[] = [
  threadStarted(P, '/root'),
  turnStarted('PU', P),
  threadStarted(C, '/root/c'),
  turnStarted('CU', C),
];

const SEND = { type: 'send_message' };
const SPAWN = { type: 'spawn_agent' };
const CLOSE = { type: 'close_agent' };

const interaction = (more = {}) => ({
  call_id: 'c',
  sender_thread_id: P,
  receiver_thread_id: C,
  prompt: 'hi',
  ...more,
});
const ended = (more = {}) => interaction({ status: 'running', ...more });
const spawned = (more = {}) => ({
  call_id: 'c',
  sender_thread_id: P,
  new_thread_id: C,
  prompt: 'hi',
  model: 'm',
  reasoning_effort: 'high',
  status: 'pending_init',
  ...more,
});
const activity = (kind: string, more = {}) => ({
  event_id: 'e',
  agent_thread_id: C,
  agent_path: '/root/c',
  kind,
  ...more,
});

const agentTool = (id: string, kind: object, message?: string) => {
  const invocation_payload = message === undefined ? null : invocation('agent', { message });
  return toolStarted(id, { kind, invocation_payload }, inParent);
};
/** The parent sends `hi` to the child: observed when the runtime starts. */
const send = (id = 't'): Sketch[] => [agentTool(id, SEND), runtimeStarted(id, interaction(), SEND)];
const shown = (...items: object[]): Sketch => inferenceStarted(`I${items.length}`, items, inChild);

const edgesOf = (...sketches: Sketch[]): InteractionEdge[] => [
  ...reduce([...AGENTS, ...sketches]).graph.interaction_edges.values(),
];
const targets = (...sketches: Sketch[]) =>
  edgesOf(...sketches).map(({ target }) => ('item_id' in target ? target.item_id : target));
const refusal = (...sketches: Sketch[]) => failure([...AGENTS, ...sketches]);

const FIRST = ['conversation_item:1'];

describe('mail', () => {
  const encrypted = (content: string) => ({ type: 'encrypted_content', encrypted_content: content });
  const text = (content: string) => ({ type: 'input_text', text: content });
  const message = (...content: object[]) => ({ ...mail('/root', '/root/c', ''), content });
  const json = (more: object) =>
    assistant(JSON.stringify({ author: '/root', recipient: '/root/c', content: 'hi', trigger_turn: true, ...more }));

  it.each([
    ['an agent message with a text', message(text('hi'))],
    ['an agent message with an encrypted text', message(encrypted('hi'))],
    ['an agent message with a header and an encrypted text', message(text('header'), encrypted('hi'))],
    ['an answer that is mail as JSON', json({})],
    ['mail as JSON with other recipients and keys', json({ other_recipients: ['/root/d'], added: 1 })],
    ['mail as JSON whose content is encrypted', json({ content: 'x', encrypted_content: 'hi' })],
  ])('E1: %s is mail', (_, item) => {
    expect(targets(...send(), shown(item))).toEqual(FIRST);
  });

  it.each([
    ['to another agent', mail('/root', '/root/d', 'hi')],
    ['from another agent', mail('/root/d', '/root/c', 'hi')],
    ['of two plain texts', message(text('header'), text('hi'))],
    ['as JSON without trigger_turn', json({ trigger_turn: undefined })],
    ['as JSON with an author that is no path', json({ author: 'root' })],
    ['as JSON with a recipient below itself', json({ recipient: '/root/root' })],
    ['as JSON with other recipients that are no paths', json({ other_recipients: ['x'] })],
    ['as JSON in a message of the user', { ...json({}), role: 'user' }],
  ])('E1: a message %s is not that mail', (_, item) => {
    expect(targets(...send(), shown(item))).toEqual([]);
  });

  it('E1: a thread id may be written in every way a UUID can be', () => {
    for (const written of [C.toUpperCase(), C.replaceAll('-', ''), `{${C}}`, `urn:uuid:${C}`]) {
      const start = runtimeStarted('t', interaction({ receiver_thread_id: written }), SEND);
      expect(targets(agentTool('t', SEND), start, shown(mail('/root', '/root/c', 'hi')))).toEqual(FIRST);
    }
  });

  it.each([
    ['no call id', { call_id: undefined }],
    ['a thread id that is no UUID', { receiver_thread_id: 'C' }],
    ['no prompt', { prompt: null }],
  ])('E1: an interaction with %s is refused', (_, more) => {
    expect(refusal(agentTool('t', SEND), runtimeStarted('t', interaction(more), SEND))).toBe('agent_payload_invalid');
  });

  it.each(['idle', { completed: 1 }, { errored: null }, null])('E1: %j is no agent status', (status) => {
    expect(refusal(...send(), runtimeEnded('t', ended({ status })))).toBe('agent_payload_invalid');
  });

  it.each(['interrupted', { completed: null }, { completed: 'x' }, { errored: 'x' }])('E1: %j is one', (status) => {
    expect(refusal(...send(), runtimeEnded('t', ended({ status })))).toBe('reduces');
  });
});

describe('what a runtime tells', () => {
  it('E2: the start of a message is an edge without an end', () => {
    const [edge] = edgesOf(...send(), shown(mail('/root', '/root/c', 'hi')));
    expect(edge).toMatchObject({
      edge_id: 'edge:tool:t',
      kind: 'send_message',
      source: { type: 'tool_call', tool_call_id: 't' },
      started_at_unix_ms: 1050,
      ended_at_unix_ms: null,
      carried_item_ids: FIRST,
      carried_raw_payload_ids: ['raw_payload:1'],
    });
  });

  it('E2: the start of a spawn tells nothing', () => {
    expect(refusal(agentTool('t', SPAWN), runtimeStarted('t', {}, SPAWN))).toBe('reduces');
  });

  it('E3: the end of a spawn is an edge named after both threads; without a child there is none', () => {
    const start = [agentTool('t', SPAWN)];
    const [edge] = edgesOf(...start, runtimeEnded('t', spawned()), shown(mail('/root', '/root/c', 'hi')));
    expect(edge).toMatchObject({ edge_id: `edge:spawn:${P}:${C}`, kind: 'spawn_agent', ended_at_unix_ms: 1060 });
    expect(edgesOf(...start, runtimeEnded('t', spawned({ new_thread_id: null })))).toEqual([]);
    expect(refusal(...start, runtimeEnded('t', spawned({ reasoning_effort: '' })))).toBe('agent_payload_invalid');
  });

  it.each([
    ['spawn_agent', 'started', `edge:spawn:${P}:${C}`],
    ['assign_agent_task', 'interacted', 'edge:tool:t'],
    ['send_message', 'interacted', 'edge:tool:t'],
  ])('E3: %s that reports "%s" delivers the message of its invocation', (type, kind, id) => {
    const sketches = [
      agentTool('t', { type }, 'hi'),
      runtimeEnded('t', activity(kind)),
      shown(mail('/root', '/root/c', 'hi')),
    ];
    expect(edgesOf(...sketches)).toMatchObject([{ edge_id: id, kind: type, carried_item_ids: FIRST }]);
  });

  it('E3: close_agent that reports "interrupted" closes; "completed" says nothing, whatever the tool', () => {
    expect(edgesOf(agentTool('t', CLOSE), runtimeEnded('t', activity('interrupted')))).toHaveLength(1);
    expect(
      edgesOf(agentTool('t', { type: 'mcp', server: 's', tool: 't' }), runtimeEnded('t', activity('completed'))),
    ).toEqual([]);
  });

  it('E3: any other activity contradicts its tool, and one with an unknown word is no activity', () => {
    expect(refusal(agentTool('t', SEND, 'hi'), runtimeEnded('t', activity('started')))).toBe('agent_activity_mismatch');
    expect(refusal(agentTool('t', SEND, 'hi'), runtimeEnded('t', activity('slept')))).toBe('agent_payload_invalid');
    const astray = activity('interacted', { agent_path: '/elsewhere' });
    expect(refusal(agentTool('t', SEND, 'hi'), runtimeEnded('t', astray))).toBe('agent_payload_invalid');
  });

  it.each([
    ['no invocation', null],
    ['no arguments', body({ tool_name: 'x', payload: {} })],
    ['arguments without a message', invocation('x', {})],
    ['arguments that are not JSON', invocation('x', '{')],
  ])('E3: an activity of a tool call with %s is refused', (_, invocation_payload) => {
    const start = toolStarted('t', { kind: SEND, invocation_payload }, inParent);
    expect(refusal(start, runtimeEnded('t', activity('interacted')))).toBe('agent_payload_invalid');
  });
});

describe('a delivery', () => {
  it('E4: finds mail that is there already, the first that is no target yet', () => {
    const twice = shown(mail('/root', '/root/c', 'hi'), mail('/root', '/root/c', 'hi'));
    expect(targets(twice, ...send('t1'), ...send('t2'))).toEqual(['conversation_item:1', 'conversation_item:2']);
  });

  it('E4: carries invocation, runtime payloads and result', () => {
    const all = [
      agentTool('t', SEND, 'x'),
      runtimeStarted('t', interaction(), SEND),
      runtimeEnded('t', ended()),
      toolEnded('t', 'completed', {}),
      shown(mail('/root', '/root/c', 'hi')),
    ];
    expect(edgesOf(...all)[0]?.carried_raw_payload_ids).toEqual([1, 2, 3, 4].map((n) => `raw_payload:${n}`));
  });

  it('E4: that waits is widened by what agrees with it and contradicted by anything else', () => {
    const both = edgesOf(...send(), runtimeEnded('t', ended()), shown(mail('/root', '/root/c', 'hi')));
    expect(both).toMatchObject([{ started_at_unix_ms: 1050, ended_at_unix_ms: 1070 }]);
    expect(refusal(...send(), runtimeEnded('t', ended({ prompt: 'ho' })))).toBe('edge_conflict');
    expect(refusal(...send(), runtimeEnded('t', ended({ receiver_thread_id: P })))).toBe('edge_conflict');
  });

  it('E5: that is an edge already must keep its ends', () => {
    const made = [...send(), shown(mail('/root', '/root/c', 'hi'))];
    expect(
      refusal(
        ...made,
        shown(mail('/root', '/root/c', 'hi'), mail('/root', '/root/c', 'hi')),
        runtimeEnded('t', ended()),
      ),
    ).toBe('edge_conflict');
  });

  it('E6: that closes an agent leads to its thread; an unknown thread gives no edge', () => {
    const close = { call_id: 'c', sender_thread_id: P, receiver_thread_id: C };
    const edges = edgesOf(
      agentTool('t', CLOSE),
      runtimeStarted('t', close, CLOSE),
      runtimeEnded('t', { ...close, status: 'shutdown' }),
    );
    expect(edges).toMatchObject([
      { edge_id: 'edge:tool:t', kind: 'close_agent', target: { type: 'thread', thread_id: C }, ended_at_unix_ms: 1070 },
    ]);
    const unknown = { ...close, receiver_thread_id: C.replace('c', 'd') };
    expect(edgesOf(agentTool('t', CLOSE), runtimeStarted('t', unknown, CLOSE))).toEqual([]);
  });

  it('E7: that waits is completed by its mail, in the order the deliveries came, each mail once', () => {
    const two = [...send('t1'), ...send('t2')];
    const once = edgesOf(
      ...two,
      shown(mail('/root', '/root/c', 'hi')),
      shown(mail('/root', '/root/c', 'hi'), user('x')),
    );
    expect(once.map(({ edge_id }) => edge_id)).toEqual(['edge:tool:t1']);
    const both = edgesOf(...two, shown(mail('/root', '/root/c', 'hi'), mail('/root', '/root/c', 'hi')));
    expect(both.map(({ edge_id, carried_item_ids }) => [edge_id, ...carried_item_ids])).toEqual([
      ['edge:tool:t1', 'conversation_item:1'],
      ['edge:tool:t2', 'conversation_item:2'],
    ]);
  });
});

describe('the result of an agent', () => {
  const result = (more = {}) => agentResult('E', 'done', { child_thread_id: C, parent_thread_id: P, ...more });
  const heard = inferenceStarted('IP', [mail('/root/c', '/root', 'done')], inParent);
  const sourceOf = (...sketches: Sketch[]) => edgesOf(...sketches, heard)[0]?.source;

  it('E8: comes from the last thing the child said in its turn, else from its thread', () => {
    const answers = [shown(assistant('a')), shown(assistant('a'), assistant('b'))];
    expect(sourceOf(...answers, result())).toEqual({ type: 'conversation_item', item_id: 'conversation_item:2' });
    expect(sourceOf(shown(user('a'), mail('/root', '/root/c', 'x')), result())).toEqual({
      type: 'thread',
      thread_id: C,
    });
  });

  it('E8: of several said at one time takes the last by the bytes of the id', () => {
    const many = shown(...Array.from({ length: 10 }, (_, n) => assistant(`${n}`)));
    expect(sourceOf(many, result())).toEqual({ type: 'conversation_item', item_id: 'conversation_item:9' });
  });

  it('E8: needs a known child, and happens at one moment', () => {
    expect(refusal(result({ child_thread_id: 'X' }))).toBe('thread_unknown');
    expect(edgesOf(result(), heard)).toMatchObject([
      { edge_id: 'E', kind: 'agent_result', started_at_unix_ms: 1050, ended_at_unix_ms: 1050 },
    ]);
  });

  it('E9: whose mail never comes is dropped at the end, like every delivery but a spawn', () => {
    expect(edgesOf(result(), result({ edge_id: 'E2', parent_thread_id: 'X' }), ...send())).toEqual([]);
  });

  it('E10: a spawn whose mail never comes leads to the thread of the child, if that exists', () => {
    const spawn = [agentTool('t', SPAWN), runtimeEnded('t', spawned())];
    expect(edgesOf(...spawn)).toMatchObject([{ target: { type: 'thread', thread_id: C }, carried_item_ids: [] }]);
    const lost = [agentTool('t', SPAWN), runtimeEnded('t', spawned({ new_thread_id: C.replace('c', 'd') }))];
    expect(edgesOf(...lost)).toEqual([]);
  });
});
