/**
 * From a model item as it stands in a payload to what the conversation compares and keeps (spec 6.2).
 *
 * Pure: the same bytes give the same candidate, but for the payload id that references carry. Not here: whether the
 * candidate is an item already known (`match.ts`, `conversation.ts`).
 */

import { compactJsonHead, hasOverflow, sortedJson, utf8Length } from '../format/canonical-json.ts';
import type { FindingCode } from '../format/finding.ts';
import type { GenerationRules } from '../format/generation.ts';
import type {
  AgentMessageRoute,
  ConversationChannel,
  ConversationItemKind,
  ConversationPart,
  ConversationRole,
} from '../format/graph.ts';
import { type Json, JsonObject, JsonSyntaxError, jsonTypeName, parseJson } from '../format/json.ts';

/** A normalised model item. */
export interface Candidate {
  /** The id the Responses API gave the item. */
  id: string | undefined;
  role: ConversationRole;
  channel: ConversationChannel | null;
  kind: ConversationItemKind;
  agent_message: AgentMessageRoute | undefined;
  parts: ConversationPart[];
  call_id: string | null;
  /** A part refers to the payload without a hash, so the item can match only within the same payload (spec X2). */
  unstable: boolean;
  /** A part names the payload. */
  payloadId: string;
}

/** An item that lacks what its type needs. */
export class ItemFault extends Error {
  readonly code: FindingCode;
  constructor(code: FindingCode, message: string) {
    super(message);
    this.name = 'ItemFault';
    this.code = code;
  }
}

export interface NormalizeContext {
  rules: GenerationRules;
  sha256: (bytes: Uint8Array) => string;
  payloadId: string;
  /** The file of the payload, for findings. */
  path: string;
  /** Called where the reference dies cutting a summary (rule G12); the summary is cut between characters then. */
  onSummaryCut: () => void;
}

const PASSTHROUGH = 'internal_chat_message_metadata_passthrough';
/** Bytes of a summary before it is cut (spec N9). */
const SUMMARY_BYTES = 240;
const ROLES: readonly ConversationRole[] = ['system', 'developer', 'user', 'assistant', 'tool'];
const CHANNELS: ReadonlyMap<Json | undefined, ConversationChannel> = new Map([
  ['commentary', 'commentary'],
  ['final_answer', 'final'],
  ['summary', 'summary'],
]);
const TEXT_TYPES: ReadonlySet<string> = new Set(['input_text', 'output_text', 'text']);

/** What an item becomes before its id, call id and payload are added. */
interface Body {
  role: ConversationRole;
  channel: ConversationChannel | null;
  kind: ConversationItemKind;
  parts: ConversationPart[];
  agent_message?: AgentMessageRoute;
  hasCallId?: boolean;
}

type ItemReader = (item: JsonObject, context: NormalizeContext) => Body;

const ITEM_READERS: Readonly<Record<string, ItemReader>> = {
  message: readMessage,
  agent_message: readAgentMessage,
  reasoning: readReasoning,
  function_call: (item, context) => call('function_call', functionArguments(item.get('arguments'), context)),
  custom_tool_call: (item, context) => call('custom_tool_call', customInput(item, context)),
  function_call_output: (item, context) => output('function_call_output', toolOutput(item.get('output'), context)),
  custom_tool_call_output: (item, context) =>
    output('custom_tool_call_output', toolOutput(item.get('output'), context)),
  tool_search_call: readWholeCall,
  web_search_call: readWholeCall,
  image_generation_call: readWholeCall,
  local_shell_call: readWholeCall,
  tool_search_output: (item, context) => output('function_call_output', [jsonPart(item, context)]),
  mcp_tool_call_output: (item, context) => output('function_call_output', [jsonPart(item, context)]),
  compaction: readCompaction,
  compaction_summary: readCompaction,
  context_compaction: readCompaction,
};

/** Whether an item of a list is left out without being an error. */
export function isSkipped(value: Json, rules: GenerationRules): boolean {
  return rules.additionalToolsSkipped && value instanceof JsonObject && value.get('type') === 'additional_tools';
}

/** @throws ItemFault where the item lacks what its type needs, or has an unknown type (spec N1) */
export function normalizeItem(value: Json, context: NormalizeContext): Candidate {
  const { rules, payloadId } = context;
  let item = value;
  if (!(item instanceof JsonObject)) {
    throw new ItemFault(
      'item_invalid',
      `a model item in ${payloadId} is ${jsonTypeName(item)}, not an object with a string type`,
    );
  }
  if (rules.passthroughDropped) item = item.without(PASSTHROUGH);
  const type = item.get('type');
  if (typeof type !== 'string') {
    throw new ItemFault(
      'item_invalid',
      `a model item in ${payloadId} has ${jsonTypeName(type)} where its string type belongs`,
    );
  }
  const read = Object.hasOwn(ITEM_READERS, type) ? ITEM_READERS[type] : undefined;
  const unknown =
    read === undefined ||
    (type === 'agent_message' && !rules.agentMessageItems) ||
    (type === 'context_compaction' && !rules.contextCompactionItems);
  if (unknown)
    throw new ItemFault('item_type_unknown', `a model item in ${payloadId} has the unsupported type ${type}`);
  const body = read(item, context);
  const id = item.get('id');
  const callId = item.get('call_id');
  return {
    id: rules.itemIds && typeof id === 'string' ? id : undefined,
    role: body.role,
    channel: body.channel,
    kind: body.kind,
    agent_message: body.agent_message,
    parts: body.parts,
    call_id: body.hasCallId === true && typeof callId === 'string' ? callId : null,
    unstable: body.parts.some((part) => part.type === 'payload_ref' && part.content_sha256 === undefined),
    payloadId,
  };
}

function call(kind: ConversationItemKind, parts: ConversationPart[]): Body {
  return { role: 'assistant', channel: 'commentary', kind, parts, hasCallId: true };
}

function output(kind: ConversationItemKind, parts: ConversationPart[]): Body {
  return { role: 'tool', channel: 'commentary', kind, parts, hasCallId: true };
}

function readWholeCall(item: JsonObject, context: NormalizeContext): Body {
  return call('function_call', [jsonPart(item, context)]);
}

function readMessage(item: JsonObject, context: NormalizeContext): Body {
  const written = item.get('role');
  if (typeof written !== 'string') {
    throw new ItemFault(
      'item_invalid',
      `a message item in ${context.payloadId} has ${jsonTypeName(written)} where its string role belongs`,
    );
  }
  const role = ROLES.find((known) => known === written);
  if (role === undefined) {
    throw new ItemFault('item_invalid', `a message item in ${context.payloadId} has the unsupported role ${written}`);
  }
  return {
    role,
    channel: CHANNELS.get(item.get('phase')) ?? null,
    kind: 'message',
    parts: contentParts(item.get('content'), context),
  };
}

/** Spec N4. */
function contentParts(content: Json | undefined, context: NormalizeContext): ConversationPart[] {
  if (!Array.isArray(content)) return [reference('content', context)];
  const parts: ConversationPart[] = [];
  for (const element of content) {
    const type = element instanceof JsonObject ? element.get('type') : undefined;
    if (typeof type === 'string' && TEXT_TYPES.has(type)) {
      const text = (element as JsonObject).get('text');
      if (typeof text === 'string') parts.push({ type: 'text', text });
    } else parts.push(hashedReference(typeof type === 'string' ? type : 'content', element, context));
  }
  return parts.length > 0 || context.rules.contentHashes ? parts : [reference('empty_content', context)];
}

function reference(label: string, context: NormalizeContext): ConversationPart {
  return { type: 'payload_ref', label, raw_payload_id: context.payloadId };
}

function hashedReference(label: string, element: Json, context: NormalizeContext): ConversationPart {
  if (!context.rules.contentHashes) return reference(label, context);
  const content_sha256 = context.sha256(new TextEncoder().encode(sortedJson(element)));
  return { type: 'payload_ref', label, raw_payload_id: context.payloadId, content_sha256 };
}

function jsonPart(value: Json, context: NormalizeContext): ConversationPart {
  return { type: 'json', summary: summarize(value, context), raw_payload_id: context.payloadId };
}

/** Spec N9: compact JSON of at most 240 bytes, cut between characters. */
function summarize(value: Json, context: NormalizeContext): string {
  const head = compactJsonHead(value, SUMMARY_BYTES, context.rules.numbers);
  if (utf8Length(head) <= SUMMARY_BYTES) return head;
  let bytes = 0;
  let at = 0;
  for (const character of head) {
    bytes += utf8Length(character);
    if (bytes > SUMMARY_BYTES) break;
    at += character.length;
    if (bytes === SUMMARY_BYTES) return `${head.slice(0, at)}...`;
  }
  if (!context.rules.wholeCharacterSummaries) context.onSummaryCut();
  return `${head.slice(0, at)}...`;
}

/** The JSON value of an argument text, or undefined where the text is not JSON by the strict rules. */
export function argumentsJson(text: string, rules: GenerationRules): Json | undefined {
  try {
    const value = parseJson(text);
    return rules.numbers === 'double' && hasOverflow(value) ? undefined : value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

/** Spec N6. */
function functionArguments(value: Json | undefined, context: NormalizeContext): ConversationPart[] {
  if (value === undefined) return [reference('payload', context)];
  if (typeof value !== 'string') return [jsonPart(value, context)];
  const parsed = argumentsJson(value, context.rules);
  return [parsed === undefined ? { type: 'text', text: value } : jsonPart(parsed, context)];
}

function customInput(item: JsonObject, context: NormalizeContext): ConversationPart[] {
  const input = item.get('input');
  if (typeof input !== 'string') return [jsonPart(item, context)];
  return [
    item.get('name') === 'exec'
      ? { type: 'code', language: 'javascript', source: input }
      : { type: 'text', text: input },
  ];
}

function toolOutput(value: Json | undefined, context: NormalizeContext): ConversationPart[] {
  if (value === undefined) return [reference('tool_output', context)];
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  return Array.isArray(value) ? contentParts(value, context) : [jsonPart(value, context)];
}

function encoded(value: string): ConversationPart {
  return { type: 'encoded', label: 'encrypted_content', value };
}

/** Spec N8. */
function readReasoning(item: JsonObject, context: NormalizeContext): Body {
  const parts = [
    ...readableParts(item.get('content') ?? [], 'content', ['reasoning_text', 'text'], 'text', context),
    ...readableParts(
      item.has('summary') ? (item.get('summary') ?? null) : [],
      'summary',
      ['summary_text'],
      'summary',
      context,
    ),
  ];
  const encrypted = item.get('encrypted_content');
  if (typeof encrypted === 'string') parts.push(encoded(encrypted));
  else if (encrypted !== undefined && encrypted !== null) {
    throw new ItemFault(
      'item_invalid',
      `a reasoning item in ${context.payloadId} has ${jsonTypeName(encrypted)} as encrypted_content, not a string`,
    );
  }
  if (parts.length === 0) {
    throw new ItemFault(
      'item_invalid',
      `a reasoning item in ${context.payloadId} has neither content nor summary nor encrypted_content`,
    );
  }
  return { role: 'assistant', channel: 'analysis', kind: 'reasoning', parts };
}

function readableParts(
  list: Json,
  field: string,
  types: readonly string[],
  part: 'text' | 'summary',
  context: NormalizeContext,
): ConversationPart[] {
  const where = `a reasoning item in ${context.payloadId}`;
  if (!Array.isArray(list))
    throw new ItemFault('item_invalid', `${where} has ${jsonTypeName(list)} as ${field}, not an array`);
  return list.map((entry) => {
    const type = entry instanceof JsonObject ? entry.get('type') : undefined;
    if (typeof type !== 'string')
      throw new ItemFault('item_invalid', `${where} has a ${field} entry without a string type`);
    if (!types.includes(type))
      throw new ItemFault('item_invalid', `${where} has a ${field} entry of the unsupported type ${type}`);
    const text = (entry as JsonObject).get('text');
    if (typeof text !== 'string')
      throw new ItemFault('item_invalid', `${where} has a ${field} entry without a string text`);
    return { type: part, text };
  });
}

function readCompaction(item: JsonObject, context: NormalizeContext): Body {
  const value = item.get('encrypted_content');
  if (typeof value !== 'string') {
    throw new ItemFault(
      'item_invalid',
      `a compaction item in ${context.payloadId} has ${jsonTypeName(value)} as encrypted_content, not a string`,
    );
  }
  return { role: 'assistant', channel: 'summary', kind: 'message', parts: [encoded(value)] };
}

function readAgentMessage(item: JsonObject, context: NormalizeContext): Body {
  const author = item.get('author');
  const recipient = item.get('recipient');
  const content = item.get('content');
  const where = `an agent_message item in ${context.payloadId}`;
  if (typeof author !== 'string' || typeof recipient !== 'string' || !Array.isArray(content)) {
    throw new ItemFault('item_invalid', `${where} lacks a string author, a string recipient or an array of content`);
  }
  const parts = content.map((entry): ConversationPart => {
    const type = entry instanceof JsonObject ? entry.get('type') : undefined;
    const text = type === 'input_text' ? (entry as JsonObject).get('text') : undefined;
    if (typeof text === 'string') return { type: 'text', text };
    const value = type === 'encrypted_content' ? (entry as JsonObject).get('encrypted_content') : undefined;
    if (typeof value === 'string') return encoded(value);
    throw new ItemFault(
      'item_invalid',
      `${where} has a content entry that is neither input_text nor encrypted_content`,
    );
  });
  if (parts.length === 0) throw new ItemFault('item_invalid', `${where} has no content`);
  return { role: 'assistant', channel: 'analysis', kind: 'message', parts, agent_message: { author, recipient } };
}
