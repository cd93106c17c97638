/** The first file of a bundle: who recorded what, since when (spec section 1). */

import type { Int64 } from './json.ts';

/** `manifest.json`. Times are Unix milliseconds. */
export interface Manifest {
  schema_version: number;
  /** Names this artefact. */
  trace_id: string;
  /** Names the session. */
  rollout_id: string;
  root_thread_id: string;
  started_at_unix_ms: Int64;
  /** Always `trace.jsonl`; readers open that name whatever stands here. */
  raw_event_log: string;
  /** Always `payloads`; readers follow the paths of the events. */
  payloads_dir: string;
}

export const MANIFEST_FILE = 'manifest.json';
export const EVENT_LOG_FILE = 'trace.jsonl';
export const STATE_FILE = 'state.json';
