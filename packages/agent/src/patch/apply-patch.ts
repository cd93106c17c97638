/** The tool `apply_patch`: changes files as a patch says, all of it or nothing. */

import type { ToolCall } from '@rollout-trace/core/recorder/node';
import { type Tool, ToolError, type ToolOutcome, type ToolRun } from '../tools/tool.ts';
import { parsePatch } from './parse-patch.ts';
import { type PlannedChange, planPatch } from './plan-patch.ts';
import { writeFiles } from './write-files.ts';

const DESCRIPTION = `Changes files in the working folder. The input is a patch and nothing else:
*** Begin Patch
*** Add File: path
+every line of the new file behind a plus
*** Update File: path
*** Move to: new path (only to rename it)
@@ a line above the change (only where the lines alone are not unique)
 a line that stays
-a line that goes
+a line that comes
*** Delete File: path
*** End Patch
Show about three lines that stay around each change; together with the lines that go they must stand at one place only.
Hunks go from top to bottom. A file appears once. Nothing is written unless all of the patch can be.`;

/** Patches are applied one after the other, also those that a code cell sends off at once. */
export function applyPatchTool(): Tool {
  let before: Promise<unknown> = Promise.resolve();
  return {
    spec: { type: 'custom', name: 'apply_patch', description: DESCRIPTION },
    namespace: null,
    nested: true,
    parallel: false,
    run: (run) => {
      const outcome = before.then(() => applyPatch(run));
      before = outcome.catch(() => {});
      return outcome;
    },
  };
}

async function applyPatch(run: ToolRun): Promise<ToolOutcome> {
  const planned = await planPatch(parsePatch(run.input), run.cwd);
  if (run.signal.aborted)
    return {
      output: 'The call was cancelled before anything was changed.',
      value: { output: '' },
      status: 'cancelled',
    };
  await observed(run, planned, () => writeFiles(planned.flatMap(({ writes }) => writes)));
  const output = successText(planned);
  return { output, value: { output, changes: changesOf(planned) }, status: 'completed' };
}

/** Records what is about to change, and how that went. */
async function observed(run: ToolRun, planned: readonly PlannedChange[], write: () => Promise<void>): Promise<void> {
  const trace: ToolCall = run.trace;
  const call = { call_id: run.callId, turn_id: run.turnId };
  const changes = changesOf(planned);
  trace.runtimeStarted({ ...call, auto_approved: true, changes });
  try {
    await write();
  } catch (error) {
    const stderr = error instanceof Error ? error.message : String(error);
    trace.runtimeEnded('failed', { ...call, stdout: '', stderr, success: false, changes, status: 'failed' });
    throw new ToolError(stderr);
  }
  const stdout = successText(planned);
  trace.runtimeEnded('completed', { ...call, stdout, stderr: '', success: true, changes, status: 'completed' });
}

function successText(planned: readonly PlannedChange[]): string {
  return `Applied:\n${planned.map(({ summary }) => `${summary}\n`).join('')}`;
}

function changesOf(planned: readonly PlannedChange[]): object {
  return Object.fromEntries(planned.map(({ path, change }) => [path, change]));
}
