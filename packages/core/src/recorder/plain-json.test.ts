import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../format/json.ts';
import {
  isHostSound,
  isStill,
  KeyLists,
  PlainCopier,
  type PlainJson,
  type PlainRecord,
  REPLACED,
} from './plain-json.ts';

/** A copy as ordinary data. */
const data = (copy: PlainJson | undefined): unknown =>
  copy === undefined ? undefined : JSON.parse(JSON.stringify(copy));
const copyOf = (value: unknown): PlainJson => new PlainCopier(new KeyLists()).copy(value) as PlainJson;

function copied(value: unknown): { copy: unknown; replaced: number } {
  const copier = new PlainCopier();
  return { copy: data(copier.copy(value)), replaced: copier.replaced };
}

describe('a copy', () => {
  it('is what JSON.stringify would write, for every value it accepts', () => {
    const values = fc.anything({
      withDate: true,
      withBoxedValues: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(values, (value) => {
        let expected: string | undefined;
        try {
          expected = JSON.stringify(value)?.toWellFormed();
        } catch {
          return;
        }
        if (expected !== undefined && /\\ud[89a-f]/.test(expected)) return;
        expect(JSON.stringify(copied(value).copy)).toBe(expected);
      }),
    );
  });

  it('keeps a key named __proto__ as data', () => {
    const { copy } = copied(JSON.parse('{"__proto__":{"x":1},"y":2}'));
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"x":1},"y":2}');
  });

  it('replaces halves of surrogate pairs, which the reference refuses', () => {
    const { copy } = copied({ 'key \udc00': 'half \ud800' });
    expect(copy).toEqual({ 'key \ufffd': 'half \ufffd' });
    expect(() => parseJson(JSON.stringify(copy))).not.toThrow();
  });

  it('marks a value that refers to itself and keeps the rest', () => {
    const value: Record<string, unknown> = { before: 1, after: 2 };
    value.self = value;
    value.list = [value, 3];
    expect(copied(value)).toEqual({
      copy: { before: 1, after: 2, self: REPLACED.cyclic, list: [REPLACED.cyclic, 3] },
      replaced: 2,
    });
  });

  it('keeps a value that stands in two places', () => {
    const shared = { x: 1 };
    expect(copied([shared, shared])).toEqual({ copy: [{ x: 1 }, { x: 1 }], replaced: 0 });
  });

  it('writes a bigint as its digits', () => {
    expect(copied({ n: 10n ** 20n })).toEqual({ copy: { n: '100000000000000000000' }, replaced: 1 });
  });

  it('marks what throws when it is read and keeps the rest', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const value = {
      get getter(): never {
        throw new Error('no');
      },
      converter: {
        toJSON(): never {
          throw new Error('no');
        },
      },
      proxy,
      kept: true,
    };
    const { unreadable } = REPLACED;
    expect(copied(value)).toEqual({
      copy: { getter: unreadable, converter: unreadable, proxy: unreadable, kept: true },
      replaced: 3,
    });
  });

  it('is never deeper than the reference reads', () => {
    let deep: unknown = 'bottom';
    for (let i = 0; i < 500; i++) deep = i % 2 === 0 ? [deep] : { deep };
    const { copy, replaced } = copied(deep);
    expect(replaced).toBe(1);
    expect(() => parseJson(JSON.stringify(copy))).not.toThrow();
    expect(JSON.stringify(copy)).toContain(REPLACED.deep);
  });

  it('gives up on a value that unfolds without end', () => {
    let wide: unknown = 'x';
    for (let i = 0; i < 60; i++) wide = [wide, wide];
    expect(() => copied(wide)).toThrow('parts');
  });
});

describe('the keys of copies', () => {
  it('are shared by objects of one shape, and never by others', () => {
    const lists = new KeyLists();
    const keys = (value: object): readonly string[] => (new PlainCopier(lists).copy(value) as PlainRecord).keys;
    expect(keys({ a: 1, b: 2 })).toBe(keys({ a: 3, b: 4 }));
    expect(keys({ b: 1, a: 2 })).not.toBe(keys({ a: 3, b: 4 }));
    expect(keys({ 'a\0b': 1, c: 2 })).not.toBe(keys({ a: 1, 'b\0c': 2 }));
  });

  it('are not trusted while the host lends keys to every object', () => {
    expect(isHostSound()).toBe(true);
    Object.defineProperty(Object.prototype, 'lent', { value: 1, enumerable: true, configurable: true });
    const isSound = isHostSound();
    Reflect.deleteProperty(Object.prototype, 'lent');
    expect(isSound).toBe(false);
  });
});

describe('a value', () => {
  it('still is its copy, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(isStill(value, copyOf(value))).toBe(true);
      }),
    );
  });

  it('is never taken for the copy of another', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (value, other) => {
        const same = JSON.stringify(value) === JSON.stringify(other);
        expect(isStill(value, copyOf(other))).toBe(same);
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
    expect(isStill(value, copyOf(other))).toBe(false);
  });

  it('is its copy with keys that JSON leaves out', () => {
    const value = { a: undefined, b: 1, c: () => 1, d: Symbol('d'), e: 2 };
    expect(isStill(value, copyOf(value))).toBe(true);
  });

  it('is not compared by what its prototype lends it', () => {
    const value = Object.create({ a: 1 }) as object;
    expect(isStill(value, copyOf({ a: 1 }))).toBe(false);
    expect(isStill(value, copyOf({}))).toBe(true);
  });
});
