/** When a recording gave its last sign: the time of the last event of its log, whatever the graph keeps of it. */

import type { Int64 } from '@rollout-trace/core/format';
import { listBundle } from '@rollout-trace/core/node';
import type { View } from './view.ts';

/** As `ls` tells it; null where the log has no event. */
export function lastSignAt({ path }: View): Int64 | null {
  return listBundle(path).last_event_at_unix_ms;
}
