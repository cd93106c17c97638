/** How conversation items and tool calls find one another, whichever comes first (spec T2, T5, T6, T13). */

import { addProducer, isCall, isOutput, markDirty } from './conversation.ts';
import type { ItemRecord, ReducerState, ToolRecord } from './state.ts';

/** A sighting of an item with a call id: it joins the tool call of that id, in whichever thread that is (spec T5). */
export function linkToolItem(state: ReducerState, record: ItemRecord): void {
  const { item } = record;
  const tool = item.call_id === null ? undefined : state.toolByCallId.get(item.call_id);
  if (tool === undefined) return;
  attachItem(tool, record);
  if (isCall(item)) linkStartingResponses(tool);
  observe(tool);
}

/** Puts the item on the tool's list, once. */
export function attachItem(tool: ToolRecord, record: ItemRecord): void {
  const { item } = record;
  if (isCall(item)) {
    if (record.toolLinked) return;
    record.toolLinked = true;
    tool.call.model_visible_call_item_ids.push(item.item_id);
    tool.callItems.push(record);
  } else if (isOutput(item)) {
    if (!record.toolLinked) {
      record.toolLinked = true;
      tool.call.model_visible_output_item_ids.push(item.item_id);
    }
    addProducer(record, { type: 'tool', tool_call_id: tool.call.tool_call_id });
  }
}

/** Inferences whose stored response holds one of the tool's call items started the tool (spec T6). */
export function linkStartingResponses(tool: ToolRecord): void {
  for (const record of tool.callItems) {
    for (const inference of record.responders) {
      if (tool.startedBy.has(inference)) continue;
      tool.startedBy.add(inference);
      inference.call.tool_call_ids_started_by_response.push(tool.call.tool_call_id);
    }
  }
}

/** Calls of a response that was just stored: their next sighting links the response to their tools. */
export function expectStartingResponse(state: ReducerState, record: ItemRecord): void {
  const { item } = record;
  if (!isCall(item) || item.call_id === null) return;
  markDirty(record);
  const tool = state.toolByCallId.get(item.call_id);
  if (tool !== undefined) for (const call of tool.callItems) markDirty(call);
}

/** What the model saw of a terminal operation: copies of the tool's lists as they are now (spec T13). */
export function observe(tool: ToolRecord): void {
  if (tool.operation === null) return;
  const { model_visible_call_item_ids: calls, model_visible_output_item_ids: outputs } = tool.call;
  if (calls.length === 0 && outputs.length === 0) return;
  tool.operation.operation.model_observations = [
    { call_item_ids: [...calls], output_item_ids: [...outputs], source: 'direct_tool_call' },
  ];
}
