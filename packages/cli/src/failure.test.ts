import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cli, fixture, scratch } from './testing/cli.ts';

const folder = scratch();
const PLAIN = { NO_COLOR: '1' };
const ID = '524491e9';

function bundleIn(...names: string[]): string {
  const path = join(folder, ...names);
  cpSync(fixture('0.169.0/plain'), path, { recursive: true });
  return path;
}

it.each([40, 60, 80])('the path of a bundle that was meant perhaps is never cut, in %d columns', (columns) => {
  const above = join(folder, `below-${columns}`);
  const first = bundleIn(
    `below-${columns}`,
    'a-trace-with-a-name-that-is-rather-long-and-of-which-every-letter-counts',
  );
  const spaced = bundleIn(`spaced-${columns}`, 'a trace');
  const surroundings = { columns, isTerminal: true, environment: PLAIN };
  expect(cli(['show', above], surroundings).err).toContain(` ${first}\n`);
  expect(cli(['show', join(folder, `spaced-${columns}`)], surroundings).err).toContain(` '${spaced}'\n`);

  const root = join(folder, `root-${columns}`);
  mkdirSync(root);
  const twins = [bundleIn(`root-${columns}`, 'one'), bundleIn(`root-${columns}`, 'two')];
  const { code, err } = cli(['show', ID], {
    ...surroundings,
    environment: { ...PLAIN, ROLLOUT_TRACE_ROOT: root },
  });
  expect(code).toBe(2);
  expect(err).toContain('means 2 bundles');
  for (const path of twins) expect(err).toContain(` ${path}\n`);
});

it('a bundle whose name cannot be shown is suggested as it can be typed', () => {
  const strange = bundleIn('new\nline');
  expect(cli(['show', strange]).out).toContain(`rollout-trace show $'${folder}/new\\nline' <ref>`);
});
