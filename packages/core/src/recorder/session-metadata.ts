/** What is known about a session when its thread begins: the `session_metadata` payload. */

import type { ThreadSeed } from './thread.ts';

/** Describes a session. Every field may be left out; fields of your own are recorded as well. */
export interface SessionMetadata {
  task_name?: string | null;
  nickname?: string | null;
  agent_role?: string | null;
  /** Who began the session: a word such as `exec`, or the spawn of a child agent. */
  session_source?: unknown;
  cwd?: string | null;
  rollout_path?: string | null;
  model?: string | null;
  provider_name?: string | null;
  approval_policy?: unknown;
  sandbox_policy?: unknown;
  [field: string]: unknown;
}

/** Fields that readers refuse where they are neither strings nor null. */
const NAMES: readonly string[] = ['task_name', 'nickname', 'agent_role', 'model'];
/** The fields of the reference, in its order. */
const FIELDS: readonly string[] = [
  'task_name',
  'nickname',
  'agent_role',
  'session_source',
  'cwd',
  'rollout_path',
  'model',
  'provider_name',
  'approval_policy',
  'sandbox_policy',
];
const OURS: readonly string[] = ['thread_id', 'agent_path'];

/** The payload. */
export function sessionMetadata({ id, agentPath, metadata }: ThreadSeed): object {
  const out: SessionMetadata = { thread_id: id, agent_path: agentPath };
  for (const key of FIELDS)
    put(out, key, () => (NAMES.includes(key) ? nameOrNull(metadata[key]) : metadata[key]) ?? null);
  for (const key of Object.keys(metadata)) {
    if (!FIELDS.includes(key) && !OURS.includes(key)) put(out, key, () => metadata[key]);
  }
  return out;
}

/** All the fields; of those that stand in several, the last. */
export function mergedMetadata(...parts: readonly (SessionMetadata | undefined)[]): SessionMetadata {
  const out: SessionMetadata = {};
  for (const part of parts) for (const key of Object.keys(part ?? {})) put(out, key, () => part?.[key]);
  return out;
}

/** A field that cannot be read stays one: the copy of the payload has a marker in its place, and counts it. */
function put(out: SessionMetadata, key: string, read: () => unknown): void {
  const field = { enumerable: true, configurable: true };
  try {
    Object.defineProperty(out, key, { ...field, writable: true, value: read() });
  } catch (error) {
    const get = (): never => {
      throw error;
    };
    Object.defineProperty(out, key, { ...field, get });
  }
}

function nameOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value);
}
