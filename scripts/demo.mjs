// @ts-check
// Shows the command line at work on a recorded session of the fixtures: reduces the bundle, then shows it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = 'fixtures/bundles/0.169.0/agents-code';

const folder = mkdtempSync(join(tmpdir(), 'rollout-trace-demo-'));
try {
  rolloutTrace('reduce', bundle, '-o', join(folder, 'state.json'));
  rolloutTrace('show', bundle);
} finally {
  rmSync(folder, { recursive: true });
}

/** @param {string[]} args */
function rolloutTrace(...args) {
  console.log(`\n$ rollout-trace ${args.join(' ')}\n`);
  const { status, error } = spawnSync(process.execPath, ['packages/cli/dist/rollout-trace.cjs', ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw error ?? new Error(`rollout-trace ${args[0]} ended with exit code ${status}`);
}
