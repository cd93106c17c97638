#!/usr/bin/env node
// Starts the program. In a clone nothing may have been built yet; an installed package always has its program.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/main.js', import.meta.url);
if (!existsSync(program)) build();
await import(program.href);

function build() {
  const ready = fileURLToPath(new URL('../../../scripts/ready.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [ready], { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error('The program is not built. In a clone, run `npm run build`; else install the package again.');
  process.exit(2);
}
