/** What a patch would do: every operation checked against the files, and nothing written yet. */

import { access, constants, readFile, stat } from 'node:fs/promises';
import { ToolError } from '../tools/tool.ts';
import { changeFile } from './change-file.ts';
import type { PatchOperation } from './parse-patch.ts';
import { placeHunks } from './place-hunks.ts';
import { printText, readText, type TextFile } from './text-file.ts';
import { type FilePlace, WorkingFolder } from './working-folder.ts';
import type { FileContent, FileWrite } from './write-files.ts';

/** A change of one file, as it is recorded. Paths are absolute. */
type FileChange =
  | { type: 'add'; content: string }
  | { type: 'delete'; content: string }
  | { type: 'update'; unified_diff: string; move_path: string | null };

/** One operation that can be done. */
export interface PlannedChange {
  path: string;
  change: FileChange;
  /** What is done, as a line to show: `M path`. */
  summary: string;
  /** The files as they are to be; a move is two. */
  writes: readonly FileWrite[];
}

/** @throws {ToolError} where an operation cannot be done */
export async function planPatch(operations: readonly PatchOperation[], cwd: string): Promise<PlannedChange[]> {
  const folder = await WorkingFolder.open(cwd);
  const planned: PlannedChange[] = [];
  const touched = new Set<string>();
  for (const operation of operations) {
    const change = await atLine(operation, () => planOperation(operation, folder));
    for (const { path } of change.writes) {
      if (touched.has(path)) throw new ToolError(`line ${operation.line} of the patch: ${path} is changed twice`);
      touched.add(path);
    }
    planned.push(change);
  }
  return planned;
}

async function planOperation(operation: PatchOperation, folder: WorkingFolder): Promise<PlannedChange> {
  const place = await folder.locate(operation.path);
  switch (operation.type) {
    case 'add':
      return planAdd(place, operation.content);
    case 'delete':
      return planDelete(place);
    case 'update':
      return planUpdate(place, operation, operation.moveTo === null ? null : await folder.locate(operation.moveTo));
  }
}

async function planAdd(place: FilePlace, content: string): Promise<PlannedChange> {
  await refuseExisting(place);
  return {
    path: place.path,
    change: { type: 'add', content },
    summary: `A ${place.shown}`,
    writes: [{ path: place.path, before: null, after: { bytes: Buffer.from(content, 'utf8'), mode: null } }],
  };
}

async function planDelete(place: FilePlace): Promise<PlannedChange> {
  if (place.isLink) throw new ToolError(`the path is a link to ${place.shown}: only files can be deleted`);
  const { text, before } = await readExisting(place);
  return {
    path: place.path,
    change: { type: 'delete', content: printText(text) },
    summary: `D ${place.shown}`,
    writes: [{ path: place.path, before, after: null }],
  };
}

async function planUpdate(
  place: FilePlace,
  operation: PatchOperation & { type: 'update' },
  moveTo: FilePlace | null,
): Promise<PlannedChange> {
  const target = moveTo === null || moveTo.path === place.path ? null : moveTo;
  if (target !== null && place.isLink)
    throw new ToolError(`the path is a link to ${place.shown}: only files can be moved`);
  if (target !== null) await refuseExisting(target);
  const { text, before } = await readExisting(place);
  const lines = text.lines.map((line) => line.text);
  const changed = changeFile(text, placeHunks(place.shown, lines, operation.hunks));
  const after = { bytes: Buffer.from(changed.text, 'utf8'), mode: before.mode };
  return {
    path: place.path,
    change: { type: 'update', unified_diff: changed.diff, move_path: target?.path ?? null },
    summary: target === null ? `M ${place.shown}` : `M ${place.shown} -> ${target.shown}`,
    writes:
      target === null
        ? [{ path: place.path, before, after }]
        : [
            { path: target.path, before: null, after },
            { path: place.path, before, after: null },
          ],
  };
}

async function refuseExisting(place: FilePlace): Promise<void> {
  const exists = await stat(place.path).then(
    () => true,
    () => false,
  );
  if (exists) throw new ToolError(`${place.shown} exists already: update it, or delete it in a patch before`);
}

async function readExisting(place: FilePlace): Promise<{ text: TextFile; before: FileContent }> {
  const found = await stat(place.path).catch(() => null);
  if (found === null) throw new ToolError(`${place.shown} does not exist`);
  if (!found.isFile()) throw new ToolError(`${place.shown} is not a file`);
  try {
    // Replacing a file asks the folder only; that it must not be written would go unnoticed.
    await access(place.path, constants.R_OK | constants.W_OK);
  } catch {
    throw new ToolError(`${place.shown} may not be read and written`);
  }
  const bytes = await readFile(place.path);
  const text = readText(bytes);
  if (text === null) throw new ToolError(`${place.shown} is not a text in UTF-8`);
  return { text, before: { bytes, mode: found.mode & 0o7777 } };
}

async function atLine<T>(operation: PatchOperation, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(`line ${operation.line} of the patch: ${error.message}`);
  }
}
