/**
 * What the Responses API refuses: a request that it would answer with status 400 must not pass here, or an agent that is
 * tested against the scripted model fails against the real one.
 *
 * Not here: authorisation and routes (`server.ts`).
 */

/** The `error` of an answer with status 400. */
export interface Refusal {
  message: string;
  type: 'invalid_request_error';
  param: string | null;
  code: string | null;
}

type Members = Readonly<Record<string, unknown>>;

/** Calls and outputs of a conversation that the service has stored. */
export interface StoredHistory {
  calls: ReadonlySet<string>;
  outputs: ReadonlySet<string>;
}

const ROLES = ['user', 'assistant', 'system', 'developer'];
const CALLS = new Map([
  ['function_call', 'function_call_output'],
  ['custom_tool_call', 'custom_tool_call_output'],
]);
const OUTPUTS = new Set(CALLS.values());
const OTHERS = new Set([
  'reasoning',
  'agent_message',
  'compaction',
  'compaction_summary',
  'context_compaction',
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'computer_call',
  'computer_call_output',
  'image_generation_call',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'tool_search_call',
  'tool_search_output',
  'item_reference',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
]);
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;

/** @returns null where the request is one that the service would take */
export function judgeRequest(body: Members, stored: StoredHistory | null): Refusal | null {
  if (typeof body.model !== 'string' || body.model === '') return refuse('model', 'Missing required parameter: model.');
  if (typeof body.input === 'string') return judgeTools(body.tools);
  if (!Array.isArray(body.input)) return refuse('input', 'input must be a string or an array of items.');
  return judgeInput(body.input, stored) ?? judgeTools(body.tools);
}

function judgeInput(input: readonly unknown[], stored: StoredHistory | null): Refusal | null {
  const ids = new Set<unknown>();
  const calls = new Map<string, string>();
  const outputs = new Set<string>();
  for (const [index, value] of input.entries()) {
    const param = `input[${index}]`;
    if (!isMembers(value)) return refuse(param, 'an item must be an object.');
    const { id } = value;
    if (id !== undefined && id !== null) {
      if (typeof id !== 'string' || id === '')
        return refuse(`${param}.id`, 'an id must be a string that is not empty.');
      if (ids.has(id)) return refuse(param, `Duplicate item found with id ${id}.`);
      ids.add(id);
    }
    const refusal = judgeItem(value, param, calls, outputs, stored);
    if (refusal !== null) return refusal;
  }
  for (const [callId, type] of calls) {
    if (!outputs.has(callId)) {
      const what = type === 'function_call' ? 'function call' : 'custom tool call';
      return refuse('input', `No tool output found for ${what} ${callId}.`);
    }
  }
  for (const callId of stored?.calls ?? []) {
    if (!stored?.outputs.has(callId) && !outputs.has(callId)) {
      return refuse('input', `No tool output found for function call ${callId}.`);
    }
  }
  return null;
}

function judgeItem(
  item: Members,
  param: string,
  calls: Map<string, string>,
  outputs: Set<string>,
  stored: StoredHistory | null,
): Refusal | null {
  const type = item.type ?? 'message';
  if (type === 'message') return judgeMessage(item, param);
  if (typeof type !== 'string') return refuse(`${param}.type`, 'a type must be a string.');
  if (CALLS.has(type)) {
    if (typeof item.name !== 'string') return refuse(`${param}.name`, 'a call must have a name.');
    if (typeof item.call_id !== 'string') return refuse(`${param}.call_id`, 'a call must have a call_id.');
    if (calls.has(item.call_id)) return refuse(param, `Duplicate call_id ${item.call_id}.`);
    const given = type === 'function_call' ? item.arguments : item.input;
    if (typeof given !== 'string') return refuse(param, 'what a call is given must be a string.');
    calls.set(item.call_id, type);
    return null;
  }
  if (OUTPUTS.has(type)) {
    const { call_id: callId, output } = item;
    if (typeof callId !== 'string') return refuse(`${param}.call_id`, 'an output must have a call_id.');
    if (typeof output !== 'string' && !Array.isArray(output))
      return refuse(`${param}.output`, 'an output must be text.');
    if (!calls.has(callId) && !stored?.calls.has(callId)) {
      return refuse(param, `No tool call found for ${type.replaceAll('_', ' ')} with call_id ${callId}.`);
    }
    outputs.add(callId);
    return null;
  }
  return OTHERS.has(type) ? null : refuse(`${param}.type`, `Invalid value: '${type}'.`);
}

function judgeMessage({ role, content }: Members, param: string): Refusal | null {
  if (typeof role !== 'string' || !ROLES.includes(role))
    return refuse(`${param}.role`, `Invalid value: '${String(role)}'.`);
  if (typeof content === 'string') return null;
  if (!Array.isArray(content)) return refuse(`${param}.content`, 'content must be a string or an array of parts.');
  const wanted = role === 'assistant' ? ['output_text', 'refusal'] : ['input_text', 'input_image', 'input_file'];
  for (const [index, part] of content.entries()) {
    const type: unknown = isMembers(part) ? part.type : undefined;
    if (typeof type !== 'string' || !wanted.includes(type)) {
      return refuse(`${param}.content[${index}]`, `Invalid value: '${String(type)}'. Supported values are: ${wanted}.`);
    }
  }
  return null;
}

function judgeTools(tools: unknown): Refusal | null {
  if (tools === undefined || tools === null) return null;
  if (!Array.isArray(tools)) return refuse('tools', 'tools must be an array.');
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const param = `tools[${index}]`;
    if (!isMembers(tool) || typeof tool.type !== 'string') return refuse(param, 'a tool must have a type.');
    if (tool.type === 'namespace') {
      const inner = judgeTools(tool.tools);
      if (inner !== null) return { ...inner, param: `${param}.${inner.param}` };
    }
    if (!['function', 'custom', 'namespace'].includes(tool.type)) continue;
    const { name } = tool;
    if (typeof name !== 'string' || !TOOL_NAME.test(name))
      return refuse(`${param}.name`, `Invalid name: '${String(name)}'.`);
    if (names.has(name)) return refuse(`${param}.name`, `Duplicate tool name: '${name}'.`);
    names.add(name);
    if (tool.type === 'function' && !isMembers(tool.parameters)) {
      return refuse(`${param}.parameters`, 'a function must have a schema of its parameters.');
    }
  }
  return null;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(param: string, message: string): Refusal {
  return { message, type: 'invalid_request_error', param, code: null };
}
