/**
 * The demonstration as a program: an agent with a scripted model on the loopback interface repairs a failing test in a
 * temporary project. It records where the environment says, tells what happens on stderr, and needs no key and no
 * network. `rollout-trace demo` runs it and shows what was recorded. With `--quiet` it tells failures only.
 */

import { progress } from '../command/progress.ts';
import { startScriptedModel } from '../scripted-model/server.ts';
import { AgentSession } from '../thread/session.ts';
import { makeProject } from './project.ts';
import { COMPACT_AT_TOKENS, demoScript, PROMPT } from './script.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  const cancelled = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => cancelled.abort());
  const project = makeProject();
  const model = await startScriptedModel(demoScript());
  const session = new AgentSession({
    apiKey: 'none',
    baseURL: model.url,
    providerName: 'scripted',
    model: 'scripted-1',
    cwd: project.folder,
    compactAtTokens: COMPACT_AT_TOKENS,
    ...(process.argv.includes('--quiet') ? {} : { onEvent: progress({ text: null, line: tell }) }),
  });
  try {
    const { status, error } = await session.run(PROMPT, { signal: cancelled.signal });
    if (error !== undefined) tell(`The turn failed: ${error}`);
    for (const refusal of model.refusals) tell(`The model refused: ${refusal}`);
    return status === 'completed' && model.refusals.length === 0 ? 0 : 1;
  } finally {
    await session.close();
    await model.close();
    project.remove();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
