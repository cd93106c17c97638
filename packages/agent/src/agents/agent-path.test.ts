import { describe, expect, test } from 'vitest';
import { agentPathOf, checkTaskName, isBelow } from './agent-path.ts';

describe('names of agents', () => {
  test('a task name is a part of a path that readers of traces take', () => {
    for (const name of ['alpha', 'step_2', '9', 'a'.repeat(64)]) expect(() => checkTaskName(name)).not.toThrow();
    for (const name of ['', 'root', 'Alpha', 'a b', 'a/b', 'a-b', 'é', 'a\n', 'a'.repeat(65)]) {
      expect(() => checkTaskName(name), name).toThrow(/task_name must be/);
    }
  });

  test('a name is a path, or starts from whoever says it', () => {
    expect(agentPathOf('alpha', '/root')).toBe('/root/alpha');
    expect(agentPathOf('alpha/gamma', '/root')).toBe('/root/alpha/gamma');
    expect(agentPathOf('/root/beta', '/root/alpha')).toBe('/root/beta');
  });

  test('below an agent are those it spawned, and those they did, but not itself or one that is called alike', () => {
    expect(isBelow('/root/alpha/gamma', '/root')).toBe(true);
    expect(isBelow('/root', '/root')).toBe(false);
    expect(isBelow('/root/alphabet', '/root/alpha')).toBe(false);
  });
});
