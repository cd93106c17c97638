/**
 * Random sessions that are valid: whatever order the calls come in, what is recorded must be accepted by every reader.
 *
 * The same seed gives the same session. Histories grow, are edited, pruned and compacted; children are spawned; tools
 * outlive their turns; handles are called after their end.
 */

import { agentActivity } from '../agent.ts';
import type { CodeCell } from '../code-cell.ts';
import type { Rollout } from '../rollout.ts';
import type { Thread } from '../thread.ts';
import type { ToolCall } from '../tool.ts';
import type { Turn } from '../turn.ts';
import { functionCall, functionOutput, message, request, USAGE } from './scenarios.ts';

/** Numbers that a seed decides. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0 || 1;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#state = s >>> 0;
    return this.#state % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** Words with every kind of character in them. */
  text(): string {
    const parts: string[] = [];
    for (let n = this.below(12); n >= 0; n--)
      parts.push(this.pick(['plain', 'naïve', '你好', '😀', '"\\', '\n\t', '\u0001', '\u2028', '{}[],:', '7']));
    return parts.join(' ');
  }
}

interface Agent {
  thread: Thread;
  history: object[];
  running: ToolCall[];
}

const MODEL = { model: 'model-1', providerName: 'provider' };

/** Records the session of a seed and ends it. */
export function randomSession(rollout: Rollout, seed: number): void {
  new Session(rollout, new Dice(seed)).play();
}

class Session {
  readonly #rollout: Rollout;
  readonly #dice: Dice;
  readonly #agents: Agent[] = [];
  #count = 0;

  constructor(rollout: Rollout, dice: Dice) {
    this.#rollout = rollout;
    this.#dice = dice;
  }

  play(): void {
    this.#agents.push({ thread: this.#rollout.root, history: [], running: [] });
    for (let n = 2 + this.#dice.below(8); n > 0; n--) {
      const agent = this.#agents[this.#dice.below(this.#agents.length)];
      if (agent !== undefined) this.#turn(agent);
    }
    for (const { thread } of this.#agents.slice(1))
      if (this.#dice.chance(60)) thread.end(this.#dice.pick(['completed', 'aborted', 'failed']));
    this.#rollout.end(this.#dice.pick(['completed', 'failed', 'aborted']));
    this.#rollout.root.startTurn().end();
  }

  #id(prefix: string): string {
    return `${prefix}_${++this.#count}`;
  }

  #turn(agent: Agent): void {
    const turn = agent.thread.startTurn();
    const user = this.#id('msg');
    agent.history.push(message(user, 'user', this.#dice.text()));
    turn.itemAccepted(user);
    for (let n = 1 + this.#dice.below(4); n > 0; n--) this.#call(agent, turn);
    if (this.#dice.chance(20)) this.#compact(agent, turn);
    if (this.#dice.chance(25)) this.#edit(agent);
    turn.end(this.#dice.pick(['completed', 'completed', 'failed', 'cancelled', 'aborted']));
    if (this.#dice.chance(10)) turn.end();
    const background = agent.running.pop();
    background?.runtimeEnded('completed', {
      call_id: background.id,
      exit_code: 0,
      aggregated_output: this.#dice.text(),
    });
  }

  #call(agent: Agent, turn: Turn): void {
    const context = turn.inference(MODEL);
    const body = request([...agent.history], this.#dice.chance(50) ? { client_metadata: { turn_id: turn.id } } : {});
    const attempt = context.start(this.#dice.chance(30) ? () => body : body);
    const answer = message(this.#id('msg'), 'assistant', this.#dice.text());
    const upstreamRequestId = this.#dice.chance(50) ? this.#id('req') : null;
    const fate = this.#dice.below(10);
    if (fate === 0) attempt.fail(this.#dice.text(), { outputItems: this.#dice.chance(50) ? [answer] : [] });
    if (fate === 1) attempt.cancel('interrupted', { upstreamRequestId });
    if (fate < 2) return;
    const output: object[] = [answer];
    const after: object[] = [];
    for (let n = this.#dice.below(3); n > 0; n--) this.#tool(agent, turn, output, after);
    if (this.#dice.chance(20)) this.#exec(turn, output, after);
    attempt.complete({
      responseId: this.#id('resp'),
      upstreamRequestId,
      tokenUsage: this.#dice.chance(70) ? USAGE : null,
      outputItems: output,
    });
    if (this.#dice.chance(10)) attempt.fail('too late');
    turn.itemAccepted((answer as { id: string }).id);
    agent.history.push(...output, ...after);
  }

  #tool(agent: Agent, turn: Turn, output: object[], after: object[]): void {
    const callId = this.#id('call');
    const name = this.#dice.pick(['exec_command', 'lookup', 'apply_patch', 'spawn_agent']);
    const args = { message: this.#dice.text(), cmd: 'true' };
    output.push(functionCall(this.#id('fc'), callId, name, args));
    const call = turn.startToolCall({ name, callId, payload: { type: 'function', arguments: JSON.stringify(args) } });
    if (name === 'exec_command') this.#process(agent, call);
    if (name === 'spawn_agent') this.#spawn(agent, call);
    const result = functionOutput(this.#id('fco'), callId, this.#dice.text());
    after.push(result);
    if (this.#dice.chance(80)) call.respond(result);
    else call.fail(new Error(this.#dice.text()));
    if (this.#dice.chance(10)) call.end('failed');
  }

  #process(agent: Agent, call: ToolCall): void {
    const process_id = String(this.#dice.below(5));
    call.runtimeStarted({ call_id: call.id, process_id, command: ['true'], cwd: '/work' });
    if (this.#dice.chance(40)) agent.running.push(call);
    else
      call.runtimeEnded('completed', {
        call_id: call.id,
        process_id,
        exit_code: this.#dice.below(3),
        aggregated_output: '',
      });
  }

  #spawn(agent: Agent, call: ToolCall): void {
    const child = agent.thread.startChild({ taskName: this.#id('task') });
    const seen = { eventId: call.id, occurredAtMs: 1, agentThreadId: child.id, agentPath: child.agentPath };
    call.runtimeEnded('completed', agentActivity({ ...seen, kind: 'started' }));
    this.#agents.push({ thread: child, history: [], running: [] });
  }

  #exec(turn: Turn, output: object[], after: object[]): void {
    const callId = this.#id('call');
    const source = `text(${JSON.stringify(this.#dice.text())})`;
    output.push({ type: 'custom_tool_call', id: this.#id('ctc'), call_id: callId, name: 'exec', input: source });
    const call = turn.startToolCall({ name: 'exec', callId, payload: { type: 'custom', input: source } });
    const cell = turn.startCodeCell({ runtimeCellId: this.#id('cell'), modelVisibleCallId: callId, source });
    this.#finish(cell);
    const result = {
      type: 'custom_tool_call_output',
      id: this.#id('ctco'),
      call_id: callId,
      output: this.#dice.text(),
    };
    after.push(result);
    call.respond(result);
  }

  #finish(cell: CodeCell): void {
    if (this.#dice.chance(40)) {
      cell.initialResponse('yielded', { Yielded: {} });
      if (this.#dice.chance(30)) return;
    } else cell.initialResponse('completed', { Result: this.#dice.text() });
    cell.end(this.#dice.pick(['completed', 'failed', 'terminated']), { Result: this.#dice.text() });
  }

  #compact(agent: Agent, turn: Turn): void {
    const compaction = turn.compaction(MODEL);
    const attempt = compaction.start({ ...request([...agent.history]), instructions: this.#dice.text() });
    if (this.#dice.chance(30)) attempt.fail('overloaded');
    else attempt.complete([{ type: 'compaction', encrypted_content: 'x' }]);
    const replacementHistory = agent.history.filter(() => this.#dice.chance(40));
    replacementHistory.push(message(this.#id('msg'), 'user', this.#dice.text()));
    const checkpoint = { inputHistory: agent.history.slice(this.#dice.below(2)), replacementHistory };
    compaction.install(this.#dice.chance(50) ? checkpoint : () => checkpoint);
    agent.history = [...replacementHistory];
  }

  /** What hosts do to histories: change an item in place, drop the oldest, put one in. Never a call: ids stay true. */
  #edit(agent: Agent): void {
    const messages = agent.history.filter((item) => (item as { type: string }).type === 'message');
    const item = messages[this.#dice.below(Math.max(1, messages.length))] as { content: object[] } | undefined;
    const how = this.#dice.below(3);
    if (how === 0 && item !== undefined) item.content = [{ type: 'input_text', text: this.#dice.text() }];
    if (how === 1) agent.history.splice(0, this.#dice.below(agent.history.length));
    if (how === 2)
      agent.history.splice(
        this.#dice.below(agent.history.length + 1),
        0,
        message(this.#id('msg'), 'developer', this.#dice.text()),
      );
  }
}
