/** `@rollout-trace/agent`: an agent that records everything it does. */

export type { AgentLimits } from './agents/agent-tree.ts';
export type { CellLimits } from './cell/messages.ts';
export type { TerminalsOptions } from './exec/terminals.ts';
export type { McpServers } from './mcp/mcp-tools.ts';
export { startMcpServers } from './mcp/mcp-tools.ts';
export type { McpServer, McpServerOptions } from './mcp/server.ts';
export type { AgentMessageItem, Item } from './model/item.ts';
export type { CodeOptions } from './thread/equipment.ts';
export type { AgentEvent, AgentListener } from './thread/events.ts';
export type { AgentSessionOptions } from './thread/session.ts';
export { AgentSession } from './thread/session.ts';
export type { AgentThread, RunOptions, ThreadEnd } from './thread/thread.ts';
export type { TurnResult } from './thread/turn.ts';
export type { OutputPart, Tool, ToolOutcome, ToolRun, ToolSpec } from './tools/tool.ts';
export { ToolError } from './tools/tool.ts';
