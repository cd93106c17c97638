/** Spawns whose mail never came: at the end they lead to the child's thread (spec E9, E10). */

import type { EdgeAnchor, InteractionEdge } from '../format/graph.ts';
import { anchorText, edgeOf, mergeEdge, sameEnds } from './agent.ts';
import type { PendingEdge, ReducerState } from './state.ts';

function fallbackAnchor(state: ReducerState, pending: PendingEdge): EdgeAnchor | null {
  const { fallbackThreadId: id } = pending;
  return id !== null && state.threads.has(id) ? { type: 'thread', thread_id: id } : null;
}

/** The edges of the graph as they are known now. Changes nothing. */
export function settledEdges(state: ReducerState): Map<string, InteractionEdge> {
  const out = new Map(state.edges);
  for (const pending of state.pendingEdges.values()) {
    const target = fallbackAnchor(state, pending);
    if (target === null) continue;
    const known = out.get(pending.edge_id);
    if (known === undefined) out.set(pending.edge_id, edgeOf(pending, target, []));
    else if (sameEnds(known, pending, target)) {
      const copy = { ...known, carried_raw_payload_ids: [...known.carried_raw_payload_ids] };
      mergeEdge(state, copy, pending);
      out.set(pending.edge_id, copy);
    }
  }
  return out;
}

/** The log has ended: a spawn that was observed in two ways cannot be told any more. */
export function checkSettlement(state: ReducerState): void {
  for (const pending of state.pendingEdges.values()) {
    const target = fallbackAnchor(state, pending);
    const known = state.edges.get(pending.edge_id);
    if (target === null || known === undefined || sameEnds(known, pending, target)) continue;
    state.fault(
      'edge_conflict',
      `${pending.edge_id} leads from ${anchorText(known.source)} to ${anchorText(known.target)}, but was observed again without its mail`,
    );
  }
}
