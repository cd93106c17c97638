/** Opens and closes execution windows: the one place that writes them. */

import type { ExecutionStatus } from '../format/event.ts';
import type { ExecutionWindow } from '../format/graph.ts';
import type { ReducerState } from './state.ts';

/** A window that opens with the event at hand. */
export function openWindow(state: ReducerState): ExecutionWindow {
  return {
    started_at_unix_ms: state.now,
    started_seq: state.seq,
    ended_at_unix_ms: null,
    ended_seq: null,
    status: 'running',
  };
}

/** Closes a window with the event at hand. May be called again: the last end counts. */
export function closeWindow(state: ReducerState, window: ExecutionWindow, status: ExecutionStatus): void {
  window.ended_at_unix_ms = state.now;
  window.ended_seq = state.seq;
  window.status = status;
}
