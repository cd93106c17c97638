/**
 * What the model says in the demonstration. Only the words are scripted: every command, patch, script, message and
 * compaction they ask for is carried out.
 */

import { AGENT_NAMESPACE } from '../agents/agent-tools.ts';
import {
  byAgent,
  call,
  custom,
  lastOutput,
  type ModelRequest,
  type Script,
  type Step,
  say,
  think,
} from '../scripted-model/step.ts';

/** A request with more tokens than this is followed by a compaction. */
export const COMPACT_AT_TOKENS = 9_000;

export const PROMPT = '`npm test` fails in this project. Find out why, repair it, and make sure nothing else breaks.';

const TEST = { cmd: 'node --test' };

const WRONG_PATCH = `*** Begin Patch
*** Update File: src/slug.js
@@
-  return title.toLowerCase().trim().replace(' ', '-');
+  return title.trim().toLowerCase().replace(/\\s+/g, '-');
*** End Patch
`;

const RIGHT_PATCH = `*** Begin Patch
*** Update File: src/slug.js
@@
-  return title.trim().toLowerCase().replace(' ', '-');
+  return title.trim().toLowerCase().replace(/\\s+/g, '-');
*** End Patch
`;

const READ_BOTH = `const [source, tests] = await Promise.all([
  tools.exec_command({ cmd: 'cat src/slug.js' }),
  tools.exec_command({ cmd: 'cat test/slug.test.js' }),
]);
text(source.output);
text(tests.output);
`;

/** What a number of requests has cost so far: a history that grows, of which the service remembers the beginning. */
function usage(input_tokens: number, cached_tokens: number, output_tokens: number) {
  return { input_tokens, cached_tokens, output_tokens, reasoning_tokens: Math.floor(output_tokens / 4) };
}

function agents(callId: string, name: string, args: object) {
  return call(callId, name, args, AGENT_NAMESPACE);
}

const ROOT: readonly (Step | ((request: ModelRequest) => Step))[] = [
  {
    items: [
      think('First see what fails.', 'r1'),
      say('I run the tests.', 'commentary'),
      call('call_test', 'exec_command', TEST),
    ],
    usage: usage(1_900, 0, 64),
  },
  {
    items: [
      say('Two tests fail. I read the function and its tests.', 'commentary'),
      custom('call_read', 'exec', READ_BOTH),
    ],
    usage: usage(2_700, 1_900, 88),
  },
  {
    items: [
      think('replace() with a text replaces the first space only. Who else relies on it?', 'r2'),
      say('Only the first space is replaced. Two helpers look at who depends on that while I go on.', 'commentary'),
      agents('call_callers', 'spawn_agent', {
        task_name: 'callers',
        message: 'Which files below src call slug(), and does any of them rely on spaces that are left in its result?',
      }),
      agents('call_docs', 'spawn_agent', {
        task_name: 'docs',
        message:
          'What do the documents of this project promise about addresses? Look into docs/addresses.md and README.md.',
      }),
    ],
    usage: usage(4_100, 2_700, 171),
  },
  { items: [custom('call_patch_1', 'apply_patch', WRONG_PATCH)], usage: usage(4_700, 4_100, 96) },
  {
    items: [
      say('The line reads a little differently.', 'commentary'),
      custom('call_patch_2', 'apply_patch', RIGHT_PATCH),
    ],
    usage: usage(5_200, 4_700, 102),
  },
  {
    items: [
      say('I try it by hand.', 'commentary'),
      call('call_repl', 'exec_command', { cmd: 'node -i', yield_time_ms: 500 }),
    ],
    usage: usage(5_700, 5_200, 40),
  },
  (request) => ({
    items: [
      call('call_try', 'write_stdin', {
        session_id: sessionOf(request),
        chars: "(await import('./src/slug.js')).slug('Hello   World')\n",
        yield_time_ms: 500,
      }),
    ],
    usage: usage(6_300, 5_700, 52),
  }),
  (request) => ({
    items: [
      call('call_leave', 'write_stdin', { session_id: sessionOf(request), chars: '.exit\n', yield_time_ms: 5_000 }),
    ],
    usage: usage(6_800, 6_300, 38),
  }),
];

const CALLERS: readonly Step[] = [
  { items: [call('call_grep', 'exec_command', { cmd: 'grep -rn "slug(" src' })], usage: usage(1_400, 0, 31) },
  {
    items: [say('src/page.js and src/feed.js call it. Both put the result into an address; neither relies on spaces.')],
    delay_ms: 700,
    usage: usage(1_800, 1_400, 44),
  },
];

const DOCS: readonly Step[] = [
  {
    items: [call('call_docs_1', 'exec_command', { cmd: 'cat docs/addresses.md' })],
    usage: usage(1_400, 0, 29),
  },
  { items: [call('call_docs_2', 'exec_command', { cmd: 'cat README.md' })], usage: usage(1_700, 1_400, 33) },
  {
    items: [say('There is no docs/addresses.md. README.md promises that `Hello World` is at `/hello-world`.')],
    delay_ms: 1_400,
    usage: usage(2_000, 1_700, 39),
  },
];

const CONCLUSION =
  'The tests failed because slug() replaced only the first space. It now replaces every run of spaces, and all three ' +
  'tests pass. The two callers use the result as an address only, and README.md already promises what it does now.';

export function demoScript(): Script {
  const first = byAgent({ '/root': ROOT, '/root/callers': CALLERS, '/root/docs': DOCS });
  const missing = new Set(['/root/callers', '/root/docs']);
  let tested = false;
  return async (request) => {
    if (request.endpoint === 'responses' && request.agentPath === '/root') {
      const told = JSON.stringify(request.body.input);
      // Seen once is enough: a compaction may have taken it away.
      for (const path of missing) if (told.includes(`"author":"${path}"`)) missing.delete(path);
    }
    const step = await first(request);
    if (step !== null) return step;
    if (missing.size > 0) return waiting(request);
    if (tested) return { items: [say(CONCLUSION)], usage: usage(3_300, 2_900, 96) };
    tested = true;
    return { items: [call('call_test_again', 'exec_command', TEST)], usage: usage(9_400, 7_200, 41) };
  };
}

function waiting({ number }: ModelRequest): Step {
  const items = [agents(`call_wait_${number}`, 'wait_agent', { timeout_ms: 20_000 })];
  return { items, usage: usage(7_200, 6_800, 20) };
}

/** The terminal that the newest output speaks of. */
function sessionOf(request: ModelRequest): number {
  return Number(/session_id[":= ]+(\d+)/.exec(lastOutput(request))?.[1] ?? 0);
}
