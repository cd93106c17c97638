/**
 * What the SDK tells while agents run, told apart by its spans: who works for whom, which model call and which tool call
 * belongs to whom. One of these serves a session, however many processors, runners and sessions of the SDK it hears.
 *
 * Not here: how an agent is recorded (`agent-span.ts`), a tool (`tool-span.ts`), a model call (`model-span.ts`).
 */

import type { ExecutionStatus } from '../../format/event.ts';
import { currentTrace, enterTrace } from '../../node/recorder/current-trace.ts';
import type { Turn } from '../../recorder/turn.ts';
import { CallSeat } from '../session/call-seat.ts';
import { isMembers, type Members, membersOf, textOrNull } from '../session/json.ts';
import type { Asked, ModelRequest, TraceSession } from '../session/session.ts';
import { findByTranscript, type Sighting, sightingOf } from '../session/transcript.ts';
import { AgentBook } from './agent-book.ts';
import { AgentRun, OWNER } from './agent-run.ts';
import { AgentSpan } from './agent-span.ts';
import { currentSpanId } from './current-span.ts';
import { ModelSpan } from './model-span.ts';
import { errorText, statusOf, ToolSpan, type ToolSpanData } from './tool-span.ts';

/** What is needed of a span. */
export interface SpanLike {
  readonly spanId: string;
  readonly parentId: string | null;
  readonly traceId: string;
  readonly spanData: object;
  readonly error: object | null;
}

/** What is needed of a trace. */
export interface TraceLike {
  readonly traceId: string;
  readonly groupId: string | null;
}

/** A span that is open, and what works in it. */
interface Node {
  run: AgentRun;
  agent: AgentSpan | null;
  /** The tool that everything in it works for. */
  tool: ToolSpan | null;
  /** Whether the span is that of the tool itself. */
  isTool: boolean;
  model: ModelSpan | null;
}

/** An open rollout holds a file. The conversation that was heard of least lately ends when there are more. */
const OPEN_BOOKS = 100;
/** Runs that may be resumed under the id of their trace. */
const REMEMBERED_RUNS = 200;

const NOT_OBSERVABLE = [
  'tools that the service runs: a call and its output stand in what the model said',
  'what guardrails do, beyond whether they were triggered',
  'model calls over a WebSocket or of a model whose client is not traced: they are put together from what the SDK tells when they end',
];

/** Everything that is known of running agents. */
export class AgentRuns {
  readonly #session: TraceSession;
  readonly #runs = new Map<string, AgentRun>();
  readonly #nodes = new Map<string, Node>();
  readonly #books = new Set<AgentBook>();
  readonly #groups = new Map<string, AgentBook>();
  readonly #agents = new Set<AgentSpan>();
  /** Runs within a tool, by the turn they work for (`#hostedRun`). */
  readonly #hosted = new WeakMap<Turn, AgentRun>();
  #hooked = false;

  constructor(session: TraceSession) {
    this.#session = session;
    session.addLocator((asked, request) => this.#locate(asked, request));
    session.beforeEnd(() => this.#abandon());
  }

  traceStarted({ traceId, groupId }: TraceLike): void {
    if (!this.#session.listening) return;
    const { turn } = currentTrace();
    const hostTurn = turn.recording ? turn : null;
    const run = this.#runs.get(traceId);
    // A run that is resumed goes on where it was.
    if (run !== undefined && run.hostTurn === hostTurn) {
      if (run.book !== null) run.book.running++;
      return;
    }
    this.#runs.set(traceId, new AgentRun(this.#session, (...args) => this.#bookOf(...args), hostTurn, groupId));
    if (this.#runs.size > REMEMBERED_RUNS) {
      for (const oldest of this.#runs.keys()) {
        this.#runs.delete(oldest);
        break;
      }
    }
  }

  traceEnded({ traceId }: TraceLike): void {
    this.#runs.get(traceId)?.end();
  }

  spanStarted(span: SpanLike): void {
    const parent = span.parentId === null ? null : (this.#nodes.get(span.parentId) ?? null);
    const run = parent?.run ?? this.#runs.get(span.traceId);
    if (run === undefined) return;
    const node: Node = { run, agent: parent?.agent ?? null, tool: parent?.tool ?? null, isTool: false, model: null };
    this.#nodes.set(span.spanId, node);
    const { type, name } = dataOf(span);
    if (type === 'agent') {
      const called = textOrNull(name) ?? 'agent';
      const hosted = this.#hostedRun(node);
      if (hosted !== null) {
        node.run = hosted;
        node.tool = null;
      }
      node.agent = new AgentSpan(node.run, called, node.run.originOf(called, node.tool));
      this.#agents.add(node.agent);
      node.run.began(node.agent);
    } else if ((type === 'response' || type === 'generation') && node.agent !== null) {
      node.model = new ModelSpan(this.#session, node.agent);
    } else if (type === 'turn' && node.agent?.turn) {
      // The tools of the turn before are done: what comes now is not theirs.
      enterTrace(node.agent.turn);
    } else if (type === 'function' && node.agent !== null && isToolData(span.spanData)) {
      node.tool = new ToolSpan(node.agent, span.spanData, this.#hooked);
      node.isTool = true;
    }
  }

  spanEnded(span: SpanLike): void {
    const node = this.#nodes.get(span.spanId);
    if (node === undefined) return;
    this.#nodes.delete(span.spanId);
    const data = dataOf(span);
    const error = isMembers(span.error) ? span.error : null;
    const { agent } = node;
    switch (data.type) {
      case 'agent':
        agent?.end(...endOf(error));
        if (agent !== null) this.#agents.delete(agent);
        break;
      case 'response':
      case 'generation':
        node.model?.end(data, error);
        break;
      case 'function':
        node.tool?.end(error);
        break;
      case 'handoff':
        if (agent !== null && typeof data.to_agent === 'string') node.run.handoff(agent, data.to_agent, node.tool);
        break;
      case 'guardrail':
        agent?.thread.protocolEvent('guardrail', { type: 'guardrail', name: data.name, triggered: data.triggered });
        break;
      default:
    }
    this.#tell(agent);
  }

  /** Hooks of a runner or an agent will say which call is which. */
  hooked(): void {
    this.#hooked = true;
  }

  /** A hook of a runner or an agent: this call begins. */
  toolNamed(toolCall: Members): void {
    this.#currentTool()?.named(toolCall);
  }

  /** A hook of a runner or an agent: this call has a result. */
  toolReturned(result: string): void {
    this.#currentTool()?.returned(result);
  }

  /** The agent whose history the running code keeps. */
  currentAgent(): AgentSpan | null {
    const node = this.#currentNode();
    return node?.agent ?? node?.run.current ?? null;
  }

  #currentTool(): ToolSpan | null {
    const node = this.#currentNode();
    return node?.isTool === true ? node.tool : null;
  }

  #currentNode(): Node | null {
    const id = currentSpanId();
    return id === null ? null : (this.#nodes.get(id) ?? null);
  }

  #locate(asked: Asked, request: ModelRequest): CallSeat | null {
    const node = this.#currentNode();
    if (node === null || node.agent === null) return null;
    if (node.model !== null) return node.model.seat(request);
    // Within a tool, the host asks for purposes of its own.
    if (node.tool !== null && node.tool !== this.#toolOf(node.agent)) return null;
    if (asked === 'inference') {
      const { turn, watcher } = node.agent.ask(sightingOf(request), request.model);
      return new CallSeat(turn, watcher);
    }
    const { agent } = node;
    const watcher = {
      answered: (_: unknown, items: readonly unknown[]) => agent.compacted(items),
      gaveUp: () => undefined,
    };
    return agent.turn === null ? null : new CallSeat(agent.turn, watcher);
  }

  /**
   * The run of an agent that the SDK takes for the work of its own tool, where that tool has something else at work, such
   * as another SDK, that asks for the agent: the turn of that is the host of the run. Null where it is as the SDK says.
   */
  #hostedRun({ run, tool }: Node): AgentRun | null {
    if (tool === null) return null;
    const { turn } = currentTrace();
    const known = this.#hosted.get(turn);
    // An agent that is handed over to begins in the same turn.
    if (known !== undefined) return known === run ? null : known;
    if (!tool.isBehindCurrent()) return null;
    const hosted = new AgentRun(this.#session, (...args) => this.#bookOf(...args), turn, null);
    this.#hosted.set(turn, hosted);
    return hosted;
  }

  /** The tool an agent works for. */
  #toolOf(agent: AgentSpan): ToolSpan | null {
    if (agent.origin.type === 'tool') return agent.origin.tool;
    return agent.origin.type === 'handoff' ? this.#toolOf(agent.origin.from) : null;
  }

  #bookOf(rootAgent: string, sighting: Sighting, group: string | null): AgentBook {
    const known = group === null ? findByTranscript(this.#books, sighting) : (this.#groups.get(group) ?? null);
    const book = known ?? this.#newBook(rootAgent, group);
    this.#books.delete(book);
    this.#books.add(book);
    if (this.#books.size > OPEN_BOOKS) this.#endOldest();
    return book;
  }

  #newBook(rootAgent: string, group: string | null): AgentBook {
    const rollout = this.#session.openRollout({ agent_role: rootAgent, nickname: rootAgent });
    const book = new AgentBook(rollout, rollout.root, rootAgent);
    if (group !== null) this.#groups.set(group, book);
    return book;
  }

  #endOldest(): void {
    for (const book of this.#books) {
      if (book.running > 0 || book.rollout === null) continue;
      this.#books.delete(book);
      for (const [group, known] of this.#groups) if (known === book) this.#groups.delete(group);
      this.#session.endRollout(book.rollout);
      return;
    }
  }

  #abandon(): void {
    for (const agent of this.#agents) agent.abandon();
    this.#agents.clear();
    this.#nodes.clear();
    this.#runs.clear();
    this.#books.clear();
    this.#groups.clear();
  }

  #tell(agent: AgentSpan | null): void {
    if (agent?.turn) this.#session.notObservable(agent.thread, OWNER, NOT_OBSERVABLE);
  }
}

/** How an agent ended, and why it failed. */
function endOf(error: Members | null): [status: ExecutionStatus, error: string | null] {
  const status = statusOf(error);
  return [status, error !== null && status === 'failed' ? errorText(error) : null];
}

function dataOf({ spanData }: SpanLike): Members {
  return membersOf(spanData);
}

function isToolData(data: object): data is ToolSpanData {
  return 'name' in data && typeof data.name === 'string';
}

const known = new WeakMap<TraceSession, AgentRuns>();

/** What is known of the agents of a session. */
export function agentRunsOf(session: TraceSession): AgentRuns {
  const runs = known.get(session) ?? new AgentRuns(session);
  known.set(session, runs);
  return runs;
}
