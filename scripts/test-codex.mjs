// @ts-check
/**
 * Records the real Codex with `rollout-trace record`, against a model on the loopback interface that says what it is
 * told to, and holds what was recorded against Codex's own reducer.
 *
 *     npm run test:codex [-- --dir DIR]
 *
 * DIR is where Codex is installed, if it is not there yet, and where the test works; ROLLOUT_TRACE_CODEX names a Codex
 * to use instead. Not part of `npm test`: it installs a program. Exits with 1 where something is not as it should be.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { call, inOrder, say, startScriptedModel } from '@rollout-trace/agent/scripted-model';
import { tracedCodex } from '@rollout-trace/core/codex';
import {
  CODEX_FOLDER,
  CODEX_VERSION,
  codexEnvironment,
  codexProgram,
  codexSdk,
  writeCodexHome,
} from './testing/codex.mjs';

/** @typedef {import('@rollout-trace/agent/scripted-model').Step} Step */

const rolloutTrace = fileURLToPath(new URL('../packages/cli/bin/rollout-trace.cjs', import.meta.url));

const { values } = parseArgs({ options: { dir: { type: 'string', default: CODEX_FOLDER } } });
mkdirSync(values.dir, { recursive: true });
const codex = codexProgram(values.dir);
const place = mkdtempSync(join(values.dir, 'run-'));

/**
 * @typedef {object} Recorded
 * @property {number | null} code
 * @property {string} out
 * @property {string} err
 * @property {string} root
 */

/**
 * Records `codex exec` with a model that gives these answers, and refuses what the service would refuse.
 *
 * @param {string} name
 * @param {Step[]} answers
 * @param {string[]} options of `rollout-trace record`
 * @param {(child: import('node:child_process').ChildProcess, asked: (count: number) => Promise<void>) => Promise<void>} [meanwhile]
 * @returns {Promise<Recorded>}
 */
async function record(name, answers, options = [], meanwhile = async () => {}) {
  const model = await startScriptedModel(inOrder(answers));
  const home = join(place, name, 'home');
  const work = join(place, name, 'work');
  const root = join(place, name, 'traces');
  mkdirSync(work, { recursive: true });
  writeCodexHome(home, model.url);
  const words = [
    'record',
    '--root',
    root,
    ...options,
    '--',
    codex,
    'exec',
    '--skip-git-repo-check',
    'Say what is here.',
  ];
  const child = spawn(process.execPath, [rolloutTrace, ...words], {
    cwd: work,
    env: codexEnvironment(home),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([meanwhile(child, model.until), ended]);
  const code = await ended;
  await model.close();
  // Beyond the script there is nothing to answer; everything else must be as the service wants it.
  const refused = model.refusals.filter((refusal) => !refusal.includes('has no step'));
  assert.deepEqual(refused, []);
  return { code, out, err, root };
}

/**
 * The only bundle below a root, after its state was held against Codex's.
 *
 * @param {string} root
 * @returns {{ bundle: string, state: any }}
 */
function checked(root) {
  const names = readdirSync(root);
  assert.equal(names.length, 1, `one bundle below ${root}, not ${names.join(', ')}`);
  const bundle = join(root, names[0] ?? '');
  const ours = readFileSync(join(bundle, 'state.json'), 'utf8');
  const file = join(root, '..', 'reference.json');
  const args = ['debug', 'trace-reduce', bundle, '-o', file];
  const { status, stderr } = spawnSync(codex, args, {
    env: codexEnvironment(join(root, '..', 'home')),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(ours, readFileSync(file, 'utf8'), 'the state is not the one Codex makes of the bundle');
  return { bundle, state: JSON.parse(ours) };
}

/** @param {string} bundle @returns {number} */
function verified(bundle) {
  return spawnSync(process.execPath, [rolloutTrace, 'verify', bundle]).status ?? -1;
}

const usage = { input_tokens: 1000, cached_tokens: 250, output_tokens: 20, reasoning_tokens: 5 };

/** @type {Step[]} */
const session = [
  { items: [call('call_1', 'exec_command', { cmd: 'echo recorded' })], usage },
  { items: [say('Nothing but an echo.')], usage },
];

/** @type {Record<string, () => Promise<void>>} */
const tests = {
  'a session is recorded, reduced and summed up': async () => {
    const { code, out, err, root } = await record('session', session);
    assert.equal(code, 0, err);
    assert.match(out, /Nothing but an echo\./, 'stdout is that of Codex');
    const { bundle, state } = checked(root);
    assert.equal(verified(bundle), 0, 'verify finds nothing');
    assert.equal(state.status, 'completed');
    assert.equal(Object.keys(state.inference_calls).length, 2);
    assert.equal(Object.keys(state.tool_calls).length, 1);
    assert.match(err, /ended with exit code 0 and left 1 trace below/);
    assert.match(err, /1 thread, 1 turn, 2 inference calls, 1 tool call/);
    assert.match(err, /2,000 input tokens \(25 % cached\), 40 output; gpt-5\.5; no findings/);
  },
  'the answer of --json is all of stdout, and names the bundle': async () => {
    const { code, out, err, root } = await record('json', session, ['--json']);
    assert.equal(code, 0, err);
    const { bundle } = checked(root);
    const answer = JSON.parse(out);
    assert.equal(answer.exit_code, 0);
    assert.equal(answer.bundles.length, 1);
    assert.equal(answer.bundles[0].bundle, bundle);
    assert.equal(answer.bundles[0].counts.inference_calls, 2);
  },
  'the exit code of a session that fails is passed through': async () => {
    const { code, err, root } = await record('failed', []);
    assert.equal(code, 1, err);
    checked(root);
    assert.match(err, /ended with exit code 1 and left 1 trace below/);
  },
  'a session that is interrupted reduces as far as it came': async () => {
    const { code, err, root } = await record('interrupted', [{ end: 'hanging' }], [], async (child, asked) => {
      await asked(1);
      child.kill('SIGTERM');
    });
    assert.ok(code === 143 || code === 1, `exit code ${code}: ${err}`);
    const { state } = checked(root);
    assert.equal(Object.keys(state.inference_calls).length, 1);
  },
  'runs of the SDK say which bundle is theirs, and what it reduces to': async () => {
    const model = await startScriptedModel(inOrder([...session, { items: [say('Still nothing.')], usage }]));
    const home = join(place, 'sdk', 'home');
    const root = join(place, 'sdk', 'traces');
    const workingDirectory = join(place, 'sdk', 'work');
    mkdirSync(workingDirectory, { recursive: true });
    writeCodexHome(home, model.url);
    const env = Object.fromEntries(Object.entries(codexEnvironment(home)).flatMap(([k, v]) => (v ? [[k, v]] : [])));
    const client = tracedCodex(await codexSdk(values.dir), { codexPathOverride: codex, env }, { root });
    const thread = client.startThread({ workingDirectory, skipGitRepoCheck: true });
    const first = await thread.run('Say what is here.');
    const { events, trace } = await thread.runStreamed('And now?');
    for await (const _ of events);
    await model.close();
    assert.deepEqual(model.refusals, []);
    assert.equal(/** @type {any} */ (first).finalResponse, 'Nothing but an echo.');
    const bundles = [first.trace.bundle, trace.bundle];
    assert.deepEqual(
      bundles.toSorted(),
      readdirSync(root)
        .map((name) => join(root, name))
        .toSorted(),
    );
    assert.notEqual(bundles[0], bundles[1]);
    for (const [index, reduced] of [first.trace.reduce(), trace.reduce()].entries()) {
      assert.deepEqual(reduced?.findings, []);
      assert.equal(reduced?.graph.root_thread_id, thread.id);
      assert.equal(reduced?.graph.inference_calls.size, index === 0 ? 2 : 1);
    }
  },
};

let failures = 0;
try {
  console.log(`codex ${CODEX_VERSION}`);
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`passed: ${name}`);
    } catch (error) {
      failures++;
      console.log(`FAILED: ${name}\n${error instanceof Error ? error.message : error}`);
    }
  }
} finally {
  if (failures === 0) rmSync(place, { recursive: true });
  else console.log(`what was recorded stays in ${place}`);
}
process.exitCode = failures > 0 ? 1 : 0;
