import { describe, expect, it } from 'vitest';
import type { OutputPart } from '../tools/tool.ts';
import type { CellResponse } from './cell.ts';
import { cellOutcome } from './response.ts';

function text(text: string): OutputPart {
  return { type: 'input_text', text };
}

const completed: CellResponse = { cell: '7', status: 'completed', parts: [], error: null };

describe('what the model reads of a cell', () => {
  it('is only a head where there is no output', () => {
    const { output, status } = cellOutcome(completed, 1234, 100);
    expect(output).toBe('Script completed\nWall time: 1.2 seconds\nOutput:\n');
    expect(status).toBe('completed');
    expect(cellOutcome({ ...completed, status: 'yielded' }, 0, 100).output).toMatch(/^Script running with cell ID 7\n/);
    expect(cellOutcome({ ...completed, status: 'terminated' }, 0, 100).output).toMatch(/^Script terminated\n/);
  });

  it('ends with the error, whatever the budget', () => {
    const outcome = cellOutcome(
      { ...completed, status: 'failed', parts: [text('x'.repeat(50))], error: 'Error: no' },
      0,
      0,
    );
    expect(outcome.status).toBe('failed');
    expect(outcome.output.slice(1)).toEqual([text('…50 characters left out…'), text('Script error:\nError: no')]);
  });

  it('leaves out the middle of what is more than the budget, across parts, and keeps images', () => {
    const image: OutputPart = { type: 'input_image', image_url: 'data:image/png;base64,AA' };
    const parts = [text('abcdefgh'), text('ijkl'), image, text('mnop'), text('qrstuvwx')];
    const { output } = cellOutcome({ ...completed, parts }, 0, 3);
    expect(output.slice(1)).toEqual([text('abcdef…12 characters left out…'), image, text('stuvwx')]);
    expect(cellOutcome({ ...completed, parts }, 0, 6).output.slice(1)).toEqual(parts);
  });

  it('puts the texts of very many parts together, as lines', () => {
    const image: OutputPart = { type: 'input_image', image_url: 'data:image/png;base64,AA' };
    const lines = Array.from({ length: 1_000 }, (_, n) => text(`${n}`));
    const { output } = cellOutcome({ ...completed, parts: [...lines, image, text('last')] }, 0, 2_000);
    expect(output.slice(1)).toEqual([text(lines.map((_, n) => n).join('\n')), image, text('last')]);
    expect(cellOutcome({ ...completed, parts: lines }, 0, 2_000).output).toHaveLength(1_001);
  });

  it('does not end in half a character', () => {
    const { output } = cellOutcome({ ...completed, parts: [text('a😀😀😀😀b')] }, 0, 1);
    expect(JSON.stringify(output)).not.toMatch(/\\ud8|\\udf/);
  });
});
