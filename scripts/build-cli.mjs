// @ts-check
// Bundles the command line and all it needs of the core into one CommonJS file, and lets the program run once, started by
// its launcher, to keep the code V8 makes of it: a start then compiles nothing. Written only when the bytes change.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { coreDoors } from './doors.mjs';

const entry = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));
const program = fileURLToPath(new URL('../packages/cli/bin/rollout-trace.cjs', import.meta.url));
const file = fileURLToPath(new URL('../packages/cli/dist/cli.cjs', import.meta.url));
const cache = fileURLToPath(new URL('../packages/cli/dist/cli.cache', import.meta.url));
/** Reduced once to warm the cache: it goes through most of the reducer. */
const sample = fileURLToPath(new URL('../fixtures/bundles/0.169.0/compact-agents', import.meta.url));

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
  if (/[^\0-\x7f]/.test(chunk.code))
    throw new Error('the launcher reads the program as ASCII, but it has other characters: write them as escapes');
  const changed = write(file, chunk.code);
  if (changed || !existsSync(cache)) warmCache();
} finally {
  await bundle.close();
}

/**
 * Beside and over it, never in place: another process may be starting the old file.
 * @param {string} path
 * @param {string} text
 */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false;
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, text);
  renameSync(part, path);
  return true;
}

/** A cache of older code would be refused for its length, or worse, not refused: it goes first. */
function warmCache() {
  rmSync(cache, { force: true });
  const scratch = mkdtempSync(join(tmpdir(), 'rollout-trace-build-'));
  const part = `${cache}.${process.pid}.part`;
  try {
    const { status, stderr } = spawnSync(
      process.execPath,
      [program, 'reduce', sample, '-o', join(scratch, 'state.json'), '--quiet'],
      { env: { ...process.env, ROLLOUT_TRACE_WRITE_CODE_CACHE: part }, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`the built command line fails: ${stderr}`);
    renameSync(part, cache);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    rmSync(part, { force: true });
  }
}
