import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../format/json.ts';
import { PlainCopier, type PlainJson, type PlainRecord, REPLACED, Shapes } from './plain-json.ts';

/** A copy as ordinary data. */
const data = (copy: PlainJson | undefined): unknown =>
  copy === undefined ? undefined : JSON.parse(JSON.stringify(copy));

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

  it('is that of boxed values of other realms too, and of no value that only says it is boxed', () => {
    for (const text of [
      'new Number(3)',
      'new String("ab")',
      'new Boolean(false)',
      '({ a: [new Number(1)] })',
      'new Date(0)',
    ]) {
      const value: unknown = runInNewContext(text);
      expect(copied(value).copy).toEqual(JSON.parse(JSON.stringify(value)));
    }
    const says = { [Symbol.toStringTag]: 'Number', a: 1, valueOf: () => 7 };
    expect(copied(Object.create(says, { own: { value: 1, enumerable: true } })).copy).toEqual({ own: 1 });
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

  it('writes a bigint as the host has taught JSON to', () => {
    Object.defineProperty(BigInt.prototype, 'toJSON', {
      value(this: bigint) {
        return Number(this);
      },
      configurable: true,
    });
    const taught = copied({ n: 5n, boxed: Object(6n) as unknown });
    Reflect.deleteProperty(BigInt.prototype, 'toJSON');
    expect(taught).toEqual({ copy: { n: 5, boxed: 6 }, replaced: 0 });
  });

  it('asks a function that has something to say', () => {
    const told = Object.assign(() => 1, { toJSON: () => ({ a: 1 }) });
    expect(copied({ told, silent: () => 1 })).toEqual({ copy: { told: { a: 1 } }, replaced: 0 });
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

describe('the shapes of copies', () => {
  it('are shared by objects with the same keys in the same order, and by no others', () => {
    const shapes = new Shapes();
    const shape = (value: object): unknown => (new PlainCopier(shapes).copy(value) as PlainRecord).shape;
    expect(shape({ a: 1, b: 2 })).toBe(shape({ a: 3, b: 4 }));
    expect(shape({ b: 1, a: 2 })).not.toBe(shape({ a: 3, b: 4 }));
    expect(shape({ 'a\0b': 1, c: 2 })).not.toBe(shape({ a: 1, 'b\0c': 2 }));
  });
});
