import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listOf, membersOf } from './json.ts';
import { RequestBodies } from './request-bodies.ts';

/** Long enough to be held, and so that bodies have half of themselves in common. */
const LONG = 'a long instruction, "quoted" \\ and so on. '.repeat(1000);
const body = (input: unknown, more: object = {}): string =>
  JSON.stringify({ model: 'm', instructions: LONG, input, tools: [{ name: 't' }], ...more });
const messages = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({ role: 'user', content: [{ text: `message ${n} says "]}" and \\` }] }));
const inputOf = (parsed: unknown): readonly unknown[] => listOf(membersOf(parsed).input);

function parsedLike(bodies: RequestBodies, text: string): void {
  let expected: string | undefined;
  try {
    expected = JSON.stringify(JSON.parse(text));
  } catch {
    expect(() => bodies.parse(text)).toThrow(SyntaxError);
    return;
  }
  expect(JSON.stringify(bodies.parse(text))).toBe(expected);
}

describe('bodies of requests', () => {
  it('share what they repeat, and say what they say', () => {
    const bodies = new RequestBodies();
    const before = inputOf(bodies.parse(body(messages(3))));
    const text = body(messages(5), { stream: true });
    const after = bodies.parse(text);
    expect(after).toEqual(JSON.parse(text));
    expect(
      inputOf(after)
        .slice(0, 3)
        .every((item, i) => item === before[i]),
    ).toBe(true);
  });

  it('share the start where something is changed behind it', () => {
    const bodies = new RequestBodies();
    const before = inputOf(bodies.parse(body(messages(9))));
    const changed = [...messages(4), { role: 'user' }, ...messages(2)];
    const after = inputOf(bodies.parse(body(changed)));
    expect(after).toEqual(changed);
    expect(after.findIndex((item, i) => item !== before[i])).toBe(4);
  });

  it('of several conversations are told apart', () => {
    const bodies = new RequestBodies();
    const one = (count: number): string => body([{ role: 'user', content: 'one' }, ...messages(count)]);
    const other = (count: number): string => body([{ role: 'user', content: 'other' }, ...messages(count)]);
    for (let count = 1; count < 6; count++) {
      parsedLike(bodies, one(count));
      parsedLike(bodies, other(count));
    }
    const [first] = inputOf(bodies.parse(one(6)));
    parsedLike(bodies, other(6));
    expect(inputOf(bodies.parse(one(7)))[0]).toBe(first);
  });

  it.each([
    ['another number', body([1, 2, 3]), body([1, 2, 34])],
    ['a list that ends twice', body(['a', 'b']), body(['a', 'b']).replace('"b"]', '"b",]')],
    ['a list that does not end', body(['a', 'b']), body(['a', 'b']).replace('"b"]', '"b"')],
    ['a second list of that name', body(['a']), body(['a']).replace('}]}', '}],"input":["b"]}')],
    ['a second list, its name spelled otherwise', body(['a']), body(['a']).replace('}]}', '}],"\\u0069nput":["b"]}')],
    ['two histories', body(['a']), body(['a'], { messages: ['b'] })],
    ['no list any more', body(['a']), body('a')],
    ['nothing in the list', body(['a']), body([])],
    ['no object', body(['a']), `[${JSON.stringify(LONG)}]`],
    ['a member called __proto__', body(['a']), body(['a', 'b']).replace('"model"', '"__proto__"')],
    ['blanks between the elements', body(['a', 'b']), body(['a', 'b', 'c']).replace('"b",', '"b" \n,\t ')],
    ['other text in front', body(['a', 'b']), ` ${body(['a', 'b'])}`],
    ['text behind the end', body(['a', 'b']), `${body(['a', 'b'])}}`],
  ])('with %s are parsed as by JSON.parse', (_what, before, after) => {
    const bodies = new RequestBodies();
    for (const text of [before, after, before, after]) parsedLike(bodies, text);
  });

  it('whatever is changed from one to the next, are parsed as by JSON.parse', () => {
    const item = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ role: fc.constant('user'), content: fc.string() }),
    );
    const edit = fc.record({
      keep: fc.nat(8),
      add: fc.array(item, { maxLength: 3 }),
      key: fc.constantFrom('input', 'input', 'input', 'messages', 'other'),
      indent: fc.constantFrom(0, 0, 0, 1),
      cut: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 2, maxLength: 8 }), (edits) => {
        const bodies = new RequestBodies();
        let list: unknown[] = [];
        for (const { keep, add, key, indent, cut } of edits) {
          list = [...list.slice(0, keep), ...add];
          const text = JSON.stringify({ instructions: LONG, [key]: list, tools: [] }, null, indent);
          parsedLike(bodies, text.slice(0, text.length - cut));
        }
      }),
    );
  });

  it('are let go of when they are many, or long', () => {
    const bodies = new RequestBodies();
    const first = inputOf(bodies.parse(body([{ n: 'first' }])));
    const again = (): boolean => inputOf(bodies.parse(body([{ n: 'first' }])))[0] === first[0];
    expect(again()).toBe(true);
    for (let n = 0; n < 40; n++) bodies.parse(body([{ n }]).replace('"m"', JSON.stringify(`model ${n}`)));
    expect(again()).toBe(false);
  });
});
