/**
 * The bundle of one run of Codex. Every run is a process of its own and leaves a bundle of its own, whose folder carries
 * the id of the thread; the runs of one thread are told apart by what was there before.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ReducedBundle, reduceBundle } from '../../bundle/replay.ts';
import { directorySource } from '../../node/directory-source.ts';
import { nativeSha256 } from '../../node/native-sha256.ts';

/** What one run left. */
export interface CodexTrace {
  /** The folder of the bundle; null where there is none, or none yet. */
  readonly bundle: string | null;
  /** Reduces the bundle as it is now; null where there is none. Damage is among the findings. */
  reduce(): ReducedBundle | null;
}

/** Looks for the bundle of a run below a root. */
export class RunTrace implements CodexTrace {
  readonly #root: string | null;
  readonly #threadId: () => string | null;
  readonly #before: ReadonlySet<string>;
  #bundle: string | null = null;
  #ended = false;

  /** Made before the run begins. The id of a new thread is not known then. */
  constructor(root: string | null, threadId: () => string | null) {
    this.#root = root;
    this.#threadId = threadId;
    this.#before = new Set(root === null ? [] : foldersIn(root));
  }

  get bundle(): string | null {
    if (this.#bundle === null && !this.#ended) this.#bundle = this.#find();
    return this.#bundle;
  }

  reduce(): ReducedBundle | null {
    const folder = this.bundle;
    if (folder === null) return null;
    return reduceBundle(directorySource(folder), { mode: 'salvage', sha256: nativeSha256 });
  }

  /** The run is over: what is not there now will not come, and later runs of the thread leave bundles of their own. */
  end(): void {
    this.#bundle = this.bundle;
    this.#ended = true;
  }

  /** Null as well where two could be meant, as when a thread is run twice at once. */
  #find(): string | null {
    const id = this.#threadId();
    if (this.#root === null || id === null) return null;
    const [name, ...others] = foldersIn(this.#root).filter(
      (folder) => folder.startsWith('trace-') && folder.endsWith(`-${id}`) && !this.#before.has(folder),
    );
    return name === undefined || others.length > 0 ? null : join(this.#root, name);
  }
}

function foldersIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch {
    // Codex makes the folder when it first writes there.
    return [];
  }
}
