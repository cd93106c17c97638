import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputBuffer } from './output-buffer.ts';

describe('the output that is kept', () => {
  it('is all of it within the limit', () => {
    const buffer = new OutputBuffer(16);
    buffer.push('one\r\n');
    buffer.push('got:one\r\n');
    expect(buffer.excerpt()).toEqual({ text: 'one\r\ngot:one\r\n', tokens: 4, omittedTokens: 0 });
  });

  it('is its beginning and its end beyond the limit, and says how much is missing', () => {
    const buffer = new OutputBuffer(8);
    for (const letter of 'abcdefghijklmnopqrstuvwxyz') buffer.push(letter.repeat(2));
    expect(buffer.excerpt()).toEqual({
      text: 'aabb\n[… about 11 tokens omitted …]\nyyzz',
      tokens: 13,
      omittedTokens: 11,
    });
  });

  it('is cut to the tokens that were asked for', () => {
    const buffer = new OutputBuffer(100);
    buffer.push('0123456789abcdef');
    expect(buffer.excerpt(2).text).toBe('0123\n[… about 2 tokens omitted …]\ncdef');
    expect(buffer.excerpt(0).text).toBe('\n[… about 4 tokens omitted …]\n');
    expect(buffer.excerpt(4).omittedTokens).toBe(0);
  });

  it('never has half a character, however it came and wherever it is cut', () => {
    const chunk = fc
      .array(fc.constantFrom('a', 'é', '✓', '😀', '\r\n'), { maxLength: 60 })
      .map((each) => each.join(''));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.nat(40), fc.nat(12), (chunks, limit, cap_tokens) => {
        const buffer = new OutputBuffer(limit + 8);
        for (const each of chunks) buffer.push(each);
        const whole = chunks.join('');
        const { text, omittedTokens } = buffer.excerpt(cap_tokens);
        const [head = '', tail = ''] = text.split(`\n[… about ${omittedTokens} tokens omitted …]\n`);
        expect(whole.startsWith(head)).toBe(true);
        expect(whole.endsWith(tail)).toBe(true);
        const shown_bytes = Buffer.byteLength(head + tail);
        expect(shown_bytes).toBeLessThanOrEqual(Math.min(limit + 8, cap_tokens * 4));
        const missing_bytes = Buffer.byteLength(whole) - shown_bytes;
        expect(omittedTokens).toBe(Math.ceil(missing_bytes / 4));
      }),
      { numRuns: 500 },
    );
  });
});
