import { describe, expect, it } from 'vitest';
import { CallOrder } from './call-order.ts';

/** Lets everything that is ready happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Calls that note when they begin, and end when they are told to. */
function calls() {
  const order = new CallOrder();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const enter = (name: string, parallel: boolean): void => {
    void order.enter(parallel).then((leave) => {
      begun.push(name);
      ends.set(name, leave);
    });
  };
  return { begun, enter, end: (name: string) => ends.get(name)?.() };
}

describe('the order of calls', () => {
  it('calls that may run together begin at once', async () => {
    const { begun, enter } = calls();
    enter('a', true);
    enter('b', true);
    await settle();
    expect(begun).toEqual(['a', 'b']);
  });

  it('a call that must be alone waits for all before it, and all behind it wait for it', async () => {
    const { begun, enter, end } = calls();
    enter('a', true);
    enter('b', true);
    enter('alone', false);
    enter('c', true);
    await settle();
    end('b');
    await settle();
    expect(begun).toEqual(['a', 'b']);
    end('a');
    await settle();
    expect(begun).toEqual(['a', 'b', 'alone']);
    end('alone');
    await settle();
    expect(begun).toEqual(['a', 'b', 'alone', 'c']);
  });

  it('calls that must be alone run as they came', async () => {
    const { begun, enter, end } = calls();
    for (const name of ['a', 'b', 'c']) enter(name, false);
    for (const name of ['a', 'b', 'c']) {
      await settle();
      expect(begun.at(-1)).toBe(name);
      end(name);
    }
  });
});
