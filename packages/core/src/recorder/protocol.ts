/** Breadcrumbs of the protocol between an agent and its user interface: kept as evidence, never interpreted. */

import { type Payload, PayloadDraft, text } from './event-draft.ts';
import { type Journal, NO_SCOPE } from './journal.ts';

/** The breadcrumbs the reference leaves. */
export const PROTOCOL_EVENTS = [
  'session_configured',
  'turn_started',
  'turn_complete',
  'turn_aborted',
  'thread_rolled_back',
  'error',
  'warning',
  'shutdown_complete',
] as const;

/** One of the known breadcrumbs, or a word of your own. */
export type ProtocolEventType = (typeof PROTOCOL_EVENTS)[number] | (string & {});

/** Leaves a breadcrumb. */
export function protocolEvent(journal: Journal, type: ProtocolEventType, payload: Payload): void {
  journal.write('protocol_event_observed', NO_SCOPE, () => ({
    event_type: text(type, 'type'),
    event_payload: new PayloadDraft('protocol_event', payload),
  }));
}
