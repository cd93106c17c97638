/** `@rollout-trace/agent/scripted-model`: a model on the loopback interface that says what a script tells it to say. */

export type { ScriptedModel } from './server.ts';
export { startScriptedModel } from './server.ts';
export type { ModelRequest, OutputItem, Script, Step, StepEnd, StepUsage } from './step.ts';
export { byAgent, call, compacted, custom, inOrder, lastOutput, say, think } from './step.ts';
