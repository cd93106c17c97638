import { tmpdir } from 'node:os';
import { byAgent, type Script, type ScriptedModel, say, startScriptedModel } from '@rollout-trace/agent/scripted-model';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AgentSession } from '../thread/session.ts';
import type { AgentThread } from '../thread/thread.ts';
import { type AgentLimits, AgentTree } from './agent-tree.ts';

vi.setConfig({ testTimeout: 60_000 });

let close: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of close.reverse()) await end();
  close = [];
});

/** A tree whose root does nothing by itself, and children that say what the script says. */
async function treeOf(
  script: Script,
  limits: Partial<AgentLimits> = {},
): Promise<{ tree: AgentTree; root: AgentThread; model: ScriptedModel }> {
  const model = await startScriptedModel(script);
  close.push(model.close);
  const { root, close: end } = quietSession(model);
  close.push(end);
  const tree = new AgentTree({ depth: 2, agents: 8, ...limits });
  tree.join(root);
  return { tree, root, model };
}

function quietSession({ url: baseURL }: ScriptedModel) {
  const session = new AgentSession({
    apiKey: 'sk-scripted',
    baseURL,
    model: 'model-1',
    cwd: tmpdir(),
    record: false,
    agents: false,
    retryDelays_ms: [],
  });
  return { root: session.root, close: () => session.close() };
}

const seed = (taskName: string, message = 'Work.') => {
  return { taskName, message, nickname: null, agentRole: null, model: null };
};

/** The text of every message that is read by nobody yet. */
const unread = ({ mailbox }: AgentThread) => mailbox.unread.map(({ content }) => JSON.stringify(content));

const mailOf = ({ mailbox }: AgentThread) => mailbox.arrival(new AbortController().signal);

function stop(tree: AgentTree, wanted: AgentThread): Promise<void> {
  return new Promise((resolve) => {
    const leave = tree.onStop((thread) => {
      if (thread !== wanted) return;
      leave();
      resolve();
    });
  });
}

describe('a tree of agents', () => {
  test('works where nothing is recorded', async () => {
    const { tree, root } = await treeOf(byAgent({ '/root/alpha': [{ items: [say('Done.')] }] }));
    tree.spawn(root, seed('alpha'));
    await mailOf(root);
    expect(unread(root)).toEqual([expect.stringContaining('Result of agent /root/alpha:\\nDone.')]);
  });

  test('a task that comes while the last request of a turn is under way begins another turn', async () => {
    let send = (): void => undefined;
    const sent = new Promise<void>((resolve) => {
      send = resolve;
    });
    const { tree, root, model } = await treeOf(
      byAgent({ '/root/alpha': [{ after: sent, items: [say('One.')] }, { items: [say('Two.')] }] }),
    );
    const alpha = tree.spawn(root, seed('alpha'));
    await model.until(1);
    const stopped = stop(tree, alpha);
    tree.assign(root, 'alpha', 'Another.');
    send();
    await stopped;
    expect(unread(root)).toEqual([expect.stringContaining('One.'), expect.stringContaining('Two.')]);
  });

  test('a message that comes then does not', async () => {
    let send = (): void => undefined;
    const sent = new Promise<void>((resolve) => {
      send = resolve;
    });
    const { tree, root, model } = await treeOf(byAgent({ '/root/alpha': [{ after: sent, items: [say('One.')] }] }));
    const alpha = tree.spawn(root, seed('alpha'));
    await model.until(1);
    const stopped = stop(tree, alpha);
    tree.send(root, 'alpha', 'By the way.');
    send();
    await stopped;
    expect(unread(alpha)).toEqual([expect.stringContaining('By the way.')]);
    expect(model.requests.length).toBe(1);
  });

  test('an interruption forgets the tasks that were not begun, and leaves the agent for others', async () => {
    const { tree, root, model } = await treeOf(
      byAgent({ '/root/alpha': [{ items: [], end: 'hanging' }, { items: [say('Yes.')] }] }),
    );
    const alpha = tree.spawn(root, seed('alpha'));
    await model.until(1);
    tree.assign(root, 'alpha', 'Never mind.');
    expect((await tree.interrupt(root, 'alpha')).before).toBe('running');
    expect(tree.list(alpha.path)).toEqual([{ agent_name: '/root/alpha', agent_status: 'interrupted' }]);
    expect(unread(root)).toEqual([]);
    tree.assign(root, 'alpha', 'Answer.');
    await mailOf(root);
    expect(unread(root)).toEqual([expect.stringContaining('Yes.')]);
  });

  test('an agent that was interrupted is not stopped twice', async () => {
    const { tree, root } = await treeOf(byAgent({ '/root/alpha': [{ items: [say('Done.')] }] }));
    tree.spawn(root, seed('alpha'));
    await mailOf(root);
    expect((await tree.interrupt(root, 'alpha')).before).toEqual({ completed: 'Done.' });
    expect(tree.list('/root/alpha')[0]?.agent_status).toEqual({ completed: 'Done.' });
  });

  test('a turn that breaks is a failure of the agent, which can be given another task', async () => {
    const { tree, root } = await treeOf(
      byAgent({ '/root/a': [{ items: [say('Done.')] }, { items: [say('Again.')] }] }),
    );
    const a = tree.spawn(root, seed('a'));
    await mailOf(root);
    root.mailbox.take();
    vi.spyOn(a, 'run').mockRejectedValueOnce(new Error('the disk is on fire'));
    tree.assign(root, 'a', 'Once more.');
    await mailOf(root);
    expect(unread(root)).toEqual([expect.stringContaining('Agent /root/a failed: the disk is on fire')]);
    expect(tree.list('/root/a')[0]?.agent_status).toEqual({ errored: 'the disk is on fire' });
    root.mailbox.take();
    tree.assign(root, 'a', 'Try again.');
    await mailOf(root);
    expect(unread(root)).toEqual([expect.stringContaining('Again.')]);
  });

  test('a task for an agent whose turn somebody else runs is read by that turn', async () => {
    let send = (): void => undefined;
    const sent = new Promise<void>((resolve) => {
      send = resolve;
    });
    const { tree, root, model } = await treeOf(
      byAgent({ '/root/a': [{ items: [say('Done.')] }, { after: sent, items: [say('For the host.')] }] }),
    );
    const a = tree.spawn(root, seed('a'));
    await stop(tree, a);
    const turn = a.run('From the host.');
    await model.until(2);
    tree.assign(root, 'a', 'From the root.');
    send();
    expect((await turn).text).toBe('For the host.');
    expect(unread(a)).toEqual([expect.stringContaining('From the root.')]);
    expect(tree.list('/root/a')[0]?.agent_status).toEqual({ completed: 'Done.' });
  });

  test('limits count agents that are there, and one that was closed makes room', async () => {
    const hanging = { items: [], end: 'hanging' } as const;
    const { tree, root } = await treeOf(
      byAgent({ '/root/a': [hanging], '/root/b': [hanging], '/root/a/deep': [hanging] }),
      { agents: 2, depth: 2 },
    );
    const a = tree.spawn(root, seed('a'));
    const deep = tree.spawn(a, seed('deep'));
    expect(tree.maySpawn(deep)).toBe(false);
    expect(() => tree.spawn(deep, seed('deeper'))).toThrow('agents may not be nested deeper than 2');
    expect(() => tree.spawn(root, seed('b'))).toThrow('the limit of agents at a time is 2');
    await tree.close(root, 'a/deep');
    tree.spawn(root, seed('b'));
    expect(tree.list(null).map(({ agent_name }) => agent_name)).toEqual(['/root', '/root/a', '/root/b']);
    expect(() => tree.spawn(root, seed('a'))).toThrow('there is or was an agent /root/a');
    await expect(tree.interrupt(root, 'a/deep')).rejects.toThrow('agent /root/a/deep was closed');
  });

  test('an agent has no say over those it did not spawn', async () => {
    const hanging = { items: [], end: 'hanging' } as const;
    const { tree, root } = await treeOf(byAgent({ '/root/a': [hanging], '/root/b': [hanging] }));
    const a = tree.spawn(root, seed('a'));
    tree.spawn(root, seed('b'));
    await expect(tree.close(a, '/root/b')).rejects.toThrow('agent /root/b was not spawned by you');
    await expect(tree.interrupt(a, '/root')).rejects.toThrow('agent /root was not spawned by you');
    await expect(tree.close(a, '/root/a')).rejects.toThrow('target must be another agent');
    expect(tree.send(a, '/root/b', 'Hello.').path).toBe('/root/b');
  });

  test('an agent that was closed by somebody else takes nothing more, and spawns nothing', async () => {
    const { tree, root } = await treeOf(byAgent({ '/root/a': [{ items: [say('Done.')] }] }));
    const a = tree.spawn(root, seed('a'));
    await mailOf(root);
    root.mailbox.take();
    await a.close();
    expect(() => tree.send(root, 'a', 'Hello?')).toThrow('agent /root/a was closed');
    expect(tree.anyoneElseWorks(root)).toBe(false);
    await root.close();
    expect(() => tree.spawn(root, seed('b'))).toThrow('the thread /root is closed');
  });
});
