#!/usr/bin/env node
// Starts the program in `cli.cjs` beside it. The build leaves the code V8 made of it in `cli.cache`, so that a Node of
// the version that built it need not compile anything; another Node refuses the cache and compiles as usual.
'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const filename = `${__dirname}/cli.cjs`;
let cachedData;
try {
  cachedData = readFileSync(`${__dirname}/cli.cache`);
} catch {
  // Without a cache the program is compiled at each start.
}
// The build sees to it that the program is ASCII, which is read fastest like this.
const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(filename, 'latin1')}\n})`;
const script = new Script(source, { filename, cachedData });
// The build asks for the cache once the program has run, when V8 knows which functions it needs.
const cacheFile = process.env.ROLLOUT_TRACE_WRITE_CODE_CACHE;
if (cacheFile) process.once('exit', () => require('node:fs').writeFileSync(cacheFile, script.createCachedData()));
script.runInThisContext()(exports, require, module, filename, __dirname);
