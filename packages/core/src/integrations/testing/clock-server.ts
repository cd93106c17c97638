/** Scaffolding of the adapters' tests: a clock that is an MCP server over HTTP, and tells what it was sent. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A running clock. */
export interface ClockServer {
  url: URL;
  /** The `_meta` of every request for the time, in order. */
  metas: unknown[];
  /** Fulfilled once the tool that never answers was asked. */
  asked: Promise<void>;
  close(): Promise<void>;
}

/** Starts a clock on the loopback interface. Its tools are `now`, `fail` and `hang`. */
export async function startClock(): Promise<ClockServer> {
  const metas: unknown[] = [];
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'clock', version: '1.0.0' });
    const inputSchema = z.object({ zone: z.string().optional() });
    server.registerTool('now', { inputSchema }, async ({ zone }, { mcpReq }) => {
      metas.push(mcpReq._meta);
      return { content: [{ type: 'text', text: `12:00 ${zone}` }] };
    });
    server.registerTool('fail', { inputSchema }, async () => ({
      content: [{ type: 'text', text: 'no clock' }],
      isError: true,
    }));
    server.registerTool('hang', { inputSchema }, (_, { mcpReq }) => {
      ask();
      return new Promise((_resolve, reject) =>
        mcpReq.signal.addEventListener('abort', () => reject(new Error('over'))),
      );
    });
    return server;
  });
  const http: Server = createServer(async (request, response) => {
    const body = request.method === 'POST' ? await request.toArray().then((parts) => Buffer.concat(parts)) : undefined;
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const url = `http://127.0.0.1${request.url}`;
    const answer = await handler.fetch(
      new Request(url, { method: request.method ?? 'GET', headers, ...(body ? { body } : {}) }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (answer.body === null) response.end();
    else
      Readable.fromWeb(answer.body as never)
        .on('error', () => response.destroy())
        .pipe(response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`),
    metas,
    asked,
    close: async () => {
      http.close();
      http.closeAllConnections();
      await handler.close();
    },
  };
}
