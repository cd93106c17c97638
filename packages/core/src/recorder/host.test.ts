import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Rollout } from './rollout.ts';
import { EPOCH, type RecordedEvent, record } from './testing/recording.ts';

const MODEL = { model: 'model-1', providerName: 'provider' };
const types = (events: readonly RecordedEvent[]): string[] => events.map((event) => event.payload.type);
const ofType = (events: readonly RecordedEvent[], type: string): RecordedEvent[] =>
  events.filter((event) => event.payload.type === type);

describe('nothing reaches the host', () => {
  it('from payloads that cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const cyclic: Record<string, unknown> = { input: [] };
    cyclic.self = cyclic;
    const thrower = (): never => {
      throw new Error('from the host');
    };
    const hostile = [
      proxy,
      cyclic,
      { input: [1n, proxy, { toJSON: thrower }] },
      thrower,
      Symbol('s'),
      undefined,
      null,
      'x'.repeat(1e6),
      new Map([[1, 2]]),
      {
        get input(): never {
          return thrower();
        },
      },
    ];
    const { rollout, events } = record((live) => {
      const turn = live.root.startTurn();
      const call = turn.startToolCall({ name: 'x', payload: { type: 'function', arguments: '' } });
      for (const payload of hostile) {
        turn
          .inference(MODEL)
          .start(payload)
          .complete({ outputItems: payload as [] });
        turn
          .compaction(MODEL)
          .start(payload)
          .complete(payload as []);
        turn.compaction(MODEL).install(payload as never);
        call.runtimeStarted(payload);
        call.runtimeEnded('completed', payload);
        turn.startToolCall({ name: 'x', payload: payload as never }).respond(payload);
        live.root.protocolEvent('warning', payload);
        turn.itemAccepted('x', payload as never);
      }
      live.end();
    });
    expect(types(events).at(-1)).toBe('recording_completed');
    expect(rollout.troubles.value_replaced).toBeGreaterThan(0);
    expect(rollout.troubles.payload_unreadable).toBeGreaterThan(0);
  });

  it('from a part that cannot be read: what stands around it is recorded', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const list = new Proxy([1], {
      get: (held, key) => {
        if (key === 'length') throw new Error('from the host');
        return Reflect.get(held, key) as unknown;
      },
    });
    const { rollout, events, payload } = record((live) => {
      const turn = live.root.startTurn();
      for (const input of [[1], list, proxy]) turn.inference(MODEL).start({ model: 'm', input, x: proxy });
      turn.startToolCall({ name: 'tool_search', payload: { type: 'tool_search', arguments: { n: 1n } } }).respond('x');
    });
    const bodies = ofType(events, 'inference_started').map((event) => payload(event, 'request_payload'));
    const unreadable = '[not recorded: unreadable]';
    expect(bodies).toEqual([
      { model: 'm', input: [1], x: unreadable },
      { model: 'm', input: unreadable, x: unreadable },
      { model: 'm', input: unreadable, x: unreadable },
    ]);
    expect(ofType(events, 'tool_call_started')[0]?.payload).toMatchObject({
      summary: { input_preview: '{"n":"1"}' },
    });
    expect(types(events)).toContain('tool_call_ended');
    expect(rollout.troubles.payload_unreadable).toBeUndefined();
  });

  it('from what is known of a session: what can be read of it is recorded', () => {
    const metadata = {
      model: 'model-1',
      get own(): never {
        throw new Error('from the host');
      },
      get nickname(): never {
        throw new Error('from the host');
      },
    };
    const { rollout, events, payload } = record(({ root }) => void root.startChild({ taskName: 'a', metadata }).end(), {
      metadata,
    });
    const [root, child] = ofType(events, 'thread_started');
    const marker = '[not recorded: unreadable]';
    expect(payload(root, 'metadata_payload')).toMatchObject({ model: 'model-1', own: marker, nickname: marker });
    expect(payload(child, 'metadata_payload')).toMatchObject({ model: 'model-1', own: marker, task_name: 'a' });
    expect(rollout.troubles).toEqual({ value_replaced: 3 });
  });

  it('from values the format has no place for: the record is left out', () => {
    const { events, rollout } = record(({ root }) => {
      const turn = root.startTurn();
      const payload = { type: 'function', arguments: '' } as const;
      turn.startToolCall({ name: 'x', payload, kind: { type: 'nonsense' } as never });
      turn.startToolCall({ name: 'x', payload: { type: 'fn', arguments: '' } as never });
      turn.startToolCall({ name: 'x', payload: 0 as never });
      turn.startToolCall({ name: 'x', payload }).runtimeStarted({}, { type: 'nonsense' } as never);
      for (const items of [null, {}, () => null, 'text'] as never[]) {
        turn.inference(MODEL).start({}).complete({ outputItems: items });
        turn.compaction(MODEL).start({}).complete(items);
        turn.compaction(MODEL).install({ inputHistory: items, replacementHistory: [] });
      }
    });
    expect(types(events).filter((type) => /_completed|_installed|_runtime_started/.test(type))).toEqual([]);
    expect(ofType(events, 'tool_call_started').length).toBe(1);
    expect(rollout.troubles).toMatchObject({ argument_invalid: 4 + 12 });
  });

  it('from arguments that are not what the types say', () => {
    const nothing = undefined as never;
    const { events, rollout } = record((live) => {
      const { root } = live;
      root.startTurn(null as never);
      const turn = root.startTurn({ turnId: 7 as never });
      turn.inference(nothing).start({});
      turn.inference({ model: 1 } as never).start({});
      turn.startToolCall(nothing);
      turn.startToolCall({ name: 'x', payload: nothing, kind: { type: 'mcp' } as never });
      turn.startCodeCell(nothing);
      turn.compaction(nothing).start({});
      turn.itemAccepted(nothing);
      root.startChild(nothing);
      root.agentResult(nothing);
      root.protocolEvent(nothing, {});
      const ok = root.startTurn();
      ok.startToolCall({ name: 'x', payload: { type: 'function', arguments: '' } }).end('done' as never);
      ok.end('finished' as never);
      live.end('over' as never);
      live.end();
    });
    expect(types(events).at(-1)).toBe('recording_completed');
    expect(rollout.troubles.argument_invalid).toBeGreaterThan(8);
  });

  it('from a callback that throws or rejects', async () => {
    for (const onDiagnostic of [
      (): never => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')),
      runInNewContext('async () => { throw new Error("mine") }') as () => unknown,
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested
      () => ({ then: (_done: unknown, rejected: (error: Error) => void) => rejected(new Error('mine')) }),
    ]) {
      const { rollout } = record(
        (live) => {
          live.end();
          live.end();
        },
        { onDiagnostic },
      );
      expect(rollout.troubles.late_call).toBe(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it.each(['a getter', 'a function that makes a payload', 'a callback'])(
    'from an end that %s asks for in the middle of an event: the event stands, the trace ends behind it',
    (where) => {
      let live: Rollout | null = null;
      const end = (): number => {
        live?.end('failed');
        return 1;
      };
      let now = EPOCH;
      const { rollout, events, diagnostics } = record(
        (begun) => {
          live = begun;
          const context = begun.root.startTurn().inference(MODEL);
          if (where === 'a function that makes a payload') context.start(() => ({ n: end() }));
          else if (where === 'a callback') {
            now = 10;
            context.start({ n: 1 });
          } else {
            context.start({
              get n() {
                return end();
              },
            });
          }
          begun.root.startTurn();
        },
        {
          clock: () => now,
          onDiagnostic: ({ code }) => {
            if (code === 'clock_stepped_back') end();
          },
        },
      );
      expect(diagnostics).toEqual([]);
      expect(types(events).slice(-2)).toEqual(['rollout_ended', 'recording_completed']);
      expect(types(events).includes('inference_started')).toBe(where !== 'a function that makes a payload');
      expect(rollout.troubles.reentrant_call).toBeUndefined();
      expect(rollout.troubles.late_call).toBeGreaterThan(0);
    },
  );

  it('from a callback that leaves a note in the trace', () => {
    let now = EPOCH;
    let live: Rollout | null = null;
    const { events, rollout } = record(
      (begun) => {
        live = begun;
        now = 10;
        begun.root.startTurn();
        begun.root.protocolEvent('warning', { n: { toJSON: () => Symbol('s') }, big: 10n });
      },
      {
        clock: () => now,
        onDiagnostic: ({ code }) => live?.root.protocolEvent('warning', { noted: code }),
      },
    );
    expect(rollout.troubles).toEqual({ clock_stepped_back: 1, value_replaced: 1 });
    expect(ofType(events, 'protocol_event_observed').length).toBe(3);
  });

  it('from a payload that calls the recorder while it is read', () => {
    const { events, rollout } = record((live) => {
      const nested = { toJSON: () => live.root.protocolEvent('warning', { inner: true }) ?? { outer: true } };
      live.root.protocolEvent('warning', nested);
      live.root.protocolEvent('warning', () => {
        live.root.protocolEvent('warning', { first: true });
        return {};
      });
    });
    expect(ofType(events, 'protocol_event_observed').length).toBeGreaterThan(2);
    expect(rollout.troubles.reentrant_call).toBe(1);
  });
});

describe('time', () => {
  it('is recorded as the clock gives it, and a step back is counted', () => {
    const times = [EPOCH, EPOCH, EPOCH + 5, EPOCH + 3, Number.NaN, EPOCH + 9];
    const { events, rollout } = record(
      (live) => {
        for (let i = 0; i < 3; i++) live.root.protocolEvent('warning', {});
      },
      { clock: () => times.shift() ?? 0 },
    );
    expect(events.map((event) => event.wall_time_unix_ms - EPOCH)).toEqual([0, 5, 3, 3, 9]);
    expect(rollout.troubles).toEqual({ clock_stepped_back: 1 });
  });
});

describe('an id that is used twice', () => {
  it('stays what the model said, while the recorder finds one of its own', () => {
    const { events, rollout } = record(({ root }) => {
      const turn = root.startTurn();
      for (let i = 0; i < 3; i++)
        turn.startToolCall({ name: 'x', callId: 'call_0', payload: { type: 'function', arguments: '' } });
    });
    expect(
      ofType(events, 'tool_call_started').map(({ payload }) => [payload.tool_call_id, payload.model_visible_call_id]),
    ).toEqual([
      ['call_0', 'call_0'],
      ['call_0#2', 'call_0'],
      ['call_0#3', 'call_0'],
    ]);
    expect(rollout.troubles).toEqual({ id_reused: 2 });
  });

  it('is made unique where readers know a code cell by it', () => {
    const { events, rollout } = record(({ root }) => {
      const turn = root.startTurn();
      for (let i = 0; i < 2; i++)
        turn.startCodeCell({ runtimeCellId: '1', modelVisibleCallId: 'call_0', source: '' }).end();
      // Another thread counts its cells itself.
      const child = root.startChild({ taskName: 'a' }).startTurn();
      child.startCodeCell({ runtimeCellId: '1', modelVisibleCallId: 'call_1', source: '' });
    });
    const started = ofType(events, 'code_cell_started').map(({ payload }) => payload);
    expect(started.map((cell) => [cell.runtime_cell_id, cell.model_visible_call_id])).toEqual([
      ['1', 'call_0'],
      ['1#2', 'call_0#2'],
      ['1', 'call_1'],
    ]);
    expect(ofType(events, 'code_cell_ended').map(({ payload }) => payload.runtime_cell_id)).toEqual(['1', '1#2']);
    expect(rollout.troubles).toEqual({ id_reused: 2 });
  });
});
