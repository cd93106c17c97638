import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delta } from '../format/segment/delta.ts';
import type { PlainJson } from './plain-json.ts';
import { Lane } from './request-delta.ts';

const item = (n: number): { id: string; text: string } => ({ id: `item_${n}`, text: `text ${n}` });
const items = (...numbers: number[]): object[] => numbers.map(item);

/** The runs of the list, as text: `0+3` is three elements of the base from the first on, `[2]` is two new ones. */
function runs(delta: Delta<PlainJson> | undefined): string {
  const list = delta?.members.find((member) => member.op === 'list');
  if (list?.op !== 'list') return 'no list';
  return list.runs
    .map((run) => (run.type === 'copy' ? `${run.start}+${run.count}` : `[${run.items.length}]`))
    .join(' ');
}

function ops(delta: Delta<PlainJson> | undefined): string {
  return delta?.members.map((member) => member.op).join(' ') ?? 'none';
}

/** A lane whose head is payload 1 with these items. */
function laneWith(input: object[], more: object = {}): Lane {
  const lane = new Lane(1);
  lane.request({ ...more, input }, true)?.commit(1);
  return lane;
}

describe('a request', () => {
  it('is told in full where nothing is before it', () => {
    const told = new Lane(7).request({ model: 'm', input: items(1, 2) }, true)?.delta;
    expect(told).toMatchObject({ lane: 7, base: null, head: true });
    expect([ops(told), runs(told)]).toEqual(['value list', '[2]']);
  });

  it('that grows at its end is told by what is new', () => {
    const lane = laneWith(items(1, 2, 3), { model: 'm', tools: [{ name: 'a' }] });
    const told = lane.request({ model: 'm', tools: [{ name: 'a' }], input: items(1, 2, 3, 4) }, true)?.delta;
    expect(told?.base).toBe(1);
    expect([ops(told), runs(told)]).toEqual(['same same list', '0+3 [1]']);
  });

  it('is told as it was sent where the host changed an item in place', () => {
    const input = items(1, 2, 3);
    const lane = laneWith(input);
    (input[1] as { text: string }).text = 'changed';
    const told = lane.request({ input }, true)?.delta;
    expect(runs(told)).toBe('0+1 [1] 2+1');
    expect(JSON.stringify(told)).toContain('changed');
  });

  it('is told as it was sent where the host changed it after it was recorded', () => {
    const input = items(1, 2);
    const lane = new Lane(1);
    const told = lane.request({ input }, true);
    (input[0] as { text: string }).text = 'changed later';
    expect(JSON.stringify(told?.delta)).not.toContain('changed later');
  });

  it.each([
    ['loses its oldest items', [3, 4, 5], '2+3'],
    ['loses one in the middle', [1, 2, 4, 5], '0+2 3+2'],
    ['gains one in the middle', [1, 2, 9, 3, 4, 5], '0+2 [1] 2+3'],
    ['is cut at its end', [1, 2], '0+2'],
    ['is replaced', [7, 8], '[2]'],
    ['is replaced but for one', [7, 4, 8], '[1] 3+1 [1]'],
    ['is emptied', [], ''],
  ])('that %s is told by what stayed', (_, next, expected) => {
    expect(runs(laneWith(items(1, 2, 3, 4, 5)).request({ input: items(...next) }, true)?.delta)).toBe(expected);
  });

  it('keeps items that need a conversion out of the delta while they stay the same', () => {
    const input: object[] = [{ at: new Date(0), half: '\ud800', gone: undefined }, item(2), item(3)];
    expect(runs(laneWith(input).request({ input: [...input, item(4)] }, true)?.delta)).toBe('0+3 [1]');
  });

  it('keeps everything but the item that cannot be read', () => {
    const input: object[] = [item(1), item(2)];
    const lane = laneWith(input);
    Object.defineProperty(input, 1, {
      get: () => {
        throw new Error('no');
      },
    });
    const told = lane.request({ input }, true);
    expect([runs(told?.delta), told?.replaced]).toEqual(['0+1 [1]', 1]);
  });

  it('builds on the last request that stands on disk, not on one that was lost', () => {
    const lane = laneWith(items(1, 2));
    lane.request({ input: items(1, 2, 3) }, true);
    expect(runs(lane.request({ input: items(1, 2, 3) }, true)?.delta)).toBe('0+2 [1]');
    lane.reset();
    expect(lane.request({ input: items(1, 2, 3) }, true)?.delta.base).toBeNull();
  });

  it('on the side does not move the lane', () => {
    const lane = laneWith(items(1, 2));
    lane.request({ input: items(1, 2, 8) }, false)?.commit(2);
    lane.checkpoint({ input_history: items(2), replacement_history: items(1, 9) })?.commit(3);
    expect(lane.request({ input: items(1, 2, 3) }, true)?.delta).toMatchObject({ base: 1 });
  });

  it('finds both histories of a checkpoint in the last request', () => {
    const told = laneWith(items(1, 2, 3)).checkpoint({ input_history: items(2, 3), replacement_history: items(3, 9) });
    const lists = told?.delta.members.map((member) => (member.op === 'list' ? member.runs : []));
    expect(JSON.parse(JSON.stringify(lists))).toEqual([
      [{ type: 'copy', start: 1, count: 2 }],
      [
        { type: 'copy', start: 2, count: 1 },
        { type: 'items', items: [item(9)] },
      ],
    ]);
  });

  it('takes its time from its own size, however many members it has', () => {
    const body = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, i]));
    const lane = new Lane(1);
    lane.request(body, true)?.commit(1);
    const { 'key 0': _, ...rest } = body;
    const told = lane.request({ new: 1, ...rest }, true)?.delta;
    expect(told?.members.map((member) => (member.op === 'same' ? member.from : -1))).toEqual([
      -1,
      ...Array.from({ length: 19_999 }, (_, i) => i + 1),
    ]);
    expect(ops(lane.request(rest, true)?.delta)).toBe(Array(19_999).fill('same').join(' '));
  });

  it('is not told at all where it is no object', () => {
    for (const body of ['text', null, 7, [1], undefined]) expect(new Lane(1).request(body, true)).toBeNull();
  });

  it('is exact, whatever happens to the history', () => {
    const small = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 12 });
    const member = fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(small, member, member), { maxLength: 6 }), (bodies) => {
        const lane = new Lane(1);
        let held: { key: string; value: PlainJson | PlainJson[] }[] = [];
        for (const [n, [numbers, before, after]] of bodies.entries()) {
          const body = { before, input: items(...numbers), after };
          const told = lane.request(body, true);
          const list = (held.find((one) => one.key === 'input')?.value ?? []) as PlainJson[];
          held = (told?.delta.members ?? []).map((one) => {
            if (one.op === 'same') return held[one.from] ?? { key: '', value: null };
            if (one.op === 'value') return one;
            const whole = one.runs.flatMap((run) =>
              run.type === 'items' ? run.items : list.slice(run.start, run.start + run.count),
            );
            return { key: one.key, value: whole };
          });
          told?.commit(n + 1);
          expect(JSON.stringify(Object.fromEntries(held.map(({ key, value }) => [key, value])))).toBe(
            JSON.stringify(body),
          );
        }
      }),
    );
  });
});
