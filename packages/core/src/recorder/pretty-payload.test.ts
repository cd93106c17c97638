import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BundleSink } from './bundle-sink.ts';
import { MemoryBundle } from './memory.ts';
import { type Rollout, startRollout } from './rollout.ts';
import { testHost } from './testing/recording.ts';

const MODEL = { model: 'model-1', providerName: 'provider' };
const decoder = new TextDecoder();

/** The text of a payload file: two spaces, but for the value of `tools`. */
function prettyText(body: object): string {
  const { tools } = body as { tools?: unknown };
  const text = JSON.stringify(tools === undefined ? body : { ...body, tools: '<tools>' }, null, 2);
  return text.replace('"<tools>"', () => JSON.stringify(tools) ?? '');
}

function recording(): { rollout: Rollout; text: (path: string) => string } {
  const memory = new MemoryBundle();
  const rollout = startRollout(testHost(new BundleSink(memory)));
  return { rollout, text: (path) => decoder.decode(memory.files().get(path)) };
}

const item = fc.oneof(
  fc.constantFrom({ id: 'a' }, { id: 'b', content: [] }, { id: 'c', content: [{ text: 'ünïcode\n"' }] }, {}, [], null),
  fc.jsonValue({ maxDepth: 2 }),
);
const items = fc.array(item, { maxLength: 6 });
const member = fc.option(fc.constantFrom({ a: [1, { b: [] }] }, 'text\n', [], {}, 3), { nil: undefined });
const order = fc.shuffledSubarray(['model', 'input', 'tools', 'text', 'stream', 'include'], { minLength: 0 });

describe('the payload of a request', () => {
  it('is the printed request, whatever it has in common with the one before it', () => {
    const request = fc.record({ order, input: items, member, tools: member, kept: fc.nat(6) });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 6 }), (requests) => {
        const { rollout, text } = recording();
        const context = rollout.root.startTurn().inference(MODEL);
        let before: unknown[] = [];
        for (const [n, { order, input, member, tools, kept }] of requests.entries()) {
          const history = [...before.slice(n % 2 === 0 ? 0 : 1, kept), ...input];
          const all: Record<string, unknown> = { model: 'm', input: history, tools, text: member, stream: true };
          const body = Object.fromEntries(order.map((key) => [key, all[key]]));
          context.start(body);
          before = history;
          expect(text(`payloads/${n + 2}.json`)).toBe(prettyText(body));
        }
        expect(rollout.troubles).toEqual({});
      }),
    );
  });

  it('is printed whole where nothing is left of the one before', () => {
    const { rollout, text } = recording();
    const context = rollout.root.startTurn().inference(MODEL);
    for (const [n, body] of [{ input: [{ id: 'a' }] }, {}, { input: [] }, { other: 1 }].entries()) {
      context.start(body);
      expect(text(`payloads/${n + 2}.json`)).toBe(prettyText(body));
    }
  });
});
