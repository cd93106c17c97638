/** What scenarios ask of a trace, in few words. */

import type { Seen } from './scenario.ts';

/** The statuses of all turns, in the order they began. */
export function turnStatuses({ graph }: Seen): string[] {
  return [...graph.codex_turns.values()].map(({ execution }) => execution.status);
}

/** The statuses of all inference calls, in the order they began. */
export function inferenceStatuses({ graph }: Seen): string[] {
  return [...graph.inference_calls.values()].map(({ execution }) => execution.status);
}

/** `<label> <status>` of all tool calls, in the order they began. */
export function toolStatuses({ graph }: Seen): string[] {
  return [...graph.tool_calls.values()].map(({ summary, kind, execution }) => {
    const name = summary.type === 'generic' ? summary.label : kind.type;
    return `${name} ${execution.status}`;
  });
}

/** The status of every thread, by its path. */
export function threadStatuses({ graph }: Seen): Record<string, string> {
  return Object.fromEntries(
    [...graph.threads.values()].map(({ agent_path, execution }) => [agent_path, execution.status]),
  );
}

/** The types of the events, in order. Breadcrumbs have the type of the breadcrumb. */
export function eventTypes({ log }: Seen): string[] {
  return log.map(({ payload }) =>
    payload.type === 'protocol_event_observed' ? String(payload.event_type) : payload.type,
  );
}

/** The items of a request. */
export function inputOf(seen: Seen, request: number): readonly Readonly<Record<string, unknown>>[] {
  return seen.requests[request]?.body.input as readonly Readonly<Record<string, unknown>>[];
}

/** The types of the items of a request. */
export function inputTypes(seen: Seen, request: number): string[] {
  return inputOf(seen, request).map(({ type }) => String(type));
}

/** The outputs a request carried, by call id. */
export function outputsOf(seen: Seen, request: number): Record<string, unknown> {
  const outputs = inputOf(seen, request).filter(({ type }) => String(type).endsWith('_output'));
  return Object.fromEntries(outputs.map(({ call_id, output }) => [String(call_id), output]));
}

/** The kinds of all items of all conversations, in the order they were seen first. */
export function itemKinds({ graph }: Seen): string[] {
  return [...graph.conversation_items.values()].map(({ kind }) => kind);
}
