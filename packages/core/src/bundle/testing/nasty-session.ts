/**
 * Sessions as no sane agent has them, made from a number: histories that are edited, reordered, cut and repeated between
 * requests, in every spelling JSON allows. They are the guard of the fast path: what it takes for unchanged must be.
 *
 * The same seed gives the same session; fewer steps give its beginning. Not here: what becomes of a session.
 */

import {
  accepted,
  agentResult,
  Body,
  cellEnded,
  cellStarted,
  event,
  inferenceFailed,
  runtimeEnded,
  runtimeStarted,
  type Sketch,
  threadStarted,
  toolEnded,
  toolStarted,
  turnEnded,
  turnStarted,
} from '../../reducer/testing/scenario.ts';

/** Small, fast and the same everywhere. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 to n-1. */
  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  /** True once in n times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const TEXTS = ['hi', 'ok', 'ok', 'é', '\\u00e9', '😀', '\\ud83d\\ude00', 'a\\nb', 'x'.repeat(60), 'y'.repeat(140)];
const CALLS = ['c1', 'c2', 'c3', 'c4', 'c5'];
const IDS = ['i1', 'i2', 'i3', 'i4', 'i5', 'i6'];
const NUMBERS = ['1', '1.0', '1e5', '1E5', '-0', '12345678901234567890', '0.1'];
const LONG = '"'.concat('äöü€😀'.repeat(30), '"');

/** A model item nothing is wrong with: its call id stands for one content. */
function soundItem(dice: Dice): string {
  const text = dice.pick(TEXTS);
  const callId = dice.pick(CALLS);
  const id = dice.oneIn(3) ? `,"id":"${dice.pick(IDS)}"` : '';
  const call = `"call_id":"${callId}"`;
  switch (dice.below(13)) {
    case 0:
    case 1:
    case 2:
      return `{"type":"message","role":"user","content":[{"type":"input_text","text":"${text}"}]${id}}`;
    case 3:
      return `{ "type":"message","role":"assistant","content":[{"type":"output_text","text":"${text}"}]${id}}`;
    case 4:
      return `{"type":"message","role":"user","content":[{"type":"input_image","image_url":"${text}"}]${id}}`;
    case 5:
      return `{"type":"message","role":"user","content":"${text}"${id}}`;
    case 6:
      return `{"type":"function_call","name":"f","arguments":"{\\"n\\":\\"${callId}\\"}",${call}${id}}`;
    case 7:
      return `{"type":"function_call_output",${call},"output":"${callId}"${id}}`;
    case 8:
      return `{"type":"custom_tool_call","name":"exec","input":"${callId}",${call}${id}}`;
    case 9:
      return `{"type":"custom_tool_call_output",${call},"output":"${callId}"${id}}`;
    case 10:
      return `{"type":"reasoning","summary":${dice.pick(['[]', '[{"type":"summary_text","text":"s"}]'])},"encrypted_content":"${dice.pick(['e1', 'e2'])}"${id}}`;
    case 11:
      return `{"type":"message","role":"user","content":[]${id}}`;
    default:
      return dice.pick([
        `{"type":"compaction","encrypted_content":"${text}"${id}}`,
        `{"type":"message","role":"user","content":[{"type":"input_text","text":"${'long '.repeat(24_000)}${text}"}]}`,
        `{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"${text}"}]${id}}`,
      ]);
  }
}

/** One model item as it stands in a payload: text, because its spelling matters. */
function oddItem(dice: Dice): string {
  const text = dice.pick(TEXTS);
  const id = dice.oneIn(3) ? `,"id":"${dice.pick(IDS)}"` : '';
  const callId = `"call_id":"${dice.pick(CALLS)}"`;
  const content = (type: string): string => `[{"type":"${type}","text":"${text}"}]`;
  switch (dice.below(26)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return `{"type":"message","role":"user","content":${content('input_text')}${id}}`;
    case 4:
    case 5:
      return `{"type":"message","role":"assistant","content":${content('output_text')}${id}}`;
    case 6:
      // The same content with other bytes.
      return `{ "role":"user" , "type": "message","content" :${content('input_text')}${id} }`;
    case 7:
      return `{"type":"message","role":"user","content":[{"type":"input_image","image_url":"${text}"},{"type":"input_text","text":"${text}"}]${id}}`;
    case 8:
      // A reference without a hash: it matches only within its payload.
      return `{"type":"message","role":"user","content":"${text}"${id}}`;
    case 9:
      return `{"type":"message","role":"user","content":[]${id}}`;
    case 10:
    case 11:
      return `{"type":"function_call","name":"f","arguments":"{\\"n\\":${dice.pick(NUMBERS)}}",${callId}${id}}`;
    case 12:
      return `{"type":"function_call","name":"f","arguments":{"n":${dice.pick(NUMBERS)},"n":2},${callId}${id}}`;
    case 13:
      return `{"type":"function_call","name":"f",${callId}${id}}`;
    case 14:
      return `{"type":"function_call","name":"f","arguments":${LONG},${callId}${id}}`;
    case 15:
    case 16:
      return `{"type":"function_call_output",${callId},"output":"${text}"${id}}`;
    case 17:
      return `{"type":"function_call_output",${callId},"output":${dice.pick(['null', '[]', '{"a":1}', content('input_text')])}${id}}`;
    case 18:
      return `{"type":"custom_tool_call","name":"${dice.pick(['exec', 'other'])}","input":"${text}",${callId}${id}}`;
    case 19:
      return `{"type":"custom_tool_call_output",${callId},"output":"${text}"${id}}`;
    case 20:
      return `{"type":"reasoning","summary":${dice.pick(['[]', '[{"type":"summary_text","text":"s"}]'])},"encrypted_content":"${dice.pick(['e1', 'e2'])}"${id}}`;
    case 21:
      return `{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"${text}"}],"encrypted_content":${dice.pick(['null', '"e1"'])}${id}}`;
    case 22:
      return `{"type":"agent_message","author":"/root/a","recipient":"/root","content":[{"type":"input_text","text":"${text}"}]${id}}`;
    case 23:
      return `{"type":"local_shell_call","status":"${text}","internal_chat_message_metadata_passthrough":{"a":1},${callId}${id}}`;
    case 24:
      return `{"type":"compaction","encrypted_content":"${text}"${id}}`;
    default:
      return odd(dice, text);
  }
}

/** Things that are no items, or none that is known, or only just ones. */
function odd(dice: Dice, text: string): string {
  return dice.pick([
    '{"type":"additional_tools","tools":[]}',
    '{"type":"additional_tools","tools":[]}',
    '{"type":"configuration_update"}',
    '{"type":"message","content":[]}',
    `{"type":"message","role":"user","role":"assistant","content":"${text}"}`,
    '{"type":"reasoning","summary":[]}',
    '1',
    '12',
    'null',
    'true',
    '"text"',
    '[]',
    '{}',
    // As long as several blocks of the reader.
    `{"type":"message","role":"user","content":[{"type":"input_text","text":"${'long '.repeat(24_000)}${text}"}]}`,
  ]);
}

/** The end of a command, in the words of every generation. */
const ENDED = { exit_code: 0, aggregated_output: '', stdout: '', stderr: '', formatted_output: '' };

const SPACES = ['', ' ', '\n', '\n  ', '\r\n\t'];

/** How a thread spells its requests, until it changes its mind. */
interface Spelling {
  head: string;
  separator: string;
  close: string;
  tail: string;
}

function spelling(dice: Dice): Spelling {
  const response = (value: string): string => `"previous_response_id":${value}`;
  return {
    head: dice.pick([
      '{',
      '{',
      '{"model":"m",',
      '{ "model" : "m" , ',
      `{${response('null')},`,
      '{"instructions":"😀 \\" ] }",',
    ]),
    separator: `${dice.pick(SPACES)},${dice.pick(SPACES)}`,
    close: dice.pick(SPACES),
    tail: dice.pick([
      '}',
      '}',
      ',"tools":[]}',
      ',"tools":[{"name":"a"}],"stream":true}',
      ',"tools":[{"name":"b"}],"stream":true}',
      `,"n":${dice.pick(NUMBERS)},"text":"${dice.pick(TEXTS)}"}`,
      `,${response('5')}}`,
      '}\n',
      ' }',
    ]),
  };
}

/** A document that is no request, or barely one. */
function oddRequest(dice: Dice, items: readonly string[]): string {
  const item = '{"type":"message","role":"user","content":[]}';
  const list = `[${items.join(',')}]`;
  return dice.pick([
    `{"input":${list}`,
    `{"input":${list}}x`,
    `{"input":${list},}`,
    `{"input":[${items.join(',')},]}`,
    `{"input":[,${items.join(',')}]}`,
    `{"input":[${item}${items.join(',')}]}`,
    `{"input":[${items.join('')}]}`,
    `{"input":${list},"input":[1]}`,
    `{"input":5,"input":${list}}`,
    `{"input":{"0":1}}`,
    `{"input":null}`,
    '{}',
    '[]',
    '',
    `\ufeff{"input":${list}}`,
    `{"input":${list},"a":"\u0001"}`,
    `{"input":${list},"a":01}`,
    `{"input":${list},"a":"\\ud800"}`,
    `{"input":${list},"a":${'['.repeat(127)}${']'.repeat(127)}}`,
    `{"in\\u0070ut":${list}}`,
    `{"previous_response_id":"r1","previous_response_id":null,"input":${list}}`,
    `{"input":[${'['.repeat(126)}${']'.repeat(126)}]}`,
  ]);
}

export interface NastyOptions {
  /** The generation knows `history_item_accepted`. */
  acceptances: boolean;
}

class SessionThread {
  readonly id: string;
  readonly turn: string;
  history: string[] = [];
  /** As the last request had it: an incremental request gives what is new since. */
  sent = 0;
  spelling: Spelling;
  /** Inferences that have not ended. */
  open: string[] = [];
  lastResponse: string | null = null;
  lastRequest: string | null = null;
  /** The latest request was answered, and nothing changed since: an incremental request fits. */
  isAnswered = false;
  constructor(id: string, dice: Dice) {
    this.id = id;
    this.turn = `U${id}`;
    this.spelling = spelling(dice);
  }
}

class NastySession {
  readonly sketches: Sketch[] = [];
  readonly #dice: Dice;
  /** Nothing is wrong: strict reads it to the end. */
  readonly #isSound: boolean;
  readonly #threads: SessionThread[];
  #count = 0;
  /** Ids of responses, all of one length. */
  readonly #responses: string[] = [];
  /** In a sound session a call id has one tool call and one cell. */
  readonly #calls = [...CALLS];
  readonly #programs = [...CALLS];
  readonly #options: NastyOptions;
  constructor(seed: number, options: NastyOptions) {
    const dice = new Dice(seed);
    this.#dice = dice;
    this.#options = options;
    this.#isSound = seed % 2 === 0;
    this.#threads = ['T', ...(dice.oneIn(3) ? ['S'] : [])].map((id) => new SessionThread(id, dice));
    for (const { id, turn } of this.#threads) {
      this.sketches.push(threadStarted(id, id === 'T' ? '/root' : '/root/a'), turnStarted(turn, id));
    }
  }

  step(): void {
    const dice = this.#dice;
    const thread = dice.pick(this.#threads);
    switch (dice.below(25)) {
      case 0:
      case 1:
      case 2:
        for (let n = dice.below(4); n >= 0; n--) thread.history.push(this.#item());
        return;
      case 3:
        return this.#edit(thread);
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        return this.#request(thread);
      case 9:
      case 10:
      case 11:
        return this.#respond(thread);
      case 12:
        return this.#continue(thread);
      case 13:
        return this.#compact(thread);
      case 14:
      case 15:
        return this.#tool(thread);
      case 16:
        return this.#cell(thread);
      case 17:
      case 18:
        if (this.#options.acceptances) this.#accept(thread);
        return;
      case 19:
        thread.spelling = spelling(dice);
        return;
      case 20:
        thread.spelling = { ...thread.spelling, tail: spelling(dice).tail };
        return;
      case 21:
        this.sketches.push(
          agentResult(
            this.#isSound ? `e${++this.#count}` : `e${dice.below(3)}`,
            dice.pick(TEXTS),
            this.#result(thread),
          ),
        );
        return;
      case 22:
        return this.#odd(thread);
      case 23:
        return this.#resend(thread);
      default:
        if (dice.oneIn(4)) this.sketches.push(turnEnded(thread.turn, dice.pick(['completed', 'failed'])));
    }
  }

  #item(): string {
    return this.#isSound ? soundItem(this.#dice) : oddItem(this.#dice);
  }

  #envelope(thread: SessionThread) {
    return { thread_id: thread.id, codex_turn_id: thread.turn };
  }

  #result(thread: SessionThread) {
    return { child_thread_id: thread.id, child_codex_turn_id: thread.turn, parent_thread_id: 'T' };
  }

  /** Something in the middle changes. */
  #edit(thread: SessionThread): void {
    const dice = this.#dice;
    thread.isAnswered = false;
    const { history } = thread;
    const at = dice.below(history.length + 1);
    const to = dice.below(history.length + 1);
    switch (dice.below(6)) {
      case 0:
        history.splice(at, 1, this.#item());
        return;
      case 1:
        history.splice(at, 0, this.#item());
        return;
      case 2:
        history.splice(at, dice.below(3));
        return;
      case 3:
        history.splice(to, 0, ...history.splice(at, 1));
        return;
      case 4:
        history.splice(to, 0, ...history.slice(at, at + 2));
        return;
      default:
        // The same item in other bytes: it gains an id, or blanks.
        history.splice(at, 1, ...history.slice(at, at + 1).map((text) => respelled(dice, text)));
    }
  }

  /** The same document once more, or with a change that leaves its length. */
  #resend(thread: SessionThread): void {
    const dice = this.#dice;
    const last = thread.lastRequest;
    if (last === null) return;
    const known = this.#responses;
    const changes = [
      last,
      last.replace(/"r\d+"/, `"${known.length === 0 ? 'r000' : dice.pick(known)}"`),
      last.replace('"tools":[{"name":"a"}]', '"tools":[{"name":"b"}]'),
      last.replace(/\](?=[^\]]*$)/, `,${this.#item()}]`),
      last.replace(/"hi"/, '"ok"'),
    ];
    this.#start(thread, this.#isSound ? last : dice.pick(changes));
  }

  #start(thread: SessionThread, request: string): void {
    thread.lastRequest = request;
    const id = `I${++this.#count}`;
    thread.open.push(id);
    thread.isAnswered = false;
    this.sketches.push(
      event(
        'inference_started',
        {
          inference_call_id: id,
          thread_id: thread.id,
          codex_turn_id: thread.turn,
          model: 'm',
          provider_name: 'p',
          request_payload: new Body(request),
        },
        this.#envelope(thread),
      ),
    );
  }

  #request(thread: SessionThread): void {
    const dice = this.#dice;
    const { history } = thread;
    const { head, separator, close } = thread.spelling;
    // Sometimes the whole history is sent behind a response: a list like any other, in another place.
    const behind = this.#isSound || !dice.oneIn(5) ? null : dice.pick(['gone', ...this.#responses]);
    const tail = behind === null ? thread.spelling.tail : `,"previous_response_id":"${behind}"}`;
    if (dice.oneIn(3)) history.push(this.#item());
    const request =
      !this.#isSound && dice.oneIn(25)
        ? oddRequest(dice, history)
        : `${head}"input":[${close}${history.join(separator)}${close}]${tail}`;
    this.#start(thread, request);
    thread.sent = history.length;
  }

  /** An incremental request: what is new, behind a response. */
  #continue(thread: SessionThread): void {
    const dice = this.#dice;
    const { history, sent, lastResponse } = thread;
    if (this.#isSound ? !thread.isAnswered : lastResponse === null && !dice.oneIn(8)) return;
    const response = `"previous_response_id":"${!this.#isSound && dice.oneIn(8) ? dice.pick(['r001', 'r002', 'gone']) : (lastResponse ?? 'gone')}"`;
    const fresh = [
      ...history.slice(!this.#isSound && dice.oneIn(6) ? Math.max(0, sent - 1) : sent),
      ...(dice.oneIn(3) ? [this.#item()] : []),
    ];
    const list = `"input":[${fresh.join(dice.oneIn(2) ? ',' : thread.spelling.separator)}]`;
    this.#start(thread, dice.oneIn(2) ? `{${response},${list}}` : `{${list},${response}${thread.spelling.tail}`);
    thread.sent = history.length;
  }

  #respond(thread: SessionThread): void {
    const dice = this.#dice;
    const id = thread.open.length === 0 ? undefined : thread.open.splice(dice.below(thread.open.length), 1)[0];
    if (id === undefined) return;
    if (dice.oneIn(8)) {
      this.sketches.push(inferenceFailed(id, null));
      return;
    }
    const items = Array.from({ length: dice.below(4) }, () =>
      dice.oneIn(5) && thread.history.length > 0 ? dice.pick(thread.history) : this.#item(),
    );
    const response = dice.oneIn(6) ? null : `r${String(++this.#count).padStart(3, '0')}`;
    if (response !== null) this.#responses.push(response);
    thread.isAnswered = response !== null && thread.open.length === 0;
    this.sketches.push(
      event('inference_completed', {
        inference_call_id: id,
        response_id: response,
        upstream_request_id: null,
        response_payload: new Body(`{"output_items":[${items.join(',')}]}`),
      }),
    );
    thread.lastResponse = response;
    if (dice.oneIn(5)) return;
    thread.history.push(...items.map((text) => (dice.oneIn(8) ? respelled(dice, text) : text)));
    thread.sent = thread.history.length;
  }

  #compact(thread: SessionThread): void {
    const dice = this.#dice;
    if (!dice.oneIn(2)) return;
    const { history } = thread;
    const replacement = [...history.filter(() => dice.oneIn(2)), this.#item()];
    const input = dice.oneIn(4) ? history.filter(() => dice.oneIn(2)) : history;
    const checkpoint = `{"input_history":[${input.join(',')}],"replacement_history":[${replacement.join(',')}]}`;
    this.sketches.push(
      event(
        'compaction_installed',
        { compaction_id: `K${++this.#count}`, checkpoint_payload: new Body(checkpoint) },
        this.#envelope(thread),
      ),
    );
    thread.history = replacement;
    thread.isAnswered = false;
    if (dice.oneIn(3)) thread.history = thread.history.map((text) => (dice.oneIn(4) ? respelled(dice, text) : text));
  }

  #tool(thread: SessionThread): void {
    const dice = this.#dice;
    const callId = this.#isSound ? this.#calls.pop() : dice.pick(CALLS);
    if (callId === undefined) return;
    const id = dice.oneIn(6) ? callId : `${callId}-${++this.#count}`;
    this.sketches.push(toolStarted(id, { model_visible_call_id: callId }, this.#envelope(thread)));
    if (dice.oneIn(2)) {
      this.sketches.push(runtimeStarted(id, { command: ['ls'], cwd: '/', process_id: `${thread.id}${dice.below(2)}` }));
    }
    if (dice.oneIn(2)) this.sketches.push(runtimeEnded(id, ENDED));
    if (dice.oneIn(2)) this.sketches.push(toolEnded(id));
  }

  #cell(thread: SessionThread): void {
    const dice = this.#dice;
    const runtimeId = `x${++this.#count}`;
    const callId = this.#isSound ? this.#programs.pop() : dice.pick(CALLS);
    if (callId === undefined) return;
    this.sketches.push(cellStarted(runtimeId, callId, this.#envelope(thread)));
    if (dice.oneIn(2)) this.sketches.push(withEnvelope(cellEnded(runtimeId, 'completed'), thread));
  }

  #accept(thread: SessionThread): void {
    const dice = this.#dice;
    const id = dice.pick(IDS);
    const message = {
      type: 'agent_message',
      id: !this.#isSound && dice.oneIn(6) ? 'other' : id,
      author: '/root/a',
      recipient: '/root',
      content: [{ type: 'input_text', text: 'hi' }],
    };
    this.sketches.push(accepted(id, this.#envelope(thread), dice.oneIn(3) ? message : undefined));
  }

  /** Events that mean nothing, or contradict. */
  #odd(thread: SessionThread): void {
    const dice = this.#dice;
    if (this.#isSound || !dice.oneIn(4)) return;
    this.sketches.push(
      dice.pick([
        threadStarted(thread.id),
        turnEnded('nobody'),
        toolEnded('nothing'),
        inferenceFailed('nothing'),
        event('other', { kind: 'k', summary: 's', payloads: [], metadata: null }),
      ]),
    );
  }
}

function withEnvelope(sketch: Sketch, thread: SessionThread): Sketch {
  return { ...sketch, envelope: { thread_id: thread.id, codex_turn_id: thread.turn } };
}

/** The same item with other bytes; mostly it still matches. */
function respelled(dice: Dice, text: string): string {
  if (!text.startsWith('{"') || !text.endsWith('}')) return ` ${text}`;
  return dice.pick([
    `{ ${text.slice(1)}`,
    `${text} `,
    `${text.slice(0, -1)},"id":"${dice.pick(IDS)}"}`,
    `{"x":1,${text.slice(1)}`,
  ]);
}

/** A session of so many steps, with an even seed one that nothing is wrong with; an event or none for each, some more. */
export function nastySession(seed: number, steps: number, options: NastyOptions): Sketch[] {
  const session = new NastySession(seed, options);
  for (let n = 0; n < steps; n++) session.step();
  return session.sketches;
}
