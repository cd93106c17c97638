/** What `rollout-trace show --json` prints. Field names are those of the graph where it has them. */

import { payloadSize, readPayload } from '@rollout-trace/core/node';
import { countsOf } from '../bundle-counts.ts';
import { countFindings } from '../findings-text.ts';
import { kindSpec, type Noun, objects } from './kinds.ts';
import { lastSignAt } from './last-sign.ts';
import type { ObjectRef } from './refs.ts';
import { referrersOf } from './related.ts';
import { threadTree } from './thread-tree.ts';
import { noShare, type Totals, totalsOf } from './totals.ts';
import { between, tookMs, type View } from './view.ts';

export function summaryJson(view: View): object {
  const { graph, reduced, path, refs } = view;
  const { manifest, generation, events, findings } = reduced;
  const totals = totalsOf(graph);
  const { started_at_unix_ms, ended_at_unix_ms } = graph;
  return {
    bundle: path,
    trace_id: graph.trace_id,
    rollout_id: graph.rollout_id,
    schema_version: manifest.schema_version,
    ...generation,
    status: graph.status,
    recording_complete: graph.recording_complete,
    started_at_unix_ms,
    ended_at_unix_ms,
    last_at_unix_ms: lastSignAt(view),
    duration_ms: ended_at_unix_ms === null ? null : between(started_at_unix_ms, ended_at_unix_ms),
    events,
    counts: countsOf(graph),
    tokens: { basis: 'reported', ...totals.tokens },
    models: totals.models,
    tools: totals.tools,
    threads: threadTree(graph).map(({ thread, depth }) => ({
      ref: refs.refOf('thread', thread.thread_id),
      thread_id: thread.thread_id,
      agent_path: thread.agent_path,
      depth,
      origin: thread.origin,
      execution: thread.execution,
      duration_ms: tookMs(thread.execution),
      ...(totals.threads.get(thread.thread_id) ?? noShare()),
    })),
    turns: [...graph.codex_turns.values()].map(({ codex_turn_id, thread_id, execution }) => ({
      ref: refs.refOf('turn', codex_turn_id),
      codex_turn_id,
      thread_id,
      execution,
      duration_ms: tookMs(execution),
      ...turnShare(totals, codex_turn_id),
    })),
    finding_counts: countFindings(findings),
    findings,
  };
}

/** What one turn did: as a thread, but for how many turns it had. */
function turnShare({ turns }: Totals, id: string): object {
  const { inference_calls, tool_calls, tokens } = turns.get(id) ?? noShare();
  return { inference_calls, tool_calls, tokens };
}

export function objectJson({ graph, refs, source }: View, { noun, id }: ObjectRef): object {
  const payload = noun === 'payload' ? graph.raw_payloads.get(id) : undefined;
  return {
    ref: refs.refOf(noun, id),
    collection: kindSpec(noun).collection,
    id,
    object: objects(graph, noun).get(id),
    ...(payload === undefined
      ? {}
      : { size_bytes: payloadSize(source, payload), content: readPayload(source, payload)?.body ?? null }),
    referred_to_by: referrersOf(graph, { noun, id }).map((referrer) => ({
      ref: refs.refOf(referrer.noun, referrer.id),
      collection: kindSpec(referrer.noun).collection,
      id: referrer.id,
      field: referrer.field,
    })),
  };
}

export function collectionJson({ graph, refs }: View, noun: Noun): object {
  return {
    collection: kindSpec(noun).collection,
    objects: [...objects(graph, noun)].map(([id, object]) => ({ ref: refs.refOf(noun, id), object })),
  };
}
