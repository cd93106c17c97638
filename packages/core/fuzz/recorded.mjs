// @ts-check
// Recorded bundles as maps from plain path to bytes, and mutants as folders.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @typedef {{ folder: string, files: Map<string, Uint8Array> }} Recorded */

/**
 * Every bundle below a folder.
 *
 * @param {string} folder
 * @returns {Recorded[]}
 */
export function bundlesBelow(folder) {
  if (existsSync(join(folder, 'manifest.json'))) {
    const payloads = existsSync(join(folder, 'payloads')) ? readdirSync(join(folder, 'payloads')) : [];
    const paths = ['manifest.json', 'trace.jsonl', ...payloads.map((name) => `payloads/${name}`)];
    const present = paths.filter((path) => existsSync(join(folder, path)));
    if (!present.includes('trace.jsonl')) return [];
    return [
      { folder, files: new Map(present.map((path) => [path, new Uint8Array(readFileSync(join(folder, path)))])) },
    ];
  }
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => bundlesBelow(join(folder, entry.name)));
}

/** @param {string} folder @param {Map<string, Uint8Array>} files */
export function writeBundle(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}
