/**
 * Sessions that use every method of the recorder and write every type of event, for tests that hold recordings against
 * one another and against the reference.
 */

import { agentActivity } from '../agent.ts';
import type { Rollout } from '../rollout.ts';
import type { Turn } from '../turn.ts';

const MODEL = { model: 'model-1', providerName: 'provider' };

/** A message item. */
export function message(id: string, role: string, text: string): object {
  const type = role === 'assistant' ? 'output_text' : 'input_text';
  return { type: 'message', id, role, content: [{ type, text }] };
}

/** A function call item. */
export function functionCall(id: string, callId: string, name: string, args: object): object {
  return { type: 'function_call', id, name, arguments: JSON.stringify(args), call_id: callId };
}

/** A function call's output item. */
export function functionOutput(id: string, callId: string, output: unknown): object {
  return { type: 'function_call_output', id, call_id: callId, output };
}

/** A request body. */
export function request(input: readonly object[], more: object = {}): object {
  return {
    model: 'model-1',
    stream: true,
    input,
    tools: [{ type: 'function', name: 'exec_command', parameters: { type: 'object', properties: {} } }],
    tool_choice: 'auto',
    ...more,
  };
}

/** Token counts that say something. */
export const USAGE = {
  input_tokens: 100,
  cached_input_tokens: 40,
  cache_write_input_tokens: 5,
  output_tokens: 20,
  reasoning_output_tokens: 8,
  total_tokens: 120,
};

function answer(turn: Turn, input: readonly object[], text: string, n: number): object {
  const item = message(`msg_answer_${n}`, 'assistant', text);
  const attempt = turn.inference(MODEL).start(request(input));
  attempt.complete({ responseId: `resp_${n}`, upstreamRequestId: `req_${n}`, tokenUsage: USAGE, outputItems: [item] });
  turn.itemAccepted(`msg_answer_${n}`);
  return item;
}

function plain(rollout: Rollout): void {
  const { root } = rollout;
  root.protocolEvent('session_configured', { type: 'session_configured', model: 'model-1' });
  const turn = root.startTurn();
  root.protocolEvent('turn_started', { type: 'task_started', turn_id: turn.id });
  turn.itemAccepted('msg_1');
  answer(turn, [message('msg_1', 'user', 'Hello. Grüße, 你好, 😀.')], 'Hi.', 1);
  turn.end();
  root.protocolEvent('turn_complete', { type: 'task_complete', turn_id: turn.id });
  rollout.end();
}

function growingHistory(rollout: Rollout): void {
  const history: object[] = [message('msg_1', 'user', 'Count.')];
  for (let n = 1; n <= 5; n++) {
    const turn = rollout.root.startTurn();
    history.push(answer(turn, [...history], `${n}`, n), message(`msg_user_${n}`, 'user', 'And on.'));
    turn.end();
  }
  rollout.end();
}

function incremental(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  answer(turn, [message('msg_1', 'user', 'One')], 'Two', 1);
  const attempt = turn
    .inference(MODEL)
    .start(request([message('msg_3', 'user', 'Three')], { type: 'response.create', previous_response_id: 'resp_1' }));
  const outputItems = [message('msg_4', 'assistant', 'Four')];
  attempt.complete({ responseId: 'resp_2', tokenUsage: null, outputItems: () => outputItems });
  turn.end();
  rollout.end();
}

function failures(rollout: Rollout): void {
  const { root } = rollout;
  const user = message('msg_1', 'user', 'Try.');
  const first = root.startTurn();
  const context = first.inference(MODEL);
  context.start(request([user])).fail(new Error('stream cut'), {
    upstreamRequestId: 'req_1',
    outputItems: [message('msg_part', 'assistant', 'Par')],
  });
  context.start(() => request([user])).fail('HTTP 500');
  root.protocolEvent('error', { type: 'error', message: 'HTTP 500' });
  first.end('failed');
  const second = root.startTurn();
  second
    .inference(MODEL)
    .start(request([user]))
    .cancel('interrupted', {
      outputItems: [
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'x' },
      ],
    });
  root.protocolEvent('turn_aborted', { type: 'turn_aborted', reason: 'interrupted' });
  second.end('cancelled');
  const third = root.startTurn();
  third.inference(MODEL).start(request([user]));
  third.end('aborted');
  root.protocolEvent('thread_rolled_back', { type: 'thread_rolled_back', num_turns: 1 });
  root.startTurn().end('running');
  rollout.end('failed');
}

function terminal(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  const exec = { cmd: 'cat', tty: true };
  const stdin = { session_id: 7, chars: 'hi\n' };
  const call = functionCall('fc_1', 'call_1', 'exec_command', exec);
  const write = functionCall('fc_2', 'call_2', 'write_stdin', stdin);
  const user = message('msg_1', 'user', 'Start cat and write to it.');
  const attempt = turn.inference(MODEL).start(request([user]));
  const run = turn.startToolCall({
    name: 'exec_command',
    callId: 'call_1',
    payload: { type: 'function', arguments: JSON.stringify(exec) },
  });
  const process = {
    call_id: 'call_1',
    process_id: '7',
    turn_id: turn.id,
    command: ['/bin/bash', '-lc', 'cat'],
    cwd: '/work',
  };
  run.runtimeStarted({ ...process, started_at_ms: 1, parsed_cmd: [], source: 'unified_exec_startup' });
  run.respond(functionOutput('fco_1', 'call_1', 'Process running with session ID 7'));
  const into = turn.startToolCall({
    name: 'write_stdin',
    callId: 'call_2',
    payload: { type: 'function', arguments: JSON.stringify(stdin) },
  });
  into.stdinTarget(run);
  into.respond(functionOutput('fco_2', 'call_2', 'hi'));
  attempt.complete({ responseId: 'resp_1', outputItems: [call, write] });
  run.runtimeEnded('completed', {
    ...process,
    completed_at_ms: 2,
    aggregated_output: 'hi\n',
    exit_code: 0,
    duration: { secs: 1, nanos: 0 },
    status: 'completed',
  });
  const history = [
    user,
    call,
    functionOutput('fco_1', 'call_1', 'Process running'),
    write,
    functionOutput('fco_2', 'call_2', 'hi'),
  ];
  answer(turn, history, 'Done.', 2);
  turn.end();
  rollout.end();
}

function tools(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  const patch = turn.startToolCall({
    name: 'apply_patch',
    callId: 'call_p',
    payload: { type: 'custom', input: `*** Begin Patch\n${'+line 😀\n'.repeat(40)}*** End Patch\n` },
  });
  patch.runtimeStarted({ call_id: 'call_p', auto_approved: true, changes: {} });
  patch.runtimeEnded('failed', { call_id: 'call_p', success: false, status: 'failed' });
  patch.fail(new Error('verification failed'));
  const search = turn.startToolCall({
    name: 'tool_search',
    callId: 'call_s',
    payload: { type: 'tool_search', arguments: { query: 'agents', limit: 8 } },
  });
  search.respond({ type: 'tool_search_output', call_id: 'call_s', status: 'completed', tools: [] });
  const shell = turn.startToolCall({
    name: 'local_shell',
    callId: 'call_l',
    payload: { type: 'local_shell', command: ['ls', '-l'], workdir: null, timeout_ms: 1000 },
  });
  shell.end('aborted');
  turn
    .startToolCall({
      name: 'lookup',
      namespace: 'data',
      callId: 'call_o',
      payload: { type: 'function', arguments: '{}' },
    })
    .respond(functionOutput('fco_o', 'call_o', 'value'), 'failed');
  turn
    .startToolCall({ name: 'background', toolCallId: 'internal-1', payload: { type: 'function', arguments: '' } })
    .end('completed');
  turn.end();
  rollout.end();
}

function mcp(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  const call = turn.startToolCall({
    name: 'now',
    namespace: 'mcp__clock',
    callId: 'call_1',
    payload: { type: 'function', arguments: '{"zone":"UTC"}' },
  });
  const kind = { type: 'mcp', server: 'clock', tool: 'now' } as const;
  call.runtimeStarted(
    { call_id: 'call_1', turn_id: turn.id, invocation: { server: 'clock', tool: 'now', arguments: { zone: 'UTC' } } },
    kind,
  );
  call.mcpRequest({ name: 'now', arguments: { zone: 'UTC' }, _meta: { progressToken: 1 } });
  call.runtimeEnded('completed', { result: { Ok: { content: [{ type: 'text', text: '12:00' }] } } });
  call.respond(functionOutput('fco_1', 'call_1', '12:00'));
  turn.end();
  rollout.end();
}

function codeCells(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  const source = 'text(await tools.exec_command({ cmd: "ls" }))';
  const exec = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_1', name: 'exec', input: source };
  const user = message('msg_1', 'user', 'Run it.');
  turn
    .inference(MODEL)
    .start(request([user]))
    .complete({ responseId: 'resp_1', outputItems: [exec] });
  const call = turn.startToolCall({ name: 'exec', callId: 'call_1', payload: { type: 'custom', input: source } });
  const cell = turn.startCodeCell({ runtimeCellId: '1', modelVisibleCallId: 'call_1', source });
  const nested = cell.startToolCall({
    name: 'exec_command',
    runtimeToolId: 'tool-1',
    payload: { type: 'function', arguments: '{"cmd":"ls"}' },
  });
  nested.runtimeStarted({ call_id: nested.id, process_id: '9', command: ['ls'], cwd: '/work' });
  cell.initialResponse('yielded', { Yielded: { cell_id: '1', content_items: [] } });
  call.respond({ type: 'custom_tool_call_output', call_id: 'call_1', output: 'Script running with cell ID 1' });
  nested.runtimeEnded('completed', { call_id: nested.id, process_id: '9', aggregated_output: 'a\n', exit_code: 0 });
  nested.respondToCode(() => ({ output: 'a\n', exit_code: 0 }));
  const wait = turn.startToolCall({
    name: 'wait',
    callId: 'call_2',
    payload: { type: 'function', arguments: '{"cell_id":"1"}' },
  });
  cell.end('completed', () => ({ Result: { cell_id: '1', content_items: [], error_text: null } }));
  wait.respond(functionOutput('fco_2', 'call_2', 'Script completed'));
  const second = turn.startCodeCell({ runtimeCellId: '2', modelVisibleCallId: 'call_1b', source: 'throw 1' });
  second.initialResponse('failed', { Result: { cell_id: '2', content_items: [], error_text: '1' } });
  second.end('failed');
  const output = {
    type: 'custom_tool_call_output',
    id: 'ctco_1',
    call_id: 'call_1',
    output: 'Script running with cell ID 1',
  };
  answer(turn, [user, exec, output], 'Fine.', 2);
  turn.end();
  rollout.end();
}

function compaction(rollout: Rollout): void {
  const { root } = rollout;
  const history = Array.from({ length: 8 }, (_, n) =>
    message(`msg_${n}`, n % 2 === 0 ? 'user' : 'assistant', `Part ${n}`),
  );
  const first = root.startTurn();
  answer(first, history, 'Enough.', 1);
  first.end();
  const turn = root.startTurn();
  const compacting = turn.compaction(MODEL);
  compacting
    .start({ ...request([...history, { type: 'compaction_trigger' }]), instructions: 'Shorten.' })
    .fail('overloaded');
  const summary = { type: 'compaction', id: 'cmp_1', encrypted_content: 'abc' };
  compacting.start(() => request(history)).complete([summary]);
  const kept = [history[0] as object, history[6] as object, summary];
  compacting.install({ inputHistory: history.slice(1), replacementHistory: kept });
  answer(turn, [...kept, message('msg_new', 'user', 'Go on.')], 'Gladly.', 2);
  turn.end();
  rollout.end();
}

function agents(rollout: Rollout): void {
  const { root } = rollout;
  const turn = root.startTurn();
  const args = { task_name: 'alpha', message: 'Look around.' };
  const spawnItem = functionCall('fc_1', 'call_1', 'spawn_agent', args);
  const user = message('msg_1', 'user', 'Send someone.');
  const attempt = turn.inference(MODEL).start(request([user]));
  const spawn = turn.startToolCall({
    name: 'spawn_agent',
    namespace: 'collaboration',
    callId: 'call_1',
    payload: { type: 'function', arguments: JSON.stringify(args) },
  });
  const child = root.startChild({ taskName: 'alpha', nickname: 'Ada', metadata: { model: 'model-2' } });
  spawn.runtimeEnded(
    'completed',
    agentActivity({
      eventId: 'call_1',
      kind: 'started',
      occurredAtMs: 5,
      agentThreadId: child.id,
      agentPath: child.agentPath,
    }),
  );
  spawn.respond(functionOutput('fco_1', 'call_1', '{"task_name":"/root/alpha"}'));
  attempt.complete({ responseId: 'resp_1', outputItems: [spawnItem] });
  const work = child.startTurn();
  const task = {
    type: 'agent_message' as const,
    id: 'amsg_1',
    author: '/root',
    recipient: '/root/alpha',
    content: [{ type: 'encrypted_content' as const, encrypted_content: 'Look around.' }],
  };
  work.itemAccepted('amsg_1', task);
  const grandchild = child.startChild({ taskName: 'beta', agentRole: 'reader' });
  grandchild.startTurn().end();
  grandchild.end();
  const found = message('msg_c', 'assistant', 'Nothing here.');
  work
    .inference(MODEL)
    .start(request([task]))
    .complete({ responseId: 'resp_c', outputItems: [found] });
  work.itemAccepted('msg_c');
  work.end();
  child.agentResult({
    turn: work,
    parent: root,
    message: 'FINAL_ANSWER Nothing here.',
    status: { completed: 'Nothing here.' },
  });
  child.end();
  child.resume();
  const again = child.startTurn();
  answer(again, [task, found, message('msg_d', 'user', 'Look again.')], 'Still nothing.', 3);
  again.end();
  child.end('aborted');
  root.itemAccepted('amsg_2', () => ({
    ...task,
    id: 'amsg_2',
    author: '/root/alpha',
    recipient: '/root',
    content: [{ type: 'input_text', text: 'FINAL_ANSWER Nothing here.' }],
  }));
  turn.end();
  root.protocolEvent('shutdown_complete', () => ({ type: 'shutdown_complete' }));
  root.end();
}

function unfinished(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  turn.inference(MODEL).start(request([message('msg_1', 'user', 'And then')]));
  turn.startToolCall({ name: 'wait_agent', callId: 'call_1', payload: { type: 'function', arguments: '{}' } });
}

function odd(rollout: Rollout): void {
  const turn = rollout.root.startTurn();
  const shared = { type: 'input_text', text: 'Said twice.' };
  const input: object[] = [
    { type: 'message', id: 'msg_1', role: 'user', content: [shared, shared], phase: undefined, when: new Date(0) },
    { type: 'message', id: 'msg_2', role: 'user', content: [{ type: 'input_text', text: 'half \ud800 a pair' }] },
  ];
  const big: Record<string, unknown> = {
    ...request(input),
    7: 'seven',
    nothing: null,
    empty: {},
    none: [],
    big: 10n ** 20n,
  };
  big.self = big;
  turn
    .inference(MODEL)
    .start(big)
    .complete({ outputItems: [message('msg_3', 'assistant', '\u0000\u001f"\\/\u2028 é 😀')] });
  (input[0] as { content: object[] }).content[0] = { type: 'input_text', text: 'Changed in place.' };
  turn
    .inference(MODEL)
    .start({ ...big, tools: [] })
    .complete({ outputItems: [] });
  turn.inference(MODEL).start({ input: [] }).complete({});
  turn
    .inference(MODEL)
    .start({ input: [], other: [1.5, -0, 1e21, 1e-7, Number.NaN, 5e-324] })
    .fail(undefined);
  turn.end();
  rollout.end();
}

/** Every scenario by name. */
export const SCENARIOS: ReadonlyMap<string, (rollout: Rollout) => void> = new Map([
  ['plain', plain],
  ['growing history', growingHistory],
  ['incremental requests', incremental],
  ['failures', failures],
  ['terminal', terminal],
  ['tools', tools],
  ['mcp', mcp],
  ['code cells', codeCells],
  ['compaction', compaction],
  ['agents', agents],
  ['unfinished', unfinished],
  ['odd values', odd],
]);
