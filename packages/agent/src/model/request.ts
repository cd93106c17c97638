/** The bodies of requests, exactly as they are sent and recorded. */

import type { Tool, ToolSpec } from '../tools/tool.ts';
import type { Item } from './item.ts';

/** A body of a request. */
export type RequestBody = Readonly<Record<string, unknown>>;

/** What is the same in all requests of a thread. */
export interface RequestSettings {
  model: string;
  instructions: string;
  /** Further members, such as `reasoning` or `text`. */
  more: RequestBody;
  /** Who asks: servers that serve several agents can tell them apart. */
  metadata: Readonly<Record<string, string>>;
  /** Requests of one session share what the service has cached of them. */
  cacheKey: string;
}

/** What one request sends. */
export interface RequestInput {
  items: readonly Item[];
  /** The response that the items continue; null where they are the whole history. */
  previousResponseId: string | null;
  /** Whether the service is to keep the response, so that a later request can continue it. */
  store: boolean;
}

/** The body of a request for a response. */
export function responseRequest(settings: RequestSettings, tools: readonly Tool[], input: RequestInput): RequestBody {
  return {
    // What is not stored must come back with its reasoning, or the model starts to think anew after every call.
    include: ['reasoning.encrypted_content'],
    ...settings.more,
    model: settings.model,
    instructions: settings.instructions,
    ...(input.previousResponseId === null ? {} : { previous_response_id: input.previousResponseId }),
    input: input.items,
    tools: toolSpecs(tools),
    tool_choice: 'auto',
    parallel_tool_calls: true,
    stream: true,
    store: input.store,
    prompt_cache_key: settings.cacheKey,
    metadata: settings.metadata,
  };
}

/** The body of a request for a shorter history. */
export function compactionRequest({ model, instructions }: RequestSettings, items: readonly Item[]): RequestBody {
  return { model, instructions, input: items };
}

/** Tools of a namespace stand in one entry, where the first of them stood. */
function toolSpecs(tools: readonly Tool[]): object[] {
  const entries: object[] = [];
  const namespaces = new Map<string, ToolSpec[]>();
  for (const { namespace, spec } of tools) {
    if (namespace === null) {
      entries.push(spec);
      continue;
    }
    const known = namespaces.get(namespace);
    if (known !== undefined) {
      known.push(spec);
      continue;
    }
    const specs = [spec];
    namespaces.set(namespace, specs);
    entries.push({ type: 'namespace', name: namespace, description: `The tools of ${namespace}.`, tools: specs });
  }
  return entries;
}
