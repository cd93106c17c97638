import { describe, expect, it, vi } from 'vitest';
import { BundleSink } from './bundle-sink.ts';
import type { InferenceAttempt } from './inference.ts';
import { MemoryBundle } from './memory.ts';
import { type Rollout, startRollout } from './rollout.ts';
import type { Sink, SinkEntry } from './sink.ts';
import { type RecordedEvent, record, testHost } from './testing/recording.ts';
import { message, request, SCENARIOS } from './testing/scenarios.ts';
import { ToolCall } from './tool.ts';

const ARGUMENTS = { type: 'function', arguments: '{}' } as const;
const MODEL = { model: 'model-1', providerName: 'provider' };
const ask = (rollout: Rollout): InferenceAttempt =>
  rollout.root
    .startTurn()
    .inference(MODEL)
    .start(request([message('msg_1', 'user', 'Hello')]));

/** A bundle sink that fails where the test says. */
function failing(fails: (entry: SinkEntry) => boolean): { sink: Sink; memory: MemoryBundle } {
  const memory = new MemoryBundle();
  const bundle = new BundleSink(memory);
  return {
    memory,
    sink: {
      open: (manifest) => bundle.open(manifest),
      append: (entry) => {
        if (fails(entry)) throw new Error('ENOSPC: no space left on device');
        bundle.append(entry);
      },
      close: () => bundle.close(),
    },
  };
}

describe('what is lost', () => {
  it('takes along what belongs to it, so that the log never names what it does not have', () => {
    const { sink, memory } = failing(({ line }) =>
      /"type":"(inference_started|tool_call_started|code_cell_started)"/.test(line),
    );
    const rollout = startRollout(testHost(sink));
    SCENARIOS.get('code cells')?.(rollout);
    const log = new TextDecoder().decode(memory.files().get('trace.jsonl'));
    expect(log).not.toMatch(/inference_completed|tool_call_ended|code_cell_ended/);
    expect(
      log
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as RecordedEvent).seq),
    ).toEqual(
      log
        .trimEnd()
        .split('\n')
        .map((_, i) => i + 1),
    );
    expect(rollout.troubles).toMatchObject({ write_failed: 6, parent_missing: 12 });
  });

  it('takes along what would name it', () => {
    const { events, rollout } = record((live) => {
      const { root } = live;
      const turn = root.startTurn();
      const kind = { type: 'mcp', server: 1, tool: 2 } as never;
      const exec = turn.startToolCall({ name: 'exec_command', payload: ARGUMENTS, kind });
      turn.startToolCall({ name: 'write_stdin', payload: ARGUMENTS }).stdinTarget(exec);
      const child = root.startChild({ taskName: 'a' });
      const lost = child.startTurn({ turnId: 7 as never });
      child.agentResult({ turn: lost, parent: root, message: '', status: 'running' });
      child.agentResult({
        turn: child.startTurn(),
        parent: root.startChild({ taskName: 7 as never }),
        message: '',
        status: 'running',
      });
    });
    expect(events.map(({ payload }) => payload.type)).not.toContain('stdin_target_resolved');
    expect(events.map(({ payload }) => payload.type)).not.toContain('agent_result_observed');
    expect(rollout.troubles).toEqual({ argument_invalid: 3, parent_missing: 3 });
  });

  it('is a record that names what belongs to another trace', () => {
    const { root: other } = startRollout(testHost(new BundleSink(new MemoryBundle())));
    const turn = other.startTurn();
    const exec = turn.startToolCall({ name: 'exec_command', payload: ARGUMENTS });
    const { events, rollout } = record(({ root }) => {
      const call = root.startTurn().startToolCall({ name: 'write_stdin', payload: ARGUMENTS });
      for (const target of [exec, ToolCall.disabled, {} as never, null as never]) call.stdinTarget(target);
      root.startChild({ taskName: 'a' }).agentResult({ turn, parent: root, message: '', status: 'running' });
    });
    expect(events.map(({ payload }) => payload.type)).not.toContain('stdin_target_resolved');
    expect(rollout.troubles).toEqual({ argument_invalid: 5 });
  });

  it('is no end to come back from', () => {
    const { events, rollout } = record(({ root }) => {
      const child = root.startChild({ taskName: 'a' });
      child.end('done' as never);
      child.resume();
      child.startTurn().end();
      child.end();
      child.resume();
    });
    const threads = events.map(({ payload }) => payload.type).filter((type) => type.startsWith('thread_'));
    expect(threads).toEqual(['thread_started', 'thread_started', 'thread_ended', 'thread_resumed']);
    expect(rollout.troubles).toEqual({ argument_invalid: 1, parent_missing: 1 });
  });

  it('is told of in words that readers take, and is no thread of the log', () => {
    const { root } = startRollout(testHost(new BundleSink(new MemoryBundle())));
    const { id, agentPath } = root.startChild({ taskName: 7 as never });
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(agentPath).toBe('/root/lost');
  });

  it('counts whatever belongs to it, however it was lost', () => {
    const { rollout } = record((live) => {
      const nothing = undefined as never;
      const turn = live.root.startChild({ taskName: 5 as never }).startTurn();
      for (let n = 0; n < 10; n++) turn.startToolCall({ name: 'x', payload: ARGUMENTS }).respond({});
      const unnamed = live.root.startTurn().startToolCall({ name: 5 as never, payload: ARGUMENTS });
      unnamed.runtimeStarted({});
      unnamed.respond({});
      live.root.startTurn().startCodeCell(nothing).end();
      live.root.startTurn().compaction(nothing).start({}).complete([]);
    });
    // The turn of the child, ten calls and their ten results; what the unnamed call does; an end.
    expect(rollout.troubles.parent_missing).toBeGreaterThanOrEqual(21 + 2 + 1);
  });

  it('is said once to the host and stands in the trace', () => {
    const told: string[] = [];
    const { sink, memory } = failing(
      ({ line }) => line.includes('"protocol_event_observed"') && line.includes('"seq":5'),
    );
    const rollout = startRollout(testHost(sink, { onDiagnostic: ({ code }) => told.push(code) }));
    const turn = rollout.root.startTurn();
    turn.itemAccepted('a');
    for (let i = 0; i < 4; i++) rollout.root.protocolEvent('warning', { i });
    turn.end();
    rollout.end();
    expect(told).toEqual(['write_failed']);
    expect(rollout.troubles).toEqual({ write_failed: 4 });
    const payloads = [...memory.files()]
      .filter(([path]) => path.startsWith('payloads/'))
      .map(([, bytes]) => new TextDecoder().decode(bytes));
    expect(payloads.at(-1)).toContain('This trace is incomplete: 4 records were not recorded (write_failed 4).');
  });

  it('at the end is said before the completion, behind which nothing stands', () => {
    const { sink, memory } = failing(({ line }) => line.includes('"type":"rollout_ended"'));
    startRollout(testHost(sink)).end();
    const log = new TextDecoder().decode(memory.files().get('trace.jsonl')).trimEnd().split('\n');
    const types = log.map((line) => (JSON.parse(line) as RecordedEvent).payload.type);
    expect(types.slice(-2)).toEqual(['protocol_event_observed', 'recording_completed']);
  });

  it('leaves the next request to build on the last one that stands on disk', () => {
    const bases: unknown[] = [];
    const { sink, memory } = failing(({ payloads: [payload] }) => {
      if (payload?.kind !== 'inference_request' || payload.body.type !== 'delta') return false;
      bases.push(payload.body.delta.base);
      return bases.length === 2;
    });
    const rollout = startRollout(testHost(sink));
    const items: object[] = [];
    for (let n = 1; n <= 3; n++) {
      items.push(message(`msg_${n}`, 'user', `${n}`));
      rollout.root.startTurn().inference(MODEL).start(request(items));
    }
    expect(bases).toEqual([null, 2, 2]);
    const inputs = [...memory.files()]
      .filter(([path]) => path.startsWith('payloads/'))
      .map(([, bytes]) => (JSON.parse(new TextDecoder().decode(bytes)) as { input?: object[] }).input?.length);
    expect(inputs.filter((length) => length !== undefined)).toEqual([1, 3]);
  });

  it('is an event whose payload was written already, and the payload is written anew', () => {
    const memory = new MemoryBundle();
    const append = vi.spyOn(memory, 'appendEvent');
    const rollout = startRollout(testHost(new BundleSink(memory)));
    const items: object[] = [];
    for (let n = 1; n <= 4; n++) {
      items.push(message(`msg_${n}`, 'user', `${n}`));
      const turn = rollout.root.startTurn();
      if (n === 2) {
        append.mockImplementationOnce(() => {
          throw new Error('ENOSPC: no space left on device');
        });
      }
      turn.inference(MODEL).start(request(items));
      if (n === 2) expect(memory.files().has('payloads/3.json')).toBe(false);
    }
    expect(rollout.troubles).toEqual({ write_failed: 1 });
    const texts = [...memory.files()].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)] as const);
    const asked = texts.filter(([, text]) => text.includes('"input"'));
    expect(asked.map(([, text]) => (JSON.parse(text) as { input: object[] }).input.length)).toEqual([1, 3, 4]);
  });

  it('is an inference call that begins while writing takes too much of the time, where the host asked for that', () => {
    let now = 0;
    let cost = 0;
    const memory = new MemoryBundle();
    const bundle = new BundleSink(memory);
    const slow: Sink = {
      open: (manifest) => bundle.open(manifest),
      append: (entry) => {
        now += cost;
        bundle.append(entry);
      },
      close: () => bundle.close(),
    };
    const writeBudget = { options: { maxShare: 0.1, burstMs: 50 }, stopwatch: () => now };
    const rollout = startRollout(testHost(slow, { writeBudget }));
    const attempts = (): void => ask(rollout).complete({});
    attempts();
    cost = 40;
    attempts();
    attempts();
    expect(rollout.troubles).toEqual({ too_slow: 1, parent_missing: 1 });
    now += 10_000;
    cost = 0;
    attempts();
    rollout.end();
    expect(rollout.troubles.too_slow).toBe(1);
  });
});
