/**
 * What the AI SDK calls to tell how a run goes: a `Telemetry` of major 7, and a `TelemetryIntegration` of major 6, which
 * calls fewer of the same methods. Not here: what is made of it (`run.ts`).
 */

import { type Members, membersOf } from '../session/json.ts';
import { quietly } from '../session/quietly.ts';
import { processSession, type TraceSession } from '../session/session.ts';
import { OlderMajor } from './older-major.ts';
import { isAbort } from './run.ts';
import { Runs } from './runs.ts';

/** How runs are recorded. */
export interface RolloutTraceOptions {
  /** Left out, the one that all adapters of the process share. */
  session?: TraceSession;
}

/** The object for `registerTelemetry` (7) or `registerTelemetryIntegration` (6). */
export interface RolloutTelemetry {
  onStart(event: object): void;
  onStepStart(event: object): void;
  onLanguageModelCallEnd(event: object): void;
  onToolExecutionStart(event: object): void;
  onToolExecutionEnd(event: object): void;
  onToolCallStart(event: object): void;
  onToolCallFinish(event: object): void;
  onStepFinish(event: object): void;
  onEnd(event: object): void;
  onFinish(event: object): void;
  onAbort(event: object): void;
  onError(event: unknown): void;
  executeLanguageModelCall<T>(options: ModelExecution<T>): PromiseLike<T>;
  executeTool<T>(options: ToolExecution<T>): PromiseLike<T>;
}

interface ModelExecution<T> {
  callId: string;
  execute: () => PromiseLike<T>;
}

interface ToolExecution<T> extends ModelExecution<T> {
  toolCallId: string;
}

/** Operations that are runs. Others (embeddings, speech …) ask no model for items. */
const RUNS = new Set(['ai.generateText', 'ai.streamText']);

/** Records the runs of the AI SDK: `registerTelemetry(rolloutTrace())`. */
export function rolloutTrace(options: RolloutTraceOptions = {}): RolloutTelemetry {
  return telemetryFor(new Runs(options.session ?? processSession));
}

/** The object that tells these runs. */
export function telemetryFor(runs: Runs): RolloutTelemetry {
  const older = new OlderMajor(runs);
  const tell = (event: unknown, action: (event: Members) => unknown): void => {
    quietly<unknown>(undefined, () => action(membersOf(event)));
  };
  return {
    onStart: (event) =>
      tell(event, (told) => {
        if (typeof told.callId !== 'string') older.started(told);
        else if (RUNS.has(String(told.operationId))) runs.begin(told.callId, told);
      }),
    onStepStart: (event) => tell(event, (told) => typeof told.callId !== 'string' && older.stepStarted(told)),
    onLanguageModelCallEnd: (event) => tell(event, (told) => runs.get(told.callId)?.answered(told)),
    onToolExecutionStart: (event) =>
      tell(event, ({ callId, toolCall }) => runs.get(callId)?.toolStarted(membersOf(toolCall))),
    onToolExecutionEnd: (event) =>
      tell(event, ({ callId, toolOutput }) => {
        const { type, toolCallId, output, error } = membersOf(toolOutput);
        if (type === 'tool-error') runs.get(callId)?.toolFailed(toolCallId, error);
        else runs.get(callId)?.toolReturned(toolCallId, output);
      }),
    onToolCallStart: (event) => tell(event, (told) => older.toolStarted(told)),
    onToolCallFinish: (event) => tell(event, (told) => older.toolEnded(told)),
    onStepFinish: (event) => tell(event, (told) => typeof told.callId !== 'string' && older.stepEnded(told)),
    onEnd: (event) => tell(event, ({ callId }) => runs.end(callId, 'completed')),
    onFinish: (event) => tell(event, (told) => typeof told.callId !== 'string' && older.ended(told)),
    onAbort: (event) => tell(event, ({ callId, reason }) => runs.end(callId, 'cancelled', reason ?? 'aborted')),
    onError: (event) =>
      tell(event, ({ callId, error }) => runs.end(callId, isAbort(error) ? 'cancelled' : 'failed', error)),
    executeLanguageModelCall: ({ execute, ...event }) => {
      const run = runs.get(event.callId);
      return run === null ? execute() : run.through({ ...event }, execute);
    },
    executeTool: ({ callId, toolCallId, execute }) => {
      const run = runs.get(callId);
      return run === null ? execute() : run.runTool(toolCallId, execute);
    },
  };
}
