// @ts-check
// The real Codex, for the tests that are opt-in: installed outside the workspace, and a home that only knows the
// scripted model.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The version whose behaviour is the reference. */
export const CODEX_VERSION = '0.169.0';

/** Not the system's temporary folder: Codex warns about a home below it. */
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'rollout-trace');

/** Where Codex is installed, and tests work, if nothing else is said. */
export const CODEX_FOLDER = join(CACHE, `codex-${CODEX_VERSION}`);

/**
 * The program: the one ROLLOUT_TRACE_CODEX names, else the one installed in the folder. Installs it where it is not.
 *
 * @param {string} folder
 * @returns {string}
 */
export function codexProgram(folder) {
  const named = process.env.ROLLOUT_TRACE_CODEX;
  const program = named || join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'codex.cmd' : 'codex');
  if (!named && !existsSync(program)) install(folder, `@openai/codex@${CODEX_VERSION}`);
  const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (error) throw new Error(`${program} cannot be started: ${error.message}`);
  const version = stdout.trim().split(' ').at(-1);
  if (version !== CODEX_VERSION) throw new Error(`${program} is version ${version}, but ${CODEX_VERSION} is tested`);
  return program;
}

/** The SDK that is tested; it runs the Codex it is told to. */
const CODEX_SDK_VERSION = '0.163.0';

/**
 * The class `Codex` of the SDK, installed in the folder without the program it would bring.
 *
 * @param {string} folder
 * @returns {Promise<any>}
 */
export async function codexSdk(folder) {
  const place = join(folder, `sdk-${CODEX_SDK_VERSION}`);
  const entry = join(place, 'node_modules', '@openai', 'codex-sdk', 'dist', 'index.js');
  if (!existsSync(entry)) install(place, `@openai/codex-sdk@${CODEX_SDK_VERSION}`, '--omit=optional');
  return (await import(pathToFileURL(entry).href)).Codex;
}

/**
 * @param {string} folder
 * @param {string} what
 * @param {string[]} options
 */
function install(folder, what, ...options) {
  console.error(`installing ${what} into ${folder}`);
  mkdirSync(folder, { recursive: true });
  // A manifest of its own keeps npm from climbing up to another project.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', ...options, what];
  const { status } = spawnSync('npm', args, {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ended with ${status}`);
}

/**
 * Writes the configuration of a Codex that asks the model at a URL, and nobody else.
 *
 * @param {string} home
 * @param {string} url
 */
export function writeCodexHome(home, url) {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'instructions.md'), 'You are a coding agent. Be brief.\n');
  const off = [
    'apps',
    'plugins',
    'goals',
    'memories',
    'tool_suggest',
    'image_generation',
    'shell_snapshot',
    'multi_agent',
  ];
  const lines = [
    'model = "gpt-5.5"',
    'model_provider = "scripted"',
    'approval_policy = "never"',
    'sandbox_mode = "danger-full-access"',
    `model_instructions_file = ${JSON.stringify(join(home, 'instructions.md'))}`,
    'check_for_update_on_startup = false',
    'include_permissions_instructions = false',
    'include_apps_instructions = false',
    'web_search = "disabled"',
    'analytics = { enabled = false }',
    'skills = { bundled = { enabled = false } }',
    'agents = { enabled = false }',
    `features = { ${off.map((name) => `${name} = false`).join(', ')} }`,
    '',
    '[model_providers.scripted]',
    'name = "Scripted"',
    `base_url = ${JSON.stringify(url)}`,
    'wire_api = "responses"',
    'env_key = "SCRIPTED_API_KEY"',
    'request_max_retries = 0',
    'stream_max_retries = 0',
    'supports_websockets = false',
    '',
  ];
  writeFileSync(join(home, 'config.toml'), lines.join('\n'));
}

/**
 * The environment of that Codex.
 *
 * @param {string} home
 * @returns {NodeJS.ProcessEnv}
 */
export function codexEnvironment(home) {
  const { PATH, LANG, TERM, SystemRoot, ComSpec } = process.env;
  return { PATH, LANG, TERM, SystemRoot, ComSpec, HOME: home, CODEX_HOME: home, SCRIPTED_API_KEY: 'none' };
}
