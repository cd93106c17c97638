/** The reference is a program. Where `ROLLOUT_TRACE_CODEX` names it, what is recorded is put before it too. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The state as the reference writes it; null where there is none. @throws where it refuses the bundle */
export function referenceState(bundle: string): string | null {
  const program = process.env.ROLLOUT_TRACE_CODEX;
  if (program === undefined) return null;
  const home = mkdtempSync(join(tmpdir(), 'rollout-trace-reference-'));
  try {
    const state = join(home, 'state.json');
    const env = { ...process.env, CODEX_HOME: home };
    execFileSync(program, ['debug', 'trace-reduce', bundle, '-o', state], { env, stdio: 'pipe' });
    return readFileSync(state, 'utf8');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
