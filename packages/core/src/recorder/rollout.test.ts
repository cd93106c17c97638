import { describe, expect, it } from 'vitest';
import { TROUBLES } from './diagnostics.ts';
import type { InferenceAttempt } from './inference.ts';
import { withMcpCallId } from './mcp.ts';
import { Rollout, startRollout } from './rollout.ts';
import type { Sink, SinkEntry } from './sink.ts';
import { EPOCH, type RecordedEvent, record, testHost } from './testing/recording.ts';
import { message, request, SCENARIOS } from './testing/scenarios.ts';
import { Thread } from './thread.ts';

const MODEL = { model: 'model-1', providerName: 'provider' };
const ask = (rollout: Rollout): InferenceAttempt =>
  rollout.root
    .startTurn()
    .inference(MODEL)
    .start(request([message('msg_1', 'user', 'Hello')]));
const types = (events: readonly RecordedEvent[]): string[] => events.map((event) => event.payload.type);
const ofType = (events: readonly RecordedEvent[], type: string): RecordedEvent[] =>
  events.filter((event) => event.payload.type === type);

describe('a disabled rollout', () => {
  it('accepts every call of every scenario and never evaluates a payload', () => {
    for (const scenario of SCENARIOS.values()) scenario(Rollout.disabled);
    let evaluated = false;
    const payload = (): never => {
      evaluated = true;
      throw new Error('evaluated');
    };
    const turn = Rollout.disabled.root.startTurn();
    turn.inference(MODEL).start(payload).complete({ outputItems: payload });
    turn.compaction(MODEL).start(payload).complete(payload);
    turn.compaction(MODEL).install(payload);
    turn.itemAccepted('item', payload);
    const call = turn.startToolCall({ name: 'x', payload: { type: 'function', arguments: '' } });
    call.runtimeStarted(payload);
    call.runtimeEnded('completed', payload);
    call.respond(payload);
    turn.startCodeCell({ runtimeCellId: '1', modelVisibleCallId: '1', source: '' }).end('completed', payload);
    Rollout.disabled.root.protocolEvent('warning', payload);
    expect(evaluated).toBe(false);
    expect(Rollout.disabled.troubles).toEqual({});
  });

  it('leaves requests as they are: no header, no metadata', () => {
    expect(ask(Rollout.disabled).headers).toEqual({});
    const sent = { name: 'tool' };
    const call = Rollout.disabled.root
      .startTurn()
      .startToolCall({ name: 'x', payload: { type: 'function', arguments: '' } });
    expect(call.mcpRequest(sent)).toBe(sent);
  });

  it('is what a host gets whose trace cannot be opened, and it is told why once', () => {
    const told: string[] = [];
    const rollout = startRollout({
      ...testHost(null),
      openSink: () => {
        throw new Error('EACCES');
      },
      onDiagnostic: ({ code, message: text }) => told.push(`${code}: ${text}`),
    });
    expect([rollout.recording, rollout.root, rollout.troubles]).toEqual([false, Thread.disabled, { open_failed: 1 }]);
    expect(told).toEqual([`open_failed: ${TROUBLES.open_failed}: EACCES`]);
  });
});

describe('a rollout', () => {
  it('begins with its manifest, its start and the root thread, and ends with recording_completed', () => {
    const { files, events, payload } = record((rollout) => rollout.end(), {
      metadata: { model: 'm', session_source: 'exec', own: 1 },
    });
    expect(types(events)).toEqual([
      'rollout_started',
      'thread_started',
      'thread_ended',
      'rollout_ended',
      'recording_completed',
    ]);
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(JSON.parse(files.get('manifest.json') ?? '')).toMatchObject({
      schema_version: 2,
      started_at_unix_ms: EPOCH,
    });
    expect(Object.keys(payload(events[1], 'metadata_payload') as object)).toEqual(
      'thread_id agent_path task_name nickname agent_role session_source cwd rollout_path model provider_name approval_policy sandbox_policy own'.split(
        ' ',
      ),
    );
  });

  it('is not ended by the end of a child, and is by that of its root, children first', () => {
    const { events } = record(({ root }) => {
      const first = root.startChild({ taskName: 'first' });
      root.startChild({ taskName: 'second' }).startChild({ taskName: 'third' });
      first.end();
      root.startTurn().end();
      root.end();
    });
    const ended = ofType(events, 'thread_ended').map((event) => event.payload.thread_id);
    const started = ofType(events, 'thread_started').map((event) => event.payload.thread_id);
    expect(ended).toEqual([started[1], started[3], started[2], started[0]]);
    expect(types(events).slice(-3)).toEqual(['thread_ended', 'rollout_ended', 'recording_completed']);
    expect(types(events).indexOf('codex_turn_started')).toBeGreaterThan(types(events).indexOf('thread_ended'));
  });

  it('ignores and counts what comes after its end', () => {
    const { events, rollout } = record((late) => {
      late.end();
      late.end();
      late.root
        .startTurn()
        .startToolCall({ name: 'x', payload: { type: 'function', arguments: '' } })
        .end('completed');
      late.root.end();
    });
    expect(types(events).at(-1)).toBe('recording_completed');
    expect(rollout.troubles.late_call).toBe(5);
  });

  it('keeps apart from another one in the same process', () => {
    const logs = [1, 2].map((n) =>
      record((rollout) => {
        ask(rollout).complete({});
        rollout.end(n === 1 ? 'completed' : 'failed');
      }),
    );
    for (const { events } of logs) expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
  });

  it('describes a child by its parent, its path and its task', () => {
    const { events, payload } = record(
      ({ root }) => root.startChild({ taskName: 'alpha' }).startChild({ taskName: 'beta', nickname: 'B' }),
      { metadata: { cwd: '/work', rollout_path: '/log' } },
    );
    const [, child, grandchild] = ofType(events, 'thread_started');
    expect(payload(grandchild, 'metadata_payload')).toMatchObject({
      agent_path: '/root/alpha/beta',
      task_name: 'beta',
      nickname: 'B',
      cwd: '/work',
      rollout_path: null,
      session_source: { subagent: { thread_spawn: { parent_thread_id: child?.payload.thread_id, depth: 2 } } },
    });
  });

  it('resumes a thread that has ended, and no other', () => {
    const { events, rollout } = record(({ root }) => {
      const child = root.startChild({ taskName: 'alpha' });
      child.resume();
      child.end();
      child.resume();
      child.resume();
    });
    expect(ofType(events, 'thread_resumed').length).toBe(1);
    expect(rollout.troubles.late_call).toBe(2);
  });

  it('holds no history of a thread that has ended: what is still asked in its name is told in full', () => {
    const entries: SinkEntry[] = [];
    const sink: Sink = { open: () => undefined, append: (entry) => entries.push(entry), close: () => undefined };
    const { root } = startRollout(testHost(sink));
    const child = root.startChild({ taskName: 'alpha' });
    const context = child.startTurn().inference(MODEL);
    const start = (): void => void context.start(request([message('msg_1', 'user', 'Hello')]));
    for (const step of [start, start, () => child.end(), start, start, () => child.resume(), start, start]) step();
    const requests = entries.flatMap(({ payloads }) => payloads).filter(({ kind }) => kind === 'inference_request');
    const bases = requests.map(({ body }) => (body.type === 'delta' ? typeof body.delta.base : 'whole'));
    expect(bases).toEqual(['object', 'number', 'whole', 'whole', 'object', 'number']);
  });
});

describe('an attempt', () => {
  it('ends once: the first terminal call wins, later ones are counted and their payloads not evaluated', () => {
    const { events, rollout } = record((live) => {
      const attempt = ask(live);
      attempt.cancel('interrupted');
      attempt.complete({ outputItems: () => expect.fail('evaluated') });
      attempt.fail('late');
    });
    expect(types(events).filter((type) => type.startsWith('inference_'))).toEqual([
      'inference_started',
      'inference_cancelled',
    ]);
    expect(rollout.troubles).toEqual({ late_call: 2 });
  });

  it('carries its id in the header that joins both sides', () => {
    let headers = {};
    const { events } = record((rollout) => {
      ({ headers } = ask(rollout));
    });
    const [started] = ofType(events, 'inference_started');
    expect(headers).toEqual({ 'x-codex-inference-call-id': started?.payload.inference_call_id });
  });

  it('keeps what had arrived when it failed, and nothing where nothing had', () => {
    const { events, payload } = record((rollout) => {
      ask(rollout).fail(new TypeError('cut'), { outputItems: [{ type: 'reasoning', summary: [], content: null }] });
      ask(rollout).fail('cut');
    });
    const [first, second] = ofType(events, 'inference_failed');
    expect(first?.payload.error).toBe('cut');
    expect(payload(first, 'partial_response_payload')).toEqual({
      response_id: null,
      upstream_request_id: null,
      token_usage: null,
      output_items: [{ type: 'reasoning', summary: [], content: null }],
    });
    expect(second?.payload.partial_response_payload).toBeNull();
  });

  it('records a request as it was sent, though the host changes it in place before the next', () => {
    const items = [message('msg_1', 'user', 'first'), message('msg_2', 'user', 'second')] as {
      content: { text: string }[];
    }[];
    const { events, payload } = record((rollout) => {
      const context = rollout.root.startTurn().inference(MODEL);
      context.start({ input: items });
      const [part] = items[0]?.content ?? [];
      if (part) part.text = 'changed';
      context.start({ input: items });
    });
    const texts = ofType(events, 'inference_started').map((event) =>
      (payload(event, 'request_payload') as { input: typeof items }).input.map((item) => item.content[0]?.text),
    );
    expect(texts).toEqual([
      ['first', 'second'],
      ['changed', 'second'],
    ]);
  });
});

describe('an MCP request', () => {
  it('gains one correlation id and keeps its other metadata', () => {
    const sent: object[] = [];
    const { events } = record(({ root }) => {
      const call = root
        .startTurn()
        .startToolCall({ name: 'now', namespace: 'mcp__clock', payload: { type: 'function', arguments: '' } });
      for (let i = 0; i < 2; i++) sent.push(call.mcpRequest({ name: 'now', _meta: { progressToken: 7 } }));
    });
    const assigned = ofType(events, 'mcp_tool_call_correlation_assigned');
    expect(assigned.length).toBe(1);
    const expected = {
      name: 'now',
      _meta: { progressToken: 7, codex_bridge_mcp_call_id: assigned[0]?.payload.mcp_call_id },
    };
    expect(sent).toEqual([expected, expected]);
  });

  it('is copied, not changed', () => {
    const sent = { _meta: { a: 1 } };
    withMcpCallId(sent, 'id');
    expect(sent).toEqual({ _meta: { a: 1 } });
  });
});
