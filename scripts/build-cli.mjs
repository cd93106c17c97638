// @ts-check
// Bundles the command line and all it needs of the core into one CommonJS file: one file to read from disk at start, and
// V8 compiles only the functions a command calls. Written only when its bytes change.

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { coreDoors } from './doors.mjs';

const entry = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));
const file = fileURLToPath(new URL('../packages/cli/dist/rollout-trace.cjs', import.meta.url));

const bundle = await rolldown({
  input: entry,
  platform: 'node',
  external: /^node:/,
  // Exact specifiers: `@rollout-trace/core` must not answer for `@rollout-trace/core/node`.
  resolve: { alias: Object.fromEntries(coreDoors().map(({ door, source }) => [`${door}$`, source])) },
  transform: { target: 'node20.19' },
  onLog(level, log) {
    if (level === 'warn') throw new Error(`${log.code ?? 'warning'}: ${log.message}`);
  },
});

try {
  const { output } = await bundle.generate({
    file,
    format: 'cjs',
    banner: '#!/usr/bin/env node',
    codeSplitting: false,
    comments: false,
  });
  const [chunk, ...others] = output;
  if (others.length > 0)
    throw new Error(
      `the command line is one file, but the bundle has also ${others.map((part) => part.fileName).join(', ')}`,
    );
  const foreign = [...chunk.imports, ...chunk.dynamicImports].filter((specifier) => !specifier.startsWith('node:'));
  if (foreign.length > 0)
    throw new Error(`the command line may load only node: modules, but it loads ${foreign.join(', ')}`);
  write(chunk.code);
} finally {
  await bundle.close();
}

/**
 * Beside and over it, never in place: another process may be starting the old file.
 * @param {string} code
 */
function write(code) {
  if (existsSync(file) && readFileSync(file, 'utf8') === code) return;
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, code);
  chmodSync(part, 0o755);
  renameSync(part, file);
}
