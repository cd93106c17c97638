/** Ends what adapters record, before the process does. */

import { processSession, type TraceSession } from './session.ts';

/**
 * Ends the rollouts that adapters opened, and the recording of each is complete. What is recorded later begins new ones.
 * Where nobody calls this, they end when the process exits.
 */
export function endRollouts(session: TraceSession = processSession): void {
  session.end();
}
