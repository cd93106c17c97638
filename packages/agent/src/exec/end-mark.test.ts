import { describe, expect, it } from 'vitest';
import { EndMarkReader } from './end-mark.ts';

const MARK = '\u001b]rollout-trace;token;3\u0007';

function read(chunks: readonly string[]): { text: string; exitCode: number | null } {
  const reader = new EndMarkReader('token');
  let text = '';
  for (const chunk of chunks) {
    const part = reader.read(chunk);
    text += part.text;
    if (part.exitCode !== null) return { text, exitCode: part.exitCode };
  }
  return { text: text + reader.rest(), exitCode: null };
}

describe('the mark behind what a command printed', () => {
  it('is found wherever the chunks part it', () => {
    const all = `last line${MARK}late`;
    for (let first = 0; first <= all.length; first++)
      for (let second = first; second <= all.length; second++) {
        const chunks = [all.slice(0, first), all.slice(first, second), all.slice(second)];
        expect(read(chunks)).toEqual({ text: 'last line', exitCode: 3 });
      }
  });

  it('is not taken for what a command prints of the kind', () => {
    const alike = '\u001b]0;title\u0007 \u001b]rollout-trace;other;0\u0007 \u001b';
    expect(read([...alike])).toEqual({ text: alike, exitCode: null });
  });

  it('is no mark without the code of an exit, of which no end is waited for', () => {
    const odd = `${MARK.slice(0, -2)}x\u0007${MARK.slice(0, -1)}456`;
    expect(read([odd, MARK])).toEqual({ text: odd, exitCode: 3 });
    const reader = new EndMarkReader('token');
    const endless = `${MARK.slice(0, -1)}${'0'.repeat(1000)}`;
    expect(reader.read(endless)).toEqual({ text: endless, exitCode: null });
  });

  it('holds nothing back but what may be its beginning', () => {
    const reader = new EndMarkReader('token');
    expect(reader.read('prompt $ ').text).toBe('prompt $ ');
    expect(reader.read('\u001b]').text).toBe('');
    expect(reader.read('0;title\u0007').text).toBe('\u001b]0;title\u0007');
  });
});
