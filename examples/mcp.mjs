// A tool call that asks an MCP server, recorded at the transport: what was asked, what came back, and the id that joins
// both sides. ROLLOUT_TRACE_ROOT=traces node examples/mcp.mjs
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { traced } from '@rollout-trace/core/mcp';
import { startRollout, withTrace } from '@rollout-trace/core/recorder/node';
import { z } from 'zod';

const server = new McpServer({ name: 'clock', version: '1.0.0' });
server.registerTool('now', { inputSchema: z.object({ zone: z.string() }) }, async ({ zone }) => ({
  content: [{ type: 'text', text: `12:00 ${zone}` }],
}));
// Stands for a server of its own, behind whichever transport.
const [near, far] = InMemoryTransport.createLinkedPair();
await server.connect(far);

const client = new Client({ name: 'example', version: '1.0.0' });
await client.connect(traced(near, { server: 'clock' }));

const rollout = startRollout();
const turn = rollout.root.startTurn();
const call = turn.startToolCall({ name: 'now', payload: { type: 'function', arguments: '{"zone":"UTC"}' } });
const result = await withTrace(call, () => client.callTool({ name: 'now', arguments: { zone: 'UTC' } }));
call.respondToCode(result.content);
turn.end();
rollout.end();

console.log(JSON.stringify(result.content));
await client.close();
