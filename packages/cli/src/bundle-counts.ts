/** How many objects of each kind a graph has, by their names on disk: for summaries and for `--json`. */

import type { Graph } from '@rollout-trace/core/format';

export function countsOf(graph: Graph) {
  return {
    threads: graph.threads.size,
    codex_turns: graph.codex_turns.size,
    conversation_items: graph.conversation_items.size,
    inference_calls: graph.inference_calls.size,
    code_cells: graph.code_cells.size,
    tool_calls: graph.tool_calls.size,
    terminal_sessions: graph.terminal_sessions.size,
    terminal_operations: graph.terminal_operations.size,
    compactions: graph.compactions.size,
    compaction_requests: graph.compaction_requests.size,
    interaction_edges: graph.interaction_edges.size,
    raw_payloads: graph.raw_payloads.size,
  };
}
