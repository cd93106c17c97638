// The docs say what the source says: rules and their tests, codes, generations, events, dependencies, links.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as format from '@rollout-trace/core/format';
import { describe, expect, it, test } from 'vitest';
import { EXIT } from '../packages/cli/src/exit-code.ts';
import { codesTable, eventsTable, rulesTable, tableIn } from './doc-tables.mjs';

const DOCS = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  'packages/core/README.md',
  'packages/agent/README.md',
  'packages/cli/README.md',
  ...DOCS,
];
const read = (path: string) => readFileSync(path, 'utf8');

/** A numbered rule of the docs, with the test it names. */
interface Rule {
  number: string;
  doc: string;
  /** The file, or null where the rule names no test. */
  file: string | null;
  title: string;
}

function rulesOf(doc: string): Rule[] {
  return read(doc)
    .split(/\n\n/)
    .flatMap((paragraph) => {
      const number = /^\*\*([A-Z]\d+)\*\* /.exec(paragraph)?.[1];
      if (number === undefined) return [];
      const [, path = null, title = ''] = /\n→ \[[^\]]+\]\(([^)]+)\): “(.*)”$/.exec(paragraph.trimEnd()) ?? [];
      return [{ number, doc, file: path === null ? null : join(dirname(doc), path), title }];
    });
}

/** The numbers that titles of tests begin with, each with one of its files. */
function numbersInTests(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['packages/core/src', 'packages/agent/src', 'packages/cli/src', 'scripts']) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.test.ts')) continue;
      for (const [, , number = ''] of read(join(folder, name)).matchAll(/(['"`])([A-Z]\d+): /g)) {
        found.set(number, join(folder, name));
      }
    }
  }
  return found;
}

describe('numbered rules', () => {
  const rules = DOCS.flatMap(rulesOf);
  const tested = numbersInTests();

  it('every rule has a number of its own and names a test that exists', () => {
    expect(rules.length).toBeGreaterThan(120);
    expect(new Set(rules.map(({ number }) => number)).size).toBe(rules.length);
    const lost = rules.filter(
      ({ file, number, title }) => file === null || !existsSync(file) || !read(file).includes(`${number}: ${title}`),
    );
    expect(lost.map(({ number, doc, title }) => `${number} of ${doc}: ${title}`)).toEqual([]);
  });

  it('every number in the title of a test is that of a rule', () => {
    const known = new Set(rules.map(({ number }) => number));
    expect([...tested].filter(([number]) => !known.has(number))).toEqual([]);
  });

  it('every rule that the source refers to is in the docs', () => {
    const known = new Set(rules.map(({ number }) => number));
    const unknown: string[] = [];
    for (const name of readdirSync('packages/core/src', { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      for (const [reference] of read(join('packages/core/src', name)).matchAll(/\((?:spec|rules?) [^)\n]*\)/g)) {
        for (const [number] of reference.matchAll(/\b[A-Z]\d+\b/g))
          if (!known.has(number)) unknown.push(`${name}: ${number}`);
      }
    }
    expect(unknown).toEqual([]);
  });
});

describe('tables', () => {
  // `node scripts/doc-tables.mjs` writes them anew.
  it('docs/errors.md lists the codes of the source with severity, title and hint', () => {
    expect(tableIn(read('docs/errors.md'), 'codes').table).toBe(codesTable(format));
  });

  it('docs/generations.md lists every rule with its value in every generation', () => {
    const table = rulesTable(format);
    expect(tableIn(read('docs/generations.md'), 'rules').table).toBe(table);
    const keys = [...table.matchAll(/^\| G\d+ \| `(\w+)`/gm)].map(([, key]) => key);
    expect(keys.sort()).toEqual(Object.keys(format.GENERATION_RULES['0.169']).sort());
    const numbers = new Set([...table.matchAll(/^\| (G\d+) /gm)].map(([, number]) => number));
    expect(numbers.size).toBe(46);
  });

  it('docs/format.md lists every event with its fields', () => {
    expect(tableIn(read('docs/format.md'), 'events').table).toBe(eventsTable(format));
  });

  it('docs/errors.md says what every exit code of the command line means', () => {
    const [, section = ''] = read('docs/errors.md').split('## Exit codes');
    const listed = [...section.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
    expect(listed).toEqual(Object.values(EXIT).sort());
  });

  it('the generations in docs and README are those of the source', () => {
    for (const doc of ['docs/generations.md', 'README.md']) {
      const listed = [...read(doc).matchAll(/^\| (0\.\d+) \|/gm)].map(([, name]) => name);
      expect(listed, doc).toEqual([...format.GENERATIONS]);
    }
  });
});

describe('texts', () => {
  it.each(TEXTS)('every link in %s leads somewhere', (text) => {
    const links = [...read(text).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(join(dirname(text), link)))).toEqual([]);
  });

  it.each(TEXTS)('every file of the repository that %s names exists', (text) => {
    const named = [...read(text).matchAll(/`((?:docs|scripts|packages|fixtures)\/[\w./-]+\.\w+)`/g)].map(
      ([, file = '']) => file,
    );
    expect(named.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('every `npm run` in the texts is a script', () => {
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    const named = TEXTS.flatMap((text) => [...read(text).matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name));
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

// `npm test` builds the command line before it runs this.
test.runIf(existsSync('packages/cli/bin/rollout-trace.cjs'))(
  'the picture in README.md is what the command prints',
  () => {
    const [, command = '', picture = ''] =
      /```text\n\$ rollout-trace (.*)\n\n([\s\S]*?)\n```/.exec(read('README.md')) ?? [];
    const { stdout } = spawnSync(process.execPath, ['packages/cli/bin/rollout-trace.cjs', ...command.split(' ')], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    const printed = stdout.split('\n');
    expect(picture.length).toBeGreaterThan(500);
    expect(picture.split('\n').filter((line) => !printed.includes(line))).toEqual([]);
  },
);

test.runIf(existsSync('packages/core/dist/index.js'))('the example in README.md runs', () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(read('README.md')) ?? [];
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^0\.169 completed 0\n.* completed\n/);
});

test('docs/architecture.md gives a reason for every package that is installed', () => {
  const [, text = ''] = read('docs/architecture.md').split('## Dependencies');
  const files = ['package.json', ...readdirSync('packages').map((name) => `packages/${name}/package.json`)];
  const packages = files.flatMap((file) => {
    const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = JSON.parse(read(file));
    return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
  });
  expect(packages.filter((name) => !new RegExp(`^\\| \`${name}\` \\| .+ \\|$`, 'm').test(text))).toEqual([]);
  const listed = [...text.matchAll(/^\| `([@\w/-]+)` \| .+ \|$/gm)].map(([, name = '']) => name);
  expect(listed.filter((name) => !packages.includes(name))).toEqual([]);
});
