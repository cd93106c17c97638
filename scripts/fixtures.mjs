// The only writer of fixtures/: picks recorded bundles from a corpus, takes foreign prose out of their payloads, has
// the Codex binary of the same version reduce what is left, and keeps its state or its error beside the bundle.
//
//   node scripts/fixtures.mjs --corpus DIR [--corpus DIR] --oracles DIR [--check]
//
//   --corpus DIR    holds <codex version>/<scenario>/ with manifest.json, trace.jsonl, payloads/ and the outcome seen
//                   when it was recorded (expected-state.json, or oracle-error.txt); the first that has a bundle wins
//   --oracles DIR   holds the binaries, named codex-<version>
//   --check         writes nothing; exit 1 if the folder differs from what would be written
//
// The same inputs give the same bytes. Recording is not done here.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseTree } from 'jsonc-parser';

/** The bundles, each with what it is here for. */
const picked = [
  ['0.124.0/plain', 'inference without a turn: refused by every reducer'],
  ['0.125.0/turns', 'first reducer: several turns, local inference ids'],
  ['0.125.0/agents-basic', 'agent payloads of the first generation, results as JSON mail'],
  ['0.125.0/reasoning', 'reasoning items under the strict rule for encrypted content'],
  ['0.125.0/stdin-bad', 'error: write_stdin without session_id'],
  ['0.125.0/websocket', 'error: warm-up response id never traced'],
  ['0.128.0/cancel-turn', 'inference_cancelled, upstream request ids'],
  ['0.128.0/code-sync', 'first code cells'],
  ['0.140.0/agents-messages', 'activity payloads, messages both ways, notifications'],
  ['0.140.0/compact-auto', 'compaction in the middle of a turn'],
  ['0.140.0/long-arguments-utf8', 'panic: summary cut inside a character'],
  ['0.140.0/stdin-types', 'error: write_stdin arguments of the wrong type'],
  ['0.150.0/agents-nested', 'agents of agents, additional_tools items'],
  ['0.150.0/code-yield', 'yielded cells and their waits'],
  ['0.163.0/patch-shell', 'error: patch events under a shell call'],
  ['0.163.0/terminal', 'exec end without stdout, sessions named by process id'],
  ['0.164.0/agents-same-text', 'one text sent to two agents'],
  ['0.164.0/code-parallel', 'two cells at once'],
  ['0.164.0/code-terminal', 'stdin_target_resolved from inside a cell'],
  ['0.164.0/compact-manual', 'compaction as a turn of its own'],
  ['0.164.0/unicode', 'text beyond ASCII in commands, outputs and patches'],
  ['0.165.0/fail-stream', 'schema 2 without kind; a dropped stream and its retry'],
  ['0.165.0/mcp', 'MCP calls told by their runtime payload'],
  ['0.166.0/code-sync', 'kind on runtime starts, no recording_completed'],
  ['0.169.0/plain', 'the smallest whole session'],
  ['0.169.0/exec-steps', 'one command after another, failures among them'],
  ['0.169.0/patch', 'patches: add, update, move, delete, refused'],
  ['0.169.0/terminal', 'interactive sessions that outlive their call'],
  ['0.169.0/json-odd', 'number lexemes, duplicate keys, escapes, lone surrogates in arguments'],
  ['0.169.0/image-input', 'payload_ref parts and their hashes'],
  ['0.169.0/tool-search', 'tools found during the session'],
  ['0.169.0/websocket', 'incremental requests'],
  ['0.169.0/killed', 'log cut off, no end'],
  ['0.169.0/agents-code', 'agents spawned from a code cell'],
  ['0.169.0/agents-reopened', 'thread_resumed'],
  ['0.169.0/compact-agents', 'compaction in parent and child'],
  ['0.169.0/compact-fail', 'compaction_request_failed'],
  ['0.169.0/code-wait-bad', 'error: wait without cell_id'],
  ['0.169.0/code-wait-broken', 'error: wait with broken JSON'],
  ['0.169.0/reasoning-empty', 'error: reasoning item with nothing in it'],
  ['0.169.0/review', "error: a review's tools land in the parent's log"],
  ['0.169.0/review-plain', "error: a review's turn ends in the parent's log"],
  ['0.169.0/reused-ids', 'error: call id reused by the provider'],
  ['0.169.0/unknown-item', 'error: item type unknown to the reducer'],
].map(([path = '']) => path);

/** Versions that write bundles but cannot reduce them, and the reducer that takes their place. */
const reducedBy = new Map([['0.124.0', '0.125.0']]);

/** Instructions longer than this (in characters) are prose; the scenarios' own are shorter. */
const proseLength = 80;

/** Messages that speak in the user's role but were worded by the program. */
const programOpenings = ['<turn_aborted>', '<user_action>'];

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));

// Not the folder for temporary files: there the binary warns about its home, on the stream its errors are read from.
const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url));

// ---- Reading ----

/** @typedef {Map<string, Buffer>} Files path (with forward slashes) → bytes, in byte order of the paths */

/**
 * @param {string} root
 * @param {string} [below]
 * @returns {string[]}
 */
function filesBelow(root, below = '') {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(root, `${below}${entry.name}/`) : [below + entry.name],
  );
}

/**
 * @param {string} dir
 * @returns {Files} what the recorder wrote, without the outcome kept beside it
 */
function readBundle(dir) {
  const paths = ['manifest.json', 'trace.jsonl', ...filesBelow(dir, 'payloads/')];
  return new Map(paths.sort().map((path) => [path, readFileSync(join(dir, path))]));
}

/**
 * @param {Files} files
 * @returns {string} SHA-256 over path, NUL, size in decimal, NUL, bytes of every file
 */
function digest(files) {
  const hash = createHash('sha256');
  for (const [path, bytes] of files) hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex');
}

// ---- Taking prose out ----
//
// Payloads are evidence: number lexemes, repeated keys and escapes must survive. So values are found by their place in
// the text and cut out there; nothing is parsed and printed again.

/** @typedef {import('jsonc-parser').Node} Node */

/**
 * @param {Node} node
 * @returns {[string, Node][]} the properties of an object, none for anything else
 */
function properties(node) {
  if (node.type !== 'object') return [];
  return (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
    key && value ? [/** @type {[string, Node]} */ ([key.value, value])] : [],
  );
}

/**
 * @param {Node} node
 * @param {string} key
 * @returns {unknown} the value of a string property
 */
function stringAt(node, key) {
  return properties(node).find(([name, value]) => name === key && value.type === 'string')?.[1].value;
}

/**
 * @param {Node} node
 * @param {(node: Node) => void} visit called for the node and everything below it
 */
function walk(node, visit) {
  visit(node);
  for (const child of node.children ?? []) walk(child, visit);
}

/**
 * The same text gets the same name everywhere, different texts different ones, so that items are equal exactly where
 * they were. A text in one element keeps the element: readers know these messages by it.
 *
 * @param {string} text
 * @returns {string}
 */
function neutral(text) {
  const name = `Neutral text ${createHash('sha256').update(text).digest('hex').slice(0, 8)}.`;
  const element = /^<([a-z_]+)>(\s*).*?(\s*)<\/\1>\s*$/s.exec(text);
  return element ? `<${element[1]}>${element[2]}${name}${element[3]}</${element[1]}>` : name;
}

/**
 * @param {Node} root of a payload
 * @returns {string[]} texts worded by the program: instructions, context messages, warnings
 */
function proseOf(root) {
  /** @type {string[]} */
  const prose = [];
  /** @param {unknown} text */
  const addLong = (text) => {
    if (typeof text === 'string' && text.length > proseLength) prose.push(text);
  };
  if (stringAt(root, 'type') === 'warning') addLong(stringAt(root, 'message'));
  walk(root, (node) => {
    addLong(stringAt(node, 'instructions'));
    addLong(stringAt(node, 'base_instructions'));
    const role = stringAt(node, 'role');
    const content = properties(node).find(([name]) => name === 'content')?.[1];
    if (!role || !content) return;
    const texts =
      content.type === 'string' ? [content.value] : (content.children ?? []).map((it) => stringAt(it, 'text'));
    for (const text of texts) {
      if (typeof text !== 'string') continue;
      if (role === 'developer' || role === 'system') addLong(text);
      else if (programOpenings.some((opening) => text.startsWith(opening))) prose.push(text);
    }
  });
  return prose;
}

/**
 * @param {string} text of a payload
 * @param {Node} root
 * @param {Set<string>} prose of the whole bundle
 */
function withoutProse(text, root, prose) {
  /** @type {{ node: Node, replacement: string }[]} */
  const cuts = [];
  /** @type {(node: Node, insideTools: boolean) => void} */
  const search = (node, insideTools) => {
    if (node.type === 'string' && prose.has(node.value)) {
      cuts.push({ node, replacement: JSON.stringify(neutral(node.value)) });
      return;
    }
    const offersTools = node === root || stringAt(node, 'type') === 'additional_tools';
    for (const [key, value] of properties(node)) {
      if (key === 'tools' && value.type === 'array' && offersTools) cuts.push({ node: value, replacement: '[]' });
      else if (key === 'description' && value.type === 'string' && insideTools) {
        cuts.push({ node: value, replacement: JSON.stringify(neutral(value.value)) });
      } else search(value, insideTools || key === 'tools');
    }
    if (node.type === 'array') for (const child of node.children ?? []) search(child, insideTools);
  };
  search(root, false);

  let kept = 0;
  let out = '';
  for (const { node, replacement } of cuts) {
    out += text.slice(kept, node.offset) + replacement;
    kept = node.offset + node.length;
  }
  return out + text.slice(kept);
}

/**
 * @param {Files} files
 * @returns {Files} the same bundle in neutral words
 */
function neutralise(files) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const payloads = [...files].flatMap(([path, bytes]) => {
    if (!path.startsWith('payloads/')) return [];
    const text = decoder.decode(bytes);
    const root = parseTree(text);
    if (!root) throw new Error(`${path} is not JSON`);
    return [{ path, text, root }];
  });
  const prose = new Set(payloads.flatMap(({ root }) => proseOf(root)));
  const out = new Map(files);
  for (const { path, text, root } of payloads) out.set(path, Buffer.from(withoutProse(text, root, prose)));
  return out;
}

// ---- The outcome ----

/** @typedef {'state' | 'error' | 'panic'} Outcome */

/**
 * @param {string} stderr
 * @returns {string} without what differs from one run to the next: a panic names the process
 */
function withoutProcess(stderr) {
  return stderr.replace(/^(thread '[^']*') \(\d+\)/gm, '$1 (<pid>)');
}

/**
 * @param {string} oracle path of the binary
 * @param {Files} files
 * @returns {{ outcome: Outcome, bytes: Buffer }} the state, or the text of the error
 */
function reduce(oracle, files) {
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'fixture-'));
  try {
    const bundle = join(scratch, 'bundle');
    const home = join(scratch, 'home');
    const state = join(scratch, 'state.json');
    mkdirSync(home);
    writeAll(bundle, files);
    const { status, stderr, error } = spawnSync(oracle, ['debug', 'trace-reduce', bundle, '-o', state], {
      encoding: 'utf8',
      env: { CODEX_HOME: home, HOME: home },
    });
    if (status === 0) return { outcome: 'state', bytes: readFileSync(state) };
    if (status !== 1 && status !== 101) throw new Error(`${oracle} ended with ${status}`, { cause: error ?? stderr });
    const text = withoutProcess(stderr.replaceAll(bundle, '<bundle>'));
    return { outcome: status === 1 ? 'error' : 'panic', bytes: Buffer.from(text) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {string} dir of a corpus bundle
 * @returns {{ outcome: Outcome, headline: string }} what the writer of the bundle made of it, before anything was cut
 */
function recordedOutcome(dir) {
  const path = join(dir, 'oracle-error.txt');
  if (!existsSync(path)) return { outcome: 'state', headline: '' };
  const [exit, headline = ''] = withoutProcess(readFileSync(path, 'utf8')).trimStart().split('\n');
  return { outcome: exit === 'exit 101' ? 'panic' : 'error', headline };
}

// ---- Fixtures ----

/**
 * @param {string} dir
 * @param {Files} files
 */
function writeAll(dir, files) {
  for (const [path, bytes] of files) {
    const target = join(dir, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
}

/**
 * @param {string} path <codex version>/<scenario>
 * @param {string[]} corpora
 * @param {string} oracles
 */
function makeFixture(path, corpora, oracles) {
  const source = corpora.map((corpus) => join(corpus, path)).find(existsSync);
  if (!source) throw new Error(`no corpus has ${path}`);
  const [version = '', scenario = ''] = path.split('/');
  const generation = reducedBy.get(version) ?? version;

  const recorded = readBundle(source);
  const files = neutralise(recorded);
  const { outcome, bytes } = reduce(join(oracles, `codex-${generation}`), files);

  const before = recordedOutcome(source);
  const headline = outcome === 'state' ? '' : bytes.toString().trimStart().split('\n')[0];
  if (outcome !== before.outcome || headline !== before.headline) {
    throw new Error(`${path}: was ${before.outcome} ${before.headline}, in neutral words ${outcome} ${headline}`);
  }

  const lines = files.get('trace.jsonl')?.toString().split('\n').filter(Boolean) ?? [];
  const covers = new Set(lines.map((line) => JSON.parse(line).payload.type));
  const entry = {
    path: `bundles/${path}`,
    producer: `codex ${version}`,
    scenario,
    generation,
    source_digest: digest(recorded),
    digest: digest(files),
    outcome,
    covers: [...covers].sort(),
  };
  files.set(outcome === 'state' ? 'expected-state.json' : 'expected-error.txt', bytes);
  return { entry, files, events: lines.length };
}

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string', multiple: true },
    oracles: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});
const { corpus: corpora, oracles, check } = options;
if (!corpora || !oracles) {
  console.error('usage: node scripts/fixtures.mjs --corpus DIR [--corpus DIR] --oracles DIR [--check]');
  process.exit(2);
}

/** @type {Files} */
const all = new Map();
const sources = [];
for (const path of picked) {
  const { entry, files, events } = makeFixture(path, corpora, resolve(oracles));
  let size = 0;
  for (const [file, bytes] of files) {
    all.set(`${entry.path}/${file}`, bytes);
    size += bytes.length;
  }
  sources.push(entry);
  console.log(`${path.padEnd(30)} ${String(events).padStart(5)} ${String(size).padStart(9)}  ${entry.outcome}`);
}
all.set('sources.json', Buffer.from(`${JSON.stringify(sources, null, 2)}\n`));
const total = [...all.values()].reduce((sum, { length }) => sum + length, 0);
console.log(`${picked.length} bundles, ${all.size} files, ${total} bytes`);

if (check) {
  const present = filesBelow(fixtures).filter((path) => path !== 'README.md');
  const differing = [
    ...present.filter((path) => !all.has(path)),
    ...[...all].flatMap(([path, bytes]) =>
      present.includes(path) && readFileSync(join(fixtures, path)).equals(bytes) ? [] : [path],
    ),
  ];
  for (const path of differing) console.error(`differs: fixtures/${path}`);
  process.exitCode = differing.length === 0 ? 0 : 1;
} else {
  rmSync(join(fixtures, 'bundles'), { recursive: true, force: true });
  writeAll(fixtures, all);
}
