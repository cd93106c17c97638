/**
 * The tools by which one agent has others work for it.
 *
 * What a call did to another agent is observed on the call, in the words from which readers of traces draw the edges
 * between agents. Not here: the agents (`agent-tree.ts`).
 */

import { type AgentActivity, agentActivity } from '@rollout-trace/core/recorder/node';
import type { AgentThread } from '../thread/thread.ts';
import { Arguments } from '../tools/arguments.ts';
import { type Tool, ToolError, type ToolOutcome, type ToolRun } from '../tools/tool.ts';
import { agentPathOf } from './agent-path.ts';
import type { AgentTree } from './agent-tree.ts';
import { waitAgent } from './wait-agent.ts';

/** The namespace the model calls the tools in. */
export const AGENT_NAMESPACE = 'collaboration';

const MESSAGE = { type: 'string', description: 'What the agent is to read.' };
const TARGET = {
  type: 'string',
  description: 'Name of an agent: its path, such as /root/tests, or the part of it behind your own path.',
};

/** The tools of one agent. The agent takes part in the tree from now on. */
export function agentTools(tree: AgentTree, thread: AgentThread): Tool[] {
  tree.join(thread);
  const talk = [sendMessage(tree, thread), waitTool(tree, thread), listAgents(tree, thread)];
  if (!tree.maySpawn(thread)) return talk;
  const lead = [spawnAgent, followupTask, interruptAgent, closeAgent, resumeAgent].map((tool) => tool(tree, thread));
  return [...lead, ...talk];
}

function spawnAgent(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'spawn_agent',
    'Begins another agent, which works on its task while you go on. It has your tools, but knows nothing of your ' +
      'conversation. Its result reaches you as a message.',
    {
      task_name: { type: 'string', description: 'Its name: lower-case letters, digits and underscores.' },
      message: { type: 'string', description: 'Its task, with everything it has to know.' },
      agent_role: { type: 'string', description: 'The role it is to take.' },
      nickname: { type: 'string', description: 'How it is called where people look on.' },
      model: { type: 'string', description: 'The model it is to use instead of yours.' },
    },
    ['task_name', 'message'],
    async (run) => {
      const args = new Arguments(run.input);
      const child = tree.spawn(thread, {
        taskName: args.text('task_name'),
        message: someText(args, 'message'),
        nickname: args.optionalText('nickname'),
        agentRole: args.optionalText('agent_role'),
        model: args.optionalText('model'),
      });
      observe(run, 'started', child, child.settings.model);
      return answer({ task_name: child.path });
    },
  );
}

function sendMessage(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'send_message',
    'Sends a message to another agent, which reads it before its next step if it is working, and else with its next ' +
      'task.',
    { target: TARGET, message: MESSAGE },
    ['target', 'message'],
    async (run) => {
      const args = new Arguments(run.input);
      const target = tree.send(thread, args.text('target'), someText(args, 'message'));
      observe(run, 'interacted', target);
      return answer({ delivered_to: target.path });
    },
  );
}

function followupTask(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'followup_task',
    'Gives another task to an agent, which remembers what it did before. An agent that is working reads it before its ' +
      'next step.',
    { target: TARGET, message: MESSAGE },
    ['target', 'message'],
    async (run) => {
      const args = new Arguments(run.input);
      const target = tree.assign(thread, args.text('target'), someText(args, 'message'));
      observe(run, 'interacted', target);
      return answer({ delivered_to: target.path });
    },
  );
}

function interruptAgent(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'interrupt_agent',
    'Stops what an agent of yours is working on. It can be given another task afterwards.',
    { target: TARGET },
    ['target'],
    async (run) => {
      const { thread: target, before } = await tree.interrupt(thread, new Arguments(run.input).text('target'));
      observe(run, 'interrupted', target);
      return answer({ previous_status: before });
    },
  );
}

function closeAgent(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'close_agent',
    'Ends an agent of yours, with everything it started and every agent it spawned. It can be opened again.',
    { target: TARGET },
    ['target'],
    async (run) => {
      const { thread: target, before } = await tree.close(thread, new Arguments(run.input).text('target'));
      observe(run, 'interrupted', target);
      return answer({ previous_status: before });
    },
  );
}

function resumeAgent(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'resume_agent',
    'Opens an agent of yours again that was closed. It remembers what it did before; give it a task then.',
    { target: TARGET },
    ['target'],
    async (run) => {
      const target = await tree.resume(thread, new Arguments(run.input).text('target'));
      return answer({ resumed: target.path });
    },
  );
}

function waitTool(tree: AgentTree, thread: AgentThread): Tool {
  const tool = agentTool(
    'wait_agent',
    'Waits until a message of another agent arrives, such as a result, an agent of yours has stopped, or time is up. ' +
      'You read messages after the call.',
    { timeout_ms: { type: 'integer', description: 'Milliseconds, 30000 where it is left out, at most an hour.' } },
    [],
    (run) => waitAgent(tree, thread, run),
  );
  return { ...tool, parallel: true };
}

function listAgents(tree: AgentTree, thread: AgentThread): Tool {
  return agentTool(
    'list_agents',
    'Lists the agents that can be spoken to, and what each is doing.',
    { path_prefix: { type: 'string', description: 'Only this agent and those below it.' } },
    [],
    async (run) => {
      const prefix = new Arguments(run.input).optionalText('path_prefix');
      return answer({ agents: tree.list(prefix === null ? null : agentPathOf(prefix, thread.path)) });
    },
  );
}

function agentTool(
  name: string,
  description: string,
  properties: Readonly<Record<string, object>>,
  required: readonly string[],
  run: Tool['run'],
): Tool {
  const parameters = { type: 'object', properties, required, additionalProperties: false };
  return {
    spec: { type: 'function', name, description, parameters, strict: false },
    namespace: AGENT_NAMESPACE,
    nested: true,
    parallel: false,
    run,
  };
}

function observe(run: ToolRun, kind: AgentActivity['kind'], agent: AgentThread, model: string | null = null): void {
  run.trace.runtimeEnded('completed', () =>
    agentActivity({
      eventId: run.callId,
      kind,
      occurredAtMs: Date.now(),
      agentThreadId: agent.id,
      agentPath: agent.path,
      model,
    }),
  );
}

function someText(args: Arguments, name: string): string {
  const text = args.text(name);
  if (text === '') throw new ToolError(`argument ${name} must not be empty`);
  return text;
}

function answer(value: object): ToolOutcome {
  return { output: JSON.stringify(value), value, status: 'completed' };
}
