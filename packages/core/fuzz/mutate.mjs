// @ts-check
// Mutations of a bundle: by bytes, lines, fields, whole events, whole payloads, and parts of other bundles. A bundle is a
// map from plain path to bytes; a mutation changes a copy. Seeded, so a mutant is named by its bundle and its seed.

/** @typedef {Map<string, Uint8Array>} Bundle */

const LOG = 'trace.jsonl';
const MANIFEST = 'manifest.json';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A small generator of numbers, the same for the same seed (mulberry32). */
export class Dice {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  #next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} count @returns {number} 0 to count-1 */
  below(count) {
    return Math.floor(this.#next() * count);
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return /** @type {T} */ (list[this.below(list.length)]);
  }
}

/** @param {Bundle} bundle @param {string} path */
const textOf = (bundle, path) => decoder.decode(bundle.get(path) ?? new Uint8Array());
/** @param {Bundle} bundle */
const linesOf = (bundle) => textOf(bundle, LOG).split('\n');
/** @param {Bundle} bundle @param {string[]} lines */
const setLines = (bundle, lines) => bundle.set(LOG, encoder.encode(lines.join('\n')));
/** @param {Bundle} bundle */
const payloadsOf = (bundle) => [...bundle.keys()].filter((path) => path.startsWith('payloads/'));

/**
 * The lines with seq made contiguous: no check of the envelope hides what the reducer does.
 *
 * @param {Bundle} bundle @param {string[]} lines
 */
function setNumbered(bundle, lines) {
  const whole = lines.filter((line) => line !== '');
  setLines(bundle, [...whole.map((line, index) => line.replace(/"seq":\d+/, `"seq":${index + 1}`)), '']);
}

/** Values that a field might have and should not. @type {readonly unknown[]} */
const ODD = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  '',
  'x',
  '../../etc/passwd',
  '\u0000',
  '\ud83d',
  '😀',
  [],
  {},
  [[]],
  { type: 'zz' },
  '__proto__',
  'constructor',
];

/**
 * Every place in a parsed value, as parent and key.
 *
 * @param {any} value @param {[any, string][]} [out] @returns {[any, string][]}
 */
function places(value, out = []) {
  if (value === null || typeof value !== 'object') return out;
  for (const key of Object.keys(value)) {
    out.push([value, key]);
    places(value[key], out);
  }
  return out;
}

/**
 * One place of a JSON text changes.
 *
 * @param {string} text @param {Dice} dice @param {readonly string[]} words strings of the bundle
 */
function changed(text, dice, words) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  const all = places(value);
  if (all.length === 0) return JSON.stringify(dice.pick(ODD));
  const [parent, key] = dice.pick(all);
  const [other, otherKey] = dice.pick(all);
  switch (dice.below(6)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      break;
    case 1:
      parent[key] = dice.pick(ODD);
      break;
    case 2:
      parent[key] = structuredClone(other[otherKey]);
      break;
    case 3:
      if (Array.isArray(parent)) parent.splice(dice.below(parent.length), 0, structuredClone(parent[key]));
      else parent[dice.pick(['type', 'id', 'call_id', 'status', 'kind', 'input'])] = structuredClone(parent[key]);
      break;
    case 4:
      parent[key] = words.length > 0 ? dice.pick(words) : 'x';
      break;
    default:
      // A key given twice, which no parsed value can say.
      return JSON.stringify(value).replace(
        /\{"(\w+)":/,
        (start, name) => `{"${name}":${JSON.stringify(dice.pick(ODD))},${start.slice(1)}`,
      );
  }
  return JSON.stringify(value);
}

/** Ids that occur in the log: one in the place of another makes contradictions, not syntax errors. @param {Bundle} bundle */
function idsOf(bundle) {
  const found = textOf(bundle, LOG).match(/"[a-z_]*id":"[^"\\]{1,80}"/g) ?? [];
  return [...new Set(found.map((pair) => pair.slice(pair.indexOf(':"') + 2, -1)))];
}

/** Words the format knows, so that the reducer takes other ways. */
const WORDS = [
  ...['exec_command', 'write_stdin', 'spawn_agent', 'send_message', 'assign_agent_task', 'close_agent', 'mcp', 'other'],
  ...['completed', 'failed', 'cancelled', 'aborted', 'running', 'terminated', 'yielded'],
  ...[
    'started',
    'interacted',
    'interrupted',
    'message',
    'reasoning',
    'function_call',
    'custom_tool_call',
    'exec',
    'wait',
  ],
  ...['agent_message', 'function_call_output', 'custom_tool_call_output', 'additional_tools', 'user', 'assistant'],
];

/** @type {Record<string, (bundle: Bundle, dice: Dice, others: readonly Bundle[]) => void>} */
const MUTATIONS = {
  flipByte(bundle, dice) {
    const path = dice.pick([...bundle.keys()]);
    const bytes = Uint8Array.from(bundle.get(path) ?? []);
    if (bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256);
    bundle.set(path, bytes);
  },
  cutFile(bundle, dice) {
    const path = dice.pick([LOG, LOG, ...bundle.keys()]);
    const bytes = bundle.get(path) ?? new Uint8Array();
    bundle.set(path, bytes.slice(0, dice.below(bytes.length + 1)));
  },
  insertBytes(bundle, dice) {
    const path = dice.pick([...bundle.keys()]);
    const bytes = bundle.get(path) ?? new Uint8Array();
    const at = dice.below(bytes.length + 1);
    const added = encoder.encode(
      dice.pick(['"', '\\', '{', ']', ',', '\n', '\u0000', '\\ud83d', '1e999', 'null', '\ufeff']),
    );
    bundle.set(path, Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at)]));
  },
  dropLine(bundle, dice) {
    const lines = linesOf(bundle);
    lines.splice(dice.below(lines.length), 1);
    setLines(bundle, lines);
  },
  repeatLine(bundle, dice) {
    const lines = linesOf(bundle);
    lines.splice(dice.below(lines.length), 0, dice.pick(lines));
    setLines(bundle, lines);
  },
  swapLines(bundle, dice) {
    const lines = linesOf(bundle);
    const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    setLines(bundle, lines);
  },
  /** The same events in another order. */
  reorder(bundle, dice) {
    const lines = linesOf(bundle);
    const [line = ''] = lines.splice(dice.below(lines.length), 1);
    lines.splice(dice.below(lines.length + 1), 0, line);
    setNumbered(bundle, lines);
  },
  /** Without a few events. */
  forget(bundle, dice) {
    const lines = linesOf(bundle);
    lines.splice(dice.below(lines.length), 1 + dice.below(3));
    setNumbered(bundle, lines);
  },
  /** Some events happen again. */
  repeatEvents(bundle, dice) {
    const lines = linesOf(bundle);
    const from = dice.below(lines.length);
    lines.splice(dice.below(lines.length), 0, ...lines.slice(from, from + 1 + dice.below(8)));
    setNumbered(bundle, lines);
  },
  /** Events of another bundle, with their payloads, as if two recorders had written one log. */
  graft(bundle, dice, others) {
    const other = dice.pick(others);
    const theirs = linesOf(other);
    const rollout = /"rollout_id":"([^"\\]*)"/;
    const [, mine = ''] = rollout.exec(textOf(bundle, LOG)) ?? [];
    const from = dice.below(theirs.length);
    const taken = theirs
      .slice(from, from + 1 + dice.below(6))
      .map((line) =>
        line.replace(rollout, () => `"rollout_id":"${mine}"`).replaceAll('"payloads/', '"payloads/other-'),
      );
    for (const path of payloadsOf(other)) {
      const name = path.replace('payloads/', 'payloads/other-');
      if (taken.some((line) => line.includes(`"${name}"`))) bundle.set(name, other.get(path) ?? new Uint8Array());
    }
    const lines = linesOf(bundle);
    lines.splice(dice.below(lines.length), 0, ...taken);
    setNumbered(bundle, lines);
  },
  changeEvent(bundle, dice) {
    const lines = linesOf(bundle);
    const at = dice.below(lines.length);
    lines[at] = changed(lines[at] ?? '', dice, dice.below(2) === 0 ? idsOf(bundle) : WORDS);
    setLines(bundle, lines);
  },
  exchangeIds(bundle, dice) {
    const ids = idsOf(bundle);
    const lines = linesOf(bundle);
    const at = dice.below(lines.length);
    if (ids.length > 1) lines[at] = (lines[at] ?? '').replaceAll(`"${dice.pick(ids)}"`, `"${dice.pick(ids)}"`);
    setLines(bundle, lines);
  },
  /** Two ids become one, in the log and in all payloads: two calls, threads or turns that cannot be told apart. */
  mergeIds(bundle, dice) {
    const ids = idsOf(bundle);
    if (ids.length < 2) return;
    const [from, to] = [dice.pick(ids), dice.pick(ids)];
    for (const path of bundle.keys()) {
      if (path !== MANIFEST)
        bundle.set(path, encoder.encode(textOf(bundle, path).replaceAll(`"${from}"`, () => `"${to}"`)));
    }
  },
  changePayload(bundle, dice) {
    const path = dice.pick(payloadsOf(bundle));
    if (path === undefined) return;
    const words = dice.below(2) === 0 ? idsOf(bundle) : WORDS;
    bundle.set(path, encoder.encode(changed(textOf(bundle, path), dice, words)));
  },
  exchangePayloads(bundle, dice) {
    const paths = payloadsOf(bundle);
    if (paths.length > 1) bundle.set(dice.pick(paths), bundle.get(dice.pick(paths)) ?? new Uint8Array());
  },
  dropPayload(bundle, dice) {
    const path = dice.pick(payloadsOf(bundle));
    if (path !== undefined) bundle.delete(path);
  },
  changeManifest(bundle, dice) {
    bundle.set(MANIFEST, encoder.encode(changed(textOf(bundle, MANIFEST), dice, WORDS)));
  },
};

const NAMES = Object.keys(MUTATIONS);
/** What leaves the envelope and the syntax whole, so that the reducer itself is tried. */
const DEEP = [
  'reorder',
  'forget',
  'repeatEvents',
  'graft',
  'exchangeIds',
  'mergeIds',
  'changePayload',
  'exchangePayloads',
  'changeEvent',
];

/**
 * A copy of the bundle after a few mutations, and their names.
 *
 * @param {Bundle} bundle
 * @param {number} seed
 * @param {readonly Bundle[]} others where grafts come from
 * @param {{ deep?: boolean, most?: number }} [options] deep: only what leaves the syntax whole; most: how many, at most
 */
export function mutant(bundle, seed, others, options = {}) {
  const dice = new Dice(seed);
  const files = new Map(bundle);
  const names = [];
  for (let n = 1 + dice.below(options.most ?? 4); n > 0; n--) {
    const name = dice.pick(options.deep === true ? DEEP : NAMES);
    names.push(name);
    MUTATIONS[name]?.(files, dice, others);
  }
  return { files, names };
}
