/** The folder a patch may change, and nothing outside it, whatever its paths and the links in it say. */

import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ToolError } from '../tools/tool.ts';

/** A file in the folder, which need not exist. */
export interface FilePlace {
  /** The absolute path without links. */
  path: string;
  /** The path from the folder on, to show. */
  shown: string;
  /** Whether the path itself is a link, to a file in the folder. */
  isLink: boolean;
}

/** Finds files in one folder. */
export class WorkingFolder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(cwd: string): Promise<WorkingFolder> {
    return new WorkingFolder(await realpath(cwd));
  }

  /** @throws {ToolError} where the path leads out of the folder, or nowhere */
  async locate(path: string): Promise<FilePlace> {
    if (path.includes('\0')) throw new ToolError(`${JSON.stringify(path)} is not a path`);
    const wanted = resolve(this.#root, path);
    const real = await this.#withoutLinks(wanted, path);
    const shown = relative(this.#root, real);
    if (shown === '') throw new ToolError(`${path} is the working folder itself`);
    if (isAbsolute(shown) || shown === '..' || shown.startsWith(`..${sep}`))
      throw new ToolError(`${path} is outside the working folder`);
    const entry = await lstat(wanted).catch(() => null);
    return { path: real, shown, isLink: entry?.isSymbolicLink() === true };
  }

  /** Follows the links of what exists, and leaves the rest as it is: where nothing exists there are no links. */
  async #withoutLinks(wanted: string, path: string): Promise<string> {
    const missing: string[] = [];
    for (let at = wanted; ; at = dirname(at)) {
      try {
        return join(await realpath(at), ...missing);
      } catch (error) {
        if (!isMissing(error)) throw new ToolError(`${path} cannot be reached: ${errorMessage(error)}`);
      }
      // A link to what does not exist may lead anywhere once it does.
      const entry = await lstat(at).catch(() => null);
      if (entry !== null) throw new ToolError(`${path} leads through a link to nowhere`);
      missing.unshift(basename(at));
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
