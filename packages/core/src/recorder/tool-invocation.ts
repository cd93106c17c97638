/** What a tool was asked to do: the invocation, the kind it counts as, and the label and preview it is shown by. */

import type { ToolKind } from '../format/event.ts';
import { ArgumentError, text } from './event-draft.ts';
import { PlainCopier } from './plain-json.ts';

/** The arguments of a call, as the model or the script gave them. */
export type ToolPayload =
  | { type: 'function'; arguments: string }
  | { type: 'custom'; input: string }
  | { type: 'tool_search'; arguments: unknown }
  | {
      type: 'local_shell';
      command: readonly string[];
      workdir: string | null;
      timeout_ms: number | null;
      sandbox_permissions?: unknown;
      prefix_rule?: unknown;
      additional_permissions?: unknown;
      justification?: string | null;
    };

/** A tool by name, and by namespace where it has one (`mcp__<server>`, `collaboration`). */
export interface ToolName {
  name: string;
  namespace?: string | null;
}

/** Previews are cut after this many characters (code points). */
const PREVIEW_CHARACTERS = 160;

const KINDS = new Map<string, ToolKind>(
  (
    [
      ['exec_command', ['exec_command', 'local_shell', 'shell', 'shell_command']],
      ['write_stdin', ['write_stdin']],
      ['apply_patch', ['apply_patch']],
      ['web', ['web_search', 'web_search_preview']],
      ['image_generation', ['image_generation', 'image_query', 'imagegen']],
      ['spawn_agent', ['spawn_agent']],
      ['send_message', ['send_message']],
      ['assign_agent_task', ['followup_task', 'assign_task']],
      ['wait_agent', ['wait_agent']],
      ['close_agent', ['close_agent', 'interrupt_agent']],
    ] as const
  ).flatMap(([type, names]) => names.map((name) => [name, { type }] as const)),
);

/** What a tool of this name counts as. What really runs may say otherwise when it begins. */
export function toolKind(name: string): ToolKind {
  return KINDS.get(name) ?? { type: 'other', name };
}

/** `<namespace>.<name>`, or the name alone. */
export function toolLabel({ name, namespace }: ToolName): string {
  return namespace === undefined || namespace === null ? name : `${namespace}.${name}`;
}

/** The beginning of what a call was given. */
export function inputPreview(payload: ToolPayload): string {
  switch (payload.type) {
    case 'function':
      return preview(text(payload.arguments, 'payload.arguments'));
    case 'custom':
      return preview(text(payload.input, 'payload.input'));
    case 'tool_search':
      return preview(JSON.stringify(new PlainCopier().copy(payload.arguments)) ?? '');
    case 'local_shell':
      return preview(payload.command.map((part) => text(part, 'payload.command')).join(' '));
    default:
      throw new ArgumentError('payload.type must be one of function, custom, tool_search, local_shell');
  }
}

/** The first characters of a text, and `...` where it goes on. */
export function preview(whole: string): string {
  if (whole.length <= PREVIEW_CHARACTERS) return whole;
  // Characters of two units make at most twice as many units.
  const characters = Array.from(whole.slice(0, 2 * PREVIEW_CHARACTERS + 2));
  if (characters.length <= PREVIEW_CHARACTERS) return whole;
  return `${characters.slice(0, PREVIEW_CHARACTERS).join('')}...`;
}

/** The `tool_invocation` payload. */
export function invocation(tool: ToolName, payload: ToolPayload): object {
  return { tool_name: tool.name, tool_namespace: tool.namespace ?? null, payload };
}
