// @ts-check
// Makes a clone ready to run, with nothing but Node and npm: installs what the lock file says when node_modules differs
// from it, then builds the core, the agent and the command line. Each step costs next to nothing when there is nothing to do.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

requireNode();
if (!installed()) npm('ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error');
node(
  'node_modules/typescript/bin/tsc',
  '-b',
  'packages/core/tsconfig.integrations.json',
  'packages/agent/tsconfig.build.json',
);
node('scripts/build-cli.mjs');

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  stop(`rollout-trace needs Node ^20.19.0 or >=22.12.0, this is ${process.versions.node}.`);
}

/**
 * Compares contents, not times: a switch of branches touches files, and an interrupted install leaves a young folder.
 * npm keeps the record of what it installed beside the packages; what it left out for this platform is optional.
 */
function installed() {
  const record = `${root}/node_modules/.package-lock.json`;
  if (!existsSync(record)) return false;
  const wanted = packagesOf(`${root}/package-lock.json`);
  const present = packagesOf(record);
  return Object.entries(wanted).every(([path, { optional, version, integrity, link }]) => {
    if (!path.includes('node_modules/')) return true;
    const found = present[path];
    if (!found) return optional === true;
    return found.version === version && found.integrity === integrity && found.link === link;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, link?: boolean, optional?: boolean }>}
 */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** @param {string[]} args */
function npm(...args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('npm-cli.js')) run(process.execPath, [cli, ...args], false);
  else run('npm', args, process.platform === 'win32');
}

/** @param {string[]} args */
function node(...args) {
  run(process.execPath, args, false);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {boolean} shell
 */
function run(command, args, shell) {
  // What the steps say goes to stderr, so that the stdout of `npm run demo` is the demo's alone.
  const { status, error } = spawnSync(command, args, { cwd: root, shell, stdio: ['ignore', 2, 2] });
  if (status !== 0) stop(`\`${[command, ...args].join(' ')}\` failed: ${error?.message ?? `exit code ${status}`}`);
}

/**
 * @param {string} reason
 * @returns {never}
 */
function stop(reason) {
  console.error(reason);
  process.exit(1);
}
