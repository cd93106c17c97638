/** How conversation items and tool calls find one another, whichever comes first (spec T2, T5, T6, T13). */

import { addProducer, isCall, isOutput, markDirty } from './conversation.ts';
import type { ItemRecord, ReducerState, ToolRecord } from './state.ts';

/** A sighting of an item with a call id: it joins the tool call of that id, in whichever thread that is (spec T5). */
export function linkToolItem(state: ReducerState, record: ItemRecord): void {
  const { item } = record;
  const tool = toolOf(state, record);
  if (tool === null) return;
  attachItem(tool, record);
  if (isCall(item)) linkStartingResponses(tool);
  observe(tool);
}

/**
 * The tool call an item belongs to. Where salvage has several of one call id, each takes the first call and the first
 * output of its thread that no other has taken.
 */
function toolOf(state: ReducerState, record: ItemRecord): ToolRecord | null {
  const { item } = record;
  if (record.tool !== null || item.call_id === null) return record.tool;
  const tools = state.toolsByCallId.get(item.call_id) ?? [];
  const [only] = tools;
  if (only !== undefined && tools.length === 1 && !record.apart) return only;
  const own = tools.slice(-RECENT_TOOLS).filter(({ call }) => call.thread_id === item.thread_id);
  const waiting = own.find(({ call, callItems }) =>
    isCall(item) ? callItems.length === 0 : call.model_visible_output_item_ids.length === 0,
  );
  return waiting ?? (record.apart ? null : (own.at(-1) ?? null));
}

/** Of the tool calls that share an id in salvage, only so many are looked at: the latest. */
export const RECENT_TOOLS = 64;

/** Puts the item on the tool's list, unless it is on one already. */
export function attachItem(tool: ToolRecord, record: ItemRecord): void {
  const { item } = record;
  if (record.tool !== null && record.tool !== tool) return;
  const isNew = record.tool === null;
  if (isCall(item)) {
    if (!isNew || (record.apart && tool.callItems.length > 0)) return;
    record.tool = tool;
    tool.call.model_visible_call_item_ids.push(item.item_id);
    tool.callItems.push(record);
    tool.responsesDue = true;
  } else if (isOutput(item)) {
    record.tool = tool;
    if (isNew) tool.call.model_visible_output_item_ids.push(item.item_id);
    addProducer(record, { type: 'tool', tool_call_id: tool.call.tool_call_id });
  }
}

/**
 * Salvage only: another tool call starts for the same call id. What the earlier ones took for want of it is free again:
 * calls behind the first, and for the first of a thread the items that a tool call of another thread has.
 */
export function releaseItems(earlier: readonly ToolRecord[], threadId: string, items: readonly ItemRecord[]): void {
  const own = earlier.slice(-RECENT_TOOLS).findLast(({ call }) => call.thread_id === threadId);
  if (own !== undefined) for (const record of own.callItems.slice(1)) release(own, record);
  else for (const record of items) if (record.tool !== null) release(record.tool, record);
}

function release(tool: ToolRecord, record: ItemRecord): void {
  const { call } = tool;
  const { item_id: id, produced_by } = record.item;
  record.tool = null;
  drop(tool.callItems, record);
  drop(call.model_visible_call_item_ids, id);
  drop(call.model_visible_output_item_ids, id);
  record.producers = null;
  record.item.produced_by = produced_by.filter(
    (producer) => producer.type !== 'tool' || producer.tool_call_id !== call.tool_call_id,
  );
  for (const inference of record.responders) {
    if (tool.callItems.some((other) => other.responders.includes(inference))) continue;
    if (tool.startedBy.delete(inference)) drop(inference.call.tool_call_ids_started_by_response, call.tool_call_id);
  }
  if (tool.operation !== null) tool.operation.operation.model_observations = [];
  observe(tool);
}

function drop<T>(list: T[], value: T): void {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
}

/** Inferences whose stored response holds one of the tool's call items started the tool (spec T6). */
export function linkStartingResponses(tool: ToolRecord): void {
  if (!tool.responsesDue) return;
  tool.responsesDue = false;
  for (const record of tool.callItems) {
    for (const inference of record.responders) {
      if (tool.startedBy.has(inference)) continue;
      tool.startedBy.add(inference);
      inference.call.tool_call_ids_started_by_response.push(tool.call.tool_call_id);
    }
  }
}

/** Calls of a response that was just stored: their next sighting links the response to their tools. */
export function expectStartingResponse(record: ItemRecord): void {
  const { item } = record;
  if (!isCall(item) || item.call_id === null) return;
  markDirty(record);
  const { tool } = record;
  if (tool === null || tool.responsesDue) return;
  tool.responsesDue = true;
  for (const call of tool.callItems) markDirty(call);
}

/** What the model saw of a terminal operation: copies of the tool's lists as they are now (spec T13). */
export function observe(tool: ToolRecord): void {
  if (tool.operation === null) return;
  const { model_visible_call_item_ids: calls, model_visible_output_item_ids: outputs } = tool.call;
  if (calls.length === 0 && outputs.length === 0) return;
  const [seen] = tool.operation.operation.model_observations;
  // Both lists only grow, but for what salvage takes back.
  if (seen?.call_item_ids.length === calls.length && seen.output_item_ids.length === outputs.length) return;
  tool.operation.operation.model_observations = [
    { call_item_ids: [...calls], output_item_ids: [...outputs], source: 'direct_tool_call' },
  ];
}
