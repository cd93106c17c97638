/** Runs the command line in this process, with its streams in memory. Scaffolding of the tests. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { OutputStream } from '../io/stream.ts';
import { run } from '../run.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures/bundles/', import.meta.url));

/** The path of a fixture: `0.169.0/plain`. Read only. */
export function fixture(name: string): string {
  return join(fixtures, name);
}

/** A folder that is removed when the tests of the file are done. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollout-trace-cli-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A copy of a fixture that may be written to. */
export function copyOf(name: string, folder: string): string {
  const copy = join(mkdtempSync(join(folder, 'copy-')), basename(name));
  cpSync(fixture(name), copy, { recursive: true });
  return copy;
}

export interface Surroundings {
  environment?: Record<string, string>;
  columns?: number;
  isTerminal?: boolean;
  /** Nobody reads stdout any more after so many bytes. */
  closesAfter?: number;
}

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

class MemoryStream implements OutputStream {
  text = '';
  isClosed = false;
  readonly isTerminal: boolean;
  readonly columns: number | null;
  readonly #closesAfter: number;
  constructor({ isTerminal = false, columns, closesAfter = Number.POSITIVE_INFINITY }: Surroundings) {
    this.isTerminal = isTerminal;
    this.columns = columns ?? null;
    this.#closesAfter = closesAfter;
  }

  write(data: string | Uint8Array): void {
    if (this.isClosed) return;
    this.text += typeof data === 'string' ? data : new TextDecoder().decode(data);
    this.isClosed = this.text.length > this.#closesAfter;
  }
}

/** What the command line answers to these words. */
export function cli(argv: readonly string[], surroundings: Surroundings = {}): Outcome {
  const stdout = new MemoryStream(surroundings);
  const stderr = new MemoryStream({ ...surroundings, closesAfter: Number.POSITIVE_INFINITY });
  const code = run(argv, { stdout, stderr, environment: surroundings.environment ?? {} });
  if (typeof code !== 'number') throw new Error(`${argv.join(' ')} is not done at once`);
  return { code, out: stdout.text, err: stderr.text };
}
