/**
 * The handle a piece of code works for, carried along its asynchronous calls: a tool finds its thread, turn and call
 * without being handed them.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Channel } from 'node:diagnostics_channel';
import { CodeCell } from '../../recorder/code-cell.ts';
import { Thread } from '../../recorder/thread.ts';
import { ToolCall } from '../../recorder/tool.ts';
import { Turn } from '../../recorder/turn.ts';

/** What the running code works for. Where it works for nothing, the handles are disabled. */
export interface CurrentTrace {
  readonly thread: Thread;
  readonly turn: Turn;
  readonly toolCall: ToolCall;
  readonly codeCell: CodeCell;
}

const NOTHING: CurrentTrace = Object.freeze({
  thread: Thread.disabled,
  turn: Turn.disabled,
  toolCall: ToolCall.disabled,
  codeCell: CodeCell.disabled,
});

const storage = new AsyncLocalStorage<CurrentTrace>();

/** What the running code works for. */
export function currentTrace(): CurrentTrace {
  return storage.getStore() ?? NOTHING;
}

/**
 * Runs a function for a handle; everything it calls, now and later, finds it by {@link currentTrace}. Behind a disabled
 * handle it finds nothing: what is done for a rollout that is not recorded is no part of the one around it.
 */
export function withTrace<T>(handle: Thread | Turn | ToolCall | CodeCell, action: () => T): T {
  // A host in JavaScript may have something else, or nothing at all.
  if (!isHandle(handle)) return action();
  if (handle.recording) return storage.run(entered(handle, currentTrace()), action);
  return storage.getStore() === undefined ? action() : storage.run(NOTHING, action);
}

function isHandle(value: unknown): value is Thread | Turn | ToolCall | CodeCell {
  return value instanceof Thread || value instanceof Turn || value instanceof ToolCall || value instanceof CodeCell;
}

/**
 * Makes a handle the current one for the rest of the running function and what it goes on with. For hooks that are told
 * what begins, and cannot wrap it; everything else uses {@link withTrace}.
 */
export function enterTrace(handle: Thread | Turn | ToolCall | CodeCell): void {
  if (handle.recording) storage.enterWith(entered(handle, currentTrace()));
}

/**
 * Like {@link enterTrace}, for a tool call of this turn that its host has not told apart yet: it is asked for when somebody
 * wants to know it.
 */
export function enterUntoldCall(turn: Turn, toolCall: () => ToolCall): void {
  if (!turn.recording) return;
  const trace = entered(turn, currentTrace());
  storage.enterWith({
    ...trace,
    get toolCall() {
      return toolCall();
    },
  });
}

/** Makes the handle that a message of a channel is about the current one for what the channel runs. Null changes nothing. */
export function bindTrace<M>(channel: Channel<unknown, M>, handleOf: (message: M) => Turn | ToolCall | null): void {
  channel.bindStore(storage, (message) => {
    const handle = handleOf(message);
    return handle?.recording === true ? entered(handle, currentTrace()) : currentTrace();
  });
}

function entered(handle: Thread | Turn | ToolCall | CodeCell, outer: CurrentTrace): CurrentTrace {
  if (handle instanceof Thread) return { ...NOTHING, thread: handle };
  if (handle instanceof Turn) return { ...NOTHING, thread: handle.thread, turn: handle };
  const { turn } = handle;
  const inner = { ...(outer.turn === turn ? outer : NOTHING), thread: turn.thread, turn };
  return handle instanceof ToolCall ? { ...inner, toolCall: handle } : { ...inner, codeCell: handle };
}
