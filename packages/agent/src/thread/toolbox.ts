/** The tools of one thread, and everything they hold: terminals, code cells, children. */

import type { Tool } from '../tools/tool.ts';

/** One thread's tools. */
export interface Toolbox {
  /** Asked before every request: tools may come and go. */
  tools(): readonly Tool[];
  /** After an end: opens them again, with nothing of what they held before. */
  reopen(): void;
  /** Ends everything the tools hold. No process is left behind. */
  close(): Promise<void>;
}
