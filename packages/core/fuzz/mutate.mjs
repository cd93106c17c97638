// Mutations of a bundle: by bytes, lines, fields, whole events and whole payloads. A bundle is a map from plain path to
// bytes; a mutation changes a copy. Seeded, so a mutant is named by its seed alone.

/** A small generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const LOG = 'trace.jsonl';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

class Dice {
  constructor(seed) {
    this.next = random(seed);
  }
  below(count) {
    return Math.floor(this.next() * count);
  }
  pick(list) {
    return list[this.below(list.length)];
  }
}

const lines = (bundle) => decoder.decode(bundle.get(LOG)).split('\n');
const setLines = (bundle, list) => bundle.set(LOG, encoder.encode(list.join('\n')));
const payloadNames = (bundle) => [...bundle.keys()].filter((name) => name.startsWith('payloads/'));

/** Values that a field might have and should not. */
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
  '😀',
  [],
  {},
  [[]],
  { type: 'zz' },
  '__proto__',
  'constructor',
];

function oddValue(dice) {
  return dice.pick(ODD);
}

/** Every place in a parsed value, as [parent, key]. */
function places(value, out = []) {
  if (value === null || typeof value !== 'object') return out;
  for (const key of Object.keys(value)) {
    out.push([value, key]);
    places(value[key], out);
  }
  return out;
}

function changeJson(text, dice, foreign) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  const all = places(value);
  if (all.length === 0) return JSON.stringify(oddValue(dice));
  const [parent, key] = dice.pick(all);
  const how = dice.below(5);
  if (how === 0) delete parent[key];
  else if (how === 1) parent[key] = oddValue(dice);
  else if (how === 2) {
    const [other, otherKey] = dice.pick(all);
    parent[key] = structuredClone(other[otherKey]);
  } else if (how === 3 && Array.isArray(parent)) parent.splice(Number(key), 0, structuredClone(parent[key]));
  else if (typeof parent[key] === 'string') parent[key] = foreign(dice);
  else parent[key] = oddValue(dice);
  return JSON.stringify(value);
}

/** Ids that occur in the log: putting one where another stood makes contradictions, not syntax errors. */
function idsOf(bundle) {
  const found = decoder.decode(bundle.get(LOG)).match(/"[a-z_]*id":"[^"\\]{1,80}"/g) ?? [];
  return [...new Set(found.map((pair) => pair.slice(pair.indexOf(':"') + 2, -1)))];
}

const MUTATIONS = {
  flipByte(bundle, dice) {
    const name = dice.pick([...bundle.keys()]);
    const bytes = bundle.get(name).slice();
    if (bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256);
    bundle.set(name, bytes);
  },
  cutFile(bundle, dice) {
    const name = dice.pick([LOG, LOG, ...bundle.keys()]);
    bundle.set(name, bundle.get(name).slice(0, dice.below(bundle.get(name).length + 1)));
  },
  insertBytes(bundle, dice) {
    const name = dice.pick([...bundle.keys()]);
    const bytes = bundle.get(name);
    const at = dice.below(bytes.length + 1);
    const added = encoder.encode(dice.pick(['"', '\\', '{', ']', ',', '\n', '\u0000', '\ud83d', '1e999', 'null']));
    bundle.set(name, Uint8Array.from([...bytes.slice(0, at), ...added, ...bytes.slice(at)]));
  },
  dropLine(bundle, dice) {
    const list = lines(bundle);
    list.splice(dice.below(list.length), 1);
    setLines(bundle, list);
  },
  repeatLine(bundle, dice) {
    const list = lines(bundle);
    list.splice(dice.below(list.length), 0, dice.pick(list));
    setLines(bundle, list);
  },
  swapLines(bundle, dice) {
    const list = lines(bundle);
    const [a, b] = [dice.below(list.length), dice.below(list.length)];
    [list[a], list[b]] = [list[b], list[a]];
    setLines(bundle, list);
  },
  moveLine(bundle, dice) {
    const list = lines(bundle);
    const [line] = list.splice(dice.below(list.length), 1);
    list.splice(dice.below(list.length + 1), 0, line);
    setLines(bundle, list);
  },
  /** The same events in another order, with seq made contiguous: no envelope check stops the reducer. */
  reorder(bundle, dice) {
    const list = lines(bundle).filter((line) => line !== '');
    const [line] = list.splice(dice.below(list.length), 1);
    list.splice(dice.below(list.length + 1), 0, line);
    setLines(bundle, [...list.map((text, i) => text.replace(/"seq":\d+/, `"seq":${i + 1}`)), '']);
  },
  /** Without one event, and seq made contiguous. */
  forget(bundle, dice) {
    const list = lines(bundle).filter((line) => line !== '');
    list.splice(dice.below(list.length), 1 + dice.below(3));
    setLines(bundle, [...list.map((text, i) => text.replace(/"seq":\d+/, `"seq":${i + 1}`)), '']);
  },
  changeEvent(bundle, dice) {
    const list = lines(bundle);
    const at = dice.below(list.length);
    const ids = idsOf(bundle);
    list[at] = changeJson(list[at], dice, (d) => (ids.length > 0 ? d.pick(ids) : 'x'));
    setLines(bundle, list);
  },
  exchangeIds(bundle, dice) {
    const ids = idsOf(bundle);
    if (ids.length < 2) return;
    const list = lines(bundle);
    const at = dice.below(list.length);
    list[at] = list[at].replaceAll(dice.pick(ids), dice.pick(ids));
    setLines(bundle, list);
  },
  changePayload(bundle, dice) {
    const name = dice.pick(payloadNames(bundle));
    if (name === undefined) return;
    const ids = idsOf(bundle);
    const text = decoder.decode(bundle.get(name));
    bundle.set(name, encoder.encode(changeJson(text, dice, (d) => (ids.length > 0 ? d.pick(ids) : 'x'))));
  },
  exchangePayloads(bundle, dice) {
    const names = payloadNames(bundle);
    if (names.length < 2) return;
    bundle.set(dice.pick(names), bundle.get(dice.pick(names)));
  },
  dropPayload(bundle, dice) {
    const name = dice.pick(payloadNames(bundle));
    if (name !== undefined) bundle.delete(name);
  },
  changeManifest(bundle, dice) {
    const text = decoder.decode(bundle.get('manifest.json') ?? encoder.encode('{}'));
    bundle.set('manifest.json', encoder.encode(changeJson(text, dice, () => 'x')));
  },
};

const NAMES = Object.keys(MUTATIONS);

/** A copy of the bundle after one to four mutations, and their names. */
export function mutant(bundle, seed) {
  const dice = new Dice(seed);
  const copy = new Map(bundle);
  const names = [];
  for (let i = 1 + dice.below(4); i > 0; i--) {
    const name = dice.pick(NAMES);
    names.push(name);
    if (copy.get(LOG) !== undefined) MUTATIONS[name](copy, dice);
  }
  return { files: copy, names };
}
