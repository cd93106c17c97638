/** The messages of a chat completion, whole or put together from the chunks of a stream: one for each choice. */

import { messageItems } from '../session/chat-items.ts';
import { isMembers, listOf, type Members, membersOf, textOrNull } from '../session/json.ts';

interface Choice {
  message: Record<string, unknown>;
  calls: Map<number, Record<string, unknown>>;
  finished: boolean;
}

/** Texts that come in pieces. */
const PIECEWISE = ['content', 'refusal', 'reasoning_content'];

/** Puts the messages of one completion together. */
export class ChatMessages {
  id: string | null = null;
  usage: unknown = null;
  readonly #choices = new Map<number, Choice>();

  /** Whether anything was said. */
  get begun(): boolean {
    return this.#choices.size > 0;
  }

  /** Whether every choice came to its end. */
  get finished(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every(({ finished }) => finished);
  }

  /** Takes in a completion that is not streamed. */
  whole(completion: Members): void {
    this.#head(completion);
    listOf(completion.choices).forEach((choice, index) => {
      const message = { ...membersOf(membersOf(choice).message) };
      this.#choices.set(index, { message, calls: new Map(), finished: true });
    });
  }

  /** Takes in a chunk. */
  chunk(chunk: Members): void {
    this.#head(chunk);
    for (const told of listOf(chunk.choices)) {
      const { index, delta, finish_reason } = membersOf(told);
      const choice = this.#choice(typeof index === 'number' ? index : 0);
      if (isMembers(delta)) add(choice, delta);
      if (typeof finish_reason === 'string') choice.finished = true;
    }
  }

  /** The items of the format, in the order of the choices. */
  items(): Members[] {
    return [...this.#choices.values()].flatMap(({ message, calls }) => {
      const tool_calls = [...calls.values()];
      return messageItems(tool_calls.length > 0 ? { ...message, tool_calls } : message);
    });
  }

  #head({ id, usage }: Members): void {
    this.id ??= textOrNull(id);
    this.usage = usage ?? this.usage;
  }

  #choice(index: number): Choice {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const choice: Choice = { message: { role: 'assistant' }, calls: new Map(), finished: false };
    this.#choices.set(index, choice);
    return choice;
  }
}

function add({ message, calls }: Choice, delta: Members): void {
  for (const key of PIECEWISE) {
    const piece = delta[key];
    if (typeof piece === 'string') message[key] = `${textOrNull(message[key]) ?? ''}${piece}`;
  }
  if (isMembers(delta.function_call))
    message.function_call = joined(membersOf(message.function_call), delta.function_call);
  for (const told of listOf(delta.tool_calls)) {
    const { index, ...piece } = membersOf(told);
    const at = typeof index === 'number' ? index : calls.size;
    const call = calls.get(at) ?? {};
    for (const [key, value] of Object.entries(piece)) {
      call[key] = isMembers(value) ? joined(membersOf(call[key]), value) : (value ?? call[key]);
    }
    calls.set(at, call);
  }
}

/** A called function by name and arguments, of which the arguments, or the input, come in pieces. */
function joined(before: Members, piece: Members): Members {
  const out: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(piece)) {
    const grows = (key === 'arguments' || key === 'input') && typeof value === 'string' && typeof out[key] === 'string';
    out[key] = grows ? `${String(out[key])}${value}` : (value ?? out[key]);
  }
  return out;
}
