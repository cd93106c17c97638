/** What `rollout-trace story --json` prints. */

import { troublesOf } from '../show/troubles.ts';
import type { View } from '../show/view.ts';
import { failuresOf } from './causes.ts';
import { after_ms, storyOf } from './steps.ts';

export function storyJson(view: View): object {
  const { graph, refs, path } = view;
  const agentPath = (id: string | null): string | null =>
    id === null ? null : (graph.threads.get(id)?.agent_path ?? null);
  return {
    bundle: path,
    rollout_id: graph.rollout_id,
    status: graph.status,
    turns: graph.codex_turns.size,
    turns_not_completed: [...graph.codex_turns.values()].filter(({ execution }) => execution.status !== 'completed')
      .length,
    steps: storyOf(view).map((step) => ({
      ref: refs.refOf(step.noun, step.id),
      after_ms: after_ms(view, step),
      agent_path: agentPath(step.thread_id),
      ...step,
    })),
    failures: failuresOf(view, troublesOf(view)).map((failure) => ({
      ref: refs.refOf(failure.noun, failure.id),
      noun: failure.noun,
      id: failure.id,
      thread_id: failure.thread_id,
      agent_path: agentPath(failure.thread_id),
      what: failure.what,
      how: failure.how.map(({ text }) => text).join(''),
      about: failure.about,
      reason: failure.reason,
      outlived_until_unix_ms: failure.outlivedUntil_unix_ms,
      ended_with: failure.endedWith === null ? null : refs.refOf(failure.endedWith.noun, failure.endedWith.id),
      asked_by: failure.askedBy.map(({ noun, id }) => ({ ref: refs.refOf(noun, id), id })),
      saw: failure.sight?.of ?? (failure.mayHaveBeenSeen ? 'unknown' : null),
      seen_in: failure.sight === null ? null : refs.refOf(failure.sight.request.noun, failure.sight.request.id),
      next_answer: failure.nextAnswer,
    })),
    findings: view.reduced.findings,
  };
}
