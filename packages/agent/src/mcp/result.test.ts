import { describe, expect, test } from 'vitest';
import { modelError, modelOutput } from './result.ts';

const text = (value: string) => ({ type: 'text' as const, text: value });
const image = { type: 'image' as const, data: 'aGk=', mimeType: 'image/png' };

describe('the output of an MCP result', () => {
  test('one text is text, several stay apart', () => {
    expect(modelOutput({ content: [text('one')] })).toBe('one');
    expect(modelOutput({ content: [text('one'), text('two')] })).toEqual([
      { type: 'input_text', text: 'one' },
      { type: 'input_text', text: 'two' },
    ]);
    expect(modelOutput({ content: [] })).toBe('');
  });

  test('an image becomes a data URL', () => {
    expect(modelOutput({ content: [image] })).toEqual([
      { type: 'input_image', image_url: 'data:image/png;base64,aGk=' },
    ]);
  });

  test('structured content stands for the text that repeats it, and images are kept', () => {
    expect(modelOutput({ content: [text('12:00')], structuredContent: { hour: 12 } })).toBe('{"hour":12}');
    expect(modelOutput({ content: [text('12:00'), image], structuredContent: { hour: 12 } })).toEqual([
      { type: 'input_text', text: '{"hour":12}' },
      { type: 'input_image', image_url: 'data:image/png;base64,aGk=' },
    ]);
  });

  test('of an error the text is given, not the structure', () => {
    expect(modelOutput({ content: [text('failed')], structuredContent: { code: 1 }, isError: true })).toBe('failed');
  });

  test('an image there is no room for is named', () => {
    const large = { ...image, data: 'x'.repeat(12_000_000) };
    expect(modelOutput({ content: [large, large, image] })).toMatchObject([
      { type: 'input_image' },
      { type: 'input_text', text: '[image of 12000022 characters, left out]' },
      { type: 'input_image' },
    ]);
  });

  test('text beyond the limit loses its middle, and images are kept', () => {
    const long = `begin ${'x'.repeat(50_000)} end`;
    const one = modelOutput({ content: [text(long)] });
    expect(one).toMatch(/^begin x+\n\[… about \d+ tokens omitted …\]\nx+ end$/);
    expect(one.length).toBeLessThan(40_100);
    const several = modelOutput({ content: [text('first'), text(long), text('lost'), image] });
    expect(several).toMatchObject([
      { text: 'first' },
      { text: expect.stringMatching(/ end$/) },
      { type: 'input_image' },
    ]);
    const exact = 'y'.repeat(40_000);
    expect(modelOutput({ content: [text(exact)] })).toBe(exact);
    expect(modelOutput({ content: [], structuredContent: { long } })).toMatch(/tokens omitted/);
  });

  test('parts that say nothing do not come without end either', () => {
    expect(modelOutput({ content: Array.from({ length: 50_000 }, () => text('')) })).toHaveLength(2_000);
  });

  test('images of nothing are no more than texts, and the next ones are named', () => {
    const empty = { type: 'image' as const, data: '', mimeType: '' };
    const parts = modelOutput({ content: Array.from({ length: 50_000 }, () => empty) });
    if (typeof parts === 'string') throw new Error('there are no parts');
    expect(parts.filter(({ type }) => type === 'input_image')).toHaveLength(2_000);
    expect(parts[2_000]).toEqual({ type: 'input_text', text: '[image of 13 characters, left out]' });
    expect(parts.length).toBeLessThan(4_000);
  });

  test('the message of an error is held to the same limit', () => {
    expect(modelError('refused')).toBe('refused');
    expect(modelError(`refused ${'x'.repeat(5_000_000)} end`)).toMatch(/^refused x{19000,20000}\n\[.*\]\nx+ end$/);
  });

  test('what a model cannot be given is named', () => {
    const content = [
      { type: 'audio' as const, data: 'aGkh', mimeType: 'audio/wav' },
      { type: 'resource_link' as const, name: 'notes', uri: 'file:///notes.txt' },
      { type: 'resource' as const, resource: { uri: 'file:///a.txt', text: 'whole text' } },
      { type: 'resource' as const, resource: { uri: 'file:///b.bin', blob: 'aGk=' } },
    ];
    expect(modelOutput({ content })).toEqual([
      { type: 'input_text', text: '[audio of type audio/wav, 3 bytes]' },
      { type: 'input_text', text: '[link to notes: file:///notes.txt]' },
      { type: 'input_text', text: 'whole text' },
      { type: 'input_text', text: '[resource file:///b.bin of type application/octet-stream, 2 bytes]' },
    ]);
  });
});
