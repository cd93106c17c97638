/** The tools of MCP servers as tools of the agent, in a namespace for each server. */

import type { Tool as ListedTool } from '@modelcontextprotocol/client';
import { Arguments } from '../tools/arguments.ts';
import type { Tool, ToolOutcome, ToolRun } from '../tools/tool.ts';
import { modelError, modelOutput } from './result.ts';
import { McpCallError, McpServer, type McpServerOptions } from './server.ts';
import { apiNames } from './tool-names.ts';

/** The servers of a session. */
export interface McpServers {
  /** The tools of all servers that run. */
  readonly tools: readonly Tool[];
  readonly servers: readonly McpServer[];
  /** A sentence for each server that did not start; the others work without it. */
  readonly failures: readonly string[];
  /** Ends the processes of all servers. */
  close(): Promise<void>;
}

/** Starts servers side by side. */
export async function startMcpServers(configs: readonly McpServerOptions[], signal?: AbortSignal): Promise<McpServers> {
  const names = apiNames(configs.map(({ name }) => `mcp__${name}`));
  const started = await Promise.allSettled(
    configs.map(async (config, index) => {
      if (names[index] === null) throw new Error(`MCP server ${config.name} is configured twice.`);
      return McpServer.start(config, signal);
    }),
  );
  const servers: McpServer[] = [];
  const failures: string[] = [];
  const tools: Tool[] = [];
  for (const [index, result] of started.entries()) {
    const namespace = names[index];
    if (result.status === 'rejected') {
      failures.push(result.reason instanceof Error ? result.reason.message : String(result.reason));
    } else if (typeof namespace === 'string') {
      servers.push(result.value);
      tools.push(...toolsOf(result.value, namespace));
    }
  }
  return {
    tools,
    servers,
    failures,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

/** The tools a server listed; of two with the same name only the first can be called. */
function toolsOf(server: McpServer, namespace: string): Tool[] {
  const names = apiNames(server.tools.map(({ name }) => name));
  return server.tools.flatMap((listed, index) => {
    const name = names[index];
    return typeof name === 'string' ? [mcpTool(server, listed, namespace, name)] : [];
  });
}

function mcpTool(server: McpServer, listed: ListedTool, namespace: string, name: string): Tool {
  return {
    spec: {
      type: 'function',
      name,
      description: listed.description ?? listed.title ?? '',
      // The API refuses a schema of an object that does not say what stands in it.
      parameters: { properties: {}, ...listed.inputSchema },
      strict: false,
    },
    namespace,
    nested: true,
    parallel: listed.annotations?.readOnlyHint === true,
    run: (run) => callTool(server, listed.name, run),
  };
}

/** Runs one call, and records it as the reference does: begun, sent under a correlation id, and its result whole. */
async function callTool(server: McpServer, tool: string, run: ToolRun): Promise<ToolOutcome> {
  const args = { ...new Arguments(run.input).members };
  const { trace } = run;
  const invocation = { server: server.name, tool, arguments: args };
  trace.runtimeStarted(
    { call_id: run.callId, turn_id: run.turnId, invocation },
    { type: 'mcp', server: server.name, tool },
  );
  try {
    const result = await server.call({ name: tool, arguments: args }, run.signal, (params) => trace.mcpRequest(params));
    // A result that says it is an error is a result all the same: the server answered.
    trace.runtimeEnded('completed', { result: { Ok: result } });
    return {
      output: modelOutput(result),
      value: result,
      status: result.isError === true ? 'failed' : 'completed',
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const status = error instanceof McpCallError && error.cancelled ? 'cancelled' : 'failed';
    trace.runtimeEnded(status, { result: { Err: message } });
    return {
      output: modelError(message),
      value: { isError: true, content: [{ type: 'text', text: message }] },
      status,
    };
  }
}
