import { describe, expect, it } from 'vitest';
import { ToolError } from '../tools/tool.ts';
import { parseCellRequest } from './pragma.ts';

describe('the first line of a cell', () => {
  it('is part of the script where it is no pragma', () => {
    for (const input of ['text(1)', '// exec: {}\ntext(1)', 'text(1)\n// @exec: {"yield_time_ms": 1}', '']) {
      expect(parseCellRequest(input)).toEqual({ source: input, yield_time_ms: null, max_output_tokens: null });
    }
  });

  it('says how the call returns, and is no part of the script', () => {
    const input = ' \t// @exec: {"yield_time_ms": 200, "max_output_tokens": 9}\r\ntext(1)\n';
    expect(parseCellRequest(input)).toEqual({ source: 'text(1)\n', yield_time_ms: 200, max_output_tokens: 9 });
    expect(parseCellRequest('// @exec:\ntext(1)')).toEqual({
      source: 'text(1)',
      yield_time_ms: null,
      max_output_tokens: null,
    });
  });

  it('is refused where it is no JSON object of numbers', () => {
    for (const line of ['{', '[]', '{"yield_time_ms": -1}', '{"max_output_tokens": "9"}']) {
      expect(() => parseCellRequest(`// @exec: ${line}\ntext(1)`)).toThrow(ToolError);
    }
  });
});
