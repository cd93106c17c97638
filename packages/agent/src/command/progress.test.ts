import { expect, it } from 'vitest';
import type { AgentEvent } from '../thread/events.ts';
import { harmlessJson, progress, reason } from './progress.ts';

function shown(...events: (Partial<AgentEvent> & { type: AgentEvent['type'] })[]): { text: string; lines: string[] } {
  const seen = { text: '', lines: [] as string[] };
  const show = progress({
    text: (text) => {
      seen.text += text;
    },
    line: (line) => seen.lines.push(line),
  });
  for (const event of events) show({ agentPath: '/root', ...event } as AgentEvent);
  return seen;
}

it('a message is one line, whether it was streamed or not', () => {
  const streamed = shown(
    { type: 'text', delta: 'Hel' },
    { type: 'text', delta: 'lo.' },
    { type: 'message', text: 'Hello.' },
  );
  expect(streamed.text).toBe('Hello.\n');
  expect(shown({ type: 'message', text: 'Hello.' }).text).toBe('Hello.\n');
  expect(shown({ type: 'message', text: '' }).text).toBe('');
});

it('a line that broke off is ended', () => {
  const again = shown(
    { type: 'text', delta: 'Hel' },
    { type: 'retry', error: 'gone', wait_ms: 5 },
    { type: 'text', delta: 'Hi' },
    { type: 'turn_ended', status: 'cancelled' },
  );
  expect(again).toEqual({ text: 'Hel\nHi\n', lines: ['asks again in 5 ms: gone'] });
});

it('the words of children are not those of the agent, but what they do is told', () => {
  const agentPath = '/root/alpha';
  const seen = shown(
    { type: 'text', agentPath, delta: 'psst' },
    { type: 'message', agentPath, text: 'psst' },
    { type: 'tool_started', agentPath, callId: 'c', name: 'exec_command', input: `{"cmd":"${'x'.repeat(500)}"}` },
    { type: 'tool_ended', agentPath, callId: 'c', name: 'exec_command', status: 'failed' },
    { type: 'turn_ended', agentPath, status: 'completed' },
  );
  expect(seen.text).toBe('');
  expect(seen.lines[0]).toMatch(/^\/root\/alpha exec_command \{"cmd":"x+…$/);
  expect(seen.lines[0]).toHaveLength(160);
  expect(seen.lines[1]).toBe('/root/alpha exec_command failed');
});

it('characters that turn text around are left out', () => {
  const lines: string[] = [];
  progress({ text: null, line: (line) => lines.push(line) })({
    type: 'warning',
    agentPath: '/root',
    message: 'run \u202egnp.exe\u2066',
  });
  expect(lines).toEqual(['run gnp.exe']);
});

it('control characters never reach the terminal', () => {
  const seen = shown(
    { type: 'text', delta: 'a\u001b[2J\u0007b\tc\nd' },
    { type: 'warning', message: 'x\r\u009b1mY\nz' },
  );
  expect(seen.text).toBe('a[2Jb\tc\nd');
  expect(seen.lines).toEqual(['x1mY z']);
});

it('lines fit into the terminal', () => {
  const lines: string[] = [];
  let columns: number | undefined = 20;
  const show = progress({ text: null, line: (line) => lines.push(line), columns: () => columns });
  for (columns of [20, undefined, 500]) show({ type: 'warning', agentPath: '/root', message: 'x'.repeat(1000) });
  expect(lines.map((line) => line.length)).toEqual([20, 160, 160]);
});

it('a reason is one line of bounded length, and JSON holds nothing a terminal obeys', () => {
  expect(reason('404 <html>\n\u001b[31m <body>')).toBe('404 <html> [31m <body>');
  expect(reason('x'.repeat(100_000))).toHaveLength(500);
  const odd = { text: 'a\u001b\u007f\u009b\n' };
  expect(harmlessJson(odd)).toBe('{"text":"a\\u001b\\u007f\\u009b\\n"}');
  expect(JSON.parse(harmlessJson(odd))).toEqual(odd);
});
