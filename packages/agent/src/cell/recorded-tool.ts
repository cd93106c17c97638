/**
 * The name a call is recorded under. Readers take every tool that is called `wait` for the one that waits for a code cell,
 * and refuse a trace in which it names none. Only a call that waits for a cell is recorded as `wait`; what another tool of
 * that name is, its kind says.
 */

import type { ToolCallOptions } from '@rollout-trace/core/recorder/node';
import { Arguments } from '../tools/arguments.ts';
import type { Tool } from '../tools/tool.ts';
import { WAIT_SPEC } from './specs.ts';

/** @param tool undefined where there is none of this name */
export function recordedTool(
  name: string,
  tool: Tool | undefined,
  input: string,
): Pick<ToolCallOptions, 'name' | 'kind'> {
  if (name !== WAIT_SPEC.name || (tool?.spec === WAIT_SPEC && namesCell(input))) return { name };
  return { name: `function.${name}`, kind: { type: 'other', name } };
}

function namesCell(input: string): boolean {
  try {
    new Arguments(input).text('cell_id');
    return true;
  } catch {
    return false;
  }
}
