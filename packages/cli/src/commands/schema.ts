/** `rollout-trace schema`: the JSON Schemas of a bundle's files, as the core that is installed with this program has them. */

import { readFileSync } from 'node:fs';
import { SCHEMA_NAMES } from '../args/command-table.ts';
import type { Invocation } from '../args/parse.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Console } from '../io/console.ts';

export function schema(asked: Invocation, console: Console): ExitCode {
  const [wanted] = asked.operands;
  const texts = Object.fromEntries(SCHEMA_NAMES.map((name) => [name, JSON.parse(schemaText(name))]));
  console.json(wanted === undefined ? texts : texts[wanted], 'pretty');
  return EXIT.done;
}

/** Read where the core publishes it, not carried along: starting the program must not cost what one command needs. */
function schemaText(name: string): string {
  const { createRequire } = process.getBuiltinModule('node:module');
  const file = createRequire(import.meta.url).resolve(`@rollout-trace/core/schema/${name}.schema.json`);
  return readFileSync(file, 'utf8');
}
