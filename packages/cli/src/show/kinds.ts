/** The kinds of objects a graph holds, by the nouns the command line calls them. One table, everything else reads it. */

import type { Graph } from '@rollout-trace/core/format';

interface KindSpec {
  /** The map of the graph, by its name on disk. */
  collection: keyof Graph;
  /** What a person calls one of them, and several. */
  title: string;
  titles: string;
  /** Other words for the whole collection, besides its name on disk. */
  plural: string;
  /** Ids have the form `prefix:N`, so that `noun:N` is another way to write one. */
  prefix?: string;
  /** Ids are made of other ids, and too long to be told apart. */
  isNumbered?: true;
}

export const KINDS = {
  thread: { collection: 'threads', title: 'Thread', titles: 'Threads', plural: 'threads' },
  turn: { collection: 'codex_turns', title: 'Turn', titles: 'Turns', plural: 'turns' },
  inference: {
    collection: 'inference_calls',
    title: 'Inference call',
    titles: 'Inference calls',
    plural: 'inferences',
  },
  item: {
    collection: 'conversation_items',
    title: 'Conversation item',
    titles: 'Conversation items',
    plural: 'items',
    prefix: 'conversation_item',
  },
  tool: { collection: 'tool_calls', title: 'Tool call', titles: 'Tool calls', plural: 'tools' },
  cell: { collection: 'code_cells', title: 'Code cell', titles: 'Code cells', plural: 'cells' },
  terminal: {
    collection: 'terminal_sessions',
    title: 'Terminal session',
    titles: 'Terminal sessions',
    plural: 'terminals',
  },
  operation: {
    collection: 'terminal_operations',
    title: 'Terminal operation',
    titles: 'Terminal operations',
    plural: 'operations',
    prefix: 'terminal_operation',
  },
  compaction: { collection: 'compactions', title: 'Compaction', titles: 'Compactions', plural: 'compactions' },
  compaction_request: {
    collection: 'compaction_requests',
    title: 'Compaction request',
    titles: 'Compaction requests',
    plural: 'compaction_requests',
    prefix: 'compaction_request',
  },
  edge: {
    collection: 'interaction_edges',
    title: 'Interaction',
    titles: 'Interactions',
    plural: 'edges',
    isNumbered: true,
  },
  payload: {
    collection: 'raw_payloads',
    title: 'Payload',
    titles: 'Payloads',
    plural: 'payloads',
    prefix: 'raw_payload',
  },
} as const satisfies Record<string, KindSpec>;

export type Noun = keyof typeof KINDS;
export const NOUNS: readonly Noun[] = Object.keys(KINDS).filter(isNoun);

export function isNoun(word: string): word is Noun {
  return Object.hasOwn(KINDS, word);
}

/** One kind as data, whatever it is. */
export function kindSpec(noun: Noun): KindSpec {
  return KINDS[noun];
}

/** All objects of a kind, by id, in the order they came into being. */
export function objects(graph: Graph, noun: Noun): ReadonlyMap<string, object> {
  return graph[KINDS[noun].collection];
}
