/** Sums over a graph: tokens, calls and times, per thread, turn, model and kind of tool. */

import type { ExecutionStatus, Graph, InferenceCall, ToolCall } from '@rollout-trace/core/format';
import { compact, count, counted, percent } from '../text/units.ts';
import { kindName } from './labels.ts';
import { tookMs } from './view.ts';

/** Tokens as the provider reported them. Calls that reported none add nothing, and are counted. */
export interface TokenTotals {
  input_tokens: number;
  cached_input_tokens: number;
  cache_write_input_tokens: number;
  output_tokens: number;
  reasoning_output_tokens: number;
  calls_with_usage: number;
  calls_without_usage: number;
}

export type StatusCounts = Partial<Record<ExecutionStatus, number>>;

/** What one thread or turn did itself. */
interface Share {
  turns: number;
  inference_calls: number;
  tool_calls: number;
  tokens: TokenTotals;
}

interface ModelTotals {
  model: string;
  provider_name: string;
  calls: number;
  by_status: StatusCounts;
  total_ms: number;
  tokens: TokenTotals;
}

interface ToolTotals {
  kind: string;
  calls: number;
  by_status: StatusCounts;
  /** Of those that completed: commands that ended with another exit code than 0. */
  exits_not_zero: number;
  /** Sum over calls that ended; calls run side by side, so it may exceed the session. */
  total_ms: number;
  longest_ms: number | null;
  longest_tool_call_id: string | null;
}

export interface Totals {
  tokens: TokenTotals;
  threads: ReadonlyMap<string, Share>;
  turns: ReadonlyMap<string, Share>;
  models: readonly ModelTotals[];
  tools: readonly ToolTotals[];
}

/** `5,851 tokens in (31 % cached), 183 out`, and how many calls that leaves out. */
export function tokensSpent(tokens: TokenTotals): string {
  const { input_tokens, cached_input_tokens, output_tokens, calls_with_usage, calls_without_usage } = tokens;
  if (calls_with_usage === 0) return 'no token usage was reported';
  const spent = `${compact(input_tokens)} tokens in (${percent(cached_input_tokens, input_tokens)} cached), ${compact(output_tokens)} out`;
  if (calls_without_usage === 0) return spent;
  return `${spent} (${count(calls_without_usage)} of ${counted(calls_with_usage + calls_without_usage, 'request')} reported none)`;
}

function noTokens(): TokenTotals {
  return {
    input_tokens: 0,
    cached_input_tokens: 0,
    cache_write_input_tokens: 0,
    output_tokens: 0,
    reasoning_output_tokens: 0,
    calls_with_usage: 0,
    calls_without_usage: 0,
  };
}

function addTokens(sum: TokenTotals, { usage }: InferenceCall): void {
  if (usage === null) {
    sum.calls_without_usage++;
    return;
  }
  sum.calls_with_usage++;
  sum.input_tokens += Number(usage.input_tokens);
  sum.cached_input_tokens += Number(usage.cached_input_tokens);
  sum.cache_write_input_tokens += Number(usage.cache_write_input_tokens ?? 0);
  sum.output_tokens += Number(usage.output_tokens);
  sum.reasoning_output_tokens += Number(usage.reasoning_output_tokens);
}

/** The entry of a key, made where there is none yet. */
function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** Of a thread or turn that asked nothing and called nothing. */
export const noShare = (): Share => ({ turns: 0, inference_calls: 0, tool_calls: 0, tokens: noTokens() });

function countStatus(counts: StatusCounts, status: ExecutionStatus): void {
  counts[status] = (counts[status] ?? 0) + 1;
}

export function totalsOf(graph: Graph): Totals {
  const tokens = noTokens();
  const threads = new Map<string, Share>();
  const turns = new Map<string, Share>();
  const models = new Map<string, ModelTotals>();
  const tools = new Map<string, ToolTotals>();
  const shares = (thread: string, turn: string | null): Share[] => [
    entry(threads, thread, noShare),
    ...(turn === null ? [] : [entry(turns, turn, noShare)]),
  ];
  for (const { thread_id } of graph.codex_turns.values()) entry(threads, thread_id, noShare).turns++;
  for (const call of graph.inference_calls.values()) {
    addTokens(tokens, call);
    for (const share of shares(call.thread_id, call.codex_turn_id)) {
      share.inference_calls++;
      addTokens(share.tokens, call);
    }
    addModel(models, call);
  }
  for (const tool of graph.tool_calls.values()) {
    for (const share of shares(tool.thread_id, tool.started_by_codex_turn_id)) share.tool_calls++;
    addTool(tools, tool, graph.terminal_operations.get(tool.terminal_operation_id ?? '')?.result?.exit_code ?? 0);
  }
  return {
    tokens,
    threads,
    turns,
    models: [...models.values()],
    tools: [...tools.values()].sort((a, b) => b.calls - a.calls || b.total_ms - a.total_ms),
  };
}

function addModel(models: Map<string, ModelTotals>, call: InferenceCall): void {
  const { model, provider_name } = call;
  const sum = entry(models, JSON.stringify([model, provider_name]), () => {
    return { model, provider_name, calls: 0, by_status: {}, total_ms: 0, tokens: noTokens() };
  });
  sum.calls++;
  sum.total_ms += tookMs(call.execution) ?? 0;
  countStatus(sum.by_status, call.execution.status);
  addTokens(sum.tokens, call);
}

function addTool(tools: Map<string, ToolTotals>, { tool_call_id, kind, execution }: ToolCall, exit: number): void {
  const name = kindName(kind);
  const sum = entry(tools, name, () => {
    return {
      kind: name,
      calls: 0,
      by_status: {},
      exits_not_zero: 0,
      total_ms: 0,
      longest_ms: null,
      longest_tool_call_id: null,
    };
  });
  sum.calls++;
  countStatus(sum.by_status, execution.status);
  if (execution.status === 'completed' && exit !== 0) sum.exits_not_zero++;
  const ms = tookMs(execution);
  if (ms === null) return;
  sum.total_ms += ms;
  if (sum.longest_ms !== null && ms <= sum.longest_ms) return;
  sum.longest_ms = ms;
  sum.longest_tool_call_id = tool_call_id;
}
