/**
 * How a tool call came out where a command stands behind it. A command may go on after the call that started it has
 * answered: its exit code then belongs to the time it ran itself, and was told by another call, if by any.
 */

import { type ExecutionWindow, member, type TerminalOperation, type ToolCall } from '@rollout-trace/core/format';
import { readPayload } from '@rollout-trace/core/node';
import type { Line } from '../text/span.ts';
import { line } from '../text/span.ts';
import { itemText, textsIn } from './item-text.ts';
import { exitSpan, statusSpan, type View } from './view.ts';

export interface CommandEnd {
  operation: TerminalOperation | null;
  /** When the call, or the command that went on after it, ran. */
  window: ExecutionWindow;
  exit_code: number | null;
  /** `exit 3`, or a status. */
  how: Line;
  /** The command ended after its call, which did not say how. */
  outlived: boolean;
}

export function commandEnd(view: View, tool: ToolCall): CommandEnd {
  const operation = view.graph.terminal_operations.get(tool.terminal_operation_id ?? '') ?? null;
  const exit_code = operation?.result?.exit_code ?? null;
  const outlived = operation !== null && exit_code !== null && endedLater(operation, tool) && !saysExit(view, tool);
  const { status, ended_seq } = tool.execution;
  // A command may end well, and the call around it not.
  const saysAll = exit_code !== null && (exit_code !== 0 || status === 'completed');
  return {
    operation,
    // What a terminal is told to run begins with the call, however late its recorder hears of it.
    window: operation !== null && (outlived || ended_seq === null) ? untilEndOf(operation, tool) : tool.execution,
    exit_code,
    how: line(saysAll ? exitSpan(exit_code) : statusSpan(status)),
    outlived,
  };
}

function untilEndOf({ execution }: TerminalOperation, tool: ToolCall): ExecutionWindow {
  const { started_at_unix_ms, started_seq } = tool.execution;
  return { ...execution, started_at_unix_ms, started_seq };
}

/** A call without an end is over where it has given something back; else a recorder was stopped before its end. */
function endedLater({ execution }: TerminalOperation, tool: ToolCall): boolean {
  const { ended_seq } = tool.execution;
  if (execution.ended_seq === null) return false;
  return ended_seq === null ? tool.model_visible_output_item_ids.length > 0 : execution.ended_seq > ended_seq;
}

/** The end of a command is often recorded a moment after the output that tells it. */
function saysExit(view: View, tool: ToolCall): boolean {
  return (
    tool.model_visible_output_item_ids.some((id) => {
      const item = view.graph.conversation_items.get(id);
      return item !== undefined && exitIn(itemText(item)) !== null;
    }) || resultSaysExit(view, tool)
  );
}

/** What a script got, and what no request showed, is in the recorded result alone. */
function resultSaysExit({ graph, source }: View, { raw_result_payload_id }: ToolCall): boolean {
  const payload = graph.raw_payloads.get(raw_result_payload_id ?? '');
  const body = payload === undefined ? undefined : readPayload(source, payload)?.body;
  switch (member(body, 'type')) {
    case 'code_mode_response':
      return (member(member(body, 'value'), 'exit_code') ?? null) !== null;
    case 'direct_response':
      return [...textsIn(member(member(body, 'response_item'), 'output'))].some((text) => exitIn(text) !== null);
    default:
      return false;
  }
}

/** The later call on the terminal of a command whose answer tells its exit code; null where none does. */
export function callThatTold({ graph }: View, operation: TerminalOperation): ToolCall | null {
  const exit = operation.result?.exit_code;
  const session = graph.terminal_sessions.get(operation.terminal_id ?? '');
  for (const id of session?.operation_ids ?? []) {
    const other = graph.terminal_operations.get(id);
    if (other === undefined || other.execution.started_seq <= operation.execution.started_seq) continue;
    // Process ids are used again: another command on the same terminal tells of itself.
    if (other.kind === 'exec_command') return null;
    if (other.result === null) continue;
    const told = other.result.exit_code ?? exitIn(other.result.formatted_output ?? other.result.stdout);
    if (told === exit) return graph.tool_calls.get(other.tool_call_id) ?? null;
  }
  return null;
}

const EXIT = /^(?:Process exited with code|Exit code:) (-?\d+)\b/;
const HEAD_ROWS = 8;

/** The exit code in the head of an answer, above the output; null where it tells none. */
function exitIn(answer: string): number | null {
  for (const row of answer.split('\n', HEAD_ROWS)) {
    if (row.startsWith('Output')) return null;
    const code = EXIT.exec(row)?.[1];
    if (code !== undefined) return Number(code);
  }
  return null;
}
