/**
 * A model call that the SDK tells of. Whoever sees its bytes takes its seat; what nobody took is recorded when the span
 * ends, from what the SDK tells then, and says so.
 */

import { CallSeat, withSeat } from '../session/call-seat.ts';
import { chatInput } from '../session/chat-items.ts';
import { formatItem } from '../session/format-items.ts';
import { listOf, type Members, membersOf, textOrNull } from '../session/json.ts';
import type { ModelRequest, TraceSession } from '../session/session.ts';
import { sightingOf } from '../session/transcript.ts';
import { tokenUsage } from '../session/usage.ts';
import { OWNER } from './agent-run.ts';
import type { AgentSpan } from './agent-span.ts';
import { generationOutput, spanInput } from './span-items.ts';
import { errorText } from './tool-span.ts';

/** What a response gives back of the request. */
const SENT = [
  'instructions',
  'tools',
  'tool_choice',
  'previous_response_id',
  'reasoning',
  'text',
  'temperature',
  'top_p',
];

/** One model call. */
export class ModelSpan {
  readonly #session: TraceSession;
  readonly #agent: AgentSpan;
  #seat: CallSeat | null = null;

  constructor(session: TraceSession, agent: AgentSpan) {
    this.#session = session;
    this.#agent = agent;
  }

  /** The place of this call. */
  seat(request: ModelRequest): CallSeat {
    if (this.#seat === null) {
      const { turn, watcher } = this.#agent.ask(sightingOf(request), request.model);
      this.#seat = new CallSeat(turn, watcher);
    }
    return this.#seat;
  }

  /** The span ended. */
  end(data: Members, error: Members | null): void {
    if (this.#seat?.taken === true) return;
    const responseId = textOrNull(data.response_id);
    if (responseId !== null && !this.#session.claim('response', responseId, OWNER)) return;
    const told = data.type === 'response' ? responseTold(data) : generationTold(data);
    if (told === null) {
      this.#untold(error);
      return;
    }
    const { request, output, usage } = told;
    const call = withSeat(this.seat(request), () => this.#session.startModelCall(OWNER, request));
    const outcome = { responseId, tokenUsage: tokenUsage(usage), outputItems: output };
    if (error !== null) call?.fail(errorText(error), outcome);
    else call?.complete(outcome);
  }

  /** Neither bytes nor words were seen: what is left is that a call was made, and how it ended. */
  #untold(error: Members | null): void {
    const { turn } = this.#agent.ask({ input: [], previousResponseId: null, conversationId: null }, '');
    const { thread } = turn;
    this.#session.notObservable(thread, OWNER, ['a model call of which the SDK keeps input and output to itself']);
    if (error === null) return;
    this.#agent.modelFailed();
    thread.protocolEvent('error', { type: 'error', message: errorText(error) });
  }
}

interface Told {
  request: ModelRequest;
  output: readonly unknown[];
  usage: unknown;
}

function responseTold({ _input, _response }: Members): Told | null {
  if (_input === undefined) return null;
  const response = membersOf(_response);
  const model = textOrNull(response.model) ?? '';
  const sent = SENT.flatMap((key) =>
    response[key] === undefined || response[key] === null ? [] : [[key, response[key]]],
  );
  return {
    request: {
      model,
      providerName: 'openai-agents',
      body: { model, ...Object.fromEntries(sent), derived_from: { told_by: 'openai-agents', span: 'response' } },
      input: spanInput(_input),
    },
    output: listOf(response.output).map(formatItem),
    usage: response.usage,
  };
}

function generationTold({ input, output, model, model_config, usage }: Members): Told | null {
  if (!Array.isArray(input)) return null;
  const name = textOrNull(model) ?? '';
  return {
    request: {
      model: name,
      providerName: 'openai-agents',
      body: { model: name, model_config, derived_from: { told_by: 'openai-agents', span: 'generation' } },
      input: chatInput(input),
    },
    output: generationOutput(output),
    usage,
  };
}
