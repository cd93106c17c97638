// @ts-check
// The public doors of the core and the source behind each, read from the one place that declares them: its package.json.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const core = new URL('../packages/core/', import.meta.url);

/** @returns {{ door: string, source: string }[]} the specifier a user imports, and the absolute path of its source file */
export function coreDoors() {
  const { name, exports } = JSON.parse(readFileSync(new URL('package.json', core), 'utf8'));
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');
    return [{ door: name + subpath.slice(1), source: fileURLToPath(new URL(source, core)) }];
  });
}
