#!/usr/bin/env node
// Records a long session with the product's own recorder: several threads, full requests whose history grows, and
// compactions that shorten it. Same arguments, same bytes.
//
//   node packages/core/bench/reduce/session.mjs --calls 400 --out FOLDER [--threads 1] [--compact-every 0]
//        [--output-bytes 4096] [--format bundle|segment]
import { parseArgs } from 'node:util';
import { startRollout } from '@rollout-trace/core/recorder/node';

const { values: arg } = parseArgs({
  options: {
    calls: { type: 'string', default: '400' },
    threads: { type: 'string', default: '1' },
    'compact-every': { type: 'string', default: '0' },
    'output-bytes': { type: 'string', default: '4096' },
    format: { type: 'string', default: 'bundle' },
    out: { type: 'string' },
  },
});
if (arg.out === undefined) {
  console.error('--out is required: the folder to record below');
  process.exit(2);
}
const CALLS = Number(arg.calls);
const THREADS = Number(arg.threads);
const COMPACT_EVERY = Number(arg['compact-every']);
const OUTPUT_BYTES = Number(arg['output-bytes']);
const CALLS_PER_TURN = 12;

let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const hex = (digits) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
const WORDS =
  'buffer cache client config cursor decode event field flush header index ledger limit packet parser path — é'.split(
    ' ',
  );
const text = (bytes) => {
  let out = '';
  while (out.length < bytes) out += `${WORDS[Math.floor(random() * WORDS.length)]}${random() < 0.1 ? '\n' : ' '}`;
  return out;
};
let now = 1_795_000_000_000;
const clock = () => (now += 7);

const tools = Array.from({ length: 24 }, (_, i) => ({
  type: 'function',
  name: i === 0 ? 'exec_command' : `tool_${i}`,
  description: text(900),
  parameters: { type: 'object', properties: { cmd: { type: 'string', description: text(120) } }, required: ['cmd'] },
}));
const message = (role, body) => ({
  type: 'message',
  id: `msg_${hex(24)}`,
  role,
  content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: body }],
});

const rollout = startRollout({ root: arg.out, format: arg.format, metadata: { model: 'gpt-5.4' }, clock, newId: uuid });
const agents = Array.from({ length: THREADS }, (_, i) => ({
  thread: i === 0 ? rollout.root : rollout.root.startChild({ taskName: `worker_${i}` }),
  history: [message('developer', text(12_000)), message('user', text(400))],
  calls: 0,
  turn: null,
}));

const accept = (agent, item) => {
  agent.history.push(item);
  agent.turn.itemAccepted(item.id);
};

const infer = (agent) => {
  const { turn } = agent;
  const request = {
    model: 'gpt-5.4',
    stream: true,
    input: agent.history,
    tools,
    store: false,
    prompt_cache_key: rollout.root.id,
  };
  const attempt = turn.inference({ model: 'gpt-5.4', providerName: 'loopback' }).start(request);
  const callId = `call_${hex(20)}`;
  const args = JSON.stringify({ cmd: `rg -n ${text(20)}`, yield_time_ms: 1000 });
  const output = [
    { type: 'reasoning', id: `rs_${hex(24)}`, summary: [], content: null, encrypted_content: hex(1500) },
    { type: 'function_call', id: `fc_${hex(24)}`, name: 'exec_command', arguments: args, call_id: callId },
  ];
  attempt.complete({ responseId: `resp_${hex(24)}`, outputItems: output });
  for (const item of output) accept(agent, item);
  const tool = turn.startToolCall({ callId, name: 'exec_command', payload: { type: 'function', arguments: args } });
  const shown = text(OUTPUT_BYTES * (0.5 + random()));
  const common = {
    call_id: callId,
    process_id: String(10_000 + agent.calls),
    turn_id: turn.id,
    command: ['bash', '-lc', 'rg'],
    cwd: '/home/dev',
  };
  tool.runtimeStarted({ ...common, started_at_ms: now });
  tool.runtimeEnded('completed', {
    ...common,
    completed_at_ms: now,
    aggregated_output: shown,
    exit_code: 0,
    status: 'completed',
  });
  const answer = { type: 'function_call_output', call_id: callId, output: shown };
  tool.respond(answer);
  accept(agent, { ...answer, id: `fco_${hex(24)}` });
  agent.calls += 1;
};

const compact = (agent) => {
  const compaction = agent.turn.compaction({ model: 'gpt-5.4', providerName: 'loopback' });
  const summary = { type: 'compaction', id: `cmp_${hex(24)}`, encrypted_content: hex(3000) };
  compaction.start({ model: 'gpt-5.4', input: agent.history }).complete([summary]);
  const replacement = [...agent.history.filter((item) => item.role === 'user' || item.role === 'developer'), summary];
  compaction.install({ inputHistory: agent.history, replacementHistory: replacement });
  agent.history = [...replacement];
};

for (let call = 0; call < CALLS; call++) {
  const agent = agents[call % THREADS];
  if (agent.turn === null) {
    agent.turn = agent.thread.startTurn();
    accept(agent, message('user', text(200)));
  }
  infer(agent);
  if (COMPACT_EVERY > 0 && agent.calls % COMPACT_EVERY === 0) compact(agent);
  if (agent.calls % CALLS_PER_TURN === 0) {
    agent.turn.end();
    agent.turn = null;
  }
}
for (const agent of agents) agent.turn?.end();
rollout.end();
console.log(rollout.location);
