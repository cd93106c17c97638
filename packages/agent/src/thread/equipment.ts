/** What a thread is equipped with: the tools of the runtime, those of MCP servers, and those of the host. */

import { agentTools } from '../agents/agent-tools.ts';
import type { AgentTree } from '../agents/agent-tree.ts';
import { CodeCells } from '../cell/code-cells.ts';
import type { CellLimits } from '../cell/messages.ts';
import { Terminals, type TerminalsOptions } from '../exec/terminals.ts';
import { applyPatchTool } from '../patch/apply-patch.ts';
import type { Tool } from '../tools/tool.ts';
import type { AgentThread } from './thread.ts';
import type { Toolbox } from './toolbox.ts';

/** How code cells run. */
export interface CodeOptions {
  limits?: Partial<CellLimits>;
  /** Whether the model can call other tools from code only. */
  only?: boolean;
}

/** What all threads of a session are equipped with. Null: not with that. */
export interface Equipment {
  terminals: TerminalsOptions | null;
  patch: boolean;
  code: CodeOptions | null;
  agents: AgentTree | null;
  /** Tools that all threads share: they hold nothing that a thread would have to end. */
  shared: () => readonly Tool[];
}

/** Opens the tools of one thread. */
export function openToolbox(thread: AgentThread, equipment: Equipment): Toolbox {
  const { code } = equipment;
  const terminals = equipment.terminals === null ? null : new Terminals(equipment.terminals);
  const own: readonly Tool[] = [
    ...(terminals?.tools() ?? []),
    ...(equipment.patch ? [applyPatchTool()] : []),
    ...(equipment.agents === null ? [] : agentTools(equipment.agents, thread)),
  ];
  const others = (): readonly Tool[] => [...own, ...equipment.shared()];
  const cells = code === null ? null : new CodeCells({ tools: others, limits: code.limits ?? {} });
  return {
    tools: () => [...(cells?.tools() ?? []), ...(code?.only === true ? [] : others())],
    // The same ones: their numbers are never used again in the thread.
    reopen: () => {
      terminals?.reopen();
      cells?.reopen();
    },
    close: async () => {
      // Scripts first: they might open terminals.
      await cells?.close();
      await terminals?.close();
    },
  };
}
