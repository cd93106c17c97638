// @ts-check
// `npm run test:kill [-- N]`: kills a recording process at N random instants instead of a few.

import { runTests } from './testing/run-tests.mjs';

runTests(['packages/core/src/node/recorder/process.test.ts'], { ROLLOUT_TRACE_KILLS: process.argv[2] ?? '200' });
