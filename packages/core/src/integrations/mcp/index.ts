/** `@rollout-trace/core/mcp`: the calls a program makes to MCP servers, seen at the transport. */

export type { McpTransport, TracedTransportOptions } from './traced-transport.ts';
export { traced } from './traced-transport.ts';
