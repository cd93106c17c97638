// @ts-check
/**
 * Which events the agent and each adapter record, counted in the bundles their tests make.
 *
 *     npm run build && node scripts/capture-table.mjs     writes the table into docs/recorder.md
 *
 * The tests leave the log of every bundle they accepted below the folder that ROLLOUT_TRACE_KEEP_LOGS names, in a folder
 * named by what recorded it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTable } from './doc-tables.mjs';
import { runTests } from './testing/run-tests.mjs';

/** Who records, in the order of the columns: the name of the folder of its logs. */
const RECORDERS = ['agent', 'openai', 'openai-agents', 'ai-sdk', 'auto', 'mcp'];

const kept = mkdtempSync(join(tmpdir(), 'rollout-trace-logs-'));
try {
  runTests(['packages/agent/src/scenarios', 'packages/core/src/integrations'], { ROLLOUT_TRACE_KEEP_LOGS: kept });
  if (process.exitCode !== 0) throw new Error('the table is made of bundles that pass their tests');
  const { EVENT_FIELDS } = await import(new URL('../packages/core/dist/format/index.js', import.meta.url).href);
  writeTable('docs/recorder.md', 'captured', captureTable(Object.keys(EVENT_FIELDS)));
} finally {
  rmSync(kept, { recursive: true, force: true });
}

/** @param {string[]} types */
function captureTable(types) {
  const counts = RECORDERS.map((name) => countsIn(join(kept, name)));
  const rows = types.map((type) => `| \`${type}\` | ${counts.map((count) => count.get(type) ?? '').join(' | ')} |`);
  return [`| event | ${RECORDERS.join(' | ')} |`, `|--|${'--|'.repeat(RECORDERS.length)}`, ...rows].join('\n');
}

/** @param {string} folder @returns {Map<string, number>} how many bundles hold an event of the type */
function countsIn(folder) {
  const counts = new Map();
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
    for (const type of new Set(lines.map((line) => JSON.parse(line).payload.type))) {
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
  }
  return counts;
}
