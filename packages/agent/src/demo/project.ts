/** The project the demonstration works on: a small one, with a test that fails for a reason. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const FILES: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "pages", "private": true, "type": "module", "scripts": { "test": "node --test" } }\n',
  'README.md': '# pages\n\nThe address of a page is its title: `Hello World` is at `/hello-world`.\n',
  'src/slug.js': `/** The part of an address that stands for a title. */
export function slug(title) {
  return title.trim().toLowerCase().replace(' ', '-');
}
`,
  'src/page.js': `import { slug } from './slug.js';

export function page(title, body) {
  return { path: '/' + slug(title), title, body };
}
`,
  'src/feed.js': `import { slug } from './slug.js';

export const entry = (title) => ({ id: 'entry-' + slug(title), title });
`,
  'test/slug.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from '../src/slug.js';

test('two words', () => assert.equal(slug('Hello World'), 'hello-world'));
test('more words', () => assert.equal(slug('All Quiet Here'), 'all-quiet-here'));
test('spaces in a row', () => assert.equal(slug('Hello   World'), 'hello-world'));
`,
};

/** Makes the project in a folder of its own below the system's folder for temporary files. `remove` never throws. */
export function makeProject(): { folder: string; remove: () => void } {
  // Its real path: commands print that one.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rollout-trace-demo-')));
  for (const [name, text] of Object.entries(FILES)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const remove = (): void => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // A process that is about to end may still write there. The system empties the place of temporary files.
    }
  };
  return { folder, remove };
}
