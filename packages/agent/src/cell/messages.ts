/**
 * What the host and the worker of code cells say to each other: plain JSON, in the order it was said.
 *
 * Values of scripts cross as JSON text, so that only the script's own side and the tool's own side ever build them.
 */

import type { OutputPart } from '../tools/tool.ts';

/** What scripts may use up. */
export interface CellLimits {
  /** A script that goes on longer than this without waiting for anything is stopped. */
  readonly slice_ms: number;
  /** What the runtime of a thread's cells may take with all their values; at least 16 MiB, with which it begins. */
  readonly memory_bytes: number;
  /** Characters a cell may put out. */
  readonly output_chars: number;
  /** Characters of JSON that may be stored for later cells. */
  readonly stored_chars: number;
  /** Tool calls that a cell may have at the same time. */
  readonly calls: number;
  /** How long a worker may take to stop a cell before it is stopped itself. */
  readonly grace_ms: number;
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly limits: CellLimits;
  /** What earlier cells stored, as pairs of key and JSON text. */
  readonly stored: readonly (readonly [string, string])[];
}

/** A tool as scripts see it. */
export interface CellTool {
  /** Its name in `tools`. */
  readonly name: string;
  readonly description: string;
  /** Whether it takes a string instead of an object. */
  readonly custom: boolean;
}

/** How a script ended. */
export type CellEnd =
  | { readonly status: 'completed' | 'terminated'; readonly error: null }
  | { readonly status: 'failed'; readonly error: string };

export type ToWorker =
  | { readonly type: 'run'; readonly cell: string; readonly source: string; readonly tools: readonly CellTool[] }
  | { readonly type: 'settle'; readonly cell: string; readonly call: string; readonly result: CallResult }
  | { readonly type: 'terminate'; readonly cell: string }
  | { readonly type: 'ping' };

/** The result of a call: the JSON text of its value, null for undefined, or else the message of its error. */
export interface CallResult {
  readonly json: string | null;
  readonly error: string | null;
}

export type FromWorker =
  | { readonly type: 'output'; readonly cell: string; readonly part: OutputPart }
  | { readonly type: 'yielded'; readonly cell: string }
  | {
      readonly type: 'call';
      readonly cell: string;
      readonly call: string;
      readonly tool: string;
      readonly input: string;
    }
  | { readonly type: 'stored'; readonly key: string; readonly json: string | null }
  /** With a reason where the runtime cannot go on: the worker is to be replaced before another cell is started. */
  | { readonly type: 'ended'; readonly cell: string; readonly end: CellEnd; readonly unusable: string | null }
  | { readonly type: 'pong' };
