/** What an object is, in a few words on one line: wherever another object refers to it. Without its ref. */

import type {
  Compaction,
  ConversationItem,
  EdgeAnchor,
  ExecutionWindow,
  InferenceCall,
  InteractionEdge,
  PayloadRef,
  TerminalOperation,
  ToolCall,
  ToolKind,
} from '@rollout-trace/core/format';
import { payloadSize } from '@rollout-trace/core/node';
import { ARROW } from '../text/glyphs.ts';
import { faint, type Line, line, type Span, span } from '../text/span.ts';
import { bytes, compact, counted } from '../text/units.ts';
import { commandEnd } from './command-end.ts';
import { itemText } from './item-text.ts';
import type { Noun } from './kinds.ts';
import { exitSpan, statusSpan, took, type View } from './view.ts';

/** `exec_command`, `mcp clock.now`, `wait` */
export function kindName(kind: ToolKind): string {
  switch (kind.type) {
    case 'mcp':
      return `mcp ${kind.server}.${kind.tool}`;
    case 'other':
      return kind.name;
    default:
      return kind.type;
  }
}

/** The command of a shell invocation without the shell around it. */
export function commandOf({ request }: TerminalOperation): string {
  if (request.type === 'write_stdin') return `stdin ${JSON.stringify(request.stdin)}`;
  const [shell = '', flag = '', script, ...rest] = request.command;
  const isShell = /(?:^|\/)(?:ba|z|da|fi)?sh$/.test(shell) && /^-[a-z]*c$/.test(flag) && rest.length === 0;
  return isShell && script !== undefined ? script : request.display_command;
}

const MAIL_HEADER = /^Message Type: .*\n(?:[A-Z][\w ]*: .*\n)*Payload:\n/;

/** What somebody said: of mail between agents the sender and the content without the header around it. */
export function saidText(item: ConversationItem): string {
  const text = itemText(item);
  if (item.agent_message === undefined) return JSON.stringify(head(text));
  return `${item.agent_message.author}: ${JSON.stringify(mailText(item))}`;
}

/** The content of mail between agents, without the header around it. */
export function mailText(item: ConversationItem): string {
  return head(itemText(item).replace(MAIL_HEADER, ''));
}

export function tokensText({ usage }: InferenceCall): string {
  return usage === null
    ? 'no usage reported'
    : `${compact(usage.input_tokens)} in, ${compact(usage.output_tokens)} out`;
}

/** The thread an interaction leaves or reaches; null where it is not in the graph. */
export function anchorThread(view: View, anchor: EdgeAnchor): string | null {
  switch (anchor.type) {
    case 'thread':
      return anchor.thread_id;
    case 'conversation_item':
      return view.graph.conversation_items.get(anchor.item_id)?.thread_id ?? null;
    case 'tool_call':
      return view.graph.tool_calls.get(anchor.tool_call_id)?.thread_id ?? null;
  }
}

/** The ref of the thread an interaction leaves or reaches. */
export function anchorRef(view: View, anchor: EdgeAnchor): string {
  const thread = anchorThread(view, anchor);
  return thread === null ? '?' : view.refs.refOf('thread', thread);
}

/** What the object of that kind with that id is; empty where there is none. */
export function labelOf(view: View, noun: Noun, id: string): Line {
  const { graph, refs } = view;
  const of = <T>(object: T | undefined, label: (object: T) => Line): Line =>
    object === undefined ? [] : label(object);
  const run = (status: string, window: ExecutionWindow, ...more: string[]): Line => {
    const ran = took(window);
    const between = ran === '' && more.length > 0 ? ', ' : ' ';
    return line(statusSpan(status), between, faint([ran, ...more].filter((text) => text !== '').join(', ')));
  };
  switch (noun) {
    case 'thread':
      return of(graph.threads.get(id), ({ execution }) => run(execution.status, execution));
    case 'turn':
      return of(graph.codex_turns.get(id), ({ execution, thread_id }) =>
        line(refs.refOf('thread', thread_id), ', ', run(execution.status, execution)),
      );
    case 'inference':
      return of(graph.inference_calls.get(id), (call) =>
        line(call.model, ', ', run(call.execution.status, call.execution, tokensText(call))),
      );
    case 'item':
      return of(graph.conversation_items.get(id), (item) => line(faint(itemTitle(item)), ' ', head(itemText(item))));
    case 'tool':
      return of(graph.tool_calls.get(id), (tool) => line(kindName(tool.kind), ', ', toolRun(view, tool)));
    case 'cell':
      return of(graph.code_cells.get(id), (cell) =>
        line(run(cell.runtime_status, cell.execution), ' ', head(cell.source_js)),
      );
    case 'terminal':
      return of(graph.terminal_sessions.get(id), ({ operation_ids, execution }) =>
        run(execution.status, execution, counted(operation_ids.length, 'operation')),
      );
    case 'operation':
      return of(graph.terminal_operations.get(id), (operation) => line(outcome(operation), ' ', commandOf(operation)));
    case 'compaction':
      return of(graph.compactions.get(id), (compaction) => line(compactionText(compaction)));
    case 'compaction_request':
      return of(graph.compaction_requests.get(id), ({ model, execution }) =>
        line(model, ', ', run(execution.status, execution)),
      );
    case 'edge':
      return of(graph.interaction_edges.get(id), (edge) => edgeLabel(view, edge));
    case 'payload':
      return of(graph.raw_payloads.get(id), (payload) => payloadLabel(view, payload));
  }
}

/** How a call came out, and how long it took: of a command that failed its exit code, whatever became of its call. */
function toolRun(view: View, tool: ToolCall): Line {
  const { how, exit_code, window } = commandEnd(view, tool);
  const { status } = tool.execution;
  return exit_code === null || exit_code === 0
    ? line(statusSpan(status), ' ', faint(took(tool.execution)))
    : line(how, ' ', faint(took(window)));
}

function payloadLabel(view: View, payload: PayloadRef): Line {
  return line(payload.kind.type, ' ', faint(payload.path), ' ', sizeSpan(view, payload));
}

/** The size of a payload, or that it is missing. A segment holds payloads without files, so that there is no size. */
export function sizeSpan({ source }: View, payload: PayloadRef): Span {
  const size = payloadSize(source, payload);
  if (size !== null) return faint(bytes(size));
  return 'layout' in source ? faint('') : span('missing', 'bad');
}

/** The beginning of a text, as much of it as a line can hold. */
export function head(text: string): string {
  return text.trim().slice(0, 400);
}

/** `assistant function_call` */
export function itemTitle({ role, kind }: ConversationItem): string {
  return kind === 'message' ? role : `${role} ${kind}`;
}

export function compactionText({ input_item_ids, replacement_item_ids }: Compaction): string {
  return `${counted(input_item_ids.length, 'item')} replaced by ${replacement_item_ids.length}`;
}

/** `exit 0`, or the status where there is no result. */
export function outcome({ result, execution }: TerminalOperation): Line {
  if (result?.exit_code == null) return line(statusSpan(execution.status));
  return line(exitSpan(result.exit_code));
}

function edgeLabel(view: View, { kind, source, target }: InteractionEdge): Line {
  return line(kind, ' ', anchorRef(view, source), ` ${ARROW} `, anchorRef(view, target));
}

/** A tool call with the command or arguments it carries, for a line of its own. */
export function toolAbout(view: View, tool: ToolCall): string {
  const operation = tool.terminal_operation_id;
  const found = operation === null ? undefined : view.graph.terminal_operations.get(operation);
  if (found !== undefined) return commandOf(found);
  const { summary } = tool;
  switch (summary.type) {
    case 'generic':
      return summary.input_preview ?? summary.label;
    case 'agent':
      return `${summary.target_agent_path} ${summary.message_preview}`;
    case 'wait_agent':
      return summary.target_agent_path ?? '';
    case 'terminal':
      return '';
  }
}
