/** A WebSocket server for tests, as small as it can be: text messages of less than 64 KB, one frame each. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';

/** A running server. */
export interface SocketServer {
  /** What a client takes as its base URL. */
  readonly url: string;
  /** Every message that came in, parsed. */
  readonly received: Record<string, unknown>[];
  close(): Promise<void>;
}

/** Starts a server on the loopback interface. `answer` gives the messages that answer one; null closes the connection. */
export async function startSocketServer(
  answer: (message: Record<string, unknown>) => readonly object[] | null,
): Promise<SocketServer> {
  const received: Record<string, unknown>[] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let frame = unframed(rest); frame !== null; frame = unframed(rest)) {
        rest = rest.subarray(frame.length);
        // Who closes waits to be answered, for half a minute.
        if (frame.opcode === 8) socket.end(Buffer.from([0x88, 0]));
        if (frame.opcode !== 1) continue;
        const message = JSON.parse(frame.text) as Record<string, unknown>;
        received.push(message);
        const answers = answer(message);
        if (answers === null) socket.destroy();
        for (const event of answers ?? []) socket.write(framed(JSON.stringify(event)));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    received,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function unframed(bytes: Buffer): { opcode: number; text: string; length: number } | null {
  if (bytes.length < 2) return null;
  const short = (bytes[1] ?? 0) & 0x7f;
  const head = short === 126 ? 4 : 2;
  if (bytes.length < head + 4) return null;
  const size = short === 126 ? bytes.readUInt16BE(2) : short;
  const length = head + 4 + size;
  if (bytes.length < length) return null;
  const mask = bytes.subarray(head, head + 4);
  const text = Buffer.from(bytes.subarray(head + 4, length).map((byte, n) => byte ^ (mask[n % 4] ?? 0))).toString(
    'utf8',
  );
  return { opcode: (bytes[0] ?? 0) & 0x0f, text, length };
}

function framed(text: string): Buffer {
  const body = Buffer.from(text);
  const head = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, 0, 0]);
  if (body.length >= 126) head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}
