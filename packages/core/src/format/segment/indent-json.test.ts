import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteWriter } from './byte-writer.ts';
import { indentJson } from './indent-json.ts';

function indented(compact: string, indent = 0): string {
  const out = new ByteWriter();
  indentJson(new TextEncoder().encode(compact), indent, out);
  return new TextDecoder().decode(out.view());
}

it('compact JSON is indented as JSON.stringify would', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
      expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

it('numbers and escapes keep their spelling', () => {
  expect(indented('{"a":1.0,"b":[-0,1E5],"c":"\\u0041\\\\"}', 4)).toBe(
    '{\n      "a": 1.0,\n      "b": [\n        -0,\n        1E5\n      ],\n      "c": "\\u0041\\\\"\n    }',
  );
});
