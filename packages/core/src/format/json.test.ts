// JSON as evidence: docs/format.md, sections 2 and 4.

import { describe, expect, it } from 'vitest';
import { compactJson, compareUtf8, doubleText, numberText, sortedJson, utf8Length } from './canonical-json.ts';
import { asI32, asI64, asU32, asU64, isJsonSyntax, JsonObject, JsonSyntaxError, parseJson } from './json.ts';

const roundTrip = (text: string) => compactJson(parseJson(text));

function syntaxError(text: string): number | null {
  try {
    parseJson(text);
    return null;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.offset;
    throw error;
  }
}

describe('reading JSON', () => {
  it.each([
    '{"b":1,"a":2}',
    '{"2":0,"1":0,"__proto__":{"constructor":1}}',
    '[1.0,2.50,0.1e+2,123456789012345678901]',
    '""',
  ])('F1: keeps the order of keys and the digits of numbers in %s', (text) => {
    expect(roundTrip(text)).toBe(text);
  });

  it('F1: of a key given twice keeps the last value at the place of the first, and remembers that it was', () => {
    const value = parseJson('{"a":1,"b":2,"a":3}');
    expect(compactJson(value)).toBe('{"a":3,"b":2}');
    expect(value instanceof JsonObject && value.repeated).toEqual(['a']);
  });

  it('F1: finds keys in large objects as in small ones', () => {
    const keys = Array.from({ length: 40 }, (_, n) => `"k${n}":${n}`).join(',');
    const value = parseJson(`{${keys},"k39":"last"}`) as JsonObject;
    expect([value.get('k39'), value.has('k40'), value.size]).toEqual(['last', false, 40]);
    expect(value.without('k0').has('k0')).toBe(false);
  });

  it.each([
    ['an empty text', '', 0],
    ['a byte order mark', '\ufeff{}', 0],
    ['a control character inside a string', '"\u0001"', 1],
    ['an unknown escape', '"\\x"', 0],
    ['half of a surrogate pair', '"\\ud800"', 0],
    ['a number with a leading zero', '01', 0],
    ['a number that ends in a point', '1.', 1],
    ['a trailing comma', '[1,]', 3],
    ['text behind the value', '1 2', 2],
    ['a key without quotes', '{a:1}', 1],
  ])('F2: refuses %s and says where', (_, text, offset) => {
    expect(syntaxError(text)).toBe(offset);
  });

  it('F2: takes 127 containers inside one another and no more', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(syntaxError(nested(127))).toBeNull();
    expect(syntaxError(nested(128))).toBe(127);
  });

  it('F2: takes pairs of surrogates, escaped slashes and all four kinds of space', () => {
    expect(parseJson(' \t\r\n"\\ud83d\\ude00\\/"\n')).toBe('😀/');
  });

  it.each([
    ['128 containers', '['.repeat(128) + ']'.repeat(128)],
    ['half of a surrogate pair', '"\\ud800"'],
    ['a key given twice', '{"a":1,"a":2}'],
    ['a number beyond a double', '1e400'],
  ])('F3: pure syntax, by which payloads are checked that nobody reads, allows %s', (_, text) => {
    expect(isJsonSyntax(text)).toBe(true);
  });

  it('F3: and is what any JSON reader takes, valid or not', () => {
    const values = [
      '0',
      '-0',
      '12',
      '-1.5e+3',
      '01',
      '1.',
      '.5',
      '1e',
      '1e+',
      '+1',
      '-',
      'true',
      'tru',
      'nul',
      'null',
      'NaN',
      '',
    ];
    const texts = [
      '""',
      '"a\\n\\u00e9"',
      '"\\x"',
      '"\\u12g4"',
      '"\\u12"',
      '"\n"',
      '"\t"',
      '"\u007f"',
      '"',
      '"\\',
      "'a'",
    ];
    const nested = [
      '[]',
      '{}',
      '[1,2]',
      '[1,]',
      '[,1]',
      '[1 2]',
      '[',
      ']',
      '{"a":1}',
      '{"a":1,}',
      '{"a"}',
      '{"a" 1}',
      '{a:1}',
      '{1:1}',
      '{"a":{"b":[{}]}}',
      '[[]]]',
      '{"a":[}',
      '1 2',
      '[]{}',
      '\u00a0[]',
      '\ufeff[]',
      ' \t\r\n[ ] ',
    ];
    const all = [...values, ...texts, ...nested].flatMap((text) => [
      text,
      `[${text}]`,
      `{"k":${text},"l":${text}}`,
      ` ${text} `,
    ]);
    for (const text of all) expect(isJsonSyntax(text), text).toBe(parses(text));
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('integers', () => {
  const parse = (text: string) => parseJson(text);

  it('F4: are integer literals: no fraction, no exponent, no text', () => {
    for (const text of ['1.0', '1e3', '"3"', 'null', '[]']) expect(asI64(parse(text)), text).toBeNull();
  });

  it('F4: keep all digits of 64 bits and are refused beyond', () => {
    expect(asI64(parse('9223372036854775807'))).toBe(9223372036854775807n);
    expect(asI64(parse('9223372036854775808'))).toBeNull();
    expect(asI64(parse('-9223372036854775808'))).toBe(-9223372036854775808n);
    expect(asU64(parse('18446744073709551615'))).toBe(18446744073709551615n);
    expect(asU64(parse('18446744073709551616'))).toBeNull();
    expect(asU64(parse('-1'))).toBeNull();
    expect(asI64(parse('9007199254740991'))).toBe(9007199254740991);
  });

  it('F4: of 32 bits end where 32 bits end', () => {
    expect([asI32(parse('-2147483648')), asI32(parse('2147483648'))]).toEqual([-(2 ** 31), null]);
    expect([asU32(parse('4294967295')), asU32(parse('4294967296')), asU32(parse('-1'))]).toEqual([
      2 ** 32 - 1,
      null,
      null,
    ]);
  });
});

describe('printing compact JSON', () => {
  it('F5: numbers keep their text, but for the spelling of an exponent and an integer minus zero', () => {
    const printed = ['1E5', '1e-7', '1e+7', '2.50', '-0', '-0.0', '1.5E3'].map(numberText);
    expect(printed).toEqual(['1e+5', '1e-7', '1e+7', '2.50', '0', '-0.0', '1.5e+3']);
  });

  it('F5: strings escape quotes, backslashes and control characters, and nothing else', () => {
    expect(roundTrip('"\\u0000\\b\\f\\n\\r\\t\\u001f\\"\\\\\\/\\u007f\\u2028é😀"')).toBe(
      '"\\u0000\\b\\f\\n\\r\\t\\u001f\\"\\\\/\u007f\u2028é😀"',
    );
  });

  it('N9: bytes of UTF-8 are counted without being written', () => {
    for (const text of ['', 'a', '\u007f\u0080', '\u07ff\u0800', '€\ud7ff\ue000\uffff', '😀a😀', 'é€😀'.repeat(9)]) {
      expect(utf8Length(text), text).toBe(Buffer.byteLength(text));
    }
  });

  it('F6: keys are sorted by their UTF-8 bytes, not by their UTF-16 units', () => {
    const keys = ['\u{1f600}', '\uff5a', 'z', 'a', 'item:2', 'item:10', ''];
    expect([...keys].sort(compareUtf8)).toEqual(['', 'a', 'item:10', 'item:2', 'z', '\uff5a', '\u{1f600}']);
    expect(sortedJson(parseJson('{"\u{1f600}":1,"\uff5a":{"b":1,"a":2}}'))).toBe(
      '{"\uff5a":{"a":2,"b":1},"\u{1f600}":1}',
    );
  });

  it('F6: the order is that of the encoded bytes for every pair of edge characters', () => {
    const edges = [
      'a',
      '\u007f',
      '\u0080',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ];
    const bytes = (text: string) => Buffer.from(text, 'utf8');
    for (const a of edges)
      for (const b of edges) {
        expect(Math.sign(compareUtf8(a, b)), `${a} ${b}`).toBe(Buffer.compare(bytes(a), bytes(b)));
      }
  });

  it.each([
    ['100', '100'],
    ['18446744073709551615', '18446744073709551615'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['18446744073709551616', '1.8446744073709552e+19'],
    ['-0', '-0.0'],
    ['1e2', '100.0'],
    ['0.00001', '0.00001'],
    ['0.000001', '1e-6'],
    ['1e15', '1000000000000000.0'],
    ['1e16', '1e+16'],
    ['1e-400', '0.0'],
    ['1e400', null],
  ])('G8: before 0.139 the number %s goes through a double and is printed %s', (lexeme, printed) => {
    expect(doubleText(lexeme)).toBe(printed);
  });
});
