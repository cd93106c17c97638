/**
 * The typed payloads by which a runtime tells of agents (spec 6.9 E1): paths, thread ids, collaboration events,
 * activities and mail. Pure readers. Not here: the edges they lead to (`agent.ts`).
 */

import type { GenerationRules } from '../format/generation.ts';
import { type Json, JsonObject, JsonSyntaxError, jsonTypeName, member, parseJson } from '../format/json.ts';

/** A payload that lacks what its kind needs. */
export class AgentPayloadError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AgentPayloadError';
  }
}

const PATH_NAME = /^[a-z0-9_]+$/;

/** `/morpheus`, or `/root` followed by names of a-z, 0-9 and _; no name is `root`. */
function isAgentPath(text: string): boolean {
  if (text === '/morpheus') return true;
  const [empty, root, ...names] = text.split('/');
  return empty === '' && root === 'root' && names.every((name) => name !== 'root' && PATH_NAME.test(name));
}

const UUID =
  /^(?:urn:uuid:)?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$|^([0-9a-f]{32})$|^\{([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\}$/i;

/** A thread id as a lower-case hyphenated UUID, whichever way it was written; else null. */
function threadUuid(text: string): string | null {
  const found = UUID.exec(text);
  if (found === null) return null;
  const digits = (found[1] ?? found[2] ?? found[3] ?? '').replaceAll('-', '').toLowerCase();
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}

function text(body: Json, key: string): string {
  const value = member(body, key);
  if (typeof value !== 'string') throw new AgentPayloadError(`${key} is ${jsonTypeName(value)}, not a string`);
  return value;
}

function thread(body: Json, key: string): string {
  const written = text(body, key);
  const id = threadUuid(written);
  if (id === null) throw new AgentPayloadError(`${key} is "${written.slice(0, 60)}", not a UUID`);
  return id;
}

const PLAIN_STATUSES: readonly (Json | undefined)[] = [
  'pending_init',
  'running',
  'interrupted',
  'shutdown',
  'not_found',
];

function checkStatus(body: Json): void {
  const status = member(body, 'status');
  if (PLAIN_STATUSES.includes(status)) return;
  if (status instanceof JsonObject && status.size === 1) {
    const value = status.values[0];
    if (value === null && PLAIN_STATUSES.includes(status.keys[0])) return;
    if (status.keys[0] === 'completed' && (value === null || typeof value === 'string')) return;
    if (status.keys[0] === 'errored' && typeof value === 'string') return;
  }
  throw new AgentPayloadError(`status is ${jsonTypeName(status)}, which is no agent status`);
}

export interface Interaction {
  receiver: string;
  prompt: string;
}

/** The begin or end of a task or message. */
export function readInteraction(body: Json, ended: boolean): Interaction {
  text(body, 'call_id');
  thread(body, 'sender_thread_id');
  const receiver = thread(body, 'receiver_thread_id');
  const prompt = text(body, 'prompt');
  if (ended) checkStatus(body);
  return { receiver, prompt };
}

/** The begin or end of closing an agent: the thread that is closed. */
export function readClose(body: Json, ended: boolean): string {
  text(body, 'call_id');
  thread(body, 'sender_thread_id');
  const receiver = thread(body, 'receiver_thread_id');
  if (ended) checkStatus(body);
  return receiver;
}

const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'];

export interface SpawnEnd {
  sender: string;
  /** Null where no agent came into being. */
  child: string | null;
  prompt: string;
}

/** The end of a spawn (rule G45 for the effort). */
export function readSpawnEnd(body: Json, rules: GenerationRules): SpawnEnd {
  text(body, 'call_id');
  const sender = thread(body, 'sender_thread_id');
  const given = member(body, 'new_thread_id') ?? null;
  const child = given === null ? null : thread(body, 'new_thread_id');
  const prompt = text(body, 'prompt');
  text(body, 'model');
  const effort = text(body, 'reasoning_effort');
  if (rules.anyReasoningEffort ? effort === '' : !REASONING_EFFORTS.includes(effort)) {
    throw new AgentPayloadError(`reasoning_effort is "${effort}", which is no effort`);
  }
  checkStatus(body);
  return { sender, child, prompt };
}

const ACTIVITIES = ['started', 'interacted', 'interrupted', 'completed'] as const;
type ActivityKind = (typeof ACTIVITIES)[number];

export interface Activity {
  agentThreadId: string;
  kind: ActivityKind;
}

/** What a child agent was seen doing (rules G38, G39). */
export function readActivity(body: Json, rules: GenerationRules): Activity {
  text(body, 'event_id');
  const agentThreadId = thread(body, 'agent_thread_id');
  const path = text(body, 'agent_path');
  if (!isAgentPath(path)) throw new AgentPayloadError(`agent_path is "${path.slice(0, 60)}", which is no agent path`);
  const written = text(body, 'kind');
  const kind = ACTIVITIES.find((known) => known === written);
  if (kind === undefined || (kind === 'completed' && !rules.activityCompleted)) {
    throw new AgentPayloadError(`kind is "${written.slice(0, 60)}", which is no agent activity`);
  }
  return { agentThreadId, kind };
}

/** What one agent told another, as JSON in one text (spec E1). */
export interface JsonMail {
  author: string;
  recipient: string;
  content: string;
}

/** Mail of older agents: a text that is a JSON object with its route; null where it is no mail. */
export function readJsonMail(source: string, rules: GenerationRules): JsonMail | null {
  if (!/^\s*\{/.test(source)) return null;
  let body: Json;
  try {
    body = parseJson(source);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
  const author = member(body, 'author');
  const recipient = member(body, 'recipient');
  const content = member(body, 'content');
  if (typeof author !== 'string' || typeof recipient !== 'string' || typeof content !== 'string') return null;
  if (!isAgentPath(author) || !isAgentPath(recipient) || typeof member(body, 'trigger_turn') !== 'boolean') return null;
  const others = member(body, 'other_recipients');
  const isPath = (value: Json): boolean => typeof value === 'string' && isAgentPath(value);
  if (others !== undefined && !(Array.isArray(others) && others.every(isPath))) return null;
  if (!rules.encryptedJsonMail) return { author, recipient, content };
  const encrypted = member(body, 'encrypted_content') ?? null;
  if (encrypted !== null && typeof encrypted !== 'string') return null;
  return { author, recipient, content: encrypted ?? content };
}
