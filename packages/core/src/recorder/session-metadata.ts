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

/** The payload, its fields in the order of the reference. A wrong type would make the thread unreadable: see below. */
export function sessionMetadata({ id, agentPath, metadata }: ThreadSeed): object {
  const { task_name, nickname, agent_role, session_source, cwd, rollout_path, model, provider_name, ...rest } =
    metadata;
  const { approval_policy, sandbox_policy, thread_id: _id, agent_path: _path, ...own } = rest;
  return {
    thread_id: id,
    agent_path: agentPath,
    task_name: stringOrNull(task_name),
    nickname: stringOrNull(nickname),
    agent_role: stringOrNull(agent_role),
    session_source: session_source ?? null,
    cwd: cwd ?? null,
    rollout_path: rollout_path ?? null,
    model: stringOrNull(model),
    provider_name: provider_name ?? null,
    approval_policy: approval_policy ?? null,
    sandbox_policy: sandbox_policy ?? null,
    ...own,
  };
}

/** Readers refuse a thread whose names are neither strings nor null. */
function stringOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value);
}
