/**
 * What a scripted model says: one step per request, and short names for the items steps are made of.
 *
 * Shapes are those of the Responses API (OpenAI API reference, "Create a model response"). Not here: how a step becomes
 * bytes (`response-events.ts`, `chat.ts`), and what is wrong with a request (`judge.ts`).
 */

/** An output item, as the API sends it. An item without an id gets one. */
export type OutputItem = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Tokens as the API counts them; what is left out is 0. */
export interface StepUsage {
  input_tokens?: number;
  cached_tokens?: number;
  output_tokens?: number;
  reasoning_tokens?: number;
}

/** How a stream ends. Everything but `completed` happens after the items of the step were sent. */
export type StepEnd =
  /** `response.completed`. */
  | 'completed'
  /** `response.failed` with an error. */
  | 'failed'
  /** `response.incomplete`, because of `max_output_tokens`. */
  | 'incomplete'
  /** The connection is closed in the middle of an event. */
  | 'dropped'
  /** An event whose data is no JSON, then the connection is closed. */
  | 'malformed'
  /** Nothing more is sent, until the client gives up. */
  | 'hanging';

/** The answer to one request. */
export interface Step {
  items?: readonly OutputItem[];
  usage?: StepUsage;
  end?: StepEnd;
  /** Answers with this HTTP status and no items. */
  status?: number;
  /** The message of a `status` or of `end: 'failed'`. */
  error?: string;
  /** Milliseconds before the first byte. */
  delay_ms?: number;
  /** Milliseconds between one event and the next. */
  event_delay_ms?: number;
  /** The answer begins when this is fulfilled. */
  after?: Promise<unknown>;
}

/** A request as it came in. */
export interface ModelRequest {
  /** Counts from 1 over all requests that were answered by a step. */
  readonly number: number;
  readonly endpoint: 'responses' | 'compact' | 'chat';
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The `metadata.agent_path` of the body; `/root` where it has none. */
  readonly agentPath: string;
}

/** Says what to answer. Null is a failure of the script: status 500, and told by `close()`. */
export type Script = (request: ModelRequest) => Step | null | Promise<Step | null>;

/** One step after the other, whoever asks. */
export function inOrder(steps: readonly Step[]): Script {
  const left = [...steps];
  return () => left.shift() ?? null;
}

/** A list of steps for each agent, by its path (`/root`, `/root/<task>`). Compactions take no step: see {@link compacted}. */
export function byAgent(
  agents: Readonly<Record<string, readonly (Step | ((request: ModelRequest) => Step))[]>>,
): Script {
  const left = new Map(Object.entries(agents).map(([path, steps]) => [path, [...steps]]));
  return (request) => {
    if (request.endpoint === 'compact') return compacted(request);
    const step = left.get(request.agentPath)?.shift() ?? null;
    return typeof step === 'function' ? step(request) : step;
  };
}

/** What a compaction leaves: the messages of the user, and one item that stands for everything else. */
export function compacted({ number, body }: ModelRequest): Step {
  const input = Array.isArray(body.input) ? (body.input as OutputItem[]) : [];
  const kept = input.filter((item) => item.type === 'message' && item.role === 'user');
  return { items: [...kept, { type: 'compaction', encrypted_content: `everything before request ${number}` }] };
}

/** A message of the assistant. */
export function say(text: string, phase: 'commentary' | 'final_answer' = 'final_answer'): OutputItem {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
    phase,
  };
}

/** Reasoning: a summary that may be read, and the rest encrypted. */
export function think(summary: string, encrypted: string): OutputItem {
  return { type: 'reasoning', summary: [{ type: 'summary_text', text: summary }], encrypted_content: encrypted };
}

/** A call of a function tool. */
export function call(callId: string, name: string, args: unknown, namespace?: string): OutputItem {
  return {
    type: 'function_call',
    status: 'completed',
    call_id: callId,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
  };
}

/** A call of a custom tool, which takes free text. */
export function custom(callId: string, name: string, input: string): OutputItem {
  return { type: 'custom_tool_call', status: 'completed', call_id: callId, name, input };
}

/** The text of the newest tool output of a request, for scripts whose next step depends on it. Empty where there is none. */
export function lastOutput({ body }: ModelRequest): string {
  const items = (Array.isArray(body.input) ? body.input : []) as OutputItem[];
  const output = items.filter(({ type }) => type.endsWith('_output')).at(-1)?.output;
  if (typeof output === 'string') return output;
  if (!Array.isArray(output)) return '';
  return output.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('\n');
}
