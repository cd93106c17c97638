import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ServerSentEvents } from './server-sent-events.ts';

type Told = [string | null, string];

function read(pieces: readonly Uint8Array[]): Told[] {
  const told: Told[] = [];
  const events = new ServerSentEvents((name, data) => told.push([name, data]));
  for (const piece of pieces) events.feed(piece);
  events.end();
  return told;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it('events have a name, lines of data, and an end, which the end of the stream is as well', () => {
  const text = ': hello\n\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\nid: 7\ndata: {"x":"ü"}\n\nevent: lost\n\ndata: [DONE]';
  expect(read([bytes(text)])).toEqual([
    ['a', '1\n2'],
    [null, '{"x":"ü"}'],
    [null, '[DONE]'],
  ]);
});

it.each([
  ['CRLF', '\r\n'],
  ['LF', '\n'],
  ['CR', '\r'],
])('lines end with %s, and an event is told as soon as its empty line is there', (_name, end) => {
  const told: Told[] = [];
  const events = new ServerSentEvents((name, data) => told.push([name, data]));
  for (const byte of bytes(`event: a${end}data: 1${end}data:${end}${end}`)) events.feed(Uint8Array.of(byte));
  expect(told).toEqual([['a', '1\n']]);
  events.feed(bytes(`data: 2${end}${end}`));
  expect(told).toEqual([
    ['a', '1\n'],
    [null, '2'],
  ]);
});

it('where the bytes are cut makes no difference', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ' '));
  const event = fc.record({
    name: fc.option(line.filter((text) => text.trim() !== '')),
    data: fc.array(line, { minLength: 1 }),
    end: fc.constantFrom('\n', '\r\n', '\r'),
  });
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat(500)), (events, cuts) => {
      const text = events
        .map(({ name, data, end }) =>
          [...(name === null ? [] : [`event: ${name}`]), ...data.map((d) => `data: ${d}`), '', ''].join(end),
        )
        .join('');
      const whole = bytes(text);
      const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const pieces = places.slice(1).map((place, n) => whole.slice(places[n], place));
      expect(read(pieces)).toEqual(read([whole]));
      expect(read([whole])).toEqual(
        events.map(({ name, data }) => [name === null ? null : name.trim(), data.join('\n')]),
      );
    }),
  );
});

it('a line of any length is read in the time it takes to read it once, and one beyond all measure is left out', () => {
  const piece = bytes('x'.repeat(1 << 14));
  const told: Told[] = [];
  const events = new ServerSentEvents((name, data) => told.push([name, data]));
  // Put together anew with every piece, this takes minutes.
  events.feed(bytes('data: '));
  for (let n = 0; n < 2048; n++) events.feed(piece);
  events.feed(bytes('\n\ndata: '));
  for (let n = 0; n < 4097; n++) events.feed(piece);
  events.feed(bytes('\ndata: the rest of it\r\n\r\nevent: next\ndata: 1\n\n'));
  for (let n = 0; n < 4097; n++) {
    events.feed(bytes('data: '));
    events.feed(piece);
    events.feed(bytes('\n'));
  }
  events.feed(bytes('\ndata: 2\n\n'));
  events.end();
  expect(told.map(([name, data]) => [name, data.length])).toEqual([
    [null, 2048 * piece.length],
    ['next', 1],
    [null, 1],
  ]);
}, 60_000);
