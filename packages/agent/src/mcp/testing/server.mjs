// An MCP server for tests. Words on its command line make it misbehave: `mute` never answers, `broken` ends before it
// has begun, `stubborn` ends neither when its input ends nor on SIGTERM, `chatty` writes much to stderr, `litter`
// starts a process that holds its streams open, which with `detached` leaves its session, `endless` lists page after
// page, `once` cannot be started a second time (the file named behind it).
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const words = process.argv.slice(2);
const PAGE = 3;
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

if (words.includes('broken')) {
  console.error('first line');
  console.error('no configuration found');
  process.exit(4);
}
if (words.includes('once')) {
  const file = words[words.indexOf('once') + 1];
  if (existsSync(file)) process.exit(5);
  writeFileSync(file, '');
}
if (words.includes('chatty')) process.stderr.write(`${'noise '.repeat(50_000)}\nlast words\n`);
if (words.includes('stubborn')) {
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 1000);
}
const litter = words.includes('litter')
  ? spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], {
      stdio: 'inherit',
      detached: words.includes('detached'),
    })
  : null;

const text = (value) => ({ content: [{ type: 'text', text: value }] });
const anything = { type: 'object' };

/** Each tool: what is listed of it, and what it does with its arguments and the context of the request. */
const tools = [
  [
    { name: 'add', description: 'Adds two numbers.', annotations: { readOnlyHint: true } },
    ({ a, b }) => text(String(a + b)),
  ],
  [{ name: 'meta' }, (_args, ctx) => text(JSON.stringify(ctx.mcpReq._meta ?? {}))],
  [{ name: 'client' }, () => text(JSON.stringify(server.getClientVersion()))],
  [{ name: 'environment' }, () => text(JSON.stringify(Object.keys(process.env)))],
  [{ name: 'fail' }, ({ why }) => ({ ...text(`failed: ${why}`), isError: true })],
  [
    { name: 'picture' },
    () => ({
      content: [
        { type: 'text', text: 'a dot' },
        { type: 'image', data: PIXEL, mimeType: 'image/png' },
      ],
    }),
  ],
  [
    { name: 'now', outputSchema: { type: 'object', properties: { hour: { type: 'number' } }, required: ['hour'] } },
    ({ wrong }) => ({ ...text('12:00'), structuredContent: wrong ? { minute: 1 } : { hour: 12 } }),
  ],
  [{ name: 'refuse' }, () => Promise.reject(new Error('not today'))],
  [
    { name: 'hang' },
    ({ file }, ctx) =>
      new Promise(() => {
        ctx.mcpReq.signal.addEventListener('abort', () => writeFileSync(file, 'cancelled'));
        writeFileSync(file, 'begun');
      }),
  ],
  [
    { name: 'work' },
    async ({ steps, step_ms }, ctx) => {
      for (let progress = 1; progress <= steps; progress += 1) {
        await new Promise((resolve) => setTimeout(resolve, step_ms));
        const progressToken = ctx.mcpReq._meta?.progressToken;
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
      }
      return text('worked');
    },
  ],
  [
    { name: 'die' },
    () => {
      process.stderr.write('it hurts\n', () => process.exit(3));
      return new Promise(() => undefined);
    },
  ],
  [{ name: 'flood' }, () => text('x'.repeat(40_000_000))],
  [
    { name: 'gallery' },
    () => ({
      content: Array.from({ length: 5 }, () => ({ type: 'image', data: 'A'.repeat(5_000_000), mimeType: 'image/png' })),
    }),
  ],
  [{ name: 'pids' }, () => text(JSON.stringify([process.pid, litter?.pid ?? null]))],
  [{ name: 'wait' }, () => text('waited')],
  [{ name: 'read file' }, () => text('with a space')],
  [{ name: 'read/file' }, () => text('with a slash')],
  [{ name: 'read_file' }, () => text('as it is')],
];

const server = new Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: {} } });
server.setRequestHandler('tools/list', ({ params }) => {
  const from = Number(params?.cursor ?? 0);
  const page = tools.slice(from, from + PAGE).map(([tool]) => ({ inputSchema: anything, ...tool }));
  if (words.includes('endless')) return { tools: page, nextCursor: String(from + 1) };
  return { tools: page, ...(from + PAGE < tools.length && { nextCursor: String(from + PAGE) }) };
});
server.setRequestHandler('tools/call', ({ params }, ctx) => {
  const [, run] = tools.find(([{ name }]) => name === params.name) ?? [];
  if (run === undefined) throw new Error(`there is no tool ${params.name}`);
  return run(params.arguments ?? {}, ctx);
});
if (!words.includes('mute')) await server.connect(new StdioServerTransport());
else process.stdin.resume();
