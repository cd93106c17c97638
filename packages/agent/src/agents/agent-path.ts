/** Names of agents: `/root` for the first, `/root/<task>` for one it spawned, and so on. */

import { ToolError } from '../tools/tool.ts';

const TASK_NAME = /^[a-z0-9_]{1,64}$/;

/** @throws {ToolError} where a name cannot be a part of a path */
export function checkTaskName(name: string): void {
  if (TASK_NAME.test(name) && name !== 'root') return;
  throw new ToolError('task_name must be 1 to 64 lower-case letters, digits or underscores, and not root');
}

/** The path a model means by the name of an agent: a whole path, or one that starts from the agent that says it. */
export function agentPathOf(name: string, from: string): string {
  return name.startsWith('/') ? name : `${from}/${name}`;
}

/** Whether an agent was spawned by another, or by one that was. */
export function isBelow(path: string, ancestor: string): boolean {
  return path.startsWith(`${ancestor}/`);
}
