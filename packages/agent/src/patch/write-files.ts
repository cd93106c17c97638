/**
 * Writes a set of files so that all of it is done or nothing is.
 *
 * Everything new is first written beside its place, where most of what can fail does fail; then each file takes its
 * place by one rename. What was done before something fails all the same is undone.
 */

import { randomUUID } from 'node:crypto';
import { chmod, mkdir, realpath, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a file holds. A new file has the mode that new files have. */
export interface FileContent {
  bytes: Uint8Array;
  mode: number | null;
}

/** A file as it is and as it is to be; null where it does not exist. */
export interface FileWrite {
  path: string;
  before: FileContent | null;
  after: FileContent | null;
}

/** @throws where not all could be done; then nothing has changed, or the error says what has */
export async function writeFiles(writes: readonly FileWrite[]): Promise<void> {
  const folders: string[] = [];
  const staged = new Map<string, string>();
  const done: FileWrite[] = [];
  try {
    for (const { path, after } of writes) {
      if (after === null) continue;
      folders.push(...(await makeFolders(dirname(path))));
      staged.set(path, await stage(path, after));
    }
    for (const write of writes) {
      const temporary = staged.get(write.path);
      if (temporary === undefined) await unlink(write.path);
      else await rename(temporary, write.path);
      staged.delete(write.path);
      done.push(write);
    }
  } catch (error) {
    const left = await undo(done);
    for (const temporary of staged.values()) await rm(temporary, { force: true });
    for (const folder of folders.reverse()) await rmdir(folder).catch(() => {});
    const message = error instanceof Error ? error.message : String(error);
    const state = left.length === 0 ? 'nothing was changed' : `these files could not be put back: ${left.join(', ')}`;
    throw new Error(`${state}; ${message}`, { cause: error });
  }
}

/** The folders that were made, the outermost first. */
async function makeFolders(folder: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = folder; !(await exists(at)); at = dirname(at)) missing.unshift(at);
  await mkdir(folder, { recursive: true });
  // The plan followed every link. Another one here was made since, and may lead anywhere.
  if ((await realpath(folder)) !== folder) throw new Error(`${folder} has become a link`);
  return missing;
}

async function stage(path: string, content: FileContent): Promise<string> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, content.bytes, { flag: 'wx' });
    // Not as an option of writing, where the mask of the process would take bits away.
    if (content.mode !== null) await chmod(temporary, content.mode);
    return temporary;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The paths that could not be put back. */
async function undo(done: readonly FileWrite[]): Promise<string[]> {
  const left: string[] = [];
  for (const { path, before } of done.toReversed()) {
    try {
      if (before === null) await unlink(path);
      else await rename(await stage(path, before), path);
    } catch {
      left.push(path);
    }
  }
  return left;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
