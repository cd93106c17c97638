// What the packages promise to who installs them, and the lock file to who clones the repository.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { agentDoors, coreDoors } from './doors.mjs';

const root = readJson('package.json');
const core = readJson('packages/core/package.json');
const cli = readJson('packages/cli/package.json');
const agent = readJson('packages/agent/package.json');
const doorFiles = [...coreDoors(), ...agentDoors()].map(({ source }) => relative('.', source).replaceAll('\\', '/'));

test('the core brings no other package with it', () => {
  for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies', 'bundledDependencies']) {
    expect(core[kind], kind).toBeUndefined();
  }
  const peers = Object.keys(core.peerDependencies ?? {});
  const optional = Object.keys(core.peerDependenciesMeta ?? {});
  expect(peers.filter((peer) => !optional.includes(peer))).toEqual([]);
});

test('a bundler may drop every part of the core that is not used', () => {
  // What is imported to do something, and nothing else.
  expect(core.sideEffects).toEqual(['./dist/integrations/auto/index.js', './src/integrations/auto/index.ts']);
});

test('the command line brings the core of its own version and nothing else', () => {
  expect(cli.dependencies).toEqual({ '@rollout-trace/core': core.version });
});

test('the agent brings the core of its own version', () => {
  expect(agent.dependencies['@rollout-trace/core']).toBe(core.version);
});

test('nothing that is installed runs a script of its own', () => {
  // What would be fetched or compiled then is not in the lock file.
  const scripted = Object.entries(lockedPackages()).filter(([, entry]) => entry.hasInstallScript && !entry.optional);
  expect(scripted.map(([path]) => path)).toEqual([]);
});

test('the packages run on the same versions of Node, under the same licence', () => {
  for (const key of ['engines', 'license']) {
    expect(core[key], key).toEqual(root[key]);
    expect(cli[key], key).toEqual(root[key]);
    expect(agent[key], key).toEqual(root[key]);
  }
});

test('every door has its source', () => {
  expect(doorFiles.filter((file) => !existsSync(file))).toEqual([]);
});

test('an index.ts stands only where a door is', () => {
  const indexes = sourcesOf('packages').filter((file) => file.endsWith('/index.ts'));
  expect(indexes.filter((file) => !doorFiles.includes(file))).toEqual([]);
});

test('no source has a default export', () => {
  const sources = sourcesOf('packages');
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.filter((file) => exportsOf(readFileSync(file, 'utf8')).default)).toEqual([]);
});

test('every door names what it exports', () => {
  const present = doorFiles.filter((file) => existsSync(file));
  expect(present.filter((file) => exportsOf(readFileSync(file, 'utf8')).star)).toEqual([]);
});

test.each([
  ['export default 1;', { default: true, star: false }],
  ['export default function main() {}', { default: true, star: false }],
  ['const a = 1; export { a as default };', { default: true, star: false }],
  [`export * from './a.ts';`, { default: false, star: true }],
  [`export * as a from './a.ts';`, { default: false, star: true }],
  [`export { a } from './a.ts';`, { default: false, star: false }],
  ['// export default 1', { default: false, star: false }],
])('`%s` exports %j', (text, expected) => {
  expect(exportsOf(text)).toEqual(expected);
});

test('the lock file names no package host', () => {
  const hosts = Object.values(lockedPackages()).flatMap(({ resolved }) =>
    resolved?.includes('://') ? [resolved] : [],
  );
  expect(hosts).toEqual([]);
});

test('the lock file holds what each platform needs', () => {
  const packages = lockedPackages();
  const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${path} -> ${name}`),
  );
  expect(missing).toEqual([]);
});

function exportsOf(text: string): { default: boolean; star: boolean } {
  const found = { default: false, star: false };
  for (const statement of ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest).statements) {
    if (ts.isExportAssignment(statement)) found.default = true;
    if (ts.canHaveModifiers(statement)) {
      const modifiers = ts.getModifiers(statement) ?? [];
      if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) found.default = true;
    }
    if (!ts.isExportDeclaration(statement)) continue;
    const { exportClause } = statement;
    if (exportClause === undefined || ts.isNamespaceExport(exportClause)) found.star = true;
    else if (exportClause.elements.some(({ name }) => name.text === 'default')) found.default = true;
  }
  return found;
}

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sourcesOf(path);
    return path.endsWith('.ts') && path.includes('/src/') ? [path] : [];
  });
}

interface LockedPackage {
  resolved?: string;
  hasInstallScript?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
}

function lockedPackages(): Record<string, LockedPackage> {
  return readJson('package-lock.json').packages;
}

// biome-ignore lint/suspicious/noExplicitAny: the files of npm have no types here; each test looks at one key
function readJson(file: string): Record<string, any> {
  return JSON.parse(readFileSync(file, 'utf8'));
}
