/** Which processes still run in a folder that is about to be removed. */

import { readdirSync, readlinkSync } from 'node:fs';

/** Ids of processes whose working folder is this one, or lies in it; null where the system does not tell. */
export function processesIn(folder: string): string[] | null {
  if (process.platform !== 'linux') return null;
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const cwd = readlinkSync(`/proc/${pid}/cwd`);
        return cwd === folder || cwd.startsWith(`${folder}/`);
      } catch {
        // It has ended meanwhile, or belongs to somebody else.
        return false;
      }
    });
}
