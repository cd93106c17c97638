/** Sessions that the tests record themselves, where no fixture is long or odd enough. Scaffolding of the tests. */

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type Rollout, startRollout } from '@rollout-trace/core/recorder/node';

/** Records what happens in `play` in a new folder of one, with a clock and ids that are the same each time. */
export function recorded(
  folder: string,
  play: (rollout: Rollout) => void,
  format: 'bundle' | 'segment' = 'bundle',
): string {
  let time = 1_795_000_000_000;
  let ids = 0;
  const newId = (): string => `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, '0')}`;
  const rollout = startRollout({ root: mkdtempSync(join(folder, 'recorded-')), format, clock: () => time++, newId });
  play(rollout);
  rollout.end();
  return rollout.location;
}

/** One turn with one request; with a reason it fails by it. */
export function playTurn(rollout: Rollout, failure: string | null = null): void {
  const turn = rollout.root.startTurn();
  const call = turn.inference({ model: 'model-1', providerName: 'p' }).start({ model: 'model-1', input: [] });
  if (failure === null) call.complete({ outputItems: [] });
  else call.fail(failure);
  turn.end(failure === null ? 'completed' : 'failed');
}
