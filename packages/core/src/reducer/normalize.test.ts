// How model items become conversation items: docs/reducer.md, section 6.2.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BASE, Body, failure, inferenceStarted, item, mail, program, reduce, user } from './testing/scenario.ts';

/** The item that one model item of a request becomes. */
function normalized(modelItem: unknown) {
  return item(reduce([...BASE, inferenceStarted('I', [modelItem])]).graph, 1);
}

const partsOf = (modelItem: unknown) => normalized(modelItem).body.parts;
const refusal = (modelItem: unknown) => failure([...BASE, inferenceStarted('I', [modelItem])]);

const message = (content: unknown, more = {}) => ({ type: 'message', role: 'user', content, ...more });
const called = (args: unknown) => ({ type: 'function_call', name: 'f', call_id: 'c', arguments: args });
const json = (summary: string) => [{ type: 'json', summary, raw_payload_id: 'raw_payload:1' }];
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the type of an item', () => {
  it('N1: additional_tools are skipped wherever they stand in a list', () => {
    const { graph } = reduce([...BASE, inferenceStarted('I', [{ type: 'additional_tools' }, user('hi')])]);
    expect(graph.conversation_items.size).toBe(1);
  });

  it('N1: the metadata passthrough is removed before anything else is read', () => {
    const call = { type: 'web_search_call', internal_chat_message_metadata_passthrough: { a: 1 } };
    expect(partsOf(call)).toEqual(json('{"type":"web_search_call"}'));
    const first = { internal_chat_message_metadata_passthrough: 1, type: 'web_search_call', id: 'a', action: 'b' };
    expect(partsOf(first)).toEqual(json('{"action":"b","type":"web_search_call","id":"a"}'));
  });

  it.each([
    ['without a type', {}, 'item_invalid'],
    ['of a type that is no string', { type: 1 }, 'item_invalid'],
    ['that is no object', 'text', 'item_invalid'],
    ['of an unknown type', { type: 'telepathy' }, 'item_type_unknown'],
    ['of a type that only an object has', { type: 'constructor' }, 'item_type_unknown'],
  ])('N1: an item %s is refused', (_, modelItem, code) => {
    expect(refusal(modelItem)).toBe(code);
  });

  it('N1: a list is normalised before any of it is placed, so a bad item leaves no trace of the others', () => {
    const sketch = [...BASE, inferenceStarted('I', [user('hi'), {}])];
    expect(failure(sketch)).toBe('item_invalid');
    const salvaged = reduce(sketch, { mode: 'salvage' });
    expect(salvaged.findings.map(({ code, json_path }) => [code, json_path])).toEqual([['item_invalid', '/input/1']]);
    expect(salvaged.graph.conversation_items.size).toBe(1);
  });

  it('N2: the id of an item is its string id, the empty one included', () => {
    expect(normalized(user('hi', 'msg_1')).responses_item_id).toBe('msg_1');
    expect(normalized(user('hi', '')).responses_item_id).toBe('');
    expect(normalized({ ...user('hi'), id: 7 }).responses_item_id).toBeUndefined();
  });
});

describe('a message', () => {
  it.each([
    ['commentary', 'commentary'],
    ['final_answer', 'final'],
    ['summary', 'summary'],
    ['analysis', null],
    [7, null],
  ])('N3: phase %s gives channel %s', (phase, channel) => {
    expect(normalized(message([], { phase }))).toMatchObject({ kind: 'message', role: 'user', channel, call_id: null });
  });

  it('N3: a message needs one of the five roles', () => {
    for (const role of ['system', 'developer', 'user', 'assistant', 'tool']) {
      expect(normalized({ ...user('hi'), role }).role).toBe(role);
    }
    expect(refusal({ ...user('hi'), role: 'oracle' })).toBe('item_invalid');
    expect(refusal({ ...user('hi'), role: null })).toBe('item_invalid');
  });

  it('N4: texts become text parts; a text element without a text gives nothing', () => {
    const content = [
      { type: 'input_text', text: 'a' },
      { type: 'output_text', text: 'b' },
      { type: 'text', text: 'c' },
      { type: 'text', text: 1 },
    ];
    expect(partsOf(message(content))).toEqual(['a', 'b', 'c'].map((text) => ({ type: 'text', text })));
  });

  it('N4: every other element becomes a reference labelled with its type', () => {
    const parts = partsOf(message([{ type: 'input_image', url: 'x' }, { type: 1 }, 'bare']));
    expect(parts).toMatchObject([
      { type: 'payload_ref', label: 'input_image', raw_payload_id: 'raw_payload:1' },
      { type: 'payload_ref', label: 'content' },
      { type: 'payload_ref', label: 'content' },
    ]);
  });

  it('N4: content that is no list is one reference without a hash; an empty list gives no parts', () => {
    expect(partsOf(message('plain'))).toEqual([
      { type: 'payload_ref', label: 'content', raw_payload_id: 'raw_payload:1' },
    ]);
    expect(partsOf(message([]))).toEqual([]);
  });

  it('N5: a reference carries the hash of its element with sorted keys and numbers as written', () => {
    const element = '{"type":"input_image","url":"x","é":1E5,"a":{"10":1,"9":2},"list":[1.0,"\\u0041"]}';
    const input = new Body(`{"input":[{"type":"message","role":"user","content":[${element}]}]}`);
    const sketch = inferenceStarted('I', []);
    sketch.payload.request_payload = input;
    const [part] = item(reduce([...BASE, sketch]).graph, 1).body.parts;
    expect(part).toMatchObject({
      content_sha256: sha256('{"a":{"10":1,"9":2},"list":[1.0,"A"],"type":"input_image","url":"x","é":1e+5}'),
    });
  });
});

describe('calls and their outputs', () => {
  it('N6: a call is said by the assistant, an output by the tool, both in the commentary', () => {
    expect(normalized(called('{}'))).toMatchObject({
      kind: 'function_call',
      role: 'assistant',
      channel: 'commentary',
      call_id: 'c',
    });
    expect(normalized({ type: 'custom_tool_call_output', call_id: 'c', output: '' })).toMatchObject({
      kind: 'custom_tool_call_output',
      role: 'tool',
      channel: 'commentary',
      call_id: 'c',
    });
    expect(normalized({ ...called('{}'), call_id: 7 }).call_id).toBeNull();
  });

  it('N6: arguments that are JSON become a summary, other texts stay text, none at all refers to the payload', () => {
    expect(partsOf(called(' {"b": 1, "a": 2} '))).toEqual(json('{"b":1,"a":2}'));
    expect(partsOf(called('not json'))).toEqual([{ type: 'text', text: 'not json' }]);
    expect(partsOf(called({ a: 1 }))).toEqual(json('{"a":1}'));
    expect(partsOf(called(undefined))).toEqual([
      { type: 'payload_ref', label: 'payload', raw_payload_id: 'raw_payload:1' },
    ]);
  });

  it('N6: the input of a custom call is code if the tool is exec, else text', () => {
    expect(partsOf(program('c', 'text(1)'))).toEqual([{ type: 'code', language: 'javascript', source: 'text(1)' }]);
    expect(partsOf({ ...program('c', 'patch'), name: 'apply_patch' })).toEqual([{ type: 'text', text: 'patch' }]);
    expect(partsOf({ type: 'custom_tool_call', call_id: 'c' })).toEqual(
      json('{"type":"custom_tool_call","call_id":"c"}'),
    );
  });

  it('N6: an output is a text, a list of content parts, or a summary', () => {
    const outputOf = (output: unknown) => partsOf({ type: 'function_call_output', call_id: 'c', output });
    expect(outputOf('done')).toEqual([{ type: 'text', text: 'done' }]);
    expect(outputOf([{ type: 'input_text', text: 'a' }])).toEqual([{ type: 'text', text: 'a' }]);
    expect(outputOf({ ok: true })).toEqual(json('{"ok":true}'));
    expect(outputOf(undefined)).toEqual([
      { type: 'payload_ref', label: 'tool_output', raw_payload_id: 'raw_payload:1' },
    ]);
  });

  it.each([
    ['tool_search_call', 'function_call'],
    ['web_search_call', 'function_call'],
    ['image_generation_call', 'function_call'],
    ['local_shell_call', 'function_call'],
    ['tool_search_output', 'function_call_output'],
    ['mcp_tool_call_output', 'function_call_output'],
  ])('N7: %s is a %s that keeps the whole item as a summary', (type, kind) => {
    expect(normalized({ type, call_id: 'c', q: 1 })).toMatchObject({
      kind,
      call_id: 'c',
      body: { parts: json(`{"type":"${type}","call_id":"c","q":1}`) },
    });
  });
});

describe('reasoning, compactions and agent messages', () => {
  const thought = (more: object) => ({ type: 'reasoning', ...more });

  it('N8: reasoning has its texts, then its summaries, then what is encrypted', () => {
    const { role, channel, body } = normalized(
      thought({
        encrypted_content: 'X',
        summary: [{ type: 'summary_text', text: 's' }],
        content: [
          { type: 'reasoning_text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      }),
    );
    expect([role, channel]).toEqual(['assistant', 'analysis']);
    expect(body.parts).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      { type: 'summary', text: 's' },
      { type: 'encoded', label: 'encrypted_content', value: 'X' },
    ]);
  });

  it.each([
    ['nothing in it', { content: [], summary: [], encrypted_content: null }],
    ['a null summary', { summary: null, encrypted_content: 'X' }],
    ['content that is no list', { content: 'text' }],
    ['an entry without a type', { content: [{ text: 'a' }] }],
    ['a summary text among its texts', { content: [{ type: 'summary_text', text: 'a' }] }],
    ['a text among its summaries', { summary: [{ type: 'text', text: 'a' }] }],
    ['an entry without a text', { content: [{ type: 'text' }] }],
    ['encrypted content that is no string', { content: [{ type: 'text', text: 'a' }], encrypted_content: 1 }],
  ])('N8: reasoning with %s is refused', (_, more) => {
    expect(refusal(thought(more))).toBe('item_invalid');
  });

  it.each(['compaction', 'compaction_summary', 'context_compaction'])('N8: %s is one encrypted summary', (type) => {
    expect(normalized({ type, encrypted_content: '' })).toMatchObject({
      role: 'assistant',
      channel: 'summary',
      kind: 'message',
      body: { parts: [{ type: 'encoded', label: 'encrypted_content', value: '' }] },
    });
    expect(refusal({ type })).toBe('item_invalid');
  });

  it('N8: an agent message keeps its route and its plain and encrypted texts', () => {
    const content = [
      { type: 'input_text', text: 'a' },
      { type: 'encrypted_content', encrypted_content: 'X' },
    ];
    expect(normalized({ ...mail('/root/a', '/root', ''), content })).toMatchObject({
      role: 'assistant',
      channel: 'analysis',
      kind: 'message',
      agent_message: { author: '/root/a', recipient: '/root' },
      body: {
        parts: [
          { type: 'text', text: 'a' },
          { type: 'encoded', label: 'encrypted_content', value: 'X' },
        ],
      },
    });
  });

  it.each([
    ['no author', { author: null }],
    ['no content', { content: [] }],
    ['content that is no list', { content: 'hi' }],
    ['a part of another type', { content: [{ type: 'output_text', text: 'hi' }] }],
  ])('N8: an agent message with %s is refused', (_, more) => {
    expect(refusal({ ...mail('/root/a', '/root', 'hi'), ...more })).toBe('item_invalid');
  });
});

describe('a summary', () => {
  const text = (args: string) => {
    const [part] = partsOf(called(args));
    return part?.type === 'json' ? part.summary : part?.type;
  };

  it('N9: keeps the order of keys, integer-like ones included, and of a repeated key the last value at the first place', () => {
    expect(text('{"b":1,"2":2,"__proto__":3,"1":4,"b":5}')).toBe('{"b":5,"2":2,"__proto__":3,"1":4}');
  });

  it.each([
    ['2.50', '2.50'],
    ['18446744073709551616', '18446744073709551616'],
    ['1E-7', '1e-7'],
    ['1E5', '1e+5'],
    ['1e400', '1e+400'],
    ['-0', '0'],
    ['-0.0', '-0.0'],
  ])('N9: the number %s is printed %s', (written, printed) => {
    expect(text(`[${written}]`)).toBe(`[${printed}]`);
  });

  it.each([
    ['a lone surrogate escape', '{"a":"\\ud800"}'],
    ['a leading zero', '[01]'],
    ['a raw control character', '["\u0001"]'],
    ['128 containers inside one another', '['.repeat(128) + ']'.repeat(128)],
    ['something behind the value', '{} {}'],
  ])('N9: arguments with %s are text, not JSON', (_, args) => {
    expect(text(args)).toBe('text');
  });

  it('N9: 127 containers inside one another are JSON', () => {
    expect(text('['.repeat(127) + ']'.repeat(127))).toBe(`${'['.repeat(127)}${']'.repeat(113)}...`);
  });

  it('N9: a summary of 240 bytes is whole, a longer one is cut behind the last character that fits', () => {
    expect(text(`"${'a'.repeat(238)}"`)).toBe(`"${'a'.repeat(238)}"`);
    expect(text(`"${'a'.repeat(239)}"`)).toBe(`"${'a'.repeat(239)}...`);
    expect(text(`"${'a'.repeat(237)}é"`)).toBe(`"${'a'.repeat(237)}é...`);
    expect(text(`"${'a'.repeat(238)}é"`)).toBe(`"${'a'.repeat(238)}...`);
    expect(text(`"${'a'.repeat(236)}😀"`)).toBe(`"${'a'.repeat(236)}...`);
  });
});
