// @ts-check
// Shows the command line at work on a recorded session of the fixtures: two agents, of which one runs commands, and two
// compactions. Writes to a temporary folder only.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = 'fixtures/bundles/0.169.0/compact-agents';

const folder = mkdtempSync(join(tmpdir(), 'rollout-trace-demo-'));
try {
  say('A session was recorded. Reducing its raw events gives the semantic graph:');
  rolloutTrace('reduce', bundle, '-o', join(folder, 'state.json'));
  say('What happened in it:');
  rolloutTrace('show', bundle);
  say('One of its tool calls: who asked for it, what ran, and where its output went:');
  rolloutTrace('show', bundle, 'call_0001');
} finally {
  rmSync(folder, { recursive: true });
}

/** @param {string} text */
function say(text) {
  console.log(`\n# ${text}`);
}

/** @param {string[]} args */
function rolloutTrace(...args) {
  console.log(`$ rollout-trace ${args.join(' ')}\n`);
  const { status, error } = spawnSync(process.execPath, ['packages/cli/dist/rollout-trace.cjs', ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw error ?? new Error(`rollout-trace ${args[0]} ended with exit code ${status}`);
}
