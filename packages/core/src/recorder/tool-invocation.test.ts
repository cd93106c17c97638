import { describe, expect, it } from 'vitest';
import { inputPreview, preview, toolKind, toolLabel } from './tool-invocation.ts';

describe('a tool', () => {
  it.each([
    ['shell_command', { type: 'exec_command' }],
    ['write_stdin', { type: 'write_stdin' }],
    ['web_search_preview', { type: 'web' }],
    ['followup_task', { type: 'assign_agent_task' }],
    ['interrupt_agent', { type: 'close_agent' }],
    ['exec', { type: 'other', name: 'exec' }],
    ['constructor', { type: 'other', name: 'constructor' }],
  ])('named %s counts as %o', (name, kind) => {
    expect(toolKind(name)).toEqual(kind);
  });

  it('is shown with its namespace', () => {
    expect(toolLabel({ name: 'now', namespace: 'mcp__clock' })).toBe('mcp__clock.now');
    expect(toolLabel({ name: 'now' })).toBe('now');
  });
});

describe('a preview', () => {
  it('has at most 160 characters, however many units they take', () => {
    expect(preview('a'.repeat(160))).toBe('a'.repeat(160));
    expect(preview('a'.repeat(161))).toBe(`${'a'.repeat(160)}...`);
    expect(preview('😀'.repeat(160))).toBe('😀'.repeat(160));
    expect(preview('😀'.repeat(1000))).toBe(`${'😀'.repeat(160)}...`);
  });

  it('shows a command as it is typed', () => {
    expect(inputPreview({ type: 'local_shell', command: ['ls', '-l'], workdir: null, timeout_ms: null })).toBe('ls -l');
  });
});
