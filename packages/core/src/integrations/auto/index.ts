/**
 * `node --import @rollout-trace/core/auto app.mjs`: records what can be seen without a line of code, where a trace root
 * is set; does nothing at all where none is.
 *
 * That is the AI SDK: major 7 by its diagnostics channel, and majors 6 and 7 by the list in which the SDK itself keeps
 * what is registered for telemetry (`globalThis.AI_SDK_TELEMETRY_INTEGRATIONS`). Nothing is replaced, neither `fetch` nor
 * any module, so requests are recorded as the SDK tells them unless the host gives the provider a traced `fetch`.
 */

import { traceEnvironment } from '../../node/recorder/open-sink.ts';
import { listenToChannel } from '../ai-sdk/channel.ts';
import { Runs } from '../ai-sdk/runs.ts';
import { telemetryFor } from '../ai-sdk/telemetry.ts';
import { processSession } from '../session/session.ts';

const REGISTRY = 'AI_SDK_TELEMETRY_INTEGRATIONS';

if (traceEnvironment(process.env).root !== null) {
  const runs = new Runs(processSession);
  listenToChannel(runs);
  const registered: unknown = Reflect.get(globalThis, REGISTRY);
  Reflect.set(globalThis, REGISTRY, [...(Array.isArray(registered) ? registered : []), telemetryFor(runs)]);
}
