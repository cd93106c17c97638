import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { Thread } from '../../recorder/thread.ts';
import { ToolCall } from '../../recorder/tool.ts';
import { Turn } from '../../recorder/turn.ts';
import { currentTrace, withTrace } from './current-trace.ts';
import { startRollout } from './start-rollout.ts';

const root = mkdtempSync(join(tmpdir(), 'rollout-trace-current-'));
afterAll(() => rmSync(root, { recursive: true }));

const tool = (name: string) => ({ name, payload: { type: 'function', arguments: '{}' } }) as const;

describe('running code', () => {
  it('finds the thread, the turn and the call it works for', async () => {
    const rollout = startRollout({ root });
    const turn = rollout.root.startTurn();
    const call = turn.startToolCall(tool('exec'));
    const cell = turn.startCodeCell({ runtimeCellId: '1', modelVisibleCallId: 'c', source: '' });
    expect(withTrace(rollout.root, currentTrace)).toMatchObject({ thread: rollout.root, turn: Turn.disabled });
    await withTrace(turn, async () => {
      await sleep(1);
      expect(currentTrace()).toMatchObject({ thread: rollout.root, turn, toolCall: ToolCall.disabled });
      await withTrace(call, () =>
        withTrace(cell, async () => {
          await sleep(1);
          expect(currentTrace()).toEqual({ thread: rollout.root, turn, toolCall: call, codeCell: cell });
        }),
      );
      expect(currentTrace().toolCall).toBe(ToolCall.disabled);
    });
  });

  it('works for nothing outside, and for nothing where nothing is recorded', () => {
    expect(currentTrace().thread).toBe(Thread.disabled);
    expect(withTrace(Turn.disabled, () => currentTrace().turn)).toBe(Turn.disabled);
  });

  it('is not the work around it, where it is for a rollout that is not recorded', () => {
    const turn = startRollout({ root }).root.startTurn();
    const unrecorded = startRollout({ root: null }).root.startTurn();
    withTrace(turn, () => {
      expect(withTrace(unrecorded, currentTrace)).toMatchObject({ thread: Thread.disabled, turn: Turn.disabled });
      expect(currentTrace().turn).toBe(turn);
    });
  });

  it('is not the work around it, where its own beginning was lost', () => {
    const rollout = startRollout({ root });
    const turn = rollout.root.startTurn();
    const lost = rollout.root.startChild({ taskName: 5 as never }).startTurn();
    withTrace(turn, () => expect(withTrace(lost, () => currentTrace().turn)).toBe(lost));
  });

  it('is left as it is by what is no handle', () => {
    const rollout = startRollout({ root });
    const turn = rollout.root.startTurn();
    for (const other of [rollout, { recording: true }, undefined, null, 'turn'] as never[]) {
      expect(withTrace(turn, () => withTrace(other, () => currentTrace().turn))).toBe(turn);
    }
  });

  it('gets the answers and the errors of what it runs', async () => {
    const turn = startRollout({ root }).root.startTurn();
    expect(withTrace(turn, () => 7)).toBe(7);
    await expect(withTrace(turn, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  });

  it.each(['bundle', 'segment'] as const)(
    'in 1,000 contexts at once writes one log without a gap: %s',
    { timeout: 30_000 },
    async (format) => {
      const rollout = startRollout({ root, format, onDiagnostic: ({ message }) => expect.fail(message) });
      const turn = rollout.root.startTurn();
      await Promise.all(
        Array.from({ length: 1000 }, (_, n) =>
          withTrace(turn.startToolCall({ ...tool('lookup'), callId: `call_${n}` }), async () => {
            await sleep(n % 7);
            const { toolCall } = currentTrace();
            expect(toolCall.id).toBe(`call_${n}`);
            toolCall.respond({ output: n });
          }),
        ),
      );
      rollout.end();
      expect(rollout.troubles).toEqual({});
      if (format === 'segment') return;
      const lines = readFileSync(join(rollout.location, 'trace.jsonl'), 'utf8').trimEnd().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(lines.map((_, i) => i + 1));
      expect(lines.length).toBe(3 + 2000 + 3);
      expect(existsSync(join(rollout.location, 'payloads', '2001.json'))).toBe(true);
    },
  );
});
