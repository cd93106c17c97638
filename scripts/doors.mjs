// @ts-check
// The public doors of a package and the source behind each, read from the one place that declares them: its package.json.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** @typedef {{ door: string, source: string }} Door the specifier a user imports, and the absolute path of its source file */

export const coreDoors = () => doorsOf('core');
export const agentDoors = () => doorsOf('agent');

/** @param {string} folder @returns {Door[]} */
function doorsOf(folder) {
  const home = new URL(`../packages/${folder}/`, import.meta.url);
  const { name, exports } = JSON.parse(readFileSync(new URL('package.json', home), 'utf8'));
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return [];
    const source = target.default.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');
    return [{ door: name + subpath.slice(1), source: fileURLToPath(new URL(source, home)) }];
  });
}
