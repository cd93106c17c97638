/** Every scenario. */

import { AGENTS } from './agents.ts';
import { CODE } from './code.ts';
import { COMMANDS } from './commands.ts';
import { FAULTS } from './faults.ts';
import { ITEMS } from './items.ts';
import { MCP } from './mcp.ts';
import { REQUESTS } from './requests.ts';
import type { Scenario } from './scenario.ts';
import { TURNS } from './turns.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...TURNS,
  ...ITEMS,
  ...REQUESTS,
  ...COMMANDS,
  ...CODE,
  ...AGENTS,
  ...MCP,
  ...FAULTS,
];
