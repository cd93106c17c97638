/** The first line of a cell may say how its call returns: `// @exec: {"yield_time_ms": 1000, "max_output_tokens": 500}`. */

import { Arguments } from '../tools/arguments.ts';

export interface CellRequest {
  /** The script, without that line. */
  readonly source: string;
  readonly yield_time_ms: number | null;
  readonly max_output_tokens: number | null;
}

const PRAGMA = /^[ \t]*\/\/ @exec:([^\r\n]*)(?:\r?\n|$)/;

/** @throws {ToolError} where what follows `@exec:` is no JSON object, or says something else than numbers */
export function parseCellRequest(input: string): CellRequest {
  const found = PRAGMA.exec(input);
  if (found === null) return { source: input, yield_time_ms: null, max_output_tokens: null };
  const given = new Arguments(found[1] ?? '');
  return {
    source: input.slice(found[0].length),
    yield_time_ms: given.optionalCount('yield_time_ms'),
    max_output_tokens: given.optionalCount('max_output_tokens'),
  };
}
