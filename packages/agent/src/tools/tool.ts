/**
 * What a tool is to the rest of the runtime: a description the model is told, and a function that runs one call.
 *
 * Not here: who dispatches calls and records their beginning and result (`dispatch.ts`), and the tools themselves, which
 * stand in the room of what they act on (`exec`, `patch`, `cell`, `mcp`, `agents`).
 */

import type { ToolCall } from '@rollout-trace/core/recorder/node';

/** An entry of a request's `tools`, as the Responses API takes it. */
export type ToolSpec =
  | {
      type: 'function';
      name: string;
      description: string;
      /** A JSON Schema of an object. */
      parameters: Readonly<Record<string, unknown>>;
      strict: boolean;
    }
  | { type: 'custom'; name: string; description: string; format?: Readonly<Record<string, unknown>> };

/** Part of an output, as the Responses API takes it. */
export type OutputPart = { type: 'input_text'; text: string } | { type: 'input_image'; image_url: string };

/** A tool the model may call. */
export interface Tool {
  readonly spec: ToolSpec;
  /** The namespace the model calls it in, e.g. `mcp__docs`; null for a tool of the runtime itself. */
  readonly namespace: string | null;
  /** Whether code cells may call it as `tools.<name>(…)`. */
  readonly nested: boolean;
  /** Whether other calls of the same response may run at the same time. */
  readonly parallel: boolean;
  /**
   * Runs one call to its end. What the tool starts and sees while it runs it observes on `run.trace`; the beginning and
   * the result of the call are recorded by whoever dispatched it.
   *
   * @throws {ToolError} what the model is to read instead of an output; any other error is a failure of the tool
   */
  run(run: ToolRun): Promise<ToolOutcome>;
}

/** One call of a tool. */
export interface ToolRun {
  /**
   * The call id in the trace: the model's, with a number behind it where it used the id before, or that of the runtime for a
   * call of a code cell.
   */
  readonly callId: string;
  /** Arguments as JSON text, or the free text of a custom tool; as they were written, unchecked. */
  readonly input: string;
  /** Records what is seen while the call runs. */
  readonly trace: ToolCall;
  /** The turn the call belongs to. */
  readonly turnId: string;
  /** The folder relative paths start from. */
  readonly cwd: string;
  /** Aborted when the turn is cancelled, or the code cell that calls is terminated. */
  readonly signal: AbortSignal;
}

/** How a call ended. */
export interface ToolOutcome {
  /** What the model reads. */
  readonly output: string | readonly OutputPart[];
  /** What a code cell that made the call gets; plain JSON. */
  readonly value: unknown;
  /** A tool may fail and have an output all the same. */
  readonly status: 'completed' | 'failed' | 'cancelled';
}

/** A mistake the model can mend: wrong arguments, an unknown session. Its message is the output of the call. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}
