// @ts-check
/**
 * The tables of the docs that are made from the source: finding codes, generation rules, events.
 *
 *     npm run build && node scripts/doc-tables.mjs      writes those that differ
 *
 * A table stands between two marks in its document, and `docs.test.ts` compares it with the source. The tables of
 * parity and detection are made by `parity.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

/** @typedef {typeof import('@rollout-trace/core/format')} Format */

const root = new URL('..', import.meta.url);

/** @param {string} path in the repository */
const read = (path) => readFileSync(new URL(path, root), 'utf8');

/**
 * @param {string} text of a document
 * @param {string} name of a table
 * @returns {{ before: string, table: string, after: string }}
 */
export function tableIn(text, name) {
  const begin = new RegExp(`<!-- ${name}: made by [^>]* -->\n`).exec(text);
  const end = text.indexOf(`<!-- ${name}: end -->`);
  if (begin === null || end < 0) throw new Error(`there is no place for the table ${name}`);
  const start = begin.index + begin[0].length;
  return { before: text.slice(0, start), table: text.slice(start, end).trimEnd(), after: text.slice(end) };
}

/**
 * @param {string} path of a document in the repository
 * @param {string} name
 * @param {string} table
 */
export function writeTable(path, name, table) {
  const text = read(path);
  const { before, after } = tableIn(text, name);
  const changed = `${before}${table}\n${after}`;
  if (changed === text) return;
  writeFileSync(new URL(path, root), changed);
  console.log(`${path}: ${name} written`);
}

/** @param {string[]} cells */
const row = (cells) => `| ${cells.join(' | ')} |`;
/** @param {string[]} names */
const head = (names) => [row(names), `|${'--|'.repeat(names.length)}`];

/** @param {Format} format */
export function codesTable({ FINDING_CODES }) {
  return [
    ...head(['code', 'severity', 'what it means', 'what to do']),
    ...Object.entries(FINDING_CODES).map(([code, { severity, title, hint }]) =>
      row([`\`${code}\``, severity, title, hint]),
    ),
  ].join('\n');
}

/**
 * The rules of the generations, in the words of their docstrings. A value stands where it is new.
 *
 * @param {Format} format
 */
export function rulesTable({ GENERATION_RULES, GENERATIONS }) {
  const source = read('packages/core/src/format/generation.ts');
  const documented = [...source.matchAll(/\/\*\* (G\d+): ([^*]*) \*\/\s+(\w+):/g)];
  return [
    ...head(['', 'key', 'what it decides', ...GENERATIONS]),
    ...documented.map(([, number = '', words = '', name = '']) => {
      const key = /** @type {keyof import('@rollout-trace/core/format').GenerationRules} */ (name);
      let before = '';
      const values = GENERATIONS.map((generation, index) => {
        const previous = GENERATIONS[index - 1];
        const value = ruleText(GENERATION_RULES[generation][key], previous && GENERATION_RULES[previous][key]);
        const shown = value === before ? '' : value;
        if (typeof GENERATION_RULES[generation][key] !== 'object') before = value;
        return shown;
      });
      return row([number, `\`${key}\``, words.replace(/\.$/, ''), ...values]);
    }),
  ].join('\n');
}

/**
 * @param {unknown} value
 * @param {unknown} previous
 * @returns {string}
 */
function ruleText(value, previous) {
  if (value instanceof Set) {
    if (!(previous instanceof Set)) return `${value.size} types`;
    return [...value]
      .filter((type) => !previous.has(type))
      .map((type) => `\`${type}\``)
      .join(', ');
  }
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/**
 * Every event with its fields in order, from the published schema, and the generation that brought it.
 *
 * @param {Format} format
 */
export function eventsTable({ EVENT_FIELDS, GENERATION_RULES, GENERATIONS }) {
  const { definitions } = JSON.parse(read('packages/core/schema/event.schema.json'));
  return [
    ...head(['event', 'fields', 'from']),
    ...Object.entries(EVENT_FIELDS).map(([name, fields]) => {
      const type = /** @type {import('@rollout-trace/core/format').EventType} */ (name);
      const { required, properties } = definitions[type];
      const shown = fields.map((field) => {
        const isReference = JSON.stringify(properties[field]).includes('PayloadRef');
        return `${isReference ? '→ ' : ''}\`${field}\`${required.includes(field) ? '' : ' ?'}`;
      });
      const from = GENERATIONS.find((generation) => GENERATION_RULES[generation].eventTypes.has(type)) ?? '';
      return row([`\`${type}\``, shown.join(', '), from]);
    }),
  ].join('\n');
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  /** @type {Format} */
  const format = await import(new URL('packages/core/dist/format/index.js', root).href);
  writeTable('docs/errors.md', 'codes', codesTable(format));
  writeTable('docs/generations.md', 'rules', rulesTable(format));
  writeTable('docs/format.md', 'events', eventsTable(format));
}
