import { describe, expect, it } from 'vitest';
import { materialize } from './materialize.ts';
import { MemoryBundle } from './memory.ts';
import type { Rollout } from './rollout.ts';
import { randomSession } from './testing/random-session.ts';
import { asText, record, recordSegment } from './testing/recording.ts';
import { SCENARIOS } from './testing/scenarios.ts';

describe('bundle and segment', () => {
  for (const [name, scenario] of SCENARIOS) {
    it(`hold the same evidence: ${name}`, () => {
      const bundle = record(scenario).files;
      const segment = recordSegment(scenario);
      const memory = new MemoryBundle();
      const result = materialize([segment.bytes()], memory);
      expect(result.tail).toBeNull();
      expect(asText(memory.files())).toEqual(bundle);
    });
  }

  it('hold the same evidence of 300 random sessions', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const session = (rollout: Rollout): void => randomSession(rollout, seed);
      const memory = new MemoryBundle();
      materialize([recordSegment(session).bytes()], memory);
      expect(asText(memory.files()), `seed ${seed}`).toEqual(record(session).files);
    }
  });

  it('write every type of event the format has but the one no reader knows', () => {
    const types = new Set(
      [...SCENARIOS.values()].flatMap((scenario) => record(scenario).events.map((event) => event.payload.type)),
    );
    expect([...types].sort()).toEqual([
      'agent_result_observed',
      'code_cell_ended',
      'code_cell_initial_response',
      'code_cell_started',
      'codex_turn_ended',
      'codex_turn_started',
      'compaction_installed',
      'compaction_request_completed',
      'compaction_request_failed',
      'compaction_request_started',
      'history_item_accepted',
      'inference_cancelled',
      'inference_completed',
      'inference_failed',
      'inference_started',
      'mcp_tool_call_correlation_assigned',
      'protocol_event_observed',
      'recording_completed',
      'rollout_ended',
      'rollout_started',
      'stdin_target_resolved',
      'thread_ended',
      'thread_resumed',
      'thread_started',
      'tool_call_ended',
      'tool_call_runtime_ended',
      'tool_call_runtime_started',
      'tool_call_started',
    ]);
  });
});
