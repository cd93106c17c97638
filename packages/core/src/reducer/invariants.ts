/**
 * What holds of every graph, whatever the bundle: a check for tests, for fuzzing, and for whoever doubts a state.
 *
 * 1. Every object stands under its own id.
 * 2. Every id that is referred to exists, on both sides where both sides tell.
 * 3. No list names an id twice.
 * 4. A window that has ended has both an end time and an end seq, not before its start; one that has not is running.
 *
 * The exceptions are what a trace cannot know:
 * - the root thread, and the parent of a spawned thread, may be outside the trace;
 * - the edge of a spawn exists only once the spawn was observed, so `spawn_edge_id` may lead nowhere;
 * - the cell that asked for a tool call may never have become visible to the model;
 * - `operation_id` in the summary of a tool call without a terminal operation is the recorder's own word;
 * - the items of a request may repeat: an incremental request repeats what its response repeated, and up to 0.165 one
 *   item may be taken twice by position;
 * - a log whose seq goes back has windows that end before they start ({@link GraphCheck.seqAscends}); the clock may
 *   always go back.
 *
 * Not here: contradictions in a bundle (findings), the shape of the values (the types).
 */

import type { ConversationItem, ExecutionWindow, Graph, InteractionEdge, ItemProducer } from '../format/graph.ts';
import type { Int64 } from '../format/json.ts';

export interface GraphCheck {
  /** False where the log has events out of order; then windows are not compared by seq. */
  seqAscends?: boolean | undefined;
}

/** Collects sentences about one graph. */
class Check {
  readonly violations: string[] = [];
  readonly graph: Graph;
  readonly #seqAscends: boolean;
  constructor(graph: Graph, options: GraphCheck) {
    this.graph = graph;
    this.#seqAscends = options.seqAscends ?? true;
  }

  that(holds: boolean, violation: () => string): void {
    if (!holds) this.violations.push(violation());
  }

  known(map: ReadonlyMap<string, unknown>, id: string | null | undefined, what: string): void {
    this.that(id == null || map.has(id), () => `${what} is ${id}, which is not in the graph`);
  }

  /** A list of ids that exist, each once. */
  list(map: ReadonlyMap<string, unknown>, ids: Iterable<string>, what: string, mayRepeat = false): void {
    const seen = new Set<string>();
    for (const id of ids) {
      this.known(map, id, `an entry of ${what}`);
      this.that(mayRepeat || !seen.has(id), () => `${what} has ${id} twice`);
      seen.add(id);
    }
  }

  window(window: ExecutionWindow, what: string): void {
    const { started_seq, ended_seq, ended_at_unix_ms, status } = window;
    this.that((ended_seq === null) === (ended_at_unix_ms === null), () => `${what} has half an end`);
    if (ended_seq === null) this.that(status === 'running', () => `${what} is ${status}, but has no end`);
    else if (this.#seqAscends) {
      this.that(ended_seq >= started_seq, () => `${what} ends at seq ${ended_seq}, before its start at ${started_seq}`);
    }
  }

  moment(at: Int64 | null, seq: Int64 | null, what: string): void {
    this.that((at === null) === (seq === null), () => `${what} has a time without a seq, or a seq without a time`);
  }

  producer(by: ItemProducer, what: string): void {
    const { graph } = this;
    switch (by.type) {
      case 'inference':
        return this.known(graph.inference_calls, by.inference_call_id, what);
      case 'tool':
        return this.known(graph.tool_calls, by.tool_call_id, what);
      case 'code_cell':
        return this.known(graph.code_cells, by.code_cell_id, what);
      case 'compaction':
        return this.known(graph.compactions, by.compaction_id, what);
    }
  }

  anchor(anchor: InteractionEdge['source'], what: string): void {
    const { graph } = this;
    switch (anchor.type) {
      case 'conversation_item':
        return this.known(graph.conversation_items, anchor.item_id, what);
      case 'tool_call':
        return this.known(graph.tool_calls, anchor.tool_call_id, what);
      case 'thread':
        return this.known(graph.threads, anchor.thread_id, what);
    }
  }

  /** The turn exists and belongs to the thread. */
  turn(turnId: string | null, threadId: string, what: string): void {
    this.known(this.graph.codex_turns, turnId, `the turn of ${what}`);
    const turn = turnId === null ? undefined : this.graph.codex_turns.get(turnId);
    this.that(turn === undefined || turn.thread_id === threadId, () => `${what} has a turn of another thread`);
  }
}

/**
 * One sentence for each rule a graph breaks; none where it is sound.
 *
 * A graph made by the reducer has none, in strict mode and in salvage alike.
 */
export function graphViolations(graph: Graph, options: GraphCheck = {}): string[] {
  const check = new Check(graph, options);
  checkKeys(check);
  checkThreads(check);
  checkItems(check);
  checkInferences(check);
  checkCompactions(check);
  checkTools(check);
  checkCells(check);
  checkTerminals(check);
  checkEdges(check);
  return check.violations;
}

function checkKeys(check: Check): void {
  const { graph } = check;
  const under = <T>(map: ReadonlyMap<string, T>, idOf: (value: T) => string): void => {
    for (const [key, value] of map) check.that(key === idOf(value), () => `${idOf(value)} stands under ${key}`);
  };
  under(graph.threads, (thread) => thread.thread_id);
  under(graph.codex_turns, (turn) => turn.codex_turn_id);
  under(graph.conversation_items, (item) => item.item_id);
  under(graph.inference_calls, (call) => call.inference_call_id);
  under(graph.code_cells, (cell) => cell.code_cell_id);
  under(graph.tool_calls, (tool) => tool.tool_call_id);
  under(graph.terminal_sessions, (session) => session.terminal_id);
  under(graph.terminal_operations, (operation) => operation.operation_id);
  under(graph.compactions, (compaction) => compaction.compaction_id);
  under(graph.compaction_requests, (request) => request.compaction_request_id);
  under(graph.interaction_edges, (edge) => edge.edge_id);
  under(graph.raw_payloads, (payload) => payload.raw_payload_id);
}

function checkThreads(check: Check): void {
  const { graph } = check;
  for (const thread of graph.threads.values()) {
    const what = `thread ${thread.thread_id}`;
    check.window(thread.execution, what);
    check.list(graph.conversation_items, thread.conversation_item_ids, `the transcript of ${what}`);
    for (const id of thread.conversation_item_ids) {
      const item = graph.conversation_items.get(id);
      const own = item === undefined || item.thread_id === thread.thread_id;
      check.that(own, () => `${id} is in the transcript of ${what}, but belongs to ${item?.thread_id}`);
    }
  }
  for (const turn of graph.codex_turns.values()) {
    check.window(turn.execution, `turn ${turn.codex_turn_id}`);
    check.known(graph.threads, turn.thread_id, `the thread of turn ${turn.codex_turn_id}`);
  }
}

function checkItems(check: Check): void {
  const { graph } = check;
  for (const item of graph.conversation_items.values()) {
    const { item_id: id } = item;
    check.known(graph.threads, item.thread_id, `the thread of ${id}`);
    check.turn(item.codex_turn_id, item.thread_id, id);
    check.moment(item.accepted_at_unix_ms ?? null, item.accepted_seq ?? null, `the acceptance of ${id}`);
    for (const part of item.body.parts) {
      if ('raw_payload_id' in part) check.known(graph.raw_payloads, part.raw_payload_id, `the payload of ${id}`);
    }
    const seen = new Set<string>();
    for (const producer of item.produced_by) {
      check.producer(producer, `a producer of ${id}`);
      const name = JSON.stringify(producer);
      check.that(!seen.has(name), () => `${id} has the producer ${name} twice`);
      seen.add(name);
    }
  }
}

function checkInferences(check: Check): void {
  const { graph } = check;
  for (const call of graph.inference_calls.values()) {
    const what = `inference ${call.inference_call_id}`;
    check.window(call.execution, what);
    check.known(graph.threads, call.thread_id, `the thread of ${what}`);
    check.turn(call.codex_turn_id, call.thread_id, what);
    check.list(graph.conversation_items, call.request_item_ids, `the request of ${what}`, true);
    check.list(graph.conversation_items, call.response_item_ids, `the response of ${what}`);
    check.list(graph.tool_calls, call.tool_call_ids_started_by_response, `the tools started by ${what}`);
    check.known(graph.raw_payloads, call.raw_request_payload_id, `the request payload of ${what}`);
    check.known(graph.raw_payloads, call.raw_response_payload_id, `the response payload of ${what}`);
    for (const id of [...call.request_item_ids, ...call.response_item_ids]) {
      const item = graph.conversation_items.get(id);
      const own = item === undefined || item.thread_id === call.thread_id;
      check.that(own, () => `${what} has ${id}, an item of another thread`);
    }
  }
}

function checkCompactions(check: Check): void {
  const { graph } = check;
  for (const compaction of graph.compactions.values()) {
    const what = `compaction ${compaction.compaction_id}`;
    check.known(graph.threads, compaction.thread_id, `the thread of ${what}`);
    check.turn(compaction.codex_turn_id, compaction.thread_id, what);
    check.known(graph.conversation_items, compaction.marker_item_id, `the marker of ${what}`);
    check.list(graph.compaction_requests, compaction.request_ids, `the requests of ${what}`);
    check.list(graph.conversation_items, compaction.input_item_ids, `the input of ${what}`);
    check.list(graph.conversation_items, compaction.replacement_item_ids, `the replacement of ${what}`);
  }
  for (const request of graph.compaction_requests.values()) {
    const what = `compaction request ${request.compaction_request_id}`;
    check.window(request.execution, what);
    check.known(graph.threads, request.thread_id, `the thread of ${what}`);
    check.turn(request.codex_turn_id, request.thread_id, what);
    check.known(graph.raw_payloads, request.raw_request_payload_id, `the request payload of ${what}`);
    check.known(graph.raw_payloads, request.raw_response_payload_id, `the response payload of ${what}`);
  }
}

function checkTools(check: Check): void {
  const { graph } = check;
  for (const tool of graph.tool_calls.values()) {
    const { tool_call_id: id } = tool;
    const what = `tool call ${id}`;
    check.window(tool.execution, what);
    check.known(graph.threads, tool.thread_id, `the thread of ${what}`);
    check.turn(tool.started_by_codex_turn_id, tool.thread_id, what);
    check.known(graph.code_cells, tool.started_code_cell_id, `the cell started by ${what}`);
    check.list(graph.conversation_items, tool.model_visible_call_item_ids, `the call items of ${what}`);
    check.list(graph.conversation_items, tool.model_visible_output_item_ids, `the output items of ${what}`);
    const called = (item: ConversationItem | undefined): boolean => item?.call_id === tool.model_visible_call_id;
    for (const itemId of [...tool.model_visible_call_item_ids, ...tool.model_visible_output_item_ids]) {
      check.that(
        called(graph.conversation_items.get(itemId)),
        () => `${what} has ${itemId}, which has another call id`,
      );
    }
    check.known(graph.raw_payloads, tool.raw_invocation_payload_id, `the invocation payload of ${what}`);
    check.known(graph.raw_payloads, tool.raw_result_payload_id, `the result payload of ${what}`);
    check.list(graph.raw_payloads, tool.raw_runtime_payload_ids, `the runtime payloads of ${what}`);
    const { terminal_operation_id: operationId } = tool;
    if (operationId === null) continue;
    const operation = graph.terminal_operations.get(operationId);
    check.that(operation?.tool_call_id === id, () => `${what} has ${operationId}, which is not its own`);
    const told = tool.summary.type === 'terminal' && tool.summary.operation_id === operationId;
    check.that(told, () => `${what} has ${operationId}, but its summary does not say so`);
  }
}

function checkCells(check: Check): void {
  const { graph } = check;
  for (const cell of graph.code_cells.values()) {
    const { code_cell_id: id } = cell;
    check.window(cell.execution, id);
    check.known(graph.threads, cell.thread_id, `the thread of ${id}`);
    check.turn(cell.codex_turn_id, cell.thread_id, id);
    const source = graph.conversation_items.get(cell.source_item_id);
    const fits = source?.kind === 'custom_tool_call' && source.call_id === cell.model_visible_call_id;
    check.that(fits && source.thread_id === cell.thread_id, () => `${id} has no call of its own as its source`);
    check.moment(cell.initial_response_at_unix_ms, cell.initial_response_seq, `the initial response of ${id}`);
    check.moment(cell.yielded_at_unix_ms, cell.yielded_seq, `the yield of ${id}`);
    check.list(graph.conversation_items, cell.output_item_ids, `the outputs of ${id}`);
    check.list(graph.tool_calls, cell.nested_tool_call_ids, `the nested tools of ${id}`);
    check.list(graph.tool_calls, cell.wait_tool_call_ids, `the waits of ${id}`);
    check.known(graph.raw_payloads, cell.raw_initial_response_payload_id, `the initial response payload of ${id}`);
    check.known(graph.raw_payloads, cell.raw_result_payload_id, `the result payload of ${id}`);
    for (const toolId of cell.nested_tool_call_ids) {
      const requester = graph.tool_calls.get(toolId)?.requester;
      const asked = requester?.type === 'code_cell' && requester.code_cell_id === id;
      check.that(asked, () => `${id} nests tool call ${toolId}, which it did not ask for`);
    }
  }
}

function checkTerminals(check: Check): void {
  const { graph } = check;
  for (const session of graph.terminal_sessions.values()) {
    const { terminal_id: id } = session;
    check.window(session.execution, id);
    check.known(graph.threads, session.thread_id, `the thread of ${id}`);
    check.known(graph.terminal_operations, session.created_by_operation_id, `the creator of ${id}`);
    check.list(graph.terminal_operations, session.operation_ids, `the operations of ${id}`);
    check.that(session.operation_ids.length > 0, () => `${id} has no operation`);
    for (const operationId of session.operation_ids) {
      const there = graph.terminal_operations.get(operationId)?.terminal_id === id;
      check.that(there, () => `${id} has ${operationId}, which is in another terminal`);
    }
  }
  for (const operation of graph.terminal_operations.values()) {
    const { operation_id: id, terminal_id: terminalId } = operation;
    check.window(operation.execution, id);
    const tool = graph.tool_calls.get(operation.tool_call_id);
    check.that(tool?.terminal_operation_id === id, () => `${id} belongs to a tool call that has another operation`);
    if (terminalId !== null) {
      const listed = graph.terminal_sessions.get(terminalId)?.operation_ids.includes(id) === true;
      check.that(listed, () => `${id} is in ${terminalId}, which does not list it`);
    }
    check.list(graph.raw_payloads, operation.raw_payload_ids, `the payloads of ${id}`);
    for (const seen of operation.model_observations) {
      check.list(graph.conversation_items, seen.call_item_ids, `the calls of ${id}`);
      check.list(graph.conversation_items, seen.output_item_ids, `the outputs of ${id}`);
    }
  }
}

function checkEdges(check: Check): void {
  const { graph } = check;
  for (const edge of graph.interaction_edges.values()) {
    const { edge_id: id } = edge;
    check.anchor(edge.source, `the source of ${id}`);
    check.anchor(edge.target, `the target of ${id}`);
    check.list(graph.conversation_items, edge.carried_item_ids, `the items of ${id}`);
    check.list(graph.raw_payloads, edge.carried_raw_payload_ids, `the payloads of ${id}`);
  }
}
