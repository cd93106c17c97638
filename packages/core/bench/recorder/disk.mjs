// How many bytes a whole step of an agent costs on disk: request, response, one tool call with its runtime, receipts.
// node bench/recorder/disk.mjs [steps] [bytes per step]

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRollout } from '@rollout-trace/core/recorder/node';
import { newItems, request } from './session.mjs';

const [steps = 200, perStep = 6_000] = process.argv.slice(2).map(Number);

function bytesBelow(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}

for (const format of ['segment', 'bundle']) {
  const root = mkdtempSync(join(tmpdir(), 'rollout-trace-bench-'));
  const rollout = startRollout({ root, format });
  const turn = rollout.root.startTurn();
  const context = turn.inference({ model: 'model-1', providerName: 'provider' });
  const history = [];
  let added = 0;
  for (let n = 0; n < steps; n++) {
    const [said, called, answered] = newItems(perStep);
    const attempt = context.start(request(history, turn.id));
    const call = turn.startToolCall({
      name: called.name,
      callId: called.call_id,
      payload: { type: 'function', arguments: called.arguments },
    });
    const command = ['/bin/bash', '-lc', called.arguments];
    call.runtimeStarted({ call_id: called.call_id, command, cwd: '/work' });
    call.runtimeEnded('completed', {
      call_id: called.call_id,
      command,
      aggregated_output: answered.output,
      exit_code: 0,
    });
    call.respond(answered);
    attempt.complete({ responseId: `resp_${n}`, upstreamRequestId: `req_${n}`, outputItems: [said, called] });
    for (const item of [said, called, answered]) turn.itemAccepted(item.id);
    history.push(said, called, answered);
    added += JSON.stringify([said, called, answered]).length;
  }
  rollout.end();
  const bytes = bytesBelow(root);
  console.log(
    `${format.padEnd(8)} ${steps} steps: ${(bytes / 1e6).toFixed(2)} MB, ${(bytes / steps / 1e3).toFixed(1)} KB per step, ${(bytes / added).toFixed(2)} x the new items`,
  );
  rmSync(root, { recursive: true });
}
