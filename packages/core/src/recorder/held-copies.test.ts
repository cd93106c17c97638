import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldCopies, isHostSound, NOT_FOUND } from './held-copies.ts';
import { PlainCopier, type PlainJson, Shapes } from './plain-json.ts';

const copyOf = (value: unknown): PlainJson => new PlainCopier(new Shapes()).copy(value) as PlainJson;
/** Whether the value is taken for the copy of the other, which stands between two more. */
const isStill = (value: unknown, other: unknown): boolean =>
  HeldCopies.of(copyOf([other]), copyOf(other), copyOf({ other })).holds(1, value);

describe('a value', () => {
  it('still is its copy, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(isStill(value, value)).toBe(true);
      }),
    );
  });

  it('is never taken for the copy of another', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (value, other) => {
        const same = JSON.stringify(value) === JSON.stringify(other);
        expect(isStill(value, other)).toBe(same);
      }),
    );
  });

  it.each([
    ['another order of keys', { b: 2, a: 1 }, { a: 1, b: 2 }],
    ['a key more', { a: 1, b: 2, c: 3 }, { a: 1, b: 2 }],
    ['a key less', { a: 1 }, { a: 1, b: 2 }],
    ['an element more', { a: [1, 2, 3] }, { a: [1, 2] }],
    ['an empty list for an empty object', { a: [] }, { a: {} }],
    ['a null for a missing key', { a: null }, {}],
  ])('is not its copy with %s', (_, value, other) => {
    expect(isStill(value, other)).toBe(false);
  });

  it('is its copy with keys that JSON leaves out', () => {
    const value = { a: undefined, b: 1, c: () => 1, d: Symbol('d'), e: 2 };
    expect(isStill(value, value)).toBe(true);
  });

  it('is not compared by what its prototype lends it', () => {
    const value = Object.create({ a: 1 }) as object;
    expect(isStill(value, { a: 1 })).toBe(false);
    expect(isStill(value, {})).toBe(true);
  });

  it('is its copy whichever of the two zeros it holds, as they are written alike', () => {
    expect(isStill([0, -0], [-0, 0])).toBe(true);
  });

  it('is not its copy once it says something else as JSON', () => {
    const hidden = { a: 1 };
    Object.defineProperty(hidden, 'toJSON', { value: () => 'other' });
    expect(isStill(hidden, { a: 1 })).toBe(false);
    expect(isStill(Object.assign([1], { toJSON: () => 'other' }), [1])).toBe(false);
  });

  it.each([
    [new Number(5), {}],
    [new Boolean(true), {}],
    [new String(''), {}],
    [new String('x'), { 0: 'x' }],
    [Object(1n), {}],
  ])('is not the copy of an object where it stands for a primitive: %o', (value, other) => {
    expect(isStill({ a: value }, { a: other })).toBe(false);
  });

  it('is not trusted while the host lends keys to every object', () => {
    expect(isHostSound()).toBe(true);
    Object.defineProperty(Object.prototype, 'lent', { value: 1, enumerable: true, configurable: true });
    const isSound = isHostSound();
    Reflect.deleteProperty(Object.prototype, 'lent');
    expect(isSound).toBe(false);
  });
});

describe('a list of numbers', () => {
  const numbers = [0, -0, 1, 2 ** 40, 0.1, -1.5, 1e300, 5e-324, 7];

  it('is held as numbers, and is still found to be them, and to be changed', () => {
    expect(isStill([...numbers], numbers)).toBe(true);
    for (const [i] of numbers.entries()) {
      for (const other of [3, Number.NaN, null, '1', undefined]) {
        expect(isStill(numbers.with(i, other as never), numbers)).toBe(false);
      }
    }
    expect(isStill(numbers.slice(1), numbers)).toBe(false);
    expect(isStill([...numbers, 1], numbers)).toBe(false);
    expect(isStill({ ...numbers, length: numbers.length }, numbers)).toBe(false);
    expect(isStill(Object.assign([...numbers], { toJSON: () => 1 }), numbers)).toBe(false);
    expect(isStill(Float64Array.from(numbers), numbers)).toBe(false);
  });

  it('is found again among others', () => {
    const held = HeldCopies.of(copyOf(numbers), copyOf([...numbers.slice(1), 'x']), copyOf(numbers.toReversed()));
    expect(held.find(copyOf([...numbers]), 0, { parts: 100 })).toBe(0);
    expect(held.find(copyOf(numbers.toReversed()), 0, { parts: 100 })).toBe(2);
    expect(held.find(copyOf([...numbers.slice(1), 'x']), 0, { parts: 100 })).toBe(1);
    expect(held.find(copyOf([...numbers.slice(1), 'y']), 0, { parts: 100 })).toBe(NOT_FOUND);
  });
});

describe('two copies', () => {
  it('are the same where their JSON is', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        const held = HeldCopies.of('other', copyOf(one));
        expect(held.find(copyOf(other), 1, { parts: 100 })).toBe(same ? 1 : NOT_FOUND);
        expect(held.find(copyOf(one), 0, { parts: 100 })).toBe(1);
      }),
    );
  });
});

describe('a search', () => {
  const long = (end: number): PlainJson => copyOf([...Array.from({ length: 98 }, (_, i) => `part ${i}`), end]);
  const held = HeldCopies.of(...Array.from({ length: 50 }, (_, i) => long(i)));

  it('pays for every part it looks at', () => {
    const budget = { parts: 10_000 };
    expect(held.find(long(20), 10, budget)).toBe(20);
    expect(budget.parts).toBe(10_000 - 11 * 100);
    expect(held.find(copyOf('short'), 0, budget)).toBe(NOT_FOUND);
    expect(budget.parts).toBe(10_000 - 11 * 100 - 50);
  });

  it('ends with its budget', () => {
    const budget = { parts: 1_000 };
    expect(held.find(long(20), 0, budget)).toBe(NOT_FOUND);
    expect(budget.parts).toBe(0);
  });
});

describe('a list told in runs', () => {
  it('is what the runs say, whether it grows or is put together anew', () => {
    const run = fc.oneof(
      fc.record({ start: fc.nat(6), count: fc.nat(6) }),
      fc.record({ items: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 }), fc.array(run), (base, told) => {
        const values: unknown[] = [];
        const held = HeldCopies.of(...base.map(copyOf)).told(
          told.map((one) => {
            if ('items' in one) {
              values.push(...one.items);
              return { type: 'items', items: one.items.map(copyOf) };
            }
            const start = Math.min(one.start, base.length);
            const count = Math.min(one.count, base.length - start);
            values.push(...base.slice(start, start + count));
            return { type: 'copy', start, count };
          }),
        );
        expect(held.length).toBe(values.length);
        for (const [i, value] of values.entries()) expect(held.holds(i, value)).toBe(true);
      }),
    );
  });
});
