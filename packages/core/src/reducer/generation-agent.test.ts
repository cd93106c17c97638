// What the rules of agents in docs/generations.md change.

import { describe, expect, it } from 'vitest';
import { type GenerationCase, outcome, type State, stepsCovered, stepsOf } from './testing/generation-case.ts';
import {
  agentResult,
  assistant,
  BASE,
  inferenceStarted,
  invocation,
  mail,
  runtimeEnded,
  runtimeStarted,
  threadStarted,
  toolStarted,
  turnStarted,
} from './testing/scenario.ts';

const P = '00000000-0000-4000-8000-00000000000a';
const C = '00000000-0000-4000-8000-00000000000c';
const AGENTS = [threadStarted(P, '/root'), turnStarted('PU', P), threadStarted(C, '/root/c'), turnStarted('CU', C)];
const inParent = { thread_id: P, codex_turn_id: 'PU' };
const inChild = { thread_id: C, codex_turn_id: 'CU' };
const OTHER = { type: 'other', name: 'f' };
const SEND = { type: 'send_message' };
const jsonMail = (more = {}) =>
  assistant(JSON.stringify({ author: '/root', recipient: '/root/c', content: 'hi', trigger_turn: true, ...more }));
/** The parent sends `hi` to the child. */
const send = (id: string) => [
  toolStarted(id, { kind: SEND, invocation_payload: invocation('send', { message: 'hi' }) }, inParent),
  runtimeStarted(id, { call_id: 'c', sender_thread_id: P, receiver_thread_id: C, prompt: 'hi' }, SEND),
];
const shown = (id: string, ...items: object[]) => inferenceStarted(id, items, inChild);
const activity = (kind: string) => ({ event_id: 'e', agent_thread_id: C, agent_path: '/root/c', kind });
const edges = (state: State) => Object.keys(state.interaction_edges);

const CASES: GenerationCase[] = [
  {
    rule: 'G38: an activity of a child agent',
    key: 'agentActivities',
    step: ['0.128', '0.140'],
    log: [
      ...AGENTS,
      toolStarted('t', { kind: { type: 'close_agent' } }, inParent),
      runtimeEnded('t', activity('interrupted')),
    ],
    see: edges,
    was: 'agent_payload_invalid',
    is: ['edge:tool:t'],
  },
  {
    rule: 'G39: the activity "completed"',
    key: 'activityCompleted',
    step: ['0.140', '0.150'],
    log: [...AGENTS, toolStarted('t', { kind: OTHER }, inParent), runtimeEnded('t', activity('completed'))],
    see: edges,
    was: 'agent_payload_invalid',
    is: [],
  },
  {
    rule: 'G40: mail with a header',
    key: 'headedMail',
    step: ['0.140', '0.150'],
    log: [
      ...AGENTS,
      ...send('t'),
      shown('I', {
        ...mail('/root', '/root/c', ''),
        content: [
          { type: 'input_text', text: 'header' },
          { type: 'encrypted_content', encrypted_content: 'hi' },
        ],
      }),
    ],
    see: edges,
    was: [],
    is: ['edge:tool:t'],
  },
  {
    rule: 'G41: mail of another author',
    key: 'mailAuthorCompared',
    step: ['0.128', '0.140'],
    log: [...AGENTS, ...send('t'), shown('I', jsonMail({ author: '/root/d' }))],
    see: edges,
    was: ['edge:tool:t'],
    is: [],
  },
  {
    rule: 'G42: mail as JSON with an encrypted content',
    key: 'encryptedJsonMail',
    step: ['0.128', '0.140'],
    log: [...AGENTS, ...send('t'), shown('I', jsonMail({ content: '', encrypted_content: 'hi' }))],
    see: edges,
    was: [],
    is: ['edge:tool:t'],
  },
  {
    rule: 'G43: one mail seen twice while two deliveries wait',
    key: 'mailLinkedOnce',
    step: ['0.128', '0.140'],
    log: [...AGENTS, ...send('t1'), ...send('t2'), shown('I1', jsonMail()), shown('I2', jsonMail())],
    see: edges,
    was: ['edge:tool:t1', 'edge:tool:t2'],
    is: ['edge:tool:t1'],
  },
  {
    rule: 'G44: the result of an unknown agent',
    key: 'resultChildChecked',
    step: ['0.128', '0.140'],
    log: [...BASE, agentResult('E', 'done')],
    see: edges,
    was: [],
    is: 'thread_unknown',
  },
  {
    rule: 'G45: the reasoning effort of a spawn',
    key: 'anyReasoningEffort',
    step: ['0.128', '0.140'],
    log: [
      ...AGENTS,
      toolStarted('t', { kind: { type: 'spawn_agent' } }, inParent),
      runtimeEnded('t', {
        call_id: 'c',
        sender_thread_id: P,
        new_thread_id: C,
        prompt: 'hi',
        model: 'm',
        reasoning_effort: 'ultra',
        status: 'running',
      }),
    ],
    see: edges,
    was: 'agent_payload_invalid',
    is: [`edge:spawn:${P}:${C}`],
  },
];

describe.each(CASES)('$rule', (rule) => {
  const [before, after] = rule.step;
  it(`differs between ${before} and ${after}`, () => {
    expect(outcome(rule, before)).toEqual(rule.was);
    expect(outcome(rule, after)).toEqual(rule.is);
  });
});

it('every step of these rules has a case', () => {
  const keys = new Set(CASES.map(({ key }) => key));
  expect([...keys].flatMap(stepsOf).filter((step) => !stepsCovered(CASES).has(step))).toEqual([]);
});

it('G27: transcript order and creation order find the same mail, as long as ids enter the transcript at first use', () => {
  const log = [...AGENTS, shown('I', jsonMail(), jsonMail()), ...send('t')];
  const target = (state: State) => state.interaction_edges['edge:tool:t'].target.item_id;
  const rule = { rule: 'G27', key: 'mailInCreationOrder', step: ['0.164', '0.165'], log, see: target } as const;
  for (const generation of rule.step) {
    expect(outcome({ ...rule, was: null, is: null }, generation)).toBe('conversation_item:1');
  }
});
