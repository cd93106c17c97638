#!/usr/bin/env node
// Starts the program, which the build leaves in `dist/cli.cjs` with the code V8 made of it in `dist/cli.cache`, so that a
// Node of the version that built it need not compile anything; another Node refuses the cache and compiles as usual.
'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const dist = `${__dirname}/../dist`;
const filename = `${dist}/cli.cjs`;
// The build sees to it that the program is ASCII, which is read fastest like this.
const read = () => readFileSync(filename, 'latin1');
let program;
try {
  program = read();
} catch {
  build();
  program = read();
}
let cachedData;
try {
  cachedData = readFileSync(`${dist}/cli.cache`);
} catch {
  // Without a cache the program is compiled at each start.
}
const source = `(function (exports, require, module, __filename, __dirname) {${program}\n})`;
const script = new Script(source, { filename, cachedData });
// The build asks for the cache once the program has run, when V8 knows which functions it needs.
const cacheFile = process.env.ROLLOUT_TRACE_WRITE_CODE_CACHE;
if (cacheFile) process.once('exit', () => require('node:fs').writeFileSync(cacheFile, script.createCachedData()));
script.runInThisContext()(exports, require, module, filename, dist);

/** In a clone nothing may have been built yet. An installed package always has its program. */
function build() {
  const { status } = require('node:child_process').spawnSync(
    process.execPath,
    [`${__dirname}/../../../scripts/ready.mjs`],
    { stdio: ['ignore', 2, 2] },
  );
  if (status === 0) return;
  console.error('error: the program is not built\n  In a clone, run `npm run build`. Else install the package again.');
  process.exit(2);
}
