// @ts-check
// `npm run test:reference [-- --dir DIR]`: puts every recording of the tests of recorder, agent and adapters before the real
// Codex, too. DIR and ROLLOUT_TRACE_CODEX mean what they mean to test-codex.mjs.

import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CODEX_FOLDER, codexProgram } from './testing/codex.mjs';
import { runTests } from './testing/run-tests.mjs';

const { values } = parseArgs({ options: { dir: { type: 'string', default: CODEX_FOLDER } } });
mkdirSync(values.dir, { recursive: true });
const recorder = 'packages/core/src/node/recorder';
const agent = 'packages/agent/src/scenarios';
const integrations = 'packages/core/src/integrations';
runTests([`${recorder}/reference.test.ts`, `${recorder}/process.test.ts`, `${agent}/scenarios.test.ts`, integrations], {
  ROLLOUT_TRACE_CODEX: codexProgram(values.dir),
});
