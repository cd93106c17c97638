/** `@rollout-trace/agent`: an agent that records everything it does. */

export type { OutputPart, Tool, ToolOutcome, ToolRun, ToolSpec } from './tools/tool.ts';
export { ToolError } from './tools/tool.ts';
