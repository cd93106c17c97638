/** Joins a tool call with the request to an MCP server that it becomes. */

/** The key of a request's `_meta` that carries the correlation id. */
export const MCP_CALL_META_KEY = 'codex_bridge_mcp_call_id';

/** The request with the id in its `_meta`; everything else, other metadata included, stays as it is. */
export function withMcpCallId<T extends object>(request: T, mcpCallId: string): T {
  const meta = (request as { _meta?: unknown })._meta;
  const kept = typeof meta === 'object' && meta !== null ? meta : {};
  return { ...request, _meta: { ...kept, [MCP_CALL_META_KEY]: mcpCallId } };
}
