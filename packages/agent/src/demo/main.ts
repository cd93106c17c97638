/**
 * The demonstration as a program: an agent with a scripted model on the loopback interface repairs a failing test in a
 * temporary project. It records where the environment says, tells what happens on stderr, and needs no key and no
 * network. `rollout-trace demo` runs it and shows what was recorded. With `--quiet` it tells failures only.
 */

import { progress, reason } from '../command/progress.ts';
import { onSignal } from '../command/signals.ts';
import { startScriptedModel } from '../scripted-model/server.ts';
import { AgentSession } from '../thread/session.ts';
import { makeProject } from './project.ts';
import { COMPACT_AT_TOKENS, demoScript, PROMPT } from './script.ts';

process.exitCode = await main().catch((error: unknown) => {
  tell(`The demonstration failed: ${reason(error instanceof Error ? error.message : String(error))}`);
  return 2;
});

async function main(): Promise<number> {
  const cancelled = new AbortController();
  const signalled = onSignal(() => cancelled.abort());
  // The terminal may be gone, or nobody reads: what is told goes unheard, and the rest is done all the same.
  process.stderr.on('error', () => undefined);
  const project = makeProject();
  // Also where a second signal ends all of it at once.
  process.once('exit', project.remove);
  const model = await startScriptedModel(demoScript());
  const session = new AgentSession({
    apiKey: 'none',
    baseURL: model.url,
    providerName: 'scripted',
    model: 'scripted-1',
    cwd: project.folder,
    compactAtTokens: COMPACT_AT_TOKENS,
    ...(process.argv.includes('--quiet')
      ? {}
      : { onEvent: progress({ text: null, line: tell, columns: () => process.stderr.columns }) }),
  });
  try {
    const { status, error } = await session.run(PROMPT, { signal: cancelled.signal });
    if (error !== undefined) tell(`The turn failed: ${reason(error)}`);
    for (const refusal of model.refusals) tell(`The model refused: ${refusal}`);
    return signalled() ?? (status === 'completed' && model.refusals.length === 0 ? 0 : 1);
  } finally {
    await session.close();
    await model.close();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
