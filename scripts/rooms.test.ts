// Which room of the core may import which. The rooms are the design: a reader who knows this table knows where to look.
// Tests are free to cross rooms (write, read, compare); the code they test is not.

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { coreDoors } from './doors.mjs';

const pureRooms = ['format', 'recorder', 'reducer', 'bundle', 'analysis'];

/** Room -> the other rooms it may import. The doors of the core, `src/index.ts`, count as a room of their own. */
const mayImport: Record<string, string[]> = {
  format: [],
  recorder: ['format'],
  reducer: ['format'],
  bundle: ['format', 'reducer'],
  analysis: ['format', 'reducer', 'bundle'],
  node: pureRooms,
  browser: pureRooms,
  integrations: [...pureRooms, 'node'],
  index: pureRooms,
};

const mayUseNode = ['node', 'integrations'];

/** Foreign packages the integrations are for. Only their types are imported: the user brings the package. */
const peers = Object.keys(JSON.parse(readFileSync('packages/core/package.json', 'utf8')).peerDependencies ?? {});

const doors = coreDoors().map(({ door }) => door);

/** What the agent brings with it; everything else it takes from Node. */
const { dependencies: ofAgent } = JSON.parse(readFileSync('packages/agent/package.json', 'utf8'));

interface Source {
  path: string;
  text: string;
}

/** One sentence for each import that breaks a rule. */
function violations({ path, text }: Source): string[] {
  const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(text, true, true);
  const specifiers = [...importedFiles, ...typeReferenceDirectives].map(({ fileName }) => fileName);
  const judge = path.startsWith('packages/cli/')
    ? judgeCli
    : path.startsWith('packages/agent/')
      ? judgeAgent
      : judgeCore;
  return specifiers.flatMap((specifier) => {
    if (takesTypesOf(path, text, specifier)) return [];
    const reason = judge(path, specifier);
    return reason === null ? [] : [`${path} imports ${specifier}: ${reason}`];
  });
}

/** Whether an integration imports this package only for its types, and the user is told to bring it. */
function takesTypesOf(path: string, text: string, specifier: string): boolean {
  if (!path.startsWith('packages/core/src/integrations/')) return false;
  if (!peers.some((peer) => specifier === peer || specifier.startsWith(`${peer}/`))) return false;
  let loads = false;
  const visit = (node: ts.Node): void => {
    const names = (literal: ts.Node | undefined) =>
      literal && ts.isStringLiteral(literal) && literal.text === specifier;
    if (ts.isImportDeclaration(node) && names(node.moduleSpecifier)) loads ||= !node.importClause?.isTypeOnly;
    if (ts.isExportDeclaration(node) && names(node.moduleSpecifier)) loads ||= !node.isTypeOnly;
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      loads ||= !!names(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(ts.createSourceFile(path, text, ts.ScriptTarget.Latest), visit);
  return !loads;
}

function judgeCore(path: string, specifier: string): string | null {
  const room = roomOf(path);
  const allowed = mayImport[room];
  if (allowed === undefined) return `${room} is no room of the core`;
  if (isNode(specifier)) return mayUseNode.includes(room) ? null : `${room} is pure`;
  if (!specifier.startsWith('.')) return 'the core depends on no package';
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith('packages/core/src/')) return 'it leaves the source of the core';
  const other = roomOf(target);
  return other === room || allowed.includes(other) ? null : `${room} may not know ${other}`;
}

function judgeCli(path: string, specifier: string): string | null {
  if (isNode(specifier)) return null;
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier);
    const inside = target.startsWith('packages/cli/src/') || target === 'packages/cli/package.json';
    return inside ? null : 'it leaves the command line; use a public door of the core';
  }
  return doors.includes(specifier) ? null : `not a public door of the core (${doors.join(', ')})`;
}

function judgeAgent(path: string, specifier: string): string | null {
  if (isNode(specifier) || doors.includes(specifier)) return null;
  if (specifier.startsWith('.')) {
    const inside = posix.join(posix.dirname(path), specifier).startsWith('packages/agent/src/');
    return inside ? null : 'it leaves the agent; use a public door of the core';
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (name === '@rollout-trace/core') return `not a public door of the core (${doors.join(', ')})`;
  return Object.hasOwn(ofAgent, name) ? null : 'the agent does not depend on it';
}

function isNode(specifier: string): boolean {
  return specifier.startsWith('node:') || specifier === 'node';
}

function roomOf(path: string): string {
  const [first = '', ...rest] = path.slice('packages/core/src/'.length).split('/');
  return rest.length > 0 ? first : first.replace(/(\.d)?\.ts$/, '');
}

/** What a pure room takes from its host behind the back of its caller, and what a module keeps from one call to the next. */
function impurities({ path, text }: Source): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const found: string[] = [];
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement) && !(statement.declarationList.flags & ts.NodeFlags.Const)) {
      found.push(`${path} keeps state in its module: ${statement.getText(source)}`);
    }
  }
  const visit = (node: ts.Node): void => {
    const text = node.getText(source);
    const clock = ts.isNewExpression(node) && text.startsWith('new Date') && !node.arguments?.length;
    if (clock || (ts.isPropertyAccessExpression(node) && ['Date.now', 'Math.random'].includes(text))) {
      found.push(`${path} asks its host: ${text}`);
    }
    ts.forEachChild(node, visit);
  };
  if (pureRooms.includes(roomOf(path))) ts.forEachChild(source, visit);
  return found;
}

function sourcesOf(folder: string): Source[] {
  return (
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      // Tests and what scaffolds them may know what they like.
      .filter((path) => path.endsWith('.ts') && !/\.(?:test|d)\.ts$|\/testing\//.test(path))
      .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  );
}

test('every room of the core imports only the rooms it may know', () => {
  const sources = sourcesOf('packages/core/src');
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.flatMap(violations)).toEqual([]);
});

test('the command line enters the core by its public doors only', () => {
  const sources = sourcesOf('packages/cli/src');
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.flatMap(violations)).toEqual([]);
});

test('the agent enters the core by its public doors only, and uses only what it brings', () => {
  const sources = sourcesOf('packages/agent/src');
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.flatMap(violations)).toEqual([]);
});

test('the pure rooms take no clock and no randomness, and no module of the core keeps state', () => {
  expect(sourcesOf('packages/core/src').flatMap(impurities)).toEqual([]);
});

test.each([
  'export const now = () => Date.now();',
  'export const now = () => new Date().toISOString();',
  'export const id = () => Math.random().toString(36);',
  'let count = 0;',
])('in a pure room, `%s` breaks a rule', (text) => {
  expect(impurities({ path: 'packages/core/src/recorder/thread.ts', text })).toHaveLength(1);
});

test.each([
  'export const day = (ms: number) => new Date(ms).toISOString();',
  'export function count() { let n = 0; return n; }',
  '// Date.now()',
])('in a pure room, `%s` is allowed', (text) => {
  expect(impurities({ path: 'packages/core/src/recorder/thread.ts', text })).toEqual([]);
});

test.each([
  ['format/event.ts', `import { reduce } from '../reducer/reduce.ts';`],
  ['recorder/thread.ts', `import type { State } from '../reducer/state.ts';`],
  ['reducer/tool.ts', `export { open } from '../bundle/open.ts';`],
  ['reducer/tool.ts', `const recorder = await import('../recorder/thread.ts');`],
  ['bundle/open.ts', `import { explain } from '../analysis/ledger.ts';`],
  ['bundle/open.ts', `import '../node/files.ts';`],
  ['analysis/ledger.ts', `import { record } from '../recorder/thread.ts';`],
  ['node/files.ts', `import { zip } from '../browser/zip.ts';`],
  ['index.ts', `export { openFile } from './node/files.ts';`],
  ['format/json.ts', `import { readFileSync } from 'node:fs';`],
  ['format/json.ts', `type Stats = import('node:fs').Stats;`],
  ['format/json.ts', `/// <reference types="node" />`],
  ['bundle/open.ts', `import { z } from 'zod';`],
  ['node/files.ts', `import { reduce } from '@rollout-trace/core';`],
  ['node/files.ts', `import { main } from '../../../cli/src/main.ts';`],
  ['helpers/text.ts', `import { decode } from '../format/json.ts';`],
  ['integrations/openai.ts', `import { OpenAI } from 'openai';`],
  ['integrations/openai.ts', `const { OpenAI } = await import('openai');`],
  ['integrations/openai.ts', `import type { z } from 'zod';`],
  ['node/files.ts', `import type { OpenAI } from 'openai';`],
])('in core/src/%s, `%s` breaks a rule', (file, text) => {
  expect(violations({ path: `packages/core/src/${file}`, text })).toHaveLength(1);
});

test.each([
  ['reducer/tool.ts', `import { decode } from '../format/json.ts';`],
  ['reducer/code/cell.ts', `import { tool } from '../tool.ts';`],
  ['node/files.ts', `import { readFileSync } from 'node:fs';`],
  ['node/recorder.ts', `import { record } from '../recorder/thread.ts';`],
  ['format/json.ts', `// import { readFileSync } from 'node:fs';`],
  ['integrations/openai.ts', `import type { OpenAI } from 'openai';`],
  ['integrations/openai.ts', `import { startRollout } from '../node/recorder/start-rollout.ts';`],
])('in core/src/%s, `%s` is allowed', (file, text) => {
  expect(violations({ path: `packages/core/src/${file}`, text })).toEqual([]);
});

test.each([
  `import { reduce } from '@rollout-trace/core/src/reducer/reduce.ts';`,
  `import { startRollout } from '../../core/src/node/recorder.ts';`,
  `import { Command } from 'commander';`,
])('in the agent, `%s` breaks a rule', (text) => {
  expect(violations({ path: 'packages/agent/src/index.ts', text })).toHaveLength(1);
});

test.each([
  `import { reduce } from '@rollout-trace/core/src/reducer/reduce.ts';`,
  `import { reduce } from '@rollout-trace/core/dist/reducer/reduce.js';`,
  `import { reduce } from '../../core/src/reducer/reduce.ts';`,
  `import { Command } from 'commander';`,
])('in the command line, `%s` breaks a rule', (text) => {
  expect(violations({ path: 'packages/cli/src/main.ts', text })).toHaveLength(1);
});
