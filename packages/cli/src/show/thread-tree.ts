/** The threads of a graph as a tree: who spawned whom. */

import type { Graph, Thread } from '@rollout-trace/core/format';
import { CHILD, LAST_CHILD, PASSING } from '../text/glyphs.ts';

export interface TreeThread {
  thread: Thread;
  /** Lines that join the thread to its parent; empty for a root. */
  branch: string;
  depth: number;
}

/** Every thread once, parents before their children. A thread whose parent is not in the trace is a root. */
export function threadTree({ threads }: Graph): TreeThread[] {
  const children = new Map<string | null, Thread[]>();
  for (const thread of threads.values()) {
    const parent = parentOf(thread, threads);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [thread]);
    else siblings.push(thread);
  }
  const tree: TreeThread[] = [];
  const seen = new Set<string>();
  const grow = (thread: Thread, indent: string, fork: string, depth: number): void => {
    if (seen.has(thread.thread_id)) return;
    seen.add(thread.thread_id);
    tree.push({ thread, branch: indent + fork, depth });
    const below = children.get(thread.thread_id) ?? [];
    const deeper = indent + (fork === '' ? '' : fork === LAST_CHILD ? '   ' : PASSING);
    for (const [i, child] of below.entries())
      grow(child, deeper, i === below.length - 1 ? LAST_CHILD : CHILD, depth + 1);
  };
  for (const root of children.get(null) ?? []) grow(root, '', '', 0);
  // Threads that spawned each other in a circle have no root; damaged logs may say so.
  for (const thread of threads.values()) grow(thread, '', '', 0);
  return tree;
}

function parentOf({ thread_id, origin }: Thread, threads: Graph['threads']): string | null {
  if (origin.type === 'root' || origin.parent_thread_id === thread_id) return null;
  return threads.has(origin.parent_thread_id) ? origin.parent_thread_id : null;
}
